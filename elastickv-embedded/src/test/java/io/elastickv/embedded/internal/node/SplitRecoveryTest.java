package io.elastickv.embedded.internal.node;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.EntryKind;
import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.log.LogBatch;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import io.elastickv.embedded.internal.raft.log.NodeLogOptions;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.shard.SlotRanges;
import io.elastickv.embedded.internal.shard.StateCapture;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a node finds that ended at some step of a split: the rows of the table in ADR 0013. */
class SplitRecoveryTest {

    private static final int PARENT = 2;
    private static final int CHILD = 5;
    private static final int BORDER = 8192;
    private static final int SPLIT_INDEX = 11;
    private static final Configuration THREE = Configuration.of(List.of("a", "b", "c"));
    private static final byte[] LEFT = keyIn(0, BORDER - 1);
    private static final byte[] RIGHT = keyIn(BORDER, 16383);

    private final FaultyFiles files = new FaultyFiles();
    private final List<ShardStateMachine> open = new ArrayList<>();
    private NodeLog log;
    private CheckpointDirectory parentCheckpoints;
    private CheckpointDirectory childCheckpoints;
    private ShardStateMachine parent;
    private @Nullable ShardStateMachine splitOff;

    private static byte[] keyIn(int first, int last) {
        for (int n = 0; ; n++) {
            byte[] key = ("k" + n).getBytes(UTF_8);
            if (KeySlot.of(key) >= first && KeySlot.of(key) <= last) {
                return key;
            }
        }
    }

    /** A parent with ten increments of each key's counter by turns, a split, and two more on the left. */
    @BeforeEach
    void history() throws IOException {
        openLog();
        LogBatch batch = batch().add(PARENT, new HardState(1, "a"));
        for (int i = 1; i < SPLIT_INDEX; i++) {
            batch.add(PARENT, entry(i, 1, new Command.Increment(i % 2 == 0 ? LEFT : RIGHT, 1)));
        }
        batch.add(PARENT, entry(SPLIT_INDEX, 1, new Command.SplitShard(1, 2, BORDER, CHILD, 1, THREE.encode())));
        batch.add(PARENT, entry(SPLIT_INDEX + 1, 1, new Command.Increment(LEFT, 1)));
        batch.add(PARENT, entry(SPLIT_INDEX + 2, 1, new Command.Increment(RIGHT, 1)));
        write(batch.addCommit(PARENT, SPLIT_INDEX + 2));
        log.close();
    }

    @AfterEach
    void close() {
        open.forEach(ShardStateMachine::close);
        log.close();
    }

    private void openLog() throws IOException {
        log = NodeLog.open(NodeLogOptions.of(Path.of("/data/wal"), "a")
                .withFiles(files)
                .withSegmentBytes(64 << 10)
                .withPreallocateBytes(4096)
                .withStepping());
    }

    private static LogEntry entry(long index, long term, Command command) {
        return new LogEntry(index, term, EntryKind.COMMAND, CommandCodec.encode(Envelope.of(command)));
    }

    private static LogBatch batch() {
        return new LogBatch(new LogBatch.Completion() {
            @Override
            public void durable() {
                // The test looks at what is there.
            }

            @Override
            public void failed(Throwable cause) {
                throw new AssertionError(cause);
            }
        });
    }

    private void write(LogBatch batch) {
        log.submit(batch);
        while (log.step()) {
            // until it is written
        }
    }

    private static ShardStateMachine empty(int shard) {
        return ShardStateMachine.create(
                shard, 1, SlotRanges.of(0, 16383), StorageEngine.HEAP, new StorageOptions(4096, 64, 2, 64));
    }

    /** Starts the node: the parent first, which may split off the child. */
    private void startParent() throws IOException {
        openLog();
        parentCheckpoints = CheckpointDirectory.open(files, Path.of("/data/checkpoints/2"), PARENT);
        childCheckpoints = CheckpointDirectory.open(files, Path.of("/data/checkpoints/5"), CHILD);
        parent = empty(PARENT);
        open.add(parent);
        splitOff = null;
        parent.onSplit((from, split, child) -> {
            open.add(child);
            splitOff = child;
        });
        ShardRecovery.recover(PARENT, "a", THREE, log, parentCheckpoints, parent, false);
    }

    private ShardStateMachine child() {
        ShardStateMachine machine = splitOff;
        if (machine == null) {
            machine = empty(CHILD);
            open.add(machine);
            splitOff = machine;
        }
        return machine;
    }

    private ShardRecovery.Recovered recoverChild() {
        return ShardRecovery.recover(CHILD, "a", THREE, log, childCheckpoints, child(), false);
    }

    private static long counter(ShardStateMachine machine, byte[] key) {
        var found = (QueryResult.Value) machine.query(new Query.Get(key), 0);
        return Long.parseLong(new String(found.value().value(), UTF_8));
    }

