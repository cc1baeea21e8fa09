package io.elastickv.embedded.internal.raft.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.files.FaultyFiles.Unsynced;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.EntryKind;
import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.core.TermRun;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Bases, removed groups, segments that are freed and written again. */
@QuietLog
class LogCompactionTest {

    private static final Path DIRECTORY = Path.of("log");
    private static final int ROUNDS = Integer.getInteger("log.rounds", 1);

    private static NodeLogOptions options(FaultyFiles files) {
        return NodeLogOptions.of(DIRECTORY, "n1")
                .withFiles(files)
                .withSegmentBytes(8192)
                .withPreallocateBytes(1024)
                .withStepping();
    }

    private static void write(NodeLog log, Model model, Model.Step step) {
        Completions.Future future = Completions.submit(log, model, step);
        log.step();
        assertThat(future.awaitDurable()).isTrue();
    }

    /** Entries up to {@code last} of group {@code group}, about three to a segment. */
    private static void fill(NodeLog log, Model model, int group, long last) {
        for (long i = model.group(group).lastIndex() + 1; i <= last; i++) {
            write(
                    log,
                    model,
                    new Model.Step().entry(group, i, 1, new byte[1200]).commit(group, i));
        }
    }

    private static List<String> names(FaultyFiles files, String suffix) {
        return files.files().stream()
                .map(file -> file.getFileName().toString())
                .filter(name -> name.endsWith(suffix))
                .toList();
    }

    private static FaultyFiles killed(FaultyFiles files) {
        return files.afterKill();
    }

    @Test
    void segmentsBehindEveryBaseAreFreed() {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        try (NodeLog log = NodeLog.open(options(files))) {
            write(log, model, new Model.Step().hardState(1, 3, "n2").hardState(2, 4, null));
            fill(log, model, 1, 20);
            long size = log.sizeBytes();
            assertThat(names(files, ".wal")).hasSizeGreaterThan(6);
            write(log, model, new Model.Step().base(1, 19, 1));
            assertThat(names(files, ".wal").size()).isLessThanOrEqualTo(2);
            assertThat(names(files, ".spare")).hasSize(2);
            assertThat(log.sizeBytes()).isLessThan(size / 3);
            assertThat(log.group(1).firstIndex()).isEqualTo(20);
            assertThat(log.group(1).baseTerm()).isEqualTo(1);
            assertThat(log.group(1).termRuns()).containsExactly(new TermRun(19, 1));
            assertThat(model.difference(log)).isNull();
            assertThatThrownBy(() -> log.group(1).readNow(19, 19, 1, 1)).isInstanceOf(EntriesGoneException.class);
            assertThat(log.isPoisoned()).isFalse();
        }
        try (NodeLog log = NodeLog.open(options(files))) {
            assertThat(model.difference(log)).isNull();
        }
    }

    @Test
    void aLaggingGroupPinsTheOldestSegmentAndIsNamed() {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        try (NodeLog log = NodeLog.open(options(files))) {
            write(log, model, new Model.Step().entry(7, 1, 1, new byte[10]).commit(7, 1));
            fill(log, model, 1, 20);
            assertThat(log.groupsPinning()).containsExactly(1, 7);
            write(log, model, new Model.Step().base(1, 20, 1));
            assertThat(names(files, ".spare")).isEmpty();
            assertThat(log.groupsPinning()).containsExactly(7);
            fill(log, model, 1, 24);
            write(log, model, new Model.Step().base(7, 1, 1));
            assertThat(log.groupsPinning()).containsExactly(1);
            assertThat(names(files, ".wal").size()).isLessThanOrEqualTo(3);
            assertThat(model.difference(log)).isNull();
        }
    }

    @Test
    void whatOnlyFreedSegmentsSaidIsCarriedOver() {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        NodeLog log = NodeLog.open(options(files));
        write(
                log,
                model,
                new Model.Step()
                        .hardState(1, 3, "n2")
                        .hardState(2, 9, "n3")
                        .base(3, 50, 7)
                        .hardState(4, 1, null)
                        .entry(4, 1, 1, new byte[1])
                        .removed(4));
        for (int round = 1; round <= 20; round++) {
            fill(log, model, 1, round * 7L);
            write(log, model, new Model.Step().base(1, round * 7L - 1, 1));
            assertThat(names(files, ".wal").size()).isLessThanOrEqualTo(3);
            try (NodeLog again = NodeLog.open(options(killed(files)))) {
                assertThat(model.difference(again)).isNull();
                assertThat(again.groups()).containsExactly(1, 2, 3);
            }
        }
        assertThat(log.stats().recycledSegments()).isGreaterThan(20);
    }

