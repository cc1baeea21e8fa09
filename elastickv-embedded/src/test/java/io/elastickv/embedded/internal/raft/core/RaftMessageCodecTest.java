package io.elastickv.embedded.internal.raft.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RaftMessageCodecTest {

    private record Golden(String hex, RaftMessage message) {}

    private static final List<Golden> GOLDEN = List.of(
            new Golden("0101050402", new RaftMessage.PreVoteRequest(5, 4, 2)),
            new Golden("0102040501", new RaftMessage.PreVoteResponse(4, 5, true)),
            new Golden("010305ac020301", new RaftMessage.VoteRequest(5, 300, 3, true)),
            new Golden("01040500", new RaftMessage.VoteResponse(5, false)),
            new Golden("010505040203" + "0700", new RaftMessage.AppendRequest(5, 4, 2, 3, 7, List.of())),
            new Golden(
                    "010505040203" + "0702" + "050000" + "050103616263",
                    new RaftMessage.AppendRequest(
                            5,
                            4,
                            2,
                            3,
                            7,
                            List.of(
                                    new LogEntry(5, 5, EntryKind.NOOP, new byte[0]),
                                    new LogEntry(6, 5, EntryKind.COMMAND, new byte[] {'a', 'b', 'c'})))),
            new Golden("0106050701060600" + "0000", new RaftMessage.AppendResponse(5, 7, true, 6, 6, 0, 0, 0)),
            new Golden("0106050700010009" + "0802", new RaftMessage.AppendResponse(5, 7, false, 1, 0, 9, 8, 2)),
            new Golden("010705", new RaftMessage.TimeoutNow(5)),
            new Golden("010805fffffffffffffffe", new RaftMessage.ReadIndexRequest(5, -2)),
            new Golden(
                    "010905000000000000002a" + "0c" + "e8a38ca8ba33" + "01",
                    new RaftMessage.ReadIndexResponse(5, 42, 12, 1_768_000_000_488L, true)),
            new Golden("010a05ac02", new RaftMessage.SnapshotRequired(5, 300)),
            new Golden("010b05fffffffffffffffe", new RaftMessage.MemoryLost(5, -2)),
            new Golden("010c05000000000000002aac02", new RaftMessage.RecoverUpTo(5, 42, 300)),
            new Golden("0107ffffffffffffffff7f", new RaftMessage.TimeoutNow(Long.MAX_VALUE)));

    @Test
    void bytesStayWhatTheyAre() {
        for (Golden golden : GOLDEN) {
            byte[] bytes = encode(golden.message);
            assertThat(HexFormat.of().formatHex(bytes)).as("%s", golden.message).isEqualTo(golden.hex);
            assertThat(RaftMessageCodec.decode(ByteBuffer.wrap(bytes))).isEqualTo(golden.message);
        }
    }

    @Test
    void everyMessageHasGoldenBytes() {
        Set<Class<?>> covered = new HashSet<>();
        GOLDEN.forEach(g -> covered.add(g.message.getClass()));
        assertThat(covered).isEqualTo(Set.of(RaftMessage.class.getPermittedSubclasses()));
    }

    @Test
    void messagesFollowEachOtherInOneBuffer() {
        ByteBuffer buffer = ByteBuffer.allocate(1_000);
        GOLDEN.forEach(g -> RaftMessageCodec.encode(g.message, buffer));
        buffer.flip();
        for (Golden golden : GOLDEN) {
            assertThat(RaftMessageCodec.decode(buffer)).isEqualTo(golden.message);
        }
        assertThat(buffer.hasRemaining()).isFalse();
    }

    @Test
    void directBuffersWork() {
        for (Golden golden : GOLDEN) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(RaftMessageCodec.encodedSize(golden.message));
            RaftMessageCodec.encode(golden.message, buffer);
            assertThat(RaftMessageCodec.decode(buffer.flip())).isEqualTo(golden.message);
        }
    }

    @Test
    void cutShortIsMalformed() {
        for (Golden golden : GOLDEN) {
            byte[] bytes = encode(golden.message);
            for (int length = 0; length < bytes.length; length++) {
                ByteBuffer cut = ByteBuffer.wrap(Arrays.copyOf(bytes, length));
                assertThatThrownBy(() -> RaftMessageCodec.decode(cut)).isInstanceOf(MalformedMessageException.class);
            }
        }
    }

    @Test
    void lengthsAreCheckedBeforeAnythingIsAllocated() {
        for (String hex : List.of(
                "0105050402030" + "7" + "ffffffffffffffff7f", // entries without end
                "01050504020307" + "01" + "0501" + "ffffffff07" + "61", // a payload of 2 GB
                "01050504020307" + "01" + "0503" + "00", // a kind that is not known
                "02070500", // another version
                "011405", // another type
                "010405" + "02", // neither true nor false
                "0107" + "8000", // a number that is longer than it needs to be
                "0107" + "ffffffffffffffffff01")) { // a negative number
            assertThatThrownBy(() -> RaftMessageCodec.decode(
                            ByteBuffer.wrap(HexFormat.of().parseHex(hex))))
                    .as(hex)
                    .isInstanceOf(MalformedMessageException.class);
        }
    }

    @Test
    void randomMessagesComeBackAsTheyWere() {
        SplittableRandom random = new SplittableRandom(11);
        for (int i = 0; i < 5_000; i++) {
            RaftMessage message = randomMessage(random);
            byte[] bytes = encode(message);
            assertThat(RaftMessageCodec.decode(ByteBuffer.wrap(bytes))).isEqualTo(message);
        }
    }

    @Test
    void mutatedBytesAreAMessageOrMalformed() {
        long seed = Long.getLong("codec.seed", 12);
        SplittableRandom random = new SplittableRandom(seed);
        int rejected = 0;
        for (int i = 0; i < 100_000; i++) {
            byte[] bytes = encode(randomMessage(random));
            for (int m = 1 + random.nextInt(3); m > 0; m--) {
                switch (random.nextInt(3)) {
                    case 0 -> bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
                    case 1 -> bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
                    default -> bytes = Arrays.copyOf(bytes, 1 + random.nextInt(bytes.length + 4));
                }
            }
            try {
                RaftMessage message = RaftMessageCodec.decode(ByteBuffer.wrap(bytes));
                // What is understood has one encoding.
                byte[] again = encode(message);
                if (!Arrays.equals(again, 0, again.length, bytes, 0, again.length)) {
                    throw new AssertionError("-Dcodec.seed=" + seed + " mutation " + i + ": " + message);
                }
            } catch (MalformedMessageException e) {
                rejected++;
            } catch (RuntimeException e) {
                throw new AssertionError("-Dcodec.seed=" + seed + " mutation " + i, e);
            }
        }
        assertThat(rejected).isGreaterThan(10_000);
    }

    private static RaftMessage randomMessage(SplittableRandom random) {
        long term = number(random);
        return switch (random.nextInt(12)) {
            case 0 -> new RaftMessage.PreVoteRequest(term, number(random), number(random));
            case 1 -> new RaftMessage.PreVoteResponse(term, number(random), random.nextBoolean());
            case 2 -> new RaftMessage.VoteRequest(term, number(random), number(random), random.nextBoolean());
            case 3 -> new RaftMessage.VoteResponse(term, random.nextBoolean());
            case 4 ->
                new RaftMessage.AppendResponse(
                        term,
                        number(random),
                        random.nextBoolean(),
                        number(random),
                        number(random),
                        number(random),
                        number(random),
                        number(random));
            case 5 -> new RaftMessage.TimeoutNow(term);
            case 6 -> new RaftMessage.ReadIndexRequest(term, random.nextLong());
            case 7 ->
                new RaftMessage.ReadIndexResponse(
                        term, random.nextLong(), number(random), number(random), random.nextBoolean());
            case 8 -> new RaftMessage.SnapshotRequired(term, number(random));
            case 9 -> new RaftMessage.MemoryLost(term, random.nextLong());
            case 10 -> new RaftMessage.RecoverUpTo(term, random.nextLong(), number(random));
            default -> randomAppend(term, random);
        };
    }

    private static RaftMessage randomAppend(long term, SplittableRandom random) {
        long prev = number(random) / 2;
        List<LogEntry> entries = new ArrayList<>();
        int count = random.nextInt(6);
        for (int i = 0; i < count; i++) {
            byte[] payload = new byte[random.nextInt(3) == 0 ? 0 : random.nextInt(200)];
            random.nextBytes(payload);
            entries.add(new LogEntry(prev + 1 + i, number(random), EntryKind.ofCode(random.nextInt(3)), payload));
        }
        return new RaftMessage.AppendRequest(term, prev, number(random), number(random), number(random), entries);
    }

    /** Of every length equally often. */
    private static long number(SplittableRandom random) {
        return random.nextLong() >>> (1 + random.nextInt(63));
    }

    private static byte[] encode(RaftMessage message) {
        ByteBuffer buffer = ByteBuffer.allocate(RaftMessageCodec.encodedSize(message));
        RaftMessageCodec.encode(message, buffer);
        assertThat(buffer.hasRemaining()).isFalse();
        return buffer.array();
    }
}
