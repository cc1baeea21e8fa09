package io.elastickv.embedded.internal.raft.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.files.FaultyFiles.Unsynced;
import io.elastickv.embedded.internal.raft.core.EntryKind;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Disks that fail and power that is cut: what was acknowledged is there afterwards, and nothing that never was. */
@QuietLog
class LogFaultTest {

    private static final Path DIRECTORY = Path.of("log");

    /** How often the random tests run; more in a soak. Each failure names its seed, and a log that is stepped repeats it. */
    private static final int ROUNDS = Integer.getInteger("log.rounds", 1);

    /** A log and what was asked of it: the model after each batch, and how many batches were acknowledged. */
    private static final class Run {
        final List<Model> states = new ArrayList<>(List.of(new Model()));
        final List<Completions.Future> futures = new ArrayList<>();
        int acknowledged;

        Model last() {
            return states.get(states.size() - 1);
        }

        /** Submits batches, some of them together, until {@code batches} are done or one fails. */
        void write(NodeLog log, int batches, Random random) {
            int done = 0;
            while (done < batches) {
                int together = 1 + random.nextInt(3);
                List<Completions.Future> waiting = new ArrayList<>();
                for (int i = 0; i < together; i++) {
                    Model next = last().copy();
                    Model.Step step = next.randomStep(random, 3, 1500);
                    waiting.add(Completions.submit(log, next, step));
                    states.add(next);
                    if (random.nextBoolean()) {
                        log.step();
                    }
                }
                log.step();
                for (Completions.Future future : waiting) {
                    if (!future.awaitDurable()) {
                        assertThat(log.isPoisoned()).isTrue();
                        return;
                    }
                    acknowledged = states.size() - 1 - (waiting.size() - 1 - waiting.indexOf(future));
                }
                done += together;
            }
        }

        /** The log shows one of the states from the acknowledged to the last; goes on from it. */
        void check(NodeLog log, String context) {
            List<String> differences = new ArrayList<>();
            for (int i = states.size() - 1; i >= acknowledged; i--) {
                String difference = states.get(i).difference(log);
                if (difference == null) {
                    states.subList(i + 1, states.size()).clear();
                    acknowledged = i; // shown, so it must last
                    return;
                }
                differences.add(difference);
            }
            fail(context + ": none of the states from " + acknowledged + " on: " + differences);
        }
    }

    private static NodeLogOptions options(FaultyFiles files) {
        return NodeLogOptions.of(DIRECTORY, "n1")
                .withFiles(files)
                .withSegmentBytes(8192)
                .withPreallocateBytes(1024)
                .withStepping();
    }

    @Test
    void aPowerCutAtAnyOperationLosesNothingAcknowledged() {
        for (int round = 0; round < ROUNDS; round++) {
            cutPowerAtAnyOperation(new Random().nextLong());
        }
    }

    private static void cutPowerAtAnyOperation(long base) {
        int cuts = 0;
        for (int operation = 0; ; operation++) {
            for (Unsynced unsynced : Unsynced.values()) {
                long seed = base + operation + unsynced.name().hashCode();
                Random random = new Random(seed);
                String context = "seed " + seed + ", operation " + operation + ", unsynced " + unsynced;
                FaultyFiles files = new FaultyFiles().crashAt(operation, random);
                Run run = new Run();
                cut(files, run, 30, random, context);
                if (!files.hasCrashed()) {
                    assertThat(cuts).isGreaterThan(100);
                    return;
                }
                cuts++;
                // Again and again, also within recovery and right after it.
                for (int again = 0; again < 4; again++) {
                    files = files.afterPowerCut(unsynced, random);
                    files.crashAt(random.nextInt(again == 3 ? 40 : 12), random);
                    cut(files, run, 5, random, context + ", cut " + again);
                }
                files = files.afterPowerCut(unsynced, random);
                try (NodeLog log = NodeLog.open(options(files))) {
                    run.check(log, context);
                    run.write(log, 5, random);
                    assertThat(run.acknowledged).isEqualTo(run.states.size() - 1);
                }
                try (NodeLog log = NodeLog.open(options(files))) {
                    run.check(log, context);
                }
            }
        }
    }

    /** Opens, checks and writes until the power is cut, or all is done. */
    private static void cut(FaultyFiles files, Run run, int batches, Random random, String context) {
        NodeLog log;
        try {
            log = NodeLog.open(options(files));
        } catch (LogIoException e) {
            assertThat(files.hasCrashed()).as(context).isTrue();
            return;
        } catch (LogException e) {
            throw new AssertionError(context, e);
        }
        try (log) {
            if (!files.hasCrashed()) {
                run.check(log, context);
            }
            run.write(log, batches, random);
        }
    }

