package io.elastickv.embedded.internal.raft.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.raft.core.EntryKind;
import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.core.TermRun;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeLogTest {

    private static final Path DIRECTORY = Path.of("log");

    @TempDir
    Path directory;

    private NodeLogOptions options() {
        return NodeLogOptions.of(directory, "n1").withSegmentBytes(1 << 20).withPreallocateBytes(64 << 10);
    }

    private static NodeLogOptions inMemory(FaultyFiles files) {
        return NodeLogOptions.of(DIRECTORY, "n1")
                .withFiles(files)
                .withSegmentBytes(8192)
                .withPreallocateBytes(1024);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void aNewLogIsEmpty() {
        try (NodeLog log = NodeLog.open(options())) {
            assertThat(log.groups()).isEmpty();
            GroupLog group = log.group(7);
            assertThat(group.hardState()).isEqualTo(new HardState(0, null));
            assertThat(group.firstIndex()).isEqualTo(1);
            assertThat(group.lastIndex()).isZero();
            assertThat(group.commitIndex()).isZero();
            assertThat(group.termRuns()).isEmpty();
            assertThat(group.readNow(1, 10, 10, 1000)).isEmpty();
            assertThat(log.isPoisoned()).isFalse();
        }
    }

    @Test
    void whatWasWrittenIsThereAtOnceAndAfterReopening() {
        Model model = new Model();
        Model.Step step = new Model.Step()
                .hardState(1, 3, "n1")
                .entry(1, 1, 2, new byte[0])
                .entry(1, 2, 3, bytes("two"))
                .hardState(-5, 9, null)
                .entry(1, 3, 3, bytes("three"))
                .commit(1, 2);
        try (NodeLog log = NodeLog.open(options())) {
            assertThat(Completions.submit(log, model, step).awaitDurable()).isTrue();
            assertThat(model.difference(log)).isNull();
            assertThat(log.group(1).termRuns()).containsExactly(new TermRun(1, 2), new TermRun(2, 3));
            assertThat(log.stats().records()).isEqualTo(6);
        }
        for (int i = 0; i < 3; i++) {
            try (NodeLog log = NodeLog.open(options())) {
                assertThat(model.difference(log)).isNull();
                assertThat(log.groups()).containsExactly(-5, 1);
            }
        }
    }

    @Test
    void randomBatchesAreTheSameAfterReopening() {
        int large = 0;
        for (int round = 0; round < 20; round++) {
            long seed = new Random().nextLong();
            Random random = new Random(seed);
            FaultyFiles files = new FaultyFiles();
            Model model = new Model();
            for (int reopening = 0; reopening < 6; reopening++) {
                try (NodeLog log = NodeLog.open(inMemory(files))) {
                    assertThat(model.difference(log)).as("seed " + seed).isNull();
                    List<Completions.Future> futures = new ArrayList<>();
                    for (int i = 0; i < 40; i++) {
                        futures.add(Completions.submit(log, model, model.randomStep(random, 5, 3000)));
                    }
                    futures.forEach(future ->
                            assertThat(future.awaitDurable()).as("seed " + seed).isTrue());
                    assertThat(model.difference(log)).as("seed " + seed).isNull();
                }
            }
            large += files.files().size() > 3 ? 1 : 0;
        }
        assertThat(large).as("logs of several segments").isPositive();
    }

    @Test
    void oneSyncServesAllThatWaits() throws Exception {
        FaultyFiles files = new FaultyFiles();
        try (NodeLog log = NodeLog.open(inMemory(files).withSegmentBytes(1 << 20))) {
            CountDownLatch firstSync = new CountDownLatch(1);
            CountDownLatch goOn = new CountDownLatch(1);
            files.beforeForce(() -> {
                firstSync.countDown();
                await(goOn);
            });
            long fsyncs = log.stats().fsyncs();
            Model model = new Model();
            List<Completions.Future> futures = new ArrayList<>();
            futures.add(Completions.submit(log, model, new Model.Step().entry(0, 1, 1, bytes("first"))));
            assertThat(firstSync.await(10, TimeUnit.SECONDS)).isTrue();
            for (int i = 2; i <= 100; i++) {
                futures.add(Completions.submit(log, model, new Model.Step().entry(0, i, 1, bytes("x"))));
            }
            assertThat(log.group(0).lastIndex()).as("not durable, so not shown").isZero();
            assertThat(futures.get(0)).isNotDone();
            goOn.countDown();
            futures.forEach(future -> assertThat(future.awaitDurable()).isTrue());
            assertThat(log.stats().frames()).isEqualTo(2);
            assertThat(log.stats().fsyncs() - fsyncs).isEqualTo(2);
            assertThat(log.stats().batches()).isEqualTo(100);
            assertThat(model.difference(log)).isNull();
        }
    }

    @Test
    void completionsComeInOrderOfSubmission() {
        List<Integer> order = new ArrayList<>();
        Completions.Future last = new Completions.Future();
        try (NodeLog log = NodeLog.open(options())) {
            for (int i = 1; i <= 500; i++) {
                int number = i;
                LogBatch batch = new LogBatch(new LogBatch.Completion() {
                    @Override
                    public void durable() {
                        assertThat(Thread.currentThread().getName()).isEqualTo("elastickv-n1-log-writer");
                        order.add(number);
                        if (number == 500) {
                            last.durable();
                        }
                    }

                    @Override
                    public void failed(Throwable cause) {
                        last.failed(cause);
                    }
                });
                log.submit(batch.add(3, new LogEntry(i, 1, EntryKind.COMMAND, bytes("v" + i))));
            }
            assertThat(last.awaitDurable()).isTrue();
        }
        assertThat(order).hasSize(500).isSorted();
    }

    @Test
    void manyThreadsShareSyncsOnARealDisk() throws Exception {
        int threads = 4;
        int perThread = 500;
        List<Thread> loops = new ArrayList<>();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        try (NodeLog log = NodeLog.open(options())) {
            for (int t = 0; t < threads; t++) {
                int group = t;
                Thread loop = new Thread(() -> {
                    List<Completions.Future> window = new ArrayList<>();
                    for (int i = 1; i <= perThread; i++) {
                        Completions.Future future = new Completions.Future();
                        LogEntry entry = new LogEntry(i, 1, EntryKind.COMMAND, bytes(group + ":" + i));
                        log.submit(new LogBatch(future).add(group, entry));
                        window.add(future);
                        if (window.size() == 32 && !window.remove(0).awaitDurable()) {
                            failure.set(new AssertionError("not durable"));
                        }
                    }
                    window.forEach(Completions.Future::awaitDurable);
                });
                loops.add(loop);
                loop.start();
            }
            for (Thread loop : loops) {
                loop.join(30_000);
                assertThat(loop.isAlive()).isFalse();
            }
            assertThat(failure.get()).isNull();
            NodeLogStats stats = log.stats();
            assertThat(stats.records()).isEqualTo(threads * perThread);
            assertThat(stats.records() / (double) stats.fsyncs()).isGreaterThan(2);
        }
        try (NodeLog log = NodeLog.open(options())) {
            for (int t = 0; t < threads; t++) {
                List<LogEntry> entries = log.group(t).readNow(1, perThread, perThread, Long.MAX_VALUE);
                assertThat(entries).hasSize(perThread);
                assertThat(entries.get(perThread - 1).payload()).isEqualTo(bytes(t + ":" + perThread));
            }
        }
    }

    @Test
    void readsKeepTheirLimits() {
        try (NodeLog log = NodeLog.open(options())) {
            Model model = new Model();
            Model.Step step = new Model.Step();
            for (int i = 1; i <= 1000; i++) {
                step.entry(1, i, 1, new byte[10]).entry(2, i, 1, new byte[i]);
            }
            Completions.submit(log, model, step).awaitDurable();
            GroupLog group = log.group(1);
            assertThat(group.readNow(1, 1000, 7, 1000))
                    .extracting(LogEntry::index)
                    .containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L);
            assertThat(group.readNow(990, 5000, 100, 10_000)).hasSize(11);
            assertThat(group.readNow(500, 510, 100, 35))
                    .extracting(LogEntry::index)
                    .containsExactly(500L, 501L, 502L);
            assertThat(log.group(2).readNow(900, 910, 100, 5)).hasSize(1);
            assertThat(group.readNow(1001, 2000, 10, 10)).isEmpty();
            assertThat(group.readNow(1000, 1000, 10, 0)).hasSize(1);
            assertThatThrownBy(() -> group.readNow(0, 5, 10, 10)).isInstanceOf(IllegalArgumentException.class);
            assertThat(log.isPoisoned()).isFalse();
            assertThat(model.difference(log)).isNull();
        }
    }

    @Test
    void readsAreServedOnTheReaderThreadAlsoForInterruptedCallers() throws Exception {
        try (NodeLog log = NodeLog.open(options())) {
            Completions.submit(log, new Model(), new Model.Step().entry(1, 1, 1, bytes("a")))
                    .awaitDurable();
            CompletableFuture<String> name = new CompletableFuture<>();
            log.group(1).read(1, 1, 1, 1, new ReadCallback() {
                @Override
                public void entries(List<LogEntry> entries) {
                    name.complete(Thread.currentThread().getName() + " " + entries.size());
                }

                @Override
                public void failed(Throwable cause) {
                    name.completeExceptionally(cause);
                }
            });
            assertThat(name.get(10, TimeUnit.SECONDS)).isEqualTo("elastickv-n1-log-reader 1");
            Thread.currentThread().interrupt();
            assertThat(log.group(1).readNow(1, 1, 1, 1)).hasSize(1);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(log.group(1).readNow(1, 1, 1, 1)).hasSize(1);
        }
    }

    @Test
    void largeEntriesAndLargeBatchesAreWhole() {
        Random random = new Random(1);
        Model model = new Model();
        try (NodeLog log = NodeLog.open(options())) {
            Model.Step step = new Model.Step();
            int[] sizes = {(1 << 20) - 72, (1 << 20) - 71, 1 << 20, 17 << 20, 1, (1 << 20) - 33, 3, (1 << 19) + 5, 0};
            for (int i = 0; i < sizes.length; i++) {
                byte[] payload = new byte[sizes[i]];
                random.nextBytes(payload);
                step.entry(1, i + 1, 1, payload);
            }
            assertThat(Completions.submit(log, model, step).awaitDurable()).isTrue();
            assertThat(Completions.submit(log, model, new Model.Step().entry(1, sizes.length + 1, 1, bytes("after")))
                            .awaitDurable())
                    .isTrue();
            assertThat(model.difference(log)).isNull();
        }
        try (NodeLog log = NodeLog.open(options())) {
            assertThat(model.difference(log)).isNull();
        }
    }

    @Test
    void anEntryThatIsTooLargeIsRefusedBeforeAnythingHappens() {
        try (NodeLog log = NodeLog.open(options().withMaxRecordBytes(100))) {
            LogBatch batch =
                    new LogBatch(new Completions.Future()).add(1, new LogEntry(1, 1, EntryKind.COMMAND, new byte[101]));
            assertThatThrownBy(() -> log.submit(batch))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("101")
                    .hasMessageContaining("maxRecordBytes");
            assertThat(log.isPoisoned()).isFalse();
            assertThat(Completions.submit(log, new Model(), new Model.Step().entry(1, 1, 1, new byte[100]))
                            .awaitDurable())
                    .isTrue();
        }
    }

    @Test
    void theIndexOnTheHeapIsSparse() {
        int count = 20_000;
        try (NodeLog log = NodeLog.open(options().withDurability(Durability.MEMORY))) {
            Completions.Future last = new Completions.Future();
            for (int i = 1; i <= count; i++) {
                LogBatch batch = new LogBatch(i == count ? last : new Completions.Future());
                for (int group = 0; group < 4; group++) {
                    batch.add(group, new LogEntry(i, 1, EntryKind.COMMAND, new byte[100]));
                }
                log.submit(batch);
            }
            assertThat(last.awaitDurable()).isTrue();
            for (int group = 0; group < 4; group++) {
                assertThat(log.group(group).indexPoints() * 16.0 / count).isLessThan(0.3);
            }
            assertThat(log.group(3).readNow(count - 1, count, 2, 1000)).hasSize(2);
        }
    }

    @Test
    void readersBesideTheWriterSeeWholeEntries() throws Exception {
        long seed = new Random().nextLong();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        try (NodeLog log = NodeLog.open(options().withDurability(Durability.MEMORY))) {
            GroupLog group = log.group(1);
            int count = 30_000;
            Thread reader = new Thread(() -> {
                try {
                    Random random = new Random(seed);
                    long last = 0;
                    while (last < count) {
                        last = group.lastIndex();
                        if (last == 0) {
                            continue;
                        }
                        long from = random.nextInt(3) == 0 ? last : 1 + random.nextInt((int) last);
                        List<LogEntry> entries = group.readNow(from, last, 1 + random.nextInt(100), 5000);
                        assertThat(entries).isNotEmpty();
                        for (int i = 0; i < entries.size(); i++) {
                            assertThat(entries.get(i).index()).isEqualTo(from + i);
                            assertThat(entries.get(i).payload()).isEqualTo(bytes("1:" + (from + i)));
                        }
                    }
                } catch (Throwable e) {
                    failure.set(e);
                }
            });
            reader.start();
            Completions.Future future = new Completions.Future();
            for (int i = 1; i <= count; i++) {
                future = new Completions.Future();
                LogBatch batch = new LogBatch(future)
                        .add(1, new LogEntry(i, 1, EntryKind.COMMAND, bytes("1:" + i)))
                        .add(2, new LogEntry(i, 1, EntryKind.COMMAND, bytes("2:" + i)));
                log.submit(batch);
                if (i % 100 == 0) {
                    future.awaitDurable();
                }
            }
            future.awaitDurable();
            reader.join(60_000);
            assertThat(reader.isAlive()).as("seed " + seed).isFalse();
            assertThat(failure.get()).as("seed " + seed).isNull();
        }
    }

    @Test
    void entriesReplacedLaterAreNeverRead() {
        Model model = new Model();
        FaultyFiles files = new FaultyFiles();
        try (NodeLog log = NodeLog.open(inMemory(files))) {
            Model.Step first = new Model.Step();
            for (int i = 1; i <= 200; i++) {
                first.entry(1, i, 1, bytes("old" + i));
            }
            Completions.submit(log, model, first).awaitDurable();
            for (int from = 190; from > 0; from -= 37) {
                Completions.submit(log, model, new Model.Step().entry(1, from, 300 - from, bytes("new" + from)))
                        .awaitDurable();
                Model.Step more = new Model.Step();
                for (int i = 1; i <= 120; i++) {
                    more.entry(1, from + i, 300 - from, bytes("more" + i));
                }
                Completions.submit(log, model, more).awaitDurable();
                assertThat(model.difference(log)).isNull();
            }
        }
        try (NodeLog log = NodeLog.open(inMemory(files))) {
            assertThat(model.difference(log)).isNull();
        }
    }

    @Test
    void closingWritesWhatWasSubmittedAndRefusesTheRest() {
        NodeLog log = NodeLog.open(options());
        Model model = new Model();
        List<Completions.Future> futures = new ArrayList<>();
        for (int i = 1; i <= 100; i++) {
            futures.add(Completions.submit(log, model, new Model.Step().entry(1, i, 1, bytes("x"))));
        }
        log.close();
        log.close();
        futures.forEach(future -> assertThat(future.awaitDurable()).isTrue());
        Completions.Future late = Completions.submit(log, model.copy(), new Model.Step().entry(1, 101, 1, bytes("x")));
        assertThat(late).isCompletedExceptionally();
        assertThatThrownBy(late::join).hasCauseInstanceOf(LogClosedException.class);
        assertThatThrownBy(() -> log.group(1).readNow(1, 1, 1, 1)).isInstanceOf(LogClosedException.class);
        assertThat(log.isPoisoned()).isFalse();
        try (NodeLog again = NodeLog.open(options())) {
            assertThat(model.difference(again)).isNull();
        }
    }

    @Test
    void submittingBesideClosingAnswersEveryBatch() throws Exception {
        for (int round = 0; round < 50; round++) {
            NodeLog log = NodeLog.open(inMemory(new FaultyFiles()));
            List<Completions.Future> futures = new ArrayList<>();
            CountDownLatch started = new CountDownLatch(1);
            Thread loop = new Thread(() -> {
                for (int i = 1; i <= 300; i++) {
                    Completions.Future future = new Completions.Future();
                    futures.add(future);
                    log.submit(new LogBatch(future).add(1, new LogEntry(i, 1, EntryKind.COMMAND, bytes("x"))));
                    if (i == 5) {
                        started.countDown();
                    }
                }
            });
            loop.start();
            assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();
            log.close();
            loop.join(10_000);
            boolean durable = true;
            for (Completions.Future future : futures) {
                boolean next = future.awaitDurable();
                assertThat(next && !durable).as("durable after one that is not").isFalse();
                durable = next;
            }
        }
    }

    @Test
    void aSteppedLogDoesNothingButInItsSteps() {
        FaultyFiles files = new FaultyFiles();
        NodeLogOptions options = inMemory(files).withStepping();
        List<String> events = new ArrayList<>();
        try (NodeLog log = NodeLog.open(options)) {
            assertThat(log.step()).isFalse();
            LogBatch.Completion completion = new LogBatch.Completion() {
                @Override
                public void durable() {
                    events.add("durable on " + Thread.currentThread().getName());
                }

                @Override
                public void failed(Throwable cause) {
                    events.add("failed");
                }
            };
            LogEntry entry = new LogEntry(1, 1, EntryKind.COMMAND, bytes("a"));
            log.submit(new LogBatch(completion).add(3, entry));
            log.submit(new LogBatch(completion).addCommit(3, 1));
            assertThat(log.group(3).lastIndex()).isZero();
            log.group(3).read(1, 10, 10, 1000, new ReadCallback() {
                @Override
                public void entries(List<LogEntry> entries) {
                    events.add("read " + entries);
                }

                @Override
                public void failed(Throwable cause) {
                    events.add("failed");
                }
            });
            assertThat(events).isEmpty();
            assertThat(log.step()).isTrue();
            String here = "durable on " + Thread.currentThread().getName();
            assertThat(events).containsExactly(here, here, "read " + List.of(entry));
            assertThat(log.stats().frames()).isEqualTo(1);
            assertThat(log.step()).isFalse();
            assertThat(log.group(3).readNow(1, 1, 1, 1)).containsExactly(entry);
            log.submit(new LogBatch(completion).addCommit(3, 1));
        }
        assertThat(events).hasSize(4);
        try (NodeLog log = NodeLog.open(options)) {
            assertThat(log.group(3).commitIndex()).isEqualTo(1);
        }
        try (NodeLog log = NodeLog.open(inMemory(files))) {
            assertThatThrownBy(log::step).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void foreignFilesAreLeftAlone() throws Exception {
        Files.writeString(directory.resolve("README"), "mine");
        Files.createDirectory(directory.resolve("0000000000000002.wal.d"));
        Model model = new Model();
        try (NodeLog log = NodeLog.open(options())) {
            Completions.submit(log, model, new Model.Step().entry(1, 1, 1, bytes("x")))
                    .awaitDurable();
        }
        try (NodeLog log = NodeLog.open(options())) {
            assertThat(model.difference(log)).isNull();
        }
        assertThat(directory.resolve("README")).hasContent("mine");
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