    @Test
    void aRemovedGroupStartsAnew() {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        try (NodeLog log = NodeLog.open(options(files))) {
            write(log, model, new Model.Step().hardState(1, 30, "n2"));
            fill(log, model, 1, 10);
            write(log, model, new Model.Step().removed(1));
            assertThat(log.groups()).isEmpty();
            assertThat(log.group(1).lastIndex()).isZero();
            assertThat(log.group(1).hardState()).isEqualTo(HardState.INITIAL);
            assertThat(names(files, ".wal")).hasSize(1);
            write(log, model, new Model.Step().hardState(1, 1, "n1").entry(1, 1, 1, new byte[7]));
            assertThat(model.difference(log)).isNull();
        }
        try (NodeLog log = NodeLog.open(options(files))) {
            assertThat(model.difference(log)).isNull();
        }
    }

    @Test
    void configurationsAreKeptAsLongAsTheirEntries() {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        byte[] one = Configuration.of(List.of("a")).encode();
        byte[] two = Configuration.of(List.of("a", "b")).encode();
        byte[] three = Configuration.of(List.of("b")).encode();
        try (NodeLog log = NodeLog.open(options(files))) {
            write(
                    log,
                    model,
                    new Model.Step()
                            .entry(1, 1, 1, EntryKind.CONFIGURATION, one)
                            .entry(1, 2, 1, new byte[3])
                            .entry(1, 3, 1, EntryKind.CONFIGURATION, two)
                            .entry(1, 4, 1, EntryKind.CONFIGURATION, three));
            assertThat(log.group(1).configurationEntries())
                    .extracting(LogEntry::index)
                    .containsExactly(1L, 3L, 4L);
            write(log, model, new Model.Step().commit(1, 2).base(1, 2, 1).entry(1, 4, 2, new byte[3]));
            assertThat(log.group(1).configurationEntries())
                    .containsExactly(new LogEntry(3, 1, EntryKind.CONFIGURATION, two));
        }
        try (NodeLog log = NodeLog.open(options(files))) {
            assertThat(model.difference(log)).isNull();
            write(log, model, new Model.Step().base(1, 9, 5));
            assertThat(log.group(1).configurationEntries()).isEmpty();
        }
    }

    /** Hazard L1: reinitialising after a snapshot loses what is appended afterwards. */
    @Test
    void hazardL1AfterAnInstalledSnapshotWhatIsAppendedIsThereAfterACrash() {
        for (Unsynced unsynced : Unsynced.values()) {
            FaultyFiles files = new FaultyFiles();
            Model model = new Model();
            NodeLog log = NodeLog.open(options(files));
            fill(log, model, 1, 10);
            write(log, model, new Model.Step().base(1, 1000, 5).hardState(1, 5, null));
            assertThat(log.group(1).firstIndex()).isEqualTo(1001);
            assertThat(log.group(1).lastIndex()).isEqualTo(1000);
            assertThat(log.group(1).commitIndex()).isEqualTo(1000);
            write(log, model, new Model.Step().entry(1, 1001, 5, new byte[10]).entry(1, 1002, 5, new byte[20]));
            for (int restart = 0; restart < 3; restart++) {
                files = files.afterPowerCut(unsynced, new Random(restart));
                NodeLog again = NodeLog.open(options(files));
                assertThat(model.difference(again)).isNull();
                assertThat(again.group(1).readNow(1001, 2000, 10, 1000)).hasSize(2 + restart);
                write(again, model, new Model.Step().entry(1, 1003 + restart, 5, new byte[30]));
            }
        }
    }