    @Test
    void aProcessKilledAtAnyOperationLosesNothingThatItWasTold() {
        for (Durability durability : Durability.values()) {
            long base = new Random().nextLong();
            for (int operation = 0; ; operation++) {
                long seed = base + operation;
                Random random = new Random(seed);
                String context = "seed " + seed + ", operation " + operation + ", " + durability;
                FaultyFiles files = new FaultyFiles().crashAt(operation, random);
                Run run = new Run();
                try (NodeLog log = NodeLog.open(options(files).withDurability(durability))) {
                    run.write(log, 12, random);
                } catch (LogIoException e) {
                    assertThat(files.hasCrashed()).isTrue();
                }
                if (!files.hasCrashed()) {
                    break;
                }
                files = files.afterKill();
                try (NodeLog log = NodeLog.open(options(files).withDurability(durability))) {
                    run.check(log, context);
                } catch (LogCorruptException e) {
                    throw new AssertionError(context, e);
                }
                if (durability == Durability.FSYNC) {
                    // What the restarted process showed must outlast the next power cut.
                    files = files.afterPowerCut(Unsynced.LOST, random);
                    try (NodeLog log = NodeLog.open(options(files))) {
                        run.check(log, context);
                    }
                }
            }
        }
    }

    @Test
    void anyFailingOperationPoisonsTheLogAndLosesNothingAcknowledged() {
        long base = new Random().nextLong();
        for (int operation = 0; ; operation++) {
            long seed = base + operation;
            Random random = new Random(seed);
            String context = "seed " + seed + ", operation " + operation;
            FaultyFiles files = new FaultyFiles().failAt(operation, () -> new IOException("Input/output error"));
            Run run = new Run();
            boolean failed = false;
            try (NodeLog log = NodeLog.open(options(files))) {
                run.write(log, 12, random);
                failed = log.isPoisoned();
                if (failed) {
                    assertThat(log.failure()).as(context).isInstanceOf(LogIoException.class);
                    long frames = log.stats().frames();
                    // The disk works again, but nobody knows what is on it.
                    Completions.Future late =
                            Completions.submit(log, run.last().copy(), new Model.Step().hardState(0, 10_000, null));
                    log.step();
                    assertThat(late.awaitDurable()).as(context).isFalse();
                    assertThatThrownBy(late::join).hasRootCauseMessage("Input/output error");
                    assertThat(log.stats().frames()).as(context).isEqualTo(frames);
                    assertThatThrownBy(() -> log.group(0).readNow(1, 1, 1, 1)).isInstanceOf(LogIoException.class);
                }
            } catch (LogIoException e) {
                failed = true; // in open
            }
            if (!failed && files.operations() <= operation) {
                assertThat(operation).isGreaterThan(30);
                return;
            }
            Unsynced unsynced = List.of(Unsynced.values()).get(random.nextInt(3));
            for (FaultyFiles left : List.of(files.afterKill(), files.afterPowerCut(unsynced, random))) {
                Run rest = new Run();
                rest.states.addAll(run.states.subList(1, run.states.size()));
                rest.acknowledged = run.acknowledged;
                try (NodeLog log = NodeLog.open(options(left))) {
                    rest.check(log, context);
                    // What was shown must last, also where the failed sync made the system forget to write it.
                    lasts(left, rest, context);
                    rest.write(log, 5, random);
                    assertThat(rest.acknowledged).as(context).isEqualTo(rest.states.size() - 1);
                    lasts(left, rest, context);
                }
            }
        }
    }

    /** After a power cut now, the log shows the last state. */
    private static void lasts(FaultyFiles files, Run run, String context) {
        FaultyFiles left = files.afterPowerCut(Unsynced.LOST, new Random(0));
        try (NodeLog log = NodeLog.open(options(left))) {
            assertThat(run.last().difference(log)).as(context).isNull();
        } catch (LogException e) {
            throw new AssertionError(context, e);
        }
    }

    @Test
    void shortWritesAreContinued() {
        FaultyFiles files = new FaultyFiles().maxWriteBytes(7);
        Run run = new Run();
        try (NodeLog log = NodeLog.open(options(files))) {
            run.write(log, 10, new Random(5));
            assertThat(run.acknowledged).isEqualTo(run.states.size() - 1);
        }
        try (NodeLog log = NodeLog.open(options(files))) {
            run.check(log, "short writes");
        }
    }

    @Test
    void writesThatWriteNothingPoisonTheLog() {
        FaultyFiles files = new FaultyFiles();
        try (NodeLog log = NodeLog.open(options(files))) {
            files.maxWriteBytes(0);
            Completions.Future future = Completions.submit(log, new Model(), new Model.Step().hardState(0, 1, null));
            log.step();
            assertThat(future.awaitDurable()).isFalse();
            assertThat(log.isPoisoned()).isTrue();
        }
    }

