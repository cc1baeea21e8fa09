package io.elastickv.embedded.internal.node;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
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
import io.elastickv.embedded.internal.raft.core.RestoredState;
import io.elastickv.embedded.internal.raft.log.Durability;
import io.elastickv.embedded.internal.raft.log.LogBatch;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import io.elastickv.embedded.internal.raft.log.NodeLogOptions;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.shard.SlotRanges;
import io.elastickv.embedded.internal.shard.StateCapture;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** A replica's way back, over a log and checkpoints on a disk in memory: every entry increments a counter by one. */
class ShardRecoveryTest {

    private static final Logger LOGGER = (Logger) LoggerFactory.getLogger("io.elastickv.embedded.internal");
    private static final int GROUP = 2;
    private static final Path CHECKPOINTS = Path.of("/data/checkpoints/2");
    private static final Configuration THREE = Configuration.of(List.of("a", "b", "c"));
    private static final StorageOptions SMALL = new StorageOptions(4096, 64, 2, 64);

    private FaultyFiles files = new FaultyFiles();
    private final List<AutoCloseable> open = new ArrayList<>();
    private NodeLog log;
    private CheckpointDirectory checkpoints;
    private ShardStateMachine machine;

    @BeforeEach
    void silence() {
        LOGGER.setLevel(Level.OFF);
    }

    @AfterEach
    void close() throws Exception {
        LOGGER.setLevel(null);
        for (AutoCloseable one : open) {
            one.close();
        }
    }

    private NodeLogOptions options() {
        return NodeLogOptions.of(Path.of("/data/wal"), "a")
                .withFiles(files)
                .withSegmentBytes(64 << 10)
                .withPreallocateBytes(4096)
                .withStepping();
    }

    private void start() throws IOException {
        start(options());
    }

    private void start(NodeLogOptions options) throws IOException {
        log = NodeLog.open(options);
        checkpoints = CheckpointDirectory.open(files, CHECKPOINTS, GROUP);
        machine = ShardStateMachine.create(GROUP, 1, SlotRanges.of(0, 16383), StorageEngine.HEAP, SMALL);
        open.add(machine);
    }

    private ShardRecovery.Recovered recover(boolean acceptMemoryLoss) {
        return recover("a", THREE, acceptMemoryLoss);
    }

    private ShardRecovery.Recovered recover(String self, Configuration initial, boolean acceptMemoryLoss) {
        return ShardRecovery.recover(GROUP, self, initial, log, checkpoints, machine, acceptMemoryLoss);
    }

    private static LogEntry increment(long index) {
        return new LogEntry(
                index,
                1,
                EntryKind.COMMAND,
                CommandCodec.encode(Envelope.of(new Command.Increment("n".getBytes(UTF_8), 1))));
    }

    private long counter() {
        var found = (QueryResult.Value) machine.query(new Query.Get("n".getBytes(UTF_8)), 0);
        return found.value() == null
                ? 0
                : Long.parseLong(new String(found.value().value(), UTF_8));
    }