    /** Hazard L2: a stale file resurrects deleted entries. */
    @Test
    void hazardL2WhatAnEarlierLifeOfAFileHoldsIsNeverTakenForEntries() {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        NodeLog log = NodeLog.open(options(files));
        for (int round = 1; round <= 30; round++) {
            fill(log, model, 1, round * 4L);
            // Short and long entries, so that frames of different lives begin at different places and at the same.
            write(
                    log,
                    model,
                    new Model.Step()
                            .entry(2, round, 1, new byte[(round * 37) % 900])
                            .commit(2, round));
            write(log, model, new Model.Step().base(1, round * 4L, 1).base(2, round, 1));
            FaultyFiles left = killed(files);
            try (NodeLog again = NodeLog.open(options(left))) {
                assertThat(model.difference(again)).isNull();
            }
            // Cut anywhere in the last frame, and with all of an earlier life behind it.
            Path last = files.files().stream()
                    .filter(file -> file.toString().endsWith(".wal"))
                    .reduce((a, b) -> b)
                    .orElseThrow();
            byte[] content = files.content(last);
            int end = endOfFrames(content);
            for (int cut = end - 100; cut < end; cut += 9) {
                byte[] torn = content.clone();
                byte[] old = files.content(files.files().get(0));
                int length = Math.min(200, Math.min(old.length, torn.length) - cut);
                System.arraycopy(old, cut, torn, cut, length);
                try (NodeLog again = NodeLog.open(options(killed(files).put(last, torn)))) {
                    assertThat(again.group(1).lastIndex()).isLessThanOrEqualTo(round * 4L);
                    assertThat(again.group(2).lastIndex()).isLessThanOrEqualTo(round);
                } catch (LogCorruptException e) {
                    // what was cut off was more than one frame
                }
            }
        }
        assertThat(log.stats().recycledSegments()).isGreaterThan(20);
    }

    /**
     * Lives of equal layout: where a torn frame was not written, records of an earlier life, or of an earlier torn frame, begin
     * at the very places where its own would. A record as long as the opening mark's frame makes it so after a restart too.
     */
    @Test
    void hazardL2RecordsOfAnEarlierLifeAreNotTakenIntoATornFrame() {
        for (int round = 0; round < 60 * ROUNDS; round++) {
            long seed = new Random().nextLong();
            Random random = new Random(seed);
            FaultyFiles files = new FaultyFiles();
            Model acknowledged = new Model();
            Model submitted = new Model();
            int recordsPerFrame = 3 + random.nextInt(20);
            for (int life = 0; life < 12; life++) {
                String context = "seed " + seed + ", life " + life;
                files.crashAt(random.nextInt(life % 3 > 0 ? 16 : 80), random);
                NodeLog log = null;
                try {
                    log = NodeLog.open(options(files));
                } catch (LogIoException e) {
                    assertThat(files.hasCrashed()).as(context).isTrue();
                } catch (LogException e) {
                    throw new AssertionError(context, e);
                }
                if (log != null && !files.hasCrashed()) {
                    String difference = acknowledged.difference(log);
                    if (difference != null) {
                        assertThat(submitted.difference(log))
                                .as(context + ": " + difference)
                                .isNull();
                        acknowledged = submitted;
                    }
                    submitted = acknowledged;
                }
                while (log != null && !log.isPoisoned()) {
                    submitted = acknowledged.copy();
                    Model.Step step = new Model.Step();
                    long last = submitted.group(1).lastIndex();
                    for (int i = 1; i <= recordsPerFrame; i++) {
                        step.entry(1, last + i, 1, new byte[40]);
                    }
                    step.commit(1, last + recordsPerFrame).hardState(1, last + 1, null);
                    step.base(1, last + recordsPerFrame, 1);
                    Completions.Future future = Completions.submit(log, submitted, step);
                    log.step();
                    if (future.awaitDurable()) {
                        acknowledged = submitted;
                    }
                }
                files = files.afterPowerCut(Unsynced.SOME, random);
            }
        }
    }

    private static int endOfFrames(byte[] content) {
        ByteBuffer buffer = ByteBuffer.wrap(content);
        int at = LogFormat.SEGMENT_HEADER_BYTES;
        long salt = buffer.getLong(24);
        while (at + LogFormat.FRAME_HEADER_BYTES < content.length
                && buffer.getInt(at) == LogFormat.FRAME_MAGIC
                && buffer.getLong(at + 24) == salt) {
            at += LogFormat.FRAME_HEADER_BYTES + buffer.getInt(at + 4);
        }
        return at;
    }