    private void childLogs(long from, long to) {
        LogBatch batch = batch().add(CHILD, new HardState(3, "a"));
        for (long i = from; i <= to; i++) {
            batch.add(CHILD, entry(i, 3, new Command.Increment(RIGHT, 1)));
        }
        write(batch.addCommit(CHILD, to));
    }

    private static void checkpoint(ShardStateMachine machine, CheckpointDirectory directory, long term)
            throws IOException {
        try (StateCapture capture = machine.beginCapture()) {
            directory.write(capture, term, THREE.encode());
        }
    }

    @Test
    void theReplayOfTheParentMakesTheChild() throws IOException {
        startParent();
        assertThat(counter(parent, LEFT)).isEqualTo(6);
        assertThat(parent.query(new Query.Get(RIGHT), 0)).isEqualTo(new QueryResult.WrongShard(2));
        assertThat(parent.unsafeChildren()).containsExactly(CHILD);
        ShardRecovery.Recovered recovered = recoverChild();
        assertThat(counter(child(), RIGHT)).isEqualTo(5);
        assertThat(recovered.restored().appliedIndex()).isEqualTo(SPLIT_INDEX);
        assertThat(recovered.restored().firstIndex()).isEqualTo(SPLIT_INDEX + 1);
        assertThat(recovered.restored().lastIndex()).isEqualTo(SPLIT_INDEX);
        assertThat(recovered.restored().configuration()).isEqualTo(THREE);
        assertThat(recovered.start().appliedTerm()).isEqualTo(1);
    }

    @Test
    void theChildsOwnLogFollowsWhatTheParentMakes() throws IOException {
        startParent();
        recoverChild();
        childLogs(SPLIT_INDEX + 1, SPLIT_INDEX + 3);
        log.close();
        startParent();
        ShardRecovery.Recovered recovered = recoverChild();
        assertThat(counter(child(), RIGHT)).isEqualTo(8);
        assertThat(recovered.replayedEntries()).isEqualTo(3);
        assertThat(recovered.restored().configuration()).isEqualTo(THREE);
        assertThat(recovered.restored().hardState()).isEqualTo(new HardState(3, "a"));
    }

    @Test
    void theChildsCheckpointCountsBeforeWhatTheParentMakes() throws IOException {
        startParent();
        recoverChild();
        checkpoint(child(), childCheckpoints, 1);
        childLogs(SPLIT_INDEX + 1, SPLIT_INDEX + 3);
        log.close();
        startParent();
        assertThat(recoverChild().replayedEntries()).as("from the split").isEqualTo(3);
        checkpoint(child(), childCheckpoints, 3);
        log.close();
        startParent();
        assertThat(recoverChild().replayedEntries())
                .as("from the later checkpoint")
                .isZero();
        assertThat(counter(child(), RIGHT)).isEqualTo(8);
        write(batch().addBase(CHILD, SPLIT_INDEX + 3, 3));
        log.close();
        startParent();
        assertThat(recoverChild().restored().firstIndex()).isEqualTo(SPLIT_INDEX + 4);
        assertThat(counter(child(), RIGHT)).isEqualTo(8);
    }

    @Test
    void bothStartFromTheirOwnCheckpointsInTheEnd() throws IOException {
        startParent();
        recoverChild();
        checkpoint(child(), childCheckpoints, 1);
        parent.childIsSafe(CHILD);
        checkpoint(parent, parentCheckpoints, 1);
        log.close();
        startParent();
        assertThat(splitOff).isNull();
        assertThat(counter(parent, LEFT)).isEqualTo(6);
        assertThat(recoverChild().restored().appliedIndex()).isEqualTo(SPLIT_INDEX);
        assertThat(counter(child(), RIGHT)).isEqualTo(5);
    }

    @Test
    void whatTheParentMakesIsOfNoUseToALogThatBeginsLater() throws IOException {
        startParent();
        recoverChild();
        childLogs(SPLIT_INDEX + 1, SPLIT_INDEX + 3);
        write(batch().addBase(CHILD, SPLIT_INDEX + 2, 3));
        log.close();
        startParent();
        assertThat(recoverChild().restored().appliedIndex())
                .as("the state is lost, and comes from the leader")
                .isZero();
    }

    @Test
    void theParentHasNoCheckpointBeforeTheChildIsSafe() throws IOException {
        startParent();
        ShardCheckpoints checkpoints = new ShardCheckpoints(
                PARENT, parent, parentCheckpoints, null, Runnable::run, 2, null, null, System::nanoTime);
        assertThatThrownBy(() -> checkpoints.capture(SPLIT_INDEX + 2, 1, THREE)).hasMessageContaining("[5]");
        parent.childIsSafe(CHILD);
        checkpoints.capture(SPLIT_INDEX + 2, 1, THREE).close();
    }
}