    private void write(LogBatch batch) {
        log.submit(batch);
        while (log.step()) {
            // until it is written
        }
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

    /** A log of entries up to {@code last}, committed up to {@code committed}, and checkpoints as of {@code at}. */
    private void history(long last, long committed, long... at) throws IOException {
        start();
        LogBatch batch = batch();
        batch.add(GROUP, new HardState(1, "a"));
        for (long i = 1; i <= last; i++) {
            batch.add(GROUP, increment(i));
        }
        write(batch.addCommit(GROUP, committed));
        checkpointsAt(at);
        log.close();
    }

    private void checkpointsAt(long... at) throws IOException {
        checkpointsAt(THREE, at);
    }

    private void checkpointsAt(Configuration members, long... at) throws IOException {
        long applied = machine.appliedIndex();
        for (long index : at) {
            while (applied < index) {
                applied++;
                machine.apply(applied, increment(applied).payload());
            }
            try (StateCapture capture = machine.beginCapture()) {
                checkpoints.write(capture, 1, members.encode());
            }
        }
    }

    private void base(long index) throws IOException {
        start();
        write(batch().addBase(GROUP, index, 1));
        log.close();
    }

    private void damage(int checkpoint, String suffix) throws IOException {
        start();
        CheckpointManifest manifest = checkpoints.manifests().get(checkpoint);
        log.close();
        Path file = manifest.files().stream()
                .map(one -> CHECKPOINTS.resolve(one.name()))
                .filter(one -> one.toString().endsWith(suffix))
                .findFirst()
                .orElseThrow();
        byte[] content = files.content(file);
        content[content.length / 2] ^= 1;
        files.put(file, content);
    }

    @Test
    void withoutAnythingItIsNew() throws IOException {
        start();
        ShardRecovery.Recovered recovered = recover(false);
        assertThat(recovered.restored()).isEqualTo(RestoredState.empty(THREE));
        assertThat(recovered.start().snapshots()).isEmpty();
    }

    @Test
    void theLogAloneIsAppliedAsFarAsItIsKnownToBeCommitted() throws IOException {
        history(20, 15);
        start();
        ShardRecovery.Recovered recovered = recover(false);
        assertThat(counter()).isEqualTo(15);
        assertThat(recovered.restored().appliedIndex()).isEqualTo(15);
        assertThat(recovered.restored().lastIndex()).isEqualTo(20);
        assertThat(recovered.replayedEntries()).isEqualTo(15);
        assertThat(recovered.start().appliedTerm()).isEqualTo(1);
        assertThat(recovered.start().bytesSinceNewest()).isPositive();
    }

    /** J1: a crash between a snapshot and the truncation of the log replayed entries on top of it. */
    @Test
    void onlyWhatComesAfterTheCheckpointIsReplayed() throws IOException {
        history(20, 15, 6, 12);
        start();
        ShardRecovery.Recovered recovered = recover(false);
        assertThat(counter()).isEqualTo(15);
        assertThat(recovered.replayedEntries()).isEqualTo(3);
        assertThat(recovered.start().snapshots())
                .extracting(snapshot -> snapshot.index())
                .containsExactly(12L, 6L);
        assertThat(recovered.checkpointBytes()).isPositive();
        assertThat(recovered.restored().configuration()).isEqualTo(THREE);
    }

    @Test
    void aCheckpointThatIsAheadOfTheCommitHintCounts() throws IOException {
        history(20, 3, 6, 12);
        start();
        ShardRecovery.Recovered recovered = recover(false);
        assertThat(counter()).isEqualTo(12);
        assertThat(recovered.restored().commitIndex()).isEqualTo(12);
        assertThat(recovered.replayedEntries()).isZero();
    }

    @Test
    void aDamagedCheckpointFallsBackToTheOneBefore() throws IOException {
        history(20, 15, 6, 12);
        base(6);
        damage(0, ".bucket");
        start();
        ShardRecovery.Recovered recovered = recover(false);
        assertThat(counter()).isEqualTo(15);
        assertThat(recovered.replayedEntries()).isEqualTo(9);
        assertThat(recovered.start().snapshots())
                .extracting(snapshot -> snapshot.index())
                .containsExactly(6L);
    }

    @Test
    void withoutAnyCheckpointTheWholeLogWillDo() throws IOException {
        history(20, 15, 6, 12);
        damage(0, ".sessions");
        damage(1, ".bucket");
        start();
        recover(false);
        assertThat(counter()).isEqualTo(15);
    }

    @Test
    void aStateThatIsLostIsLeftToThePeers() throws IOException {
        history(20, 15, 6, 12);
        base(6);
        damage(0, ".sessions");
        damage(1, ".bucket");
        start();
        ShardRecovery.Recovered recovered = recover(false);
        assertThat(recovered.restored().appliedIndex()).isZero();
        assertThat(recovered.restored().firstIndex()).isEqualTo(7);
        assertThat(recovered.restored().hardState()).isEqualTo(new HardState(1, "a"));
        assertThat(recovered.start().snapshots()).isEmpty();
    }

    @Test
    void whoHasNoPeersIsRefusedWithFileOffsetAndRemedy() throws IOException {
        history(20, 15, 6, 12);
        base(6);
        damage(0, ".sessions");
        damage(1, ".bucket");
        start();
        assertThatThrownBy(() -> recover("a", Configuration.of(List.of("a")), false))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("group 2")
                .hasMessageContaining(".sessions, offset")
                .hasMessageContaining(".bucket, offset")
                .hasMessageContaining("entry 7")
                .hasMessageContaining("Restore");
    }

    @Test
    void aStateThatWasFetchedBeforeTheLogKnewIsTheNewBase() throws IOException {
        history(4, 2);
        start();
        checkpointsAt(9);
        log.close();
        start();
        ShardRecovery.Recovered recovered = recover(false);
        assertThat(counter()).isEqualTo(9);
        assertThat(recovered.restored().firstIndex()).isEqualTo(10);
        assertThat(recovered.restored().lastIndex()).isEqualTo(9);
        assertThat(recovered.restored().commitIndex()).isEqualTo(9);
        assertThat(recovered.restored().configuration()).isEqualTo(THREE);
        assertThat(log.group(GROUP).baseTerm()).isEqualTo(1);
        log.close();
        start();
        assertThat(recover(false).restored()).isEqualTo(recovered.restored());
    }

    @Test
    void membersComeFromTheCheckpointAndTheLogAfterIt() throws IOException {
        history(20, 15, 6, 12);
        base(6);
        start();
        Configuration four = THREE.withLearner("d");
        write(batch().add(GROUP, new LogEntry(21, 1, EntryKind.CONFIGURATION, four.encode())));
        log.close();
        start();
        RestoredState restored = recover("a", Configuration.EMPTY, false).restored();
        assertThat(restored.configuration()).isEqualTo(THREE);
        assertThat(restored.configurationEntries()).extracting(LogEntry::index).containsExactly(21L);
    }

    /** It was made by a replica that had just been added, and had not come to the entry that says so. */
    @Test
    void aFetchedStateOfOneThatDidNotKnowTheMembersChangesNoneOfThem() throws IOException {
        history(20, 15);
        start();
        checkpointsAt(Configuration.EMPTY, 12);
        write(batch().addBase(GROUP, 12, 1));
        log.close();
        start();
        assertThat(recover(false).restored().configuration()).isEqualTo(THREE);
    }

    @Test
    void aStateOfOneThatDidNotKnowTheMembersDoesNotHideAnEarlierOneThatDid() throws IOException {
        history(20, 15);
        start();
        checkpointsAt(THREE, 6);
        checkpointsAt(Configuration.EMPTY, 12);
        write(batch().addBase(GROUP, 12, 1));
        log.close();
        start();
        assertThat(recover("a", Configuration.EMPTY, false).restored().configuration())
                .isEqualTo(THREE);
    }

    @Test
    void whatWasLostWithTheMemoryIsSaidUnlessItIsAccepted() throws IOException {
        start(options().withDurability(Durability.MEMORY).withBootId(() -> "one"));
        LogBatch batch = batch().add(GROUP, new HardState(1, "a"));
        for (long i = 1; i <= 5; i++) {
            batch.add(GROUP, increment(i));
        }
        write(batch.addCommit(GROUP, 5));
        NodeLogOptions nextBoot = options().withDurability(Durability.MEMORY).withBootId(() -> "two");
        for (int i = 0; i < 2; i++) {
            start(nextBoot);
            assertThat(recover(false).restored().memoryLost()).isTrue();
            log.close();
        }
        start(nextBoot);
        assertThat(recover(true).restored().memoryLost()).isFalse();
        log.close();
        start(nextBoot);
        assertThat(recover(false).restored().memoryLost()).isFalse();
    }
}