    @Test
    void onlySoManySparesAreKept() {
        for (int limit = 0; limit <= 3; limit++) {
            FaultyFiles files = new FaultyFiles();
            Model model = new Model();
            try (NodeLog log = NodeLog.open(options(files).withMaxSpareSegments(limit))) {
                fill(log, model, 1, 30);
                write(log, model, new Model.Step().base(1, 30, 1));
                assertThat(names(files, ".spare")).hasSize(limit);
            }
            int fewer = Math.max(0, limit - 1);
            try (NodeLog log = NodeLog.open(options(files).withMaxSpareSegments(fewer))) {
                assertThat(names(files, ".spare")).hasSize(fewer);
                assertThat(model.difference(log)).isNull();
            }
        }
    }

    @Test
    void segmentsThatAreAllMissingAreCorruption() {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        try (NodeLog log = NodeLog.open(options(files))) {
            fill(log, model, 1, 30);
            write(log, model, new Model.Step().base(1, 30, 1));
        }
        names(files, ".wal").forEach(name -> files.remove(DIRECTORY.resolve(name)));
        assertThatThrownBy(() -> NodeLog.open(options(files)))
                .isInstanceOf(LogCorruptException.class)
                .hasMessageContaining("all segments are missing");
    }

    @Test
    void anInterruptedFreeingIsFinishedAndDeletedSegmentsAreNoticed() {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        try (NodeLog log = NodeLog.open(options(files))) {
            fill(log, model, 1, 20);
        }
        FaultyFiles before = killed(files);
        try (NodeLog log = NodeLog.open(options(files))) {
            write(log, model, new Model.Step().base(1, 20, 1));
        }
        // As if the names had not become durable: any of the old segments is still there.
        List<String> freed = new ArrayList<>(names(before, ".wal"));
        freed.removeAll(names(files, ".wal"));
        assertThat(freed).hasSizeGreaterThan(4);
        Random random = new Random(3);
        for (int round = 0; round < 50; round++) {
            FaultyFiles left = killed(files);
            for (String name : freed) {
                if (random.nextBoolean()) {
                    Path file = DIRECTORY.resolve(name);
                    left.put(file, before.content(file));
                }
            }
            try (NodeLog log = NodeLog.open(options(left))) {
                assertThat(model.difference(log)).isNull();
                assertThat(names(left, ".wal")).doesNotContainAnyElementsOf(freed);
                assertThat(names(left, ".spare").size()).isLessThanOrEqualTo(2);
            }
        }
        // Whereas before, each was needed.
        for (String name : freed) {
            FaultyFiles damaged = killed(before).remove(DIRECTORY.resolve(name));
            assertThatThrownBy(() -> NodeLog.open(options(damaged)))
                    .isInstanceOf(LogCorruptException.class)
                    .hasMessageContaining(name);
        }
    }

    @Test
    void aReadOfWhatIsFreedMeanwhileEndsCleanlyNeverWrong() throws Exception {
        FaultyFiles files = new FaultyFiles();
        NodeLogOptions threaded = NodeLogOptions.of(DIRECTORY, "n1")
                .withFiles(files)
                .withSegmentBytes(8192)
                .withPreallocateBytes(1024);
        try (NodeLog log = NodeLog.open(threaded)) {
            AtomicReference<Throwable> wrong = new AtomicReference<>();
            CountDownLatch done = new CountDownLatch(1);
            AtomicInteger read = new AtomicInteger();
            Thread reader = new Thread(() -> {
                Random random = new Random(5);
                GroupLog group = log.group(1);
                while (done.getCount() > 0) {
                    long first = group.firstIndex();
                    long last = group.lastIndex();
                    if (last < first) {
                        continue;
                    }
                    long from = first + random.nextInt((int) (last - first + 1));
                    try {
                        List<LogEntry> entries = group.readNow(from, from + 3, 4, 100_000);
                        for (int i = 0; i < entries.size(); i++) {
                            assertThat(entries.get(i)).isEqualTo(entry(from + i));
                        }
                        read.incrementAndGet();
                    } catch (EntriesGoneException e) {
                        // the writer was faster
                    } catch (Throwable e) {
                        wrong.compareAndSet(null, e);
                        return;
                    }
                }
            });
            reader.start();
            for (long i = 1; (i <= 3000 || read.get() < 100) && wrong.get() == null; i++) {
                Completions.Future future = new Completions.Future();
                LogBatch batch = new LogBatch(future).add(1, entry(i));
                if (i % 7 == 0) {
                    batch.addBase(1, i - 1, 1);
                }
                log.submit(batch);
                assertThat(future.awaitDurable()).isTrue();
            }
            done.countDown();
            reader.join(TimeUnit.SECONDS.toMillis(20));
            assertThat(wrong.get()).isNull();
            assertThat(log.isPoisoned()).isFalse();
            assertThat(log.stats().recycledSegments()).isGreaterThan(100);
        }
    }

