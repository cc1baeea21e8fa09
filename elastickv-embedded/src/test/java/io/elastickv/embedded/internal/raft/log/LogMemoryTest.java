package io.elastickv.embedded.internal.raft.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.files.FaultyFiles.Unsynced;
import io.elastickv.embedded.internal.raft.core.HardState;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** {@link Durability#MEMORY}: entries may be forgotten, and then it is known; votes never are. */
@QuietLog
class LogMemoryTest {

    private static final Path DIRECTORY = Path.of("log");
    private static final int ROUNDS = Integer.getInteger("log.rounds", 1);

    private static NodeLogOptions options(FaultyFiles files, String bootId) {
        return NodeLogOptions.of(DIRECTORY, "n1")
                .withFiles(files)
                .withDurability(Durability.MEMORY)
                .withSegmentBytes(8192)
                .withPreallocateBytes(1024)
                .withBootId(() -> bootId)
                .withStepping();
    }

    private static void write(NodeLog log, Model model, Model.Step step) {
        Completions.Future future = Completions.submit(log, model, step);
        log.step();
        assertThat(future.awaitDurable()).isTrue();
    }

    /** The model after each batch, and the newest that was promised to outlast the operating system. */
    private static final class Run {
        final List<Model> states = new ArrayList<>(List.of(new Model()));
        int synced;
        int acknowledged;

        Model last() {
            return states.get(states.size() - 1);
        }

        void write(NodeLog log, int batches, Random random) {
            for (int i = 0; i < batches; i++) {
                Model next = last().copy();
                Completions.Future future = new Completions.Future();
                LogBatch batch = new LogBatch(future);
                next.randomStep(random, 3, 1000).apply(next, batch);
                states.add(next);
                log.submit(batch);
                log.step();
                if (!future.awaitDurable()) {
                    return;
                }
                acknowledged = states.size() - 1;
                if (batch.mustSync()) {
                    synced = acknowledged;
                }
            }
        }

        void check(NodeLog log, int from, String context) {
            List<String> differences = new ArrayList<>();
            for (int i = states.size() - 1; i >= from; i--) {
                String difference = states.get(i).difference(log);
                if (difference == null) {
                    states.subList(i + 1, states.size()).clear();
                    acknowledged = i;
                    synced = i; // shown, so it must last
                    return;
                }
                differences.add(difference);
            }
            fail(context + ": none of the states from " + from + " on: " + differences);
        }
    }

    @Test
    void aPowerCutAtAnyOperationForgetsNoVoteAndIsNoticed() {
        for (int round = 0; round < ROUNDS; round++) {
            long base = new Random().nextLong();
            int lost = 0;
            for (int operation = 0; ; operation++) {
                boolean crashed = false;
                for (Unsynced unsynced : Unsynced.values()) {
                    long seed = base + operation + unsynced.name().hashCode();
                    Random random = new Random(seed);
                    String context = "seed " + seed + ", operation " + operation + ", unsynced " + unsynced;
                    FaultyFiles files = new FaultyFiles().crashAt(operation, random);
                    Run run = new Run();
                    Used used = use(files, "boot 0", run, 25, random, false, context);
                    crashed |= files.hasCrashed();
                    boolean expected = false;
                    for (int cut = 1; cut < 4; cut++) {
                        expected = used == Used.CUT || (used == Used.NEVER_OPENED && expected);
                        lost += expected ? 1 : 0;
                        files = files.afterPowerCut(unsynced, random);
                        if (cut < 3) {
                            files.crashAt(random.nextInt(25), random);
                        }
                        used = use(files, "boot " + cut, run, 6, random, expected, context + ", cut " + cut);
                    }
                    try (NodeLog log = NodeLog.open(options(files, "boot 3"))) {
                        run.check(log, run.acknowledged, context);
                    }
                }
                if (!crashed) {
                    assertThat(lost).isGreaterThan(100);
                    break;
                }
            }
        }
    }

    private enum Used {
        NEVER_OPENED,
        /** The power was cut while it was open. */
        CUT,
        /** Or while it was being closed. */
        CLOSED
    }

    /** Opens, checks and writes until the power is cut or all is done; then closes. */
    private static Used use(
            FaultyFiles files, String boot, Run run, int batches, Random random, boolean lost, String context) {
        NodeLog log;
        try {
            log = NodeLog.open(options(files, boot));
        } catch (LogIoException e) {
            assertThat(files.hasCrashed()).as(context).isTrue();
            return Used.NEVER_OPENED;
        } catch (LogException e) {
            throw new AssertionError(context, e);
        }
        try (log) {
            run.check(log, run.synced, context);
            for (int group : log.groups()) {
                if (lost) {
                    assertThat(log.group(group).memoryLost()).as(context).isTrue();
                }
            }
            run.write(log, batches, random);
            return files.hasCrashed() ? Used.CUT : Used.CLOSED;
        }
    }

    @Test
    void aKilledProcessForgetsNothingAndHasNotLostItsMemory() {
        long base = new Random().nextLong();
        for (int operation = 0; ; operation++) {
            long seed = base + operation;
            Random random = new Random(seed);
            String context = "seed " + seed + ", operation " + operation;
            FaultyFiles files = new FaultyFiles().crashAt(operation, random);
            Run run = new Run();
            use(files, "boot", run, 15, random, false, context);
            if (!files.hasCrashed()) {
                return;
            }
            try (NodeLog log = NodeLog.open(options(files.afterKill(), "boot"))) {
                run.check(log, run.acknowledged, context);
                assertThat(log.memoryLost()).as(context).isFalse();
            }
        }
    }

    @Test
    void votesAndRemovalsAreSyncedAndEntriesAreNot() {
        FaultyFiles files = new FaultyFiles();
        AtomicInteger syncs = new AtomicInteger();
        files.beforeForce(syncs::incrementAndGet);
        Model model = new Model();
        NodeLog log = NodeLog.open(options(files, "boot").withSegmentBytes(1 << 20));
        int atStart = syncs.get();
        for (int i = 1; i <= 50; i++) {
            write(log, model, new Model.Step().entry(1, i, 1, new byte[100]).commit(1, i));
        }
        write(log, model, new Model.Step().base(1, 40, 1));
        assertThat(syncs.get()).isEqualTo(atStart);
        write(log, model, new Model.Step().hardState(1, 2, "n2"));
        assertThat(syncs.get()).as("what was before it first").isEqualTo(atStart + 2);
        write(log, model, new Model.Step().hardState(1, 3, "n2"));
        assertThat(syncs.get()).isEqualTo(atStart + 3);
        write(log, model, new Model.Step().removed(2));
        assertThat(syncs.get()).isEqualTo(atStart + 4);
    }

    @Test
    void closedInGoodOrderNothingIsLost() {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        try (NodeLog log = NodeLog.open(options(files, "a"))) {
            write(log, model, new Model.Step().hardState(1, 1, null));
            for (int i = 1; i <= 30; i++) {
                write(log, model, new Model.Step().entry(1, i, 1, new byte[900]));
            }
        }
        FaultyFiles left = files.afterPowerCut(Unsynced.LOST, new Random(1));
        try (NodeLog log = NodeLog.open(options(left, "b"))) {
            assertThat(log.memoryLost()).isFalse();
            assertThat(model.difference(log)).isNull();
        }
    }

    @Test
    void lostMemoryIsRememberedUntilItIsRecovered() {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        NodeLog log = NodeLog.open(options(files, "a"));
        write(log, model, new Model.Step().hardState(1, 5, "n2").hardState(2, 6, "n3"));
        files = files.afterPowerCut(Unsynced.LOST, new Random(1));
        log = NodeLog.open(options(files, "b"));
        assertThat(log.memoryLost()).isTrue();
        assertThat(log.group(1).memoryLost()).isTrue();
        assertThat(log.group(2).memoryLost()).isTrue();
        assertThat(log.group(3).memoryLost())
                .as("of whom nothing was ever durable")
                .isFalse();
        // Killed, closed, with fsync, and with the segment freed that says so: it stays.
        files = files.afterKill();
        log = NodeLog.open(options(files, "b"));
        assertThat(log.group(1).memoryLost()).isTrue();
        log.close();
        log = NodeLog.open(options(files, "b").withDurability(Durability.FSYNC));
        for (int i = 1; i <= 30; i++) {
            write(
                    log,
                    model,
                    new Model.Step().entry(4, i, 1, new byte[900]).commit(4, i).base(4, i, 1));
        }
        files = files.afterKill();
        log = NodeLog.open(options(files, "c"));
        assertThat(log.group(1).memoryLost()).isTrue();
        assertThat(log.group(2).memoryLost()).isTrue();
        assertThat(log.group(4).memoryLost()).isFalse();
        log.submit(new LogBatch(Completions.IGNORE).addMemoryRecovered(2).addMemoryRecovered(4));
        log.step();
        assertThat(log.group(2).memoryLost()).isFalse();
        assertThat(log.group(1).memoryLost()).isTrue();
        write(log, model, new Model.Step().removed(1));
        assertThat(log.memoryLost()).isFalse();
        log.close();
        log = NodeLog.open(options(files, "c"));
        assertThat(log.memoryLost()).isFalse();
        assertThat(model.difference(log)).isNull();
    }

    @Test
    void anUnknownRunOfTheSystemCountsAsAnother() {
        for (List<String> boots : List.of(List.of("", ""), List.of("a", ""), List.of("", "a"), List.of("a", "b"))) {
            FaultyFiles files = new FaultyFiles();
            NodeLog log = NodeLog.open(options(files, boots.get(0)));
            write(log, new Model(), new Model.Step().hardState(1, 5, "n2"));
            try (NodeLog again = NodeLog.open(options(files.afterKill(), boots.get(1)))) {
                assertThat(again.memoryLost()).isTrue();
            }
        }
    }

    @Test
    void thisSystemHasABootId() {
        String first = NodeLogOptions.of(DIRECTORY, "n1").bootId().get();
        assertThat(NodeLogOptions.of(DIRECTORY, "n1").bootId().get()).isEqualTo(first);
        if (System.getProperty("os.name").equals("Linux")) {
            assertThat(first).hasSize(36);
        }
    }

    @Test
    void openedWithFsyncItLastsFromThenOn() {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        NodeLog log = NodeLog.open(options(files, "a"));
        for (int i = 1; i <= 40; i++) {
            write(log, model, new Model.Step().entry(1, i, 1, new byte[300]));
        }
        files = files.afterKill();
        NodeLog durable = NodeLog.open(options(files, "a").withDurability(Durability.FSYNC));
        assertThat(durable.memoryLost()).isFalse();
        assertThat(model.difference(durable)).isNull();
        write(durable, model, new Model.Step().entry(1, 41, 1, new byte[300]));
        FaultyFiles left = files.afterPowerCut(Unsynced.LOST, new Random(0));
        try (NodeLog again = NodeLog.open(options(left, "b"))) {
            assertThat(again.memoryLost()).isFalse();
            assertThat(model.difference(again)).isNull();
        }
    }

    /** Damage must not pass for memory that was lost: then a vote would be forgotten. */
    @Test
    void aFlippedBitNeverForgetsAVote() {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        NodeLog log = NodeLog.open(options(files, "a"));
        Random random = new Random(4);
        for (int i = 1; i <= 8; i++) {
            write(log, model, new Model.Step().entry(1, i, 1, new byte[random.nextInt(100)]));
            write(log, model, new Model.Step().entry(1, i + 1, 1, new byte[random.nextInt(100)]));
            write(log, model, new Model.Step().hardState(i % 3, i, "n" + i));
        }
        Map<Integer, Model.Group> votes = model.copy().groups;
        write(log, model, new Model.Step().entry(2, 1, 1, new byte[random.nextInt(100)]));
        write(log, model, new Model.Step().entry(2, 2, 1, new byte[random.nextInt(100)]));
        FaultyFiles left = files.afterPowerCut(Unsynced.KEPT, random);
        Path file = left.files().get(0);
        byte[] content = left.content(file);
        int opened = 0;
        int refused = 0;
        for (int at = 0; at < content.length; at++) {
            byte[] flipped = content.clone();
            flipped[at] ^= (byte) (1 << random.nextInt(8));
            try (NodeLog again = NodeLog.open(options(left.afterKill().put(file, flipped), "b"))) {
                opened++;
                votes.forEach((group, expected) ->
                        assertThat(again.group(group).hardState()).isEqualTo(expected.hardState));
                assertThat(again.group(1).lastIndex()).isEqualTo(9);
            } catch (LogCorruptException e) {
                refused++;
            }
        }
        assertThat(opened).isGreaterThan(100);
        assertThat(refused).isGreaterThan(500);
    }

    /** A hole, and behind it frames that count for nothing: they must never come back. */
    @Test
    void whatIsBehindAHoleNeverComesBack() {
        FaultyFiles files = new FaultyFiles();
        Model model = new Model();
        NodeLog log = NodeLog.open(options(files, "a").withSegmentBytes(1 << 20));
        write(log, model, new Model.Step().hardState(1, 1, null));
        Path file = files.files().get(0);
        write(log, model, new Model.Step().entry(1, 1, 1, new byte[8]));
        Model before = model.copy();
        for (int i = 2; i < 30; i++) {
            write(log, model, new Model.Step().entry(1, i, 1, new byte[8]));
        }
        byte[] content = files.content(file);
        int hole = endOf(content, 3);
        content[hole + 60] ^= 1;
        FaultyFiles left = files.afterPowerCut(Unsynced.KEPT, new Random(1)).put(file, content);
        assertThatThrownBy(() -> NodeLog.open(options(left.afterKill(), "a")))
                .as("in the same run of the system it is damage")
                .isInstanceOf(LogCorruptException.class);
        FaultyFiles current = left;
        for (int boot = 0; boot < 5; boot++) {
            NodeLog again = NodeLog.open(options(current, "b" + boot));
            assertThat(before.difference(again)).isNull();
            assertThat(again.group(1).memoryLost()).isTrue();
            write(
                    again,
                    before,
                    new Model.Step().entry(1, boot + 2, 2, new byte[8]).hardState(1, 2 + boot, null));
            current = current.afterPowerCut(Unsynced.KEPT, new Random(boot));
        }
        assertThat(before.group(1).hardState).isEqualTo(new HardState(6, null));
    }

    /** Where the frame {@code count} frames from the beginning begins. */
    private static int endOf(byte[] content, int count) {
        int at = LogFormat.SEGMENT_HEADER_BYTES;
        for (int i = 0; i < count; i++) {
            at += LogFormat.FRAME_HEADER_BYTES + ByteBuffer.wrap(content).getInt(at + 4);
        }
        return at;
    }
}
