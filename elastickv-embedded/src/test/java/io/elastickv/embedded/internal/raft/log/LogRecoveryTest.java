package io.elastickv.embedded.internal.raft.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** The bytes on disk, and what becomes of them when they are cut, flipped, lost or from the future. */
@QuietLog
class LogRecoveryTest {

    private static final Path DIRECTORY = Path.of("log");
    private static final Path FIRST = DIRECTORY.resolve("0000000000000001.wal");
    private static final Path SECOND = DIRECTORY.resolve("0000000000000002.wal");
    private static final Path THIRD = DIRECTORY.resolve("0000000000000003.wal");
    private static final int HEADER = LogFormat.SEGMENT_HEADER_BYTES;

    private static NodeLogOptions options(FaultyFiles files) {
        return NodeLogOptions.of(DIRECTORY, "n1")
                .withFiles(files)
                .withSegmentBytes(8192)
                .withPreallocateBytes(512);
    }

    private static void write(NodeLog log, Model model, Model.Step step) {
        assertThat(Completions.submit(log, model, step).awaitDurable()).isTrue();
    }

    /** A log of several frames, and what it held after each of them. */
    private static final class Written {
        final FaultyFiles files = new FaultyFiles();
        final List<Model> states = new ArrayList<>(List.of(new Model()));

        /** Where the frame of a batch begins and ends, counted over all segments. */
        final List<Frame> frames = new ArrayList<>();
    }

    private record Frame(Path file, int start, int end) {}

    /** Not closed: as a killed process leaves it, the last frame is the last batch's. */
    private static Written written(long seed, int batches, long segmentBytes) {
        Written written = new Written();
        Random random = new Random(seed);
        NodeLog log = NodeLog.open(options(written.files).withSegmentBytes(segmentBytes));
        try {
            for (int i = 0; i < batches; i++) {
                Model next = written.states.get(i).copy();
                write(log, next, next.randomStep(random, 3, 200));
                written.states.add(next);
                Path file = written.files.files().get(written.files.files().size() - 1);
                int start = HEADER;
                if (i > 0 && written.frames.get(i - 1).file.equals(file)) {
                    start = written.frames.get(i - 1).end;
                }
                int length = ByteBuffer.wrap(written.files.content(file)).getInt(start + 4);
                written.frames.add(new Frame(file, start, start + LogFormat.FRAME_HEADER_BYTES + length));
            }
            Written left = new Written();
            FaultyFiles copy = written.files.afterKill();
            copy.files().forEach(file -> left.files.put(file, copy.content(file)));
            left.states.clear();
            left.states.addAll(written.states);
            left.frames.addAll(written.frames);
            return left;
        } finally {
            log.close();
        }
    }

    private static FaultyFiles copy(FaultyFiles files) {
        return files.afterKill();
    }

