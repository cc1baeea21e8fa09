package io.elastickv.embedded.internal.raft;

import static io.elastickv.embedded.internal.raft.Outcomes.bytes;
import static io.elastickv.embedded.internal.raft.ReplicaFixture.append;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.elastickv.embedded.internal.raft.FakeSnapshots.Arrived;
import io.elastickv.embedded.internal.raft.GroupSnapshots.Snapshot;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.EntryKind;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.core.MemberChange;
import io.elastickv.embedded.internal.raft.core.RaftMessage;
import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.SnapshotRequired;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** What becomes of a replica's state as a whole: checkpoints, compaction, states of other replicas; and of its members. */
@Timeout(60)
class ReplicaStateTest {

    private static final Logger LOGGER = (Logger) LoggerFactory.getLogger("io.elastickv.embedded.internal.raft");
    private static final Configuration THREE = Configuration.of(List.of("n1", "n2", "n3"));

    @TempDir
    Path directory;

    private final List<String> told = new ArrayList<>();
    private final List<Runnable> background = new ArrayList<>();

    @BeforeEach
    void silence() {
        LOGGER.setLevel(Level.OFF);
    }

    @AfterEach
    void speakAgain() {
        LOGGER.setLevel(null);
    }

    private ReplicaFixture three() {
        return new ReplicaFixture(directory, "n1", "n2", "n3");
    }

    private ReplicaFixture alone() {
        return new ReplicaFixture(directory, "n1");
    }

    private static LogEntry command(long index, long term, String text) {
        return new LogEntry(index, term, EntryKind.COMMAND, bytes(text));
    }

    private CheckpointCallback checkpoint(String name) {
        return new CheckpointCallback() {
            @Override
            public void saved(Snapshot snapshot) {
                told.add(name + " saved " + snapshot.index() + " of term " + snapshot.term());
            }

            @Override
            public void failed(Throwable cause) {
                told.add(name + " failed");
            }
        };
    }

    private MembershipCallback change(String name) {
        return new MembershipCallback() {
            @Override
            public void committed() {
                told.add(name + " committed");
            }

            @Override
            public void refused(String reason) {
                told.add(name + " refused");
            }

            @Override
            public void unknown() {
                told.add(name + " unknown");
            }
        };
    }

    private void commit(ReplicaFixture replica, String... commands) {
        for (String command : commands) {
            replica.manual.run(() -> replica.propose(command));
            long index = replica.group.status().lastIndex();
            replica.manual.runUntil(() -> replica.group.status().appliedIndex() >= index);
        }
    }

    private void save(ReplicaFixture replica, String name) {
        replica.manual.run(() -> replica.group.checkpoint(Runnable::run, checkpoint(name)));
        replica.manual.run();
    }

    // ---- checkpoints

    @Test
    void aCheckpointHasWhatIsAppliedAndTheLogGoesUpToTheOlderOfTwo() {
        try (ReplicaFixture replica = alone()) {
            replica.elect();
            commit(replica, "a", "b");
            assertThat(replica.group.status().bytesSinceCheckpoint()).isPositive();
            save(replica, "first");
            assertThat(told).containsExactly("first saved 3 of term 1");
            assertThat(replica.snapshots.configurations).containsExactly(Configuration.of(List.of("n1")));
            assertThat(replica.snapshots.openCaptures).isZero();
            replica.manual.run(() -> replica.group.compact(false));
            assertThat(replica.group.status().firstIndex()).isEqualTo(1);
            commit(replica, "c");
            save(replica, "second");
            assertThat(replica.group.status().checkpoints())
                    .containsExactly(new Snapshot(4, 1, 100), new Snapshot(3, 1, 100));
            replica.manual.run(() -> replica.group.compact(false));
            assertThat(replica.group.status().firstIndex()).isEqualTo(4);
            replica.manual.runUntil(
                    () -> replica.log.group(ReplicaFixture.GROUP).firstIndex() == 4);
            assertThat(replica.log.group(ReplicaFixture.GROUP).baseTerm()).isEqualTo(1);
            commit(replica, "d");
            assertThat(replica.applied).containsExactly("a", "b", "c", "d");
            assertThat(replica.failures).isEmpty();
        }
    }