    private static LogEntry entry(long index) {
        byte[] payload = new byte[(int) (index * 31 % 1500) + 8];
        new Random(index).nextBytes(payload);
        return new LogEntry(index, 1, EntryKind.COMMAND, payload);
    }

    /** The reader planned, then the segment was freed and written again, then the reader reads. */
    @Test
    void aReadPlannedBeforeItsSegmentWasWrittenAgainIsGone() {
        FaultyFiles files = new FaultyFiles();
        try (NodeLog log = NodeLog.open(options(files))) {
            Model model = new Model();
            fill(log, model, 1, 10);
            GroupLog group = log.group(1);
            AtomicReference<Throwable> failure = new AtomicReference<>();
            files.beforeRead(() -> {
                files.beforeRead(() -> {});
                fill(log, model, 1, 20);
                Completions.Future future = Completions.submit(log, model, new Model.Step().base(1, 20, 1));
                log.step();
                assertThat(future.awaitDurable()).isTrue();
                fill(log, model, 1, 40);
            });
            group.read(1, 5, 5, 100_000, new ReadCallback() {
                @Override
                public void entries(List<LogEntry> entries) {
                    failure.set(new AssertionError("read " + entries));
                }

                @Override
                public void failed(Throwable cause) {
                    failure.set(cause);
                }
            });
            log.step();
            assertThat(failure.get()).isInstanceOf(EntriesGoneException.class);
            assertThat(log.isPoisoned()).isFalse();
            assertThat(group.readNow(21, 40, 100, 100_000)).hasSize(20);
        }
    }

    @Test
    void aFullDiskWhileSegmentsAreFreedLosesNothing() {
        for (long free = 0; free < 20_000; free += 150) {
            FaultyFiles files = new FaultyFiles();
            Model model = new Model();
            NodeLog log = NodeLog.open(options(files).withMaxSpareSegments(1));
            Model.Step many = new Model.Step();
            for (int group = 100; group < 130; group++) {
                many.hardState(group, group, "n" + group);
            }
            write(log, model, many);
            fill(log, model, 1, 6);
            files.freeBytes(free);
            Model acknowledged = model.copy();
            Model submitted = model.copy();
            for (int i = 7; i < 60 && !log.isPoisoned(); i++) {
                Model next = submitted.copy();
                Completions.Future future = Completions.submit(
                        log,
                        next,
                        new Model.Step()
                                .entry(1, i, 1, new byte[900])
                                .commit(1, i)
                                .base(1, i - 1, 1));
                log.step();
                submitted = next;
                if (future.awaitDurable()) {
                    acknowledged = next;
                }
            }
            if (log.isPoisoned()) {
                assertThat(log.failure()).isInstanceOf(LogIoException.class).hasMessageContaining("No space left");
            }
            for (FaultyFiles left : List.of(killed(files), files.afterPowerCut(Unsynced.SOME, new Random(free)))) {
                try (NodeLog again = NodeLog.open(options(left))) {
                    String difference = acknowledged.difference(again);
                    assertThat(difference == null || submitted.difference(again) == null)
                            .as("free " + free + ": " + difference)
                            .isTrue();
                }
            }
        }
    }

    @Test
    void aFailureOfAnyOperationWhileSegmentsAreFreedIsKnownAndLosesNothing() {
        for (int operation = 0; ; operation++) {
            FaultyFiles files = new FaultyFiles();
            Model model = new Model();
            NodeLog log = NodeLog.open(options(files));
            fill(log, model, 1, 10);
            files.failAt(operation, () -> new IOException("Input/output error"));
            Completions.Future future = Completions.submit(log, model, new Model.Step().base(1, 9, 1));
            log.step();
            assertThat(future).isDone();
            boolean poisoned = log.isPoisoned();
            for (Unsynced unsynced : Unsynced.values()) {
                try (NodeLog again = NodeLog.open(options(files.afterPowerCut(unsynced, new Random(operation))))) {
                    if (!future.isCompletedExceptionally()) {
                        assertThat(model.difference(again)).isNull();
                    }
                    assertThat(again.group(1).lastIndex()).isEqualTo(10);
                }
            }
            if (!poisoned) {
                assertThat(operation).isGreaterThan(6);
                return;
            }
            assertThat(log.failure()).isInstanceOf(LogIoException.class);
        }
    }

