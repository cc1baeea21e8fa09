package io.elastickv.embedded.internal.transport;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jgroups.Version;
import org.junit.jupiter.api.Test;

class FramesTest {
    private static final byte[] CLUSTER = HexFormat.of().parseHex("000102030405060708090a0b0c0d0e0f");

    /** Writes down what it is given. */
    private static class Recorder implements Frames.Items {
        final List<String> items = new ArrayList<>();
        int payloadBytes;

        private String text(ByteBuffer payload) {
            byte[] bytes = new byte[payload.remaining()];
            payload.get(bytes);
            payloadBytes += bytes.length;
            return new String(bytes, UTF_8);
        }

        @Override
        public void group(int groupId, ByteBuffer payload) {
            items.add("group " + groupId + " " + text(payload));
        }

        @Override
        public void request(long id, int method, ByteBuffer payload) {
            items.add("request " + id + " " + method + " " + text(payload));
        }

        @Override
        public void response(long id, long incarnation, byte status, ByteBuffer payload) {
            items.add("response " + id + " " + incarnation + " " + status + " " + text(payload));
        }

        @Override
        public void ping(long stamp) {
            items.add("ping " + stamp);
        }

        @Override
        public void pong(long stamp) {
            items.add("pong " + stamp);
        }

        @Override
        public void chunk(int transfer, int total, int offset, ByteBuffer part) {
            items.add("chunk " + transfer + " " + total + " " + offset + " " + text(part));
        }

        @Override
        public void goodbye() {
            items.add("goodbye");
        }
    }

    private static byte[] oneOfEach() {
        ByteBuffer out = ByteBuffer.allocate(1000);
        out.put(Frames.encodeHeader(CLUSTER, Frames.nameBytes("n1"), 0x1122334455667788L, true));
        Frames.putGroup(out, 7, EncodedMessage.of("gg".getBytes(UTF_8)), 2);
        Frames.putRequest(out, 9, 3, EncodedMessage.of("rq".getBytes(UTF_8)), 2);
        Frames.putResponse(out, 9, 5, Frames.STATUS_OK, EncodedMessage.of("rs".getBytes(UTF_8)), 2);
        out.put(Frames.PING).putLong(1).put(Frames.PONG).putLong(2);
        out.put(Frames.CHUNK).putInt(1).putInt(10).putInt(4).putInt(2).put("ch".getBytes(UTF_8));
        out.put(Frames.GOODBYE);
        return Arrays.copyOf(out.array(), out.position());
    }

    @Test
    void theBytesOfVersionOneStayAsTheyAre() {
        assertThat(HexFormat.of().formatHex(oneOfEach()))
                .isEqualTo("e1a50101000102030405060708090a0b0c0d0e0f0000000000000000026e311122334455667788"
                        + "0100000007000000026767"
                        + "020000000000000009000000030000000" + "27271"
                        + "0300000000000000090000000000000005" + "00" + "000000027273"
                        + "040000000000000001"
                        + "050000000000000002"
                        + "0600000001" + "0000000a" + "00000004" + "00000002" + "6368"
                        + "07");
    }

    @Test
    void whatIsWrittenIsRead() {
        byte[] frame = oneOfEach();
        ByteBuffer in = ByteBuffer.wrap(frame).asReadOnlyBuffer();
        Frames.Header header = Objects.requireNonNull(Frames.readHeader(in));
        assertThat(header.name(frame)).isEqualTo("n1");
        assertThat(header.named(frame, Frames.nameBytes("n1"))).isTrue();
        assertThat(header.named(frame, Frames.nameBytes("n2"))).isFalse();
        assertThat(header.incarnation()).isEqualTo(0x1122334455667788L);
        assertThat(header.storageless()).isTrue();
        assertThat(header.clusterHigh()).isEqualTo(0x0001020304050607L);
        Recorder recorder = new Recorder();
        assertThat(Frames.readItems(in, recorder)).isTrue();
        assertThat(recorder.items)
                .containsExactly(
                        "group 7 gg",
                        "request 9 3 rq",
                        "response 9 5 0 rs",
                        "ping 1",
                        "pong 2",
                        "chunk 1 10 4 ch",
                        "goodbye");
    }

    @Test
    void aTokenTellsNodesAndTheirLivesApart() {
        byte[] n1 = Frames.nameBytes("n1");
        assertThat(Frames.token(n1, 1)).isEqualTo(0xdafb98682d32ee73L);
        assertThat(Frames.token(n1, 1)).isNotEqualTo(Frames.token(n1, 2));
        assertThat(Frames.token(n1, 1)).isNotEqualTo(Frames.token(Frames.nameBytes("n2"), 1));
    }

    @Test
    void noJGroupsMessageLooksLikeAFrame() {
        assertThat(Frames.MAGIC).isNotEqualTo(Version.version);
        assertThat(Version.isBinaryCompatible(Frames.MAGIC)).isFalse();
    }

    @Test
    void everyCutOfAFrameIsToleratedAndWholeItemsBeforeItCount() {
        byte[] frame = oneOfEach();
        for (int length = 0; length < frame.length; length++) {
            ByteBuffer in = ByteBuffer.wrap(frame, 0, length).asReadOnlyBuffer();
            if (Frames.readHeader(in) != null) {
                Recorder recorder = new Recorder();
                Frames.readItems(in, recorder);
                assertThat(recorder.items).hasSizeLessThan(7);
            }
        }
    }

    @Test
    void noMutationThrowsOrReadsBeyondTheFrame() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        byte[] original = oneOfEach();
        for (int round = 0; round < 200_000; round++) {
            byte[] frame = original.clone();
            for (int i = random.nextInt(4); i >= 0; i--) {
                int at = random.nextInt(frame.length);
                switch (random.nextInt(3)) {
                    case 0 -> frame[at] = (byte) random.nextInt();
                    case 1 -> frame[at] ^= (byte) (1 << random.nextInt(8));
                    default -> frame[at] = (byte) (random.nextBoolean() ? 0xff : 0x7f);
                }
            }
            int length = random.nextBoolean() ? frame.length : random.nextInt(frame.length + 1);
            try {
                ByteBuffer in = ByteBuffer.wrap(frame, 0, length).asReadOnlyBuffer();
                Frames.Header header = Frames.readHeader(in);
                if (header != null) {
                    header.name(frame);
                    Recorder recorder = new Recorder();
                    Frames.readItems(in, recorder);
                    assertThat(recorder.payloadBytes).isLessThanOrEqualTo(length);
                }
            } catch (RuntimeException e) {
                throw new AssertionError(
                        "seed " + seed + ", frame " + HexFormat.of().formatHex(frame), e);
            }
        }
    }

    @Test
    void aMessageThatWritesAnotherLengthThanItSaidIsRefused() {
        EncodedMessage liar = new EncodedMessage() {
            @Override
            public int size() {
                return 5;
            }

            @Override
            public void writeTo(ByteBuffer out) {
                out.putInt(1);
            }
        };
        Outbox outbox = new Outbox(10, 1000);
        assertThatThrownBy(() -> outbox.addGroup(1, liar))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("announced 5");
        assertThat(outbox.waitingBytes()).isZero();
        assertThat(outbox.addGroup(1, EncodedMessage.of(new byte[3]))).isTrue();
        Outbox.OutFrame frame = Objects.requireNonNull(outbox.takeFrame());
        assertThat(frame.buffer.limit()).isEqualTo(10 + Frames.GROUP_HEADER_BYTES + 3);
    }
}