    @Test
    void whatIsAppliedWhileACheckpointIsWrittenCountsForTheNext() {
        try (ReplicaFixture replica = alone()) {
            replica.elect();
            commit(replica, "a");
            replica.manual.run(() -> replica.group.checkpoint(background::add, checkpoint("first")));
            commit(replica, "b");
            long withBoth = replica.group.status().bytesSinceCheckpoint();
            replica.manual.run(background.get(0));
            assertThat(told).containsExactly("first saved 2 of term 1");
            assertThat(replica.group.status().bytesSinceCheckpoint())
                    .isPositive()
                    .isLessThan(withBoth);
        }
    }

    @Test
    void oneCheckpointAtATimeAndAFailedOneHarmsNothing() {
        try (ReplicaFixture replica = alone()) {
            replica.elect();
            commit(replica, "a");
            replica.manual.run(() -> replica.group.checkpoint(background::add, checkpoint("first")));
            replica.manual.run(() -> replica.group.checkpoint(background::add, checkpoint("second")));
            assertThat(told).containsExactly("second failed");
            replica.snapshots.writeFailure = new IllegalStateException("disk full");
            replica.manual.run(background.get(0));
            replica.snapshots.captureFailure = new IllegalStateException("another capture");
            save(replica, "third");
            replica.snapshots.captureFailure = null;
            replica.manual.run(() -> replica.group.checkpoint(
                    task -> {
                        throw new RejectedExecutionException("closing");
                    },
                    checkpoint("fourth")));
            replica.snapshots.writeFailure = null;
            save(replica, "fifth");
            assertThat(told)
                    .containsExactly(
                            "second failed",
                            "first failed",
                            "third failed",
                            "fourth failed",
                            "fifth saved 2 of term 1");
            assertThat(replica.snapshots.openCaptures).isZero();
            assertThat(replica.failures).isEmpty();
            commit(replica, "b");
        }
    }

    @Test
    void aReplicaThatIsClosedMeanwhileLeavesNoCaptureOpen() {
        try (ReplicaFixture replica = alone()) {
            replica.elect();
            commit(replica, "a");
            replica.manual.run(() -> replica.group.checkpoint(background::add, checkpoint("first")));
            replica.manual.run(replica.group::close);
            replica.manual.run(background.get(0));
            assertThat(told).containsExactly("first saved 2 of term 1");
            assertThat(replica.snapshots.openCaptures).isZero();
            replica.manual.run(() -> replica.group.checkpoint(background::add, checkpoint("second")));
            assertThat(told).last().isEqualTo("second failed");
        }
    }