    @Test
    void basesThatNoCorrectHostAsksForPoisonTheLog() {
        List<Model.Step> wrong = List.of(
                new Model.Step().base(1, 5, 2), // committed, of another term
                new Model.Step().base(1, 8, 1).base(1, 8, 2),
                new Model.Step().base(1, 20, 0),
                new Model.Step().base(1, -1, 1));
        for (Model.Step step : wrong) {
            FaultyFiles files = new FaultyFiles();
            NodeLog log = NodeLog.open(options(files));
            Model model = new Model();
            fill(log, model, 1, 10);
            Model copy = new Model();
            copy.groups.putAll(model.copy().groups);
            LogBatch batch = new LogBatch(Completions.IGNORE);
            try {
                step.apply(copy, batch);
            } catch (RuntimeException e) {
                // the model cannot follow
            }
            log.submit(batch);
            log.step();
            assertThat(log.failure()).isInstanceOf(LogMisuseException.class);
        }
    }

    @Test
    void anOldBaseChangesNothing() {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        NodeLog log = NodeLog.open(options(files));
        fill(log, model, 1, 10);
        write(log, model, new Model.Step().base(1, 8, 1));
        log.submit(new LogBatch(Completions.IGNORE)
                .addBase(1, 3, 1)
                .addBase(1, 8, 1)
                .addBase(2, 0, 0));
        log.step();
        assertThat(log.failure()).isNull();
        assertThat(model.difference(log)).isNull();
        fill(log, model, 1, 16);
        write(log, model, new Model.Step().base(1, 15, 1));
        try (NodeLog again = NodeLog.open(options(killed(files)))) {
            assertThat(model.difference(again)).isNull();
        }
    }

    @Test
    void openingAgainAndAgainTakesNoRoom() {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        try (NodeLog log = NodeLog.open(options(files))) {
            fill(log, model, 1, 20);
            write(log, model, new Model.Step().hardState(1, 7, "n3").base(1, 20, 1));
        }
        int most = files.files().size() + 2;
        for (int i = 0; i < 200; i++) {
            NodeLog log = NodeLog.open(options(files));
            assertThat(model.difference(log)).isNull();
            assertThat(files.files()).hasSizeLessThanOrEqualTo(most);
            if (i % 3 == 0) {
                log.close();
            } else {
                files = i % 3 == 1 ? files.afterKill() : files.afterPowerCut(Unsynced.LOST, new Random(i));
            }
        }
    }

    @Test
    void randomHistoriesSurviveKillsAndPowerCutsAgainAndAgain() {
        for (int round = 0; round < 5 * ROUNDS; round++) {
            long seed = new Random().nextLong();
            Random random = new Random(seed);
            FaultyFiles files = new FaultyFiles();
            Model model = new Model();
            for (int restart = 0; restart < 60; restart++) {
                String context = "seed " + seed + ", restart " + restart;
                NodeLog log;
                try {
                    log = NodeLog.open(options(files).withMaxSpareSegments(random.nextInt(3)));
                } catch (LogException e) {
                    throw new AssertionError(context, e);
                }
                assertThat(model.difference(log)).as(context).isNull();
                if (log.groupsPinning().isEmpty()) {
                    assertThat(names(files, ".wal").size()).as(context).isLessThanOrEqualTo(2);
                }
                int steps = random.nextInt(20);
                for (int i = 0; i < steps; i++) {
                    Completions.Future future = Completions.submit(log, model, model.randomStep(random, 4, 1500));
                    log.step();
                    assertThat(future.isCompletedExceptionally()).as(context).isFalse();
                    assertThat(future).as(context).isDone();
                }
                assertThat(model.difference(log)).as(context).isNull();
                switch (random.nextInt(4)) {
                    case 0 -> log.close();
                    case 1 -> files = files.afterKill();
                    case 2 -> files = files.afterPowerCut(Unsynced.SOME, random);
                    default -> files = files.afterPowerCut(Unsynced.LOST, random);
                }
            }
        }
    }
}