    @Test
    void aFullDiskSaysWhatToDoAndAfterItNothingIsLost() {
        for (long free = 0; free < 30_000; free += 700) {
            FaultyFiles files = new FaultyFiles();
            Run run = new Run();
            Random random = new Random(free);
            try (NodeLog log = NodeLog.open(options(files))) {
                run.write(log, 3, random);
                files.freeBytes(free);
                run.write(log, 200, random);
                assertThat(log.failure())
                        .isInstanceOf(LogIoException.class)
                        .hasMessageContaining("No space left")
                        .hasMessageContaining("Free space on this file system, then restart the node");
                assertThat(run.futures).allMatch(Completions.Future::isDone);
            }
            files.freeBytes(Long.MAX_VALUE);
            try (NodeLog log = NodeLog.open(options(files))) {
                run.check(log, "free " + free);
                run.write(log, 20, random);
                assertThat(run.acknowledged).isEqualTo(run.states.size() - 1);
            }
            try (NodeLog log = NodeLog.open(options(files))) {
                run.check(log, "free " + free);
            }
        }
    }

    @Test
    void batchesThatWaitBehindTheFailureFailToo() throws Exception {
        FaultyFiles files = new FaultyFiles();
        NodeLogOptions threaded = NodeLogOptions.of(DIRECTORY, "n1").withFiles(files);
        try (NodeLog log = NodeLog.open(threaded)) {
            CountDownLatch syncing = new CountDownLatch(1);
            CountDownLatch goOn = new CountDownLatch(1);
            files.beforeForce(() -> {
                syncing.countDown();
                try {
                    assertThat(goOn.await(10, TimeUnit.SECONDS)).isTrue();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            Model model = new Model();
            List<Completions.Future> futures = new ArrayList<>();
            futures.add(Completions.submit(log, model, new Model.Step().hardState(0, 1, null)));
            assertThat(syncing.await(10, TimeUnit.SECONDS)).isTrue();
            for (int i = 2; i < 50; i++) {
                futures.add(Completions.submit(log, model, new Model.Step().hardState(i % 3, i, null)));
            }
            files.failAt(0, () -> new AccessDeniedException("log"));
            goOn.countDown();
            for (Completions.Future future : futures) {
                assertThat(future.awaitDurable()).isFalse();
            }
            assertThat(log.failure()).hasMessageContaining("write permission");
            assertThat(log.group(0).hardState().term()).isZero();
        }
    }

    @Test
    void whatNoCorrectCoreAsksForPoisonsTheLog() {
        List<Model.Step> steps = List.of(
                new Model.Step().hardState(0, 4, "a"),
                new Model.Step().hardState(0, 5, "b"),
                new Model.Step().hardState(0, 5, null));
        for (Model.Step wrong : steps) {
            assertRefused(wrong);
        }
        LogBatchMaker[] wrongBatches = {
            batch -> batch.add(0, entry(12, 5)), // a gap
            batch -> batch.add(0, entry(0, 5)),
            batch -> batch.add(0, entry(3, 5)), // committed
            batch -> batch.add(0, entry(11, 2)), // the term falls
            batch -> batch.add(0, entry(7, 2)),
            batch -> batch.add(1, entry(1, 1)).add(1, entry(3, 1)), // within the batch
        };
        for (LogBatchMaker wrong : wrongBatches) {
            FaultyFiles files = new FaultyFiles();
            Model model = new Model();
            try (NodeLog log = prepared(files, model)) {
                Completions.Future future = new Completions.Future();
                LogBatch batch = new LogBatch(future);
                wrong.fill(batch);
                log.submit(batch);
                log.step();
                assertThat(future.awaitDurable()).isFalse();
                assertThat(log.failure()).isInstanceOf(LogMisuseException.class).hasMessageContaining("group ");
                assertThat(model.difference(reopened(files))).isNull();
            }
        }
    }

    private interface LogBatchMaker {
        void fill(LogBatch batch);
    }

    private static void assertRefused(Model.Step wrong) {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        try (NodeLog log = prepared(files, model)) {
            Completions.Future future = Completions.submit(log, model.copy(), wrong);
            log.step();
            assertThat(future.awaitDurable()).isFalse();
            assertThat(log.failure()).isInstanceOf(LogMisuseException.class);
        }
        try (NodeLog log = reopened(files)) {
            assertThat(model.difference(log)).isNull();
        }
    }

    private static NodeLog reopened(FaultyFiles files) {
        return NodeLog.open(options(files.afterKill()));
    }

    /** Group 0 has term 5, a vote for a, ten entries of term 3, five of them committed. */
    private static NodeLog prepared(FaultyFiles files, Model model) {
        NodeLog log = NodeLog.open(options(files));
        Model.Step step = new Model.Step().hardState(0, 5, "a");
        for (int i = 1; i <= 10; i++) {
            step.entry(0, i, 3, new byte[i]);
        }
        step.commit(0, 5);
        Completions.Future future = Completions.submit(log, model, step);
        log.step();
        assertThat(future.awaitDurable()).isTrue();
        return log;
    }

    private static LogEntry entry(long index, long term) {
        return new LogEntry(index, term, EntryKind.COMMAND, new byte[3]);
    }
}
