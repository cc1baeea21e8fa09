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

    /** The frame that every opening writes, with fsync. */
    private static final int OPENED = LogFormat.FRAME_HEADER_BYTES + LogFormat.RECORD_HEADER_BYTES;

    private static NodeLogOptions options(FaultyFiles files) {
        return NodeLogOptions.of(DIRECTORY, "n1")
                .withFiles(files)
                .withSegmentBytes(8192)
                .withPreallocateBytes(512);
    }

    private static void write(NodeLog log, Model model, Model.Step step) {
        assertThat(Completions.submit(log, model, step).awaitDurable()).isTrue();
    }

    /** A log of several frames, and what it held after each batch. */
    private static final class Written {
        final FaultyFiles files = new FaultyFiles();
        final List<Model> states = new ArrayList<>(List.of(new Model()));

        /** Of the segments that are needed, in order. */
        final List<Frame> frames = new ArrayList<>();

        int batches() {
            return states.size() - 1;
        }

        /** The last batch's. */
        Frame lastFrame() {
            return frames.get(frames.size() - 1);
        }

        Model last() {
            return states.get(batches());
        }

        List<Path> segments() {
            return files.files().stream()
                    .filter(file -> LogFormat.sequence(file.getFileName().toString()) > 0)
                    .toList();
        }
    }

    private record Frame(Path file, int start, int end, byte lastKind) {}

    private static Written written(long seed, int batches, long segmentBytes) {
        return written(seed, batches, segmentBytes, false);
    }

    /** Not closed: as a killed process leaves it, the last frame is the last batch's. */
    private static Written written(long seed, int batches, long segmentBytes, boolean compacting) {
        Written written = new Written();
        Random random = new Random(seed);
        NodeLog log = NodeLog.open(
                options(written.files).withSegmentBytes(segmentBytes).withStepping());
        for (int i = 0; i < batches || written.lastFrame().lastKind >= LogFormat.RECORD_START; i++) {
            Model next = written.states.get(i).copy();
            Completions.Future future = Completions.submit(log, next, next.randomStep(random, 3, 200, compacting));
            log.step();
            assertThat(future.awaitDurable()).isTrue();
            written.states.add(next);
            written.frames.clear();
            written.segments().forEach(file -> frames(written.files, file, written.frames));
        }
        return written;
    }

    private static void frames(FaultyFiles files, Path file, List<Frame> frames) {
        ByteBuffer content = ByteBuffer.wrap(files.content(file));
        LogFormat.SegmentHeader header = LogFormat.segmentHeader(content, file, new CRC32C());
        int at = HEADER;
        while (at + LogFormat.FRAME_HEADER_BYTES <= content.capacity()
                && LogFormat.isFrameHeader(content, at, header.sequence(), at, new CRC32C())
                && content.getLong(at + 24) == header.salt()) {
            int end = at + LogFormat.FRAME_HEADER_BYTES + content.getInt(at + 4);
            byte kind = 0;
            int record = at + LogFormat.FRAME_HEADER_BYTES;
            while (record < end) {
                kind = content.get(record + 8);
                record += (int) LogFormat.recordBytes(content.getInt(record + 4));
            }
            frames.add(new Frame(file, at, end, kind));
            at = end;
        }
    }

    private static FaultyFiles copy(FaultyFiles files) {
        return files.afterKill();
    }

    @Test
    void theBytesAreThoseOfVersionTwo() {
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
            write(log, model, new Model.Step().base(7, 1, 2).base(9, 5, 3).removed(10));
            LogBatch recovered = new LogBatch(Completions.IGNORE).addMemoryRecovered(9);
            log.submit(recovered);
        }
        byte[] content = files.content(FIRST);
        HexFormat hex = HexFormat.of();
        assertThat(hex.formatHex(content, 0, 64)).isEqualTo(GOLDEN_SEGMENT_HEADER);
        assertThat(hex.formatHex(content, HEADER, HEADER + GOLDEN_FRAMES.length() / 2))
                .isEqualTo(GOLDEN_FRAMES);
    }

    private static final String GOLDEN_SEGMENT_HEADER =
            "454b5657414c0d0a00000002000000000000000000000001112233445566778800000000000000000000000000000000000000000000000100000000275591ff";

    private static final String GOLDEN_FRAMES = ""
            // frame of 1 record: opened with fsync
            + "454b5646000000200000000000000001000000000000100011223344556677888000000178d9af33"
            + "73ae3ae000000000080000000000000000000000000000000000000000000000"
            // frame of 4 records
            + "454b56460000009800000000000000010000000000001048112233445566778880000004e9b6688e"
            // term 2, vote n1
            + "bd684c67000000020201000000000007000000000000000000000000000000026e31000000000000"
            // entry 1
            + "869584f800000000010000000000000700000000000000010000000000000002"
            // entry 2
            + "68faddd30000000901010000000000070000000000000002000000000000000201020304050607080900000000000000"
            // commit 1
            + "16dd07e200000000030000000000000700000000000000010000000000000000"
            // frame of 1 record
            + "454b56460000002000000000000000010000000000001108112233445566778880000001afa34fac"
            // term 3, no vote
            + "4bfce0d000000000020000000000000700000000000000000000000000000003"
            // frame of 3 records
            + "454b56460000006000000000000000010000000000001150112233445566778880000003ea2b8000"
            // group 7: base 1 of term 2, the suffix stays
            + "de3da1ac00000000040000000000000700000000000000010000000000000002"
            // group 9: base 5 of term 3, nothing stays
            + "b602a08d00000000040100000000000900000000000000050000000000000003"
            // group 10 removed
            + "a012115500000000050000000000000a00000000000000000000000000000000"
            // frame of 1 record: group 9 has recovered its memory
            + "454b564600000020000000000000000100000000000011d8112233445566778880000001b850cdfb"
            + "8b0344d700000000060000000000000900000000000000000000000000000000"
            // frame of 1 record: closed
            + "454b56460000002000000000000000010000000000001220112233445566778880000001d6f93f39"
            + "9809da9000000000080200000000000000000000000000000000000000000000";

    @Test
    void bytesOfVersionTwoAreReadForEver() {
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
                .base(7, 1, 2)
                .base(9, 5, 3)
                .apply(model, new LogBatch(Completions.IGNORE));
        try (NodeLog log = NodeLog.open(options(new FaultyFiles().put(FIRST, content)))) {
            assertThat(model.difference(log)).isNull();
        }
    }

    @Test
    void aLastFrameCutAtAnyByteIsTornOffAndOnlyThat() {
        for (long seed = 1; seed <= 2; seed++) {
            Written written = written(seed, 6, 1 << 20);
            Frame last = written.lastFrame();
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
                    Model expected = written.states
                            .get(nothingLost ? written.batches() : written.batches() - 1)
                            .copy();
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
        Frame last = written.lastFrame();
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
            assertThat(written.states.get(written.batches() - 1).difference(log))
                    .isNull();
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
        flipEveryByte(written(new Random().nextLong(), 14, 8192));
    }

    @Test
    void aFlippedBitInSegmentsWrittenAgainIsRefusedOrInTheLastFrameOrWithoutEffect() {
        long seed = new Random().nextLong();
        Written written = written(seed, 120, 8192, true);
        while (isNotRecycled(written)) {
            written = written(++seed, 120, 8192, true);
        }
        flipEveryByte(written);
    }

    /** Whether the last segment has nothing of an earlier life. */
    private static boolean isNotRecycled(Written written) {
        byte[] content = written.files.content(written.lastFrame().file);
        boolean zeros = true;
        for (int i = written.lastFrame().end; i < content.length; i++) {
            zeros &= content[i] == 0;
        }
        return zeros;
    }

    private static void flipEveryByte(Written written) {
        int refused = 0;
        int torn = 0;
        int harmless = 0;
        assertThat(written.files.files()).hasSizeGreaterThanOrEqualTo(2);
        Random random = new Random(1);
        Frame last = written.lastFrame();
        for (Path file : written.files.files()) {
            byte[] content = written.files.content(file);
            for (int at = 0; at < content.length; at++) {
                if (at >= 64 && at < HEADER && at % 97 != 0) {
                    continue; // unused
                }
                byte[] flipped = content.clone();
                flipped[at] ^= (byte) (1 << random.nextInt(8));
                FaultyFiles files = copy(written.files).put(file, flipped);
                String context = file + " at " + at;
                boolean inLastFrame = file.equals(last.file) && at >= last.start && at < last.end;
                try (NodeLog log = NodeLog.open(options(files).withStepping())) {
                    if (written.last().difference(log) == null) {
                        harmless++;
                        assertThat(isUnused(written, file, at)).as(context).isTrue();
                    } else {
                        torn++;
                        assertThat(inLastFrame).as(context).isTrue();
                        assertThat(written.states.get(written.batches() - 1).difference(log))
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
        assertThat(refused).isGreaterThan(500);
        assertThat(torn).isGreaterThan(40);
        assertThat(harmless).isPositive();
    }

    /** A spare; or the rest of a header's block, padding of a record, what is behind the last frame that counts. */
    private static boolean isUnused(Written written, Path file, int at) {
        if (!written.segments().contains(file) || (at >= 64 && at < HEADER)) {
            return true;
        }
        byte[] content = written.files.content(file);
        ByteBuffer buffer = ByteBuffer.wrap(content);
        int end = HEADER;
        for (Frame frame : written.frames) {
            boolean continued = frame.lastKind == LogFormat.RECORD_MARK && frame.start > HEADER;
            if (frame.file.equals(file) && !continued) {
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
        Written written = new Written();
        try (NodeLog log = NodeLog.open(options(written.files))) {
            write(log, new Model(), new Model.Step().hardState(1, 1, "n1").entry(1, 1, 1, new byte[16]));
        }
        frames(written.files, FIRST, written.frames);
        assertThat(written.frames).hasSize(3);
        Frame frame = written.frames.get(1);
        for (int at = frame.start; at < frame.end; at++) {
            byte[] flipped = written.files.content(FIRST);
            flipped[at] ^= 16;
            FaultyFiles damaged = copy(written.files).put(FIRST, flipped);
            if (!isUnused(written, FIRST, at)) {
                assertThatThrownBy(() -> NodeLog.open(options(damaged))).isInstanceOf(LogCorruptException.class);
            }
        }
    }

    @Test
    void whatAKilledProcessWroteIsProtectedOnceItWasShown() {
        Written written = written(3, 4, 1 << 20);
        FaultyFiles files = copy(written.files);
        NodeLog shown = NodeLog.open(options(files));
        try (shown) {
            FaultyFiles again = files.afterKill();
            Frame last = written.lastFrame();
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
        Path last = written.files.files().get(written.files.files().size() - 1);
        for (Path missing : List.of(FIRST, SECOND, THIRD, last)) {
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
            FaultyFiles files = copy(written.files).put(DIRECTORY.resolve(LogFormat.spareName(2)), content);
            Model expected = written.last().copy();
            try (NodeLog log = NodeLog.open(options(files))) {
                assertThat(expected.difference(log)).isNull();
                for (int i = 0; i < 10; i++) {
                    write(log, expected, new Model.Step().entry(50, i + 1, 1, new byte[1000]));
                }
                assertThat(files.files()).startsWith(FIRST, SECOND);
            }
            try (NodeLog log = NodeLog.open(options(files))) {
                assertThat(expected.difference(log)).isNull();
            }
        }
        for (byte[] content : List.of(new byte[0], new byte[17], new byte[HEADER + 512])) {
            FaultyFiles files = new FaultyFiles().put(DIRECTORY.resolve(LogFormat.spareName(1)), content);
            try (NodeLog log = NodeLog.open(options(files))) {
                assertThat(log.groups()).isEmpty();
            }
        }
    }

    @Test
    void aSegmentMissingAfterTheOldestWereFreedIsCorruption() {
        int missing = 0;
        for (long seed = 1; seed <= 20; seed++) {
            Written written = written(seed, 60, 8192, true);
            for (Path segment : written.segments()) {
                FaultyFiles files = copy(written.files).remove(segment);
                missing++;
                assertThatThrownBy(() -> NodeLog.open(options(files)))
                        .isInstanceOf(LogCorruptException.class)
                        .hasMessageContaining(written.segments().size() == 1 ? "all" : segment.toString())
                        .hasMessageContaining("missing");
            }
        }
        assertThat(missing).isGreaterThan(40);
    }

    @Test
    void anotherVersionIsRefused() {
        Written written = written(9, 3, 1 << 20);
        for (int version : new int[] {1, 3}) {
            byte[] content = written.files.content(FIRST);
            ByteBuffer buffer = ByteBuffer.wrap(content);
            buffer.putInt(8, version);
            buffer.putInt(60, crc(content, 0, 60));
            FaultyFiles files = copy(written.files).put(FIRST, content);
            assertThatThrownBy(() -> NodeLog.open(options(files)))
                    .isInstanceOf(LogFormatException.class)
                    .hasMessageContaining("has format version " + version)
                    .hasMessageContaining("known is version 2")
                    .hasMessageContaining(FIRST.toString())
                    .hasMessageContaining(version == 1 ? "older than the first released" : "or a newer one");
        }
    }

    @Test
    void recordsOfAnUnknownKindAreRefused() {
        for (int field : new int[] {8, 9}) {
            FaultyFiles files = new FaultyFiles();
            try (NodeLog log = NodeLog.open(options(files))) {
                write(log, new Model(), new Model.Step().entry(1, 1, 1, new byte[8]));
            }
            byte[] content = files.content(FIRST);
            int record = HEADER + OPENED + LogFormat.FRAME_HEADER_BYTES;
            content[record + field] = 99;
            ByteBuffer bytes = ByteBuffer.wrap(content);
            bytes.putInt(record, crc(content, record + 4, 36) ^ LogFormat.recordMask(bytes.getLong(24)));
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
        Frame last = written.lastFrame();
        byte[] content = Arrays.copyOf(written.files.content(FIRST), last.end + 4096);
        int forged = last.end + 800;
        ByteBuffer frame = ByteBuffer.allocate(LogFormat.FRAME_HEADER_BYTES);
        LogFormat.putFrameHeader(
                frame, 0, 0, new LogFormat.SegmentHeader(1, 4711, 0, 0, 1, false), forged, new CRC32C());
        System.arraycopy(frame.array(), 0, content, forged, frame.capacity());
        content[last.end + 3] = 77;
        FaultyFiles files = copy(written.files).put(FIRST, content);
        try (NodeLog log = NodeLog.open(options(files))) {
            assertThat(written.last().difference(log)).isNull();
            write(log, written.last(), new Model.Step().hardState(50, 1, null));
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
        mutate(written(seed, 14, 8192), random, seed);
        mutate(written(seed, 120, 8192, true), random, seed);
    }

    private static void mutate(Written written, Random random, long seed) {
        int opened = 0;
        for (int round = 0; round < 2000; round++) {
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
        assertThat(opened).isBetween(1, 1999);
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
            assertThat(written.last().difference(log)).isNull();
            List<LogEntry> entries = log.group(0).readNow(1, 100, 100, 100_000);
            assertThat(entries).isEqualTo(written.last().group(0).entries);
        }
    }
}