    @Test
    void theLogStaysForWhoeverFollowsUnlessItPresses() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            replica.acknowledge("n3");
            replica.manual.run();
            for (String command : List.of("a", "b")) {
                replica.manual.run(() -> replica.propose(command));
                replica.manual.runUntil(() -> replica.hasSent("n2", AppendRequest.class));
                replica.acknowledge("n2");
                long index = replica.group.status().lastIndex();
                replica.manual.runUntil(() -> replica.group.status().appliedIndex() == index);
                save(replica, command);
            }
            replica.manual.run(() -> replica.group.compact(false));
            assertThat(replica.group.status().firstIndex())
                    .as("n3 has entry 1 only")
                    .isEqualTo(1);
            replica.snapshots.leased = 1;
            replica.manual.run(() -> replica.group.compact(true));
            assertThat(replica.group.status().firstIndex())
                    .as("somebody reads it")
                    .isEqualTo(1);
            replica.snapshots.leased = Long.MAX_VALUE;
            replica.manual.run(() -> replica.group.compact(true));
            assertThat(replica.group.status().firstIndex())
                    .as("the newest has everything")
                    .isEqualTo(4);
        }
    }

    // ---- states of others

    private ReplicaFixture behind() {
        ReplicaFixture replica = three();
        replica.receive("n2", append(1, 0, 0, 0));
        replica.receive("n2", new SnapshotRequired(1, 10));
        assertThat(replica.snapshots.fetches).hasSize(1);
        assertThat(replica.snapshots.fetches.get(0).node()).isEqualTo("n2");
        assertThat(replica.snapshots.fetches.get(0).leastIndex()).isEqualTo(10);
        return replica;
    }

    private static void arrives(ReplicaFixture replica, Arrived state) {
        replica.manual.run(() -> replica.snapshots.fetches.get(0).callback().fetched(state));
        replica.manual.run();
    }

    @Test
    void theStateOfAnotherReplicaTakesThePlaceOfTheOwnAndTheLogGoesOnAfterIt() {
        try (ReplicaFixture replica = behind()) {
            Arrived state = new Arrived(12, 1, THREE, () -> replica.applied.add("state"));
            arrives(replica, state);
            assertThat(state.installed).isTrue();
            assertThat(state.closed).isTrue();
            assertThat(replica.group.status().appliedIndex()).isEqualTo(12);
            assertThat(replica.group.status().firstIndex()).isEqualTo(13);
            assertThat(replica.group.status().checkpoints()).containsExactly(new Snapshot(12, 1, 100));
            replica.receive("n2", append(1, 12, 1, 13, command(13, 1, "a")));
            replica.manual.runUntil(() -> replica.applied.contains("a"));
            assertThat(replica.applied).containsExactly("state", "a");
            replica.manual.runUntil(() -> replica.hasSent("n2", AppendResponse.class)
                    && replica.lastSent("n2", AppendResponse.class).matchIndex() == 13);
            assertThat(replica.log.group(ReplicaFixture.GROUP).firstIndex()).isEqualTo(13);
            assertThat(replica.log.group(ReplicaFixture.GROUP).lastIndex()).isEqualTo(13);
            assertThat(replica.failures).isEmpty();
        }
    }

    /** H1: a late snapshot rolled a follower back behind entries that it had acknowledged. */
    @Test
    void aStateThatComesLateTakesNothingBack() {
        try (ReplicaFixture replica = behind()) {
            LogEntry[] entries = new LogEntry[14];
            for (int i = 0; i < entries.length; i++) {
                entries[i] = command(i + 1, 1, "c" + (i + 1));
            }
            replica.receive("n2", append(1, 0, 0, 14, entries));
            replica.manual.runUntil(() -> replica.group.status().appliedIndex() == 14);
            Arrived state = new Arrived(12, 1, THREE, () -> replica.applied.add("state"));
            arrives(replica, state);
            assertThat(state.installed).isFalse();
            assertThat(state.closed).isTrue();
            assertThat(replica.group.status().appliedIndex()).isEqualTo(14);
            assertThat(replica.applied).hasSize(14).doesNotContain("state");
            assertThat(replica.failures).isEmpty();
        }
    }

    /** H2: an install that failed left a new snapshot, an old log and no state. */
    @Test
    void aStateThatCannotBeInstalledLeavesTheOldOneServingAndIsFetchedAgain() {
        try (ReplicaFixture replica = three()) {
            replica.receive("n2", append(1, 0, 0, 2, command(1, 1, "a"), command(2, 1, "b")));
            replica.manual.runUntil(() -> replica.applied.size() == 2);
            replica.receive("n2", new SnapshotRequired(1, 10));
            arrives(replica, new Arrived(12, 1, THREE, () -> {
                throw new IllegalStateException("no memory");
            }));
            assertThat(replica.group.status().appliedIndex()).isEqualTo(2);
            assertThat(replica.group.status().failed()).isFalse();
            replica.manual.runUntil(
                    () -> replica.log.group(ReplicaFixture.GROUP).lastIndex() == 2);
            hears(replica, Duration.ofSeconds(1));
            assertThat(replica.snapshots.fetches).hasSize(2);
            Arrived good = new Arrived(12, 1, THREE, () -> {});
            replica.manual.run(() -> replica.snapshots.fetches.get(1).callback().fetched(good));
            replica.manual.run();
            assertThat(good.installed).isTrue();
            assertThat(replica.group.status().appliedIndex()).isEqualTo(12);
        }
    }

    /** Time passes while n2 goes on leading, and offering its state. */
    private static void hears(ReplicaFixture replica, Duration time) {
        for (long millis = 0; millis < time.toMillis(); millis += 100) {
            replica.manual.advance(Duration.ofMillis(100));
            replica.receive("n2", new SnapshotRequired(1, 10));
        }
    }

    @Test
    void aFetchThatFailsIsTriedAgainLaterAndLater() {
        try (ReplicaFixture replica = behind()) {
            replica.manual.run(() -> replica.snapshots.fetches.get(0).callback().failed(new IOException("gone")));
            hears(replica, Duration.ofMillis(400));
            assertThat(replica.snapshots.fetches).hasSize(2);
            for (int i = 1; i < 6; i++) {
                FakeSnapshots.Fetch last = replica.snapshots.fetches.get(replica.snapshots.fetches.size() - 1);
                replica.manual.run(() -> last.callback().failed(new IOException("gone")));
                hears(replica, Duration.ofMillis(400));
            }
            assertThat(replica.snapshots.fetches).hasSizeLessThan(5);
            assertThat(replica.failures).isEmpty();
        }
    }

    @Test
    void aStateThatArrivesWaitsForTheCheckpointThatIsBeingWritten() {
        try (ReplicaFixture replica = three()) {
            replica.receive("n2", append(1, 0, 0, 1, command(1, 1, "a")));
            replica.manual.runUntil(() -> replica.applied.size() == 1);
            replica.manual.run(() -> replica.group.checkpoint(background::add, checkpoint("own")));
            replica.receive("n2", new SnapshotRequired(1, 10));
            Arrived state = new Arrived(12, 1, THREE, () -> {});
            arrives(replica, state);
            assertThat(state.installed).isFalse();
            save(replica, "another");
            assertThat(told).containsExactly("another failed");
            replica.manual.run(background.get(0));
            replica.manual.run();
            assertThat(state.installed).isTrue();
            assertThat(told).last().isEqualTo("own saved 1 of term 1");
            assertThat(replica.group.status().checkpoints()).containsExactly(new Snapshot(12, 1, 100));
        }
    }

    @Test
    void aStateThatArrivesAfterTheEndIsFreed() {
        try (ReplicaFixture replica = behind()) {
            replica.manual.run(replica.group::close);
            Arrived state = new Arrived(12, 1, THREE, () -> {});
            arrives(replica, state);
            assertThat(state.closed).isTrue();
            assertThat(state.installed).isFalse();
            assertThat(replica.snapshots.cancelled).isPositive();
        }
    }

    @Test
    void aReadWaitsForTheStateThatHasWhatItAsksFor() {
        try (ReplicaFixture replica = behind()) {
            replica.manual.run(() -> replica.group.read(replica.outcomes.read("r")));
            RaftMessage.ReadIndexRequest asked = replica.awaitSent("n2", RaftMessage.ReadIndexRequest.class);
            replica.receive("n2", new RaftMessage.ReadIndexResponse(1, asked.context(), 11, 0, true));
            assertThat(replica.outcomes.told()).isEmpty();
            arrives(replica, new Arrived(12, 1, THREE, () -> {}));
            assertThat(replica.outcomes.told()).containsExactly("r ready");
        }
    }

    // ---- members

    @Test
    void aChangeOfMembersIsToldWhenItIsCommitted() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            Configuration four = THREE.withLearner("n4@key");
            replica.manual.run(() -> replica.group.changeMembers(new MemberChange.AddLearner("n4@key"), change("add")));
            replica.manual.run(
                    () -> replica.group.changeMembers(new MemberChange.AddLearner("n5@key"), change("second")));
            assertThat(told).containsExactly("second refused");
            assertThat(replica.group.configuration()).isEqualTo(four);
            assertThat(replica.group.status().committedConfiguration()).isEqualTo(THREE);
            replica.manual.runUntil(() -> replica.hasSent("n2", AppendRequest.class));
            replica.acknowledge("n2");
            replica.manual.runUntil(() -> told.contains("add committed"));
            assertThat(replica.group.status().committedConfiguration()).isEqualTo(four);
            assertThat(replica.configurations).containsExactly(THREE, four);
            assertThat(replica.group.progress()).anyMatch(peer -> peer.peer().equals("n4@key"));
            assertThat(replica.sent).anyMatch(sent -> sent.to().equals("n4@key"));
        }
    }

    @Test
    void aChangeThatIsNotCommittedWhenTheLeadershipIsLostIsUnknown() {
        try (ReplicaFixture replica = three()) {
            replica.manual.run(() -> replica.group.changeMembers(new MemberChange.Remove("n3"), change("early")));
            assertThat(told).containsExactly("early refused");
            replica.elect();
            replica.manual.run(() -> replica.group.changeMembers(new MemberChange.Remove("n3"), change("late")));
            replica.receive("n2", append(9, 1, 1, 1));
            assertThat(told).last().isEqualTo("late unknown");
            replica.manual.run(replica.group::close);
            replica.manual.run(() -> replica.group.changeMembers(new MemberChange.Remove("n3"), change("closed")));
            assertThat(told).last().isEqualTo("closed refused");
        }
    }

    @Test
    void aLeaderThatRemovesItselfTellsThatItIsDone() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            replica.manual.run(() -> replica.group.changeMembers(new MemberChange.Remove("n1"), change("remove")));
            replica.acknowledge("n2");
            replica.acknowledge("n3");
            replica.manual.runUntil(() -> !told.isEmpty());
            assertThat(told).containsExactly("remove committed");
        }
    }
}