    @Test
    void theBytesAreThoseOfVersionOne() {
        FaultyFiles files = new FaultyFiles();
        NodeLog log = NodeLog.open(options(files).withSalts(() -> 0x1122334455667788L));
        try (log) {
            Model model = new Model();
            write(
                    log,
                    model,
                    new Model.Step()
                            .hardState(7, 2, "n1")
                            .entry(7, 1, 2, new byte[0])
                            .entry(7, 2, 2, new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9})
                            .commit(7, 1));
            write(log, model, new Model.Step().hardState(7, 3, null));
        }
        byte[] content = files.content(FIRST);
        HexFormat hex = HexFormat.of();
        assertThat(hex.formatHex(content, 0, 64)).isEqualTo(GOLDEN_SEGMENT_HEADER);
        assertThat(hex.formatHex(content, HEADER, HEADER + 264)).isEqualTo(GOLDEN_FRAMES);
    }

    private static final String GOLDEN_SEGMENT_HEADER =
            "454b5657414c0d0a0000000100000000000000000000000111223344556677880000000000000000000000000000000000000000000000000000000052234aa4";

    private static final String GOLDEN_FRAMES = ""
            // frame of 4 records
            + "454b5646000000980000000000000001000000000000100011223344556677880000000434376164"
            // term 2, vote n1
            + "f92c08ab000000020201000000000007000000000000000000000000000000026e31000000000000"
            // entry 1
            + "c2d1c03400000000010000000000000700000000000000010000000000000002"
            // entry 2
            + "2cbe991f0000000901010000000000070000000000000002000000000000000201020304050607080900000000000000"
            // commit 1
            + "5299432e00000000030000000000000700000000000000010000000000000000"
            // frame of 1 record
            + "454b564600000020000000000000000100000000000010c01122334455667788000000013e9df918"
            // term 3, no vote
            + "0fb8a41c00000000020000000000000700000000000000000000000000000003";

    @Test
    void bytesOfVersionOneAreReadForEver() {
        byte[] content = new byte[HEADER + 1000];
        byte[] header = HexFormat.of().parseHex(GOLDEN_SEGMENT_HEADER);
        byte[] frames = HexFormat.of().parseHex(GOLDEN_FRAMES);
        System.arraycopy(header, 0, content, 0, header.length);
        System.arraycopy(frames, 0, content, HEADER, frames.length);
        Model model = new Model();
        new Model.Step()
                .hardState(7, 3, null)
                .entry(7, 1, 2, new byte[0])
                .entry(7, 2, 2, new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9})
                .commit(7, 1)
                .apply(model, new LogBatch(Completions.IGNORE));
        try (NodeLog log = NodeLog.open(options(new FaultyFiles().put(FIRST, content)))) {
            assertThat(model.difference(log)).isNull();
        }
    }

    @Test
    void aLastFrameCutAtAnyByteIsTornOffAndOnlyThat() {
        for (long seed = 1; seed <= 2; seed++) {
            Written written = written(seed, 6, 1 << 20);
            Frame last = written.frames.get(5);
            byte[] whole = written.files.content(last.file);
            for (int cut = last.start; cut <= last.end; cut++) {
                byte[] zeroed = whole.clone();
                Arrays.fill(zeroed, cut, last.end, (byte) 0);
                for (byte[] content : List.of(Arrays.copyOf(whole, cut), zeroed)) {
                    FaultyFiles files = copy(written.files).put(last.file, content);
                    String context = "seed " + seed + ", cut at " + (cut - last.start) + " of "
                            + (last.end - last.start) + ", length " + content.length;
                    boolean nothingLost = content.length >= last.end
                            && Arrays.equals(content, 0, last.end, whole, 0, last.end); // only padding was cut
                    Model expected = written.states.get(nothingLost ? 6 : 5).copy();
                    for (int round = 0; round < (cut % 16 == 0 ? 2 : 1); round++) {
                        try (NodeLog log = NodeLog.open(options(files))) {
                            assertThat(expected.difference(log)).as(context).isNull();
                            write(log, expected, new Model.Step().hardState(9, round + 1, null));
                        }
                    }
                }
            }
        }
    }

    @Test
    void aCutIsLoggedWithFileOffsetAndLength() {
        Written written = written(2, 4, 1 << 20);
        Frame last = written.frames.get(3);
        byte[] content = written.files.content(last.file);
        content[last.end - 12] ^= 1;
        FaultyFiles files = copy(written.files).put(last.file, content);
        Logger logger = (Logger) LoggerFactory.getLogger(LogRecovery.class);
        ListAppender<ILoggingEvent> events = new ListAppender<>();
        events.start();
        logger.addAppender(events);
        logger.setLevel(Level.WARN);
        logger.setAdditive(false);
        try (NodeLog log = NodeLog.open(options(files))) {
            assertThat(written.states.get(3).difference(log)).isNull();
        } finally {
            logger.setAdditive(true);
            logger.setLevel(null);
            logger.detachAppender(events);
        }
        assertThat(events.list).hasSize(1);
        assertThat(events.list.get(0).getFormattedMessage())
                .contains(last.file.toString())
                .contains("offset " + last.start)
                .contains("cut off");
    }

    @Test
    void aFlippedBitIsRefusedOrInTheLastFrameOrWithoutEffect() {
        int refused = 0;
        int torn = 0;
        int harmless = 0;
        long seed = new Random().nextLong();
        Written written = written(seed, 14, 8192);
        assertThat(written.files.files()).hasSizeGreaterThanOrEqualTo(2);
        Random random = new Random(seed);
        Frame last = written.frames.get(13);
        for (Path file : written.files.files()) {
            byte[] content = written.files.content(file);
            for (int at = 0; at < content.length; at++) {
                if (at >= 64 && at < HEADER && at % 97 != 0) {
                    continue; // unused
                }
                byte[] flipped = content.clone();
                flipped[at] ^= (byte) (1 << random.nextInt(8));
                FaultyFiles files = copy(written.files).put(file, flipped);
                String context = "seed " + seed + ", " + file + " at " + at;
                boolean inLastFrame = file.equals(last.file) && at >= last.start && at < last.end;
                try (NodeLog log = NodeLog.open(options(files))) {
                    if (written.states.get(14).difference(log) == null) {
                        harmless++;
                        assertThat(isUnused(written, file, at)).as(context).isTrue();
                    } else {
                        torn++;
                        assertThat(inLastFrame).as(context).isTrue();
                        assertThat(written.states.get(13).difference(log))
                                .as(context)
                                .isNull();
                    }
                } catch (LogCorruptException e) {
                    refused++;
                    assertThat(inLastFrame).as(context).isFalse();
                    assertThat(e.file()).as(context).isEqualTo(file);
                    assertThat(e.offset()).as(context).isLessThanOrEqualTo(at);
                    assertThat(e).hasMessageContaining(file.toString()).hasMessageContaining("offset " + e.offset());
                    assertThat(e.remedy()).isNotEmpty();
                }
            }
        }
        assertThat(refused).isGreaterThan(1000);
        assertThat(torn).isGreaterThan(40);
        assertThat(harmless).isPositive();
    }

    /** The rest of a header's block, padding of a record, the zeros behind the last frame. */
    private static boolean isUnused(Written written, Path file, int at) {
        if (at >= 64 && at < HEADER) {
            return true;
        }
        byte[] content = written.files.content(file);
        ByteBuffer buffer = ByteBuffer.wrap(content);
        int end = HEADER;
        for (Frame frame : written.frames) {
            if (frame.file.equals(file)) {
                end = frame.end;
                int record = frame.start + LogFormat.FRAME_HEADER_BYTES;
                while (record < frame.end) {
                    int length = buffer.getInt(record + 4);
                    int used = record + LogFormat.RECORD_HEADER_BYTES + length;
                    record += (int) LogFormat.recordBytes(length);
                    if (at >= used && at < record) {
                        return true;
                    }
                }
            }
        }
        return at >= end;
    }

    @Test
    void afterACleanEndNoFlipIsTakenForATornWrite() {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        try (NodeLog log = NodeLog.open(options(files))) {
            write(log, model, new Model.Step().hardState(1, 1, "n1").entry(1, 1, 1, new byte[16]));
        }
        byte[] content = files.content(FIRST);
        int frame = LogFormat.FRAME_HEADER_BYTES + ByteBuffer.wrap(content).getInt(HEADER + 4);
        for (int at = HEADER; at < HEADER + frame; at++) {
            byte[] flipped = content.clone();
            flipped[at] ^= 16;
            FaultyFiles damaged = copy(files).put(FIRST, flipped);
            if (ByteBuffer.wrap(content).getInt(HEADER + LogFormat.FRAME_HEADER_BYTES + 4) == 2
                    && at >= HEADER + 74
                    && at < HEADER + 80) {
                continue; // padding behind the vote
            }
            assertThatThrownBy(() -> NodeLog.open(options(damaged))).isInstanceOf(LogCorruptException.class);
        }
    }

    @Test
    void whatAKilledProcessWroteIsProtectedOnceItWasShown() {
        Written written = written(3, 4, 1 << 20);
        FaultyFiles files = copy(written.files);
        NodeLog shown = NodeLog.open(options(files));
        try (shown) {
            FaultyFiles again = files.afterKill();
            Frame last = written.frames.get(3);
            byte[] content = again.content(last.file);
            content[last.start + 50] ^= 1;
            again.put(last.file, content);
            assertThatThrownBy(() -> NodeLog.open(options(again))).isInstanceOf(LogCorruptException.class);
        }
    }

    @Test
    void aMissingSegmentIsCorruption() {
        Written written = written(5, 40, 8192);
        assertThat(written.files.files()).hasSizeGreaterThan(3);
        for (Path missing : List.of(FIRST, SECOND, THIRD)) {
            FaultyFiles files = copy(written.files).remove(missing);
            assertThatThrownBy(() -> NodeLog.open(options(files)))
                    .isInstanceOf(LogCorruptException.class)
                    .hasMessageContaining(missing.toString())
                    .hasMessageContaining("missing");
        }
    }

    @Test
    void segmentsFromElsewhereAreNotTaken() {
        Written written = written(5, 40, 8192);
        Written other = written(6, 40, 8192);
        FaultyFiles swapped = copy(written.files).put(SECOND, other.files.content(SECOND));
        assertThatThrownBy(() -> NodeLog.open(options(swapped))).isInstanceOf(LogCorruptException.class);
        FaultyFiles renamed = copy(written.files).put(SECOND, written.files.content(THIRD));
        assertThatThrownBy(() -> NodeLog.open(options(renamed)))
                .isInstanceOf(LogCorruptException.class)
                .hasMessageContaining("renamed");
    }

    @Test
    void aSegmentThatWasNeverCompletedIsNoCorruption() {
        Written written = written(8, 5, 1 << 20);
        byte[] partial = Arrays.copyOf(written.files.content(FIRST), HEADER + 512);
        Arrays.fill(partial, HEADER, partial.length, (byte) 0);
        partial[20] ^= 1;
        for (byte[] content : List.of(new byte[0], new byte[17], new byte[HEADER + 512], partial)) {
            FaultyFiles files = copy(written.files).put(SECOND, content);
            Model expected = written.states.get(5).copy();
            try (NodeLog log = NodeLog.open(options(files))) {
                assertThat(expected.difference(log)).isNull();
                assertThat(files.files()).containsExactly(FIRST);
                write(log, expected, new Model.Step().hardState(50, 1, null));
            }
            try (NodeLog log = NodeLog.open(options(files))) {
                assertThat(expected.difference(log)).isNull();
            }
        }
        for (byte[] content : List.of(new byte[0], new byte[17], new byte[HEADER + 512])) {
            try (NodeLog log = NodeLog.open(options(new FaultyFiles().put(FIRST, content)))) {
                assertThat(log.groups()).isEmpty();
            }
        }
    }

    @Test
    void aNewerVersionIsRefused() {
        Written written = written(9, 3, 1 << 20);
        byte[] content = written.files.content(FIRST);
        ByteBuffer buffer = ByteBuffer.wrap(content);
        buffer.putInt(8, 2);
        buffer.putInt(60, crc(content, 0, 60));
        FaultyFiles files = copy(written.files).put(FIRST, content);
        assertThatThrownBy(() -> NodeLog.open(options(files)))
                .isInstanceOf(LogFormatException.class)
                .hasMessageContaining("version 2")
                .hasMessageContaining(FIRST.toString())
                .hasMessageContaining("or a newer one");
    }

    @Test
    void recordsOfAnUnknownKindAreRefused() {
        for (int field : new int[] {8, 9}) {
            FaultyFiles files = new FaultyFiles();
            try (NodeLog log = NodeLog.open(options(files))) {
                write(log, new Model(), new Model.Step().entry(1, 1, 1, new byte[8]));
            }
            byte[] content = files.content(FIRST);
            int record = HEADER + LogFormat.FRAME_HEADER_BYTES;
            content[record + field] = 99;
            ByteBuffer.wrap(content).putInt(record, crc(content, record + 4, 36));
            files.put(FIRST, content);
            assertThatThrownBy(() -> NodeLog.open(options(files)))
                    .isInstanceOf(LogFormatException.class)
                    .hasMessageContaining("unknown kind 99");
        }
    }

    @Test
    void anOldFrameBehindTheCutIsNeverTakenForANewOne() {
        // A long torn frame whose inside looks like a frame of this place, but has another salt.
        Written written = written(10, 3, 1 << 20);
        Frame last = written.frames.get(2);
        byte[] content = Arrays.copyOf(written.files.content(FIRST), last.end + 4096);
        int forged = last.end + 800;
        ByteBuffer frame = ByteBuffer.allocate(LogFormat.FRAME_HEADER_BYTES);
        LogFormat.putFrameHeader(frame, 0, 0, new LogFormat.SegmentHeader(1, 4711, 0, 0, 1, false), forged, new CRC32C());
        System.arraycopy(frame.array(), 0, content, forged, frame.capacity());
        content[last.end + 3] = 77;
        FaultyFiles files = copy(written.files).put(FIRST, content);
        try (NodeLog log = NodeLog.open(options(files))) {
            assertThat(written.states.get(3).difference(log)).isNull();
            write(log, written.states.get(3), new Model.Step().hardState(50, 1, null));
        }
        assertThat(files.content(FIRST)[forged]).isZero();
    }

    @Test
    void damageFoundWhileReadingPoisonsTheLog() {
        FaultyFiles files = new FaultyFiles();
        NodeLogOptions options = options(files);
        Model model = new Model();
        try (NodeLog log = NodeLog.open(options.withSegmentBytes(1 << 20))) {
            Model.Step step = new Model.Step();
            for (int i = 1; i <= 100; i++) {
                step.entry(1, i, 1, new byte[100]);
            }
            write(log, model, step);
        }
        try (NodeLog log = NodeLog.open(options)) {
            byte[] content = files.content(FIRST);
            content[HEADER + 8000] ^= 1;
            files.put(FIRST, content); // a new file under the name: the reader has not opened it yet
            assertThatThrownBy(() -> log.group(1).readNow(1, 100, 100, 100_000))
                    .isInstanceOf(LogCorruptException.class)
                    .hasMessageContaining("entry ");
            assertThat(log.isPoisoned()).isTrue();
            assertThat(Completions.submit(log, model, new Model.Step().hardState(1, 9, null))
                            .awaitDurable())
                    .isFalse();
        }
    }

    @Test
    void thousandsOfMutationsNeverGiveWhatWasNeverWritten() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        Written written = written(seed, 14, 8192);
        int opened = 0;
        for (int round = 0; round < 3000; round++) {
            Path file = written.files
                    .files()
                    .get(random.nextInt(written.files.files().size()));
            byte[] content = written.files.content(file);
            int mutations = 1 + random.nextInt(3);
            for (int i = 0; i < mutations; i++) {
                int at = random.nextInt(content.length);
                int length = Math.min(content.length - at, 1 + random.nextInt(600));
                switch (random.nextInt(4)) {
                    case 0 -> Arrays.fill(content, at, at + length, (byte) 0);
                    case 1 -> Arrays.fill(content, at, at + length, (byte) 0xff);
                    case 2 -> content = Arrays.copyOf(content, Math.max(1, content.length - length));
                    default -> {
                        byte[] noise = new byte[length];
                        random.nextBytes(noise);
                        System.arraycopy(noise, 0, content, at, length);
                    }
                }
            }
            FaultyFiles files = copy(written.files).put(file, content);
            try (NodeLog log = NodeLog.open(options(files))) {
                opened++;
                boolean known = false;
                for (Model state : written.states) {
                    known |= state.difference(log) == null;
                }
                assertThat(known).as("seed " + seed + ", round " + round).isTrue();
            } catch (LogCorruptException | LogFormatException e) {
                // refused
            }
        }
        assertThat(opened).isBetween(1, 2999);
    }

    private static int crc(byte[] content, int from, int length) {
        CRC32C crc = new CRC32C();
        crc.update(content, from, length);
        return (int) crc.getValue();
    }

    @Test
    void theTestsWriteWhatTheyThink() {
        Written written = written(1, 6, 1 << 20);
        try (NodeLog log = NodeLog.open(options(written.files))) {
            assertThat(written.states.get(6).difference(log)).isNull();
            List<LogEntry> entries = log.group(0).readNow(1, 100, 100, 100_000);
            assertThat(entries).isEqualTo(written.states.get(6).group(0).entries);
        }
    }
}
