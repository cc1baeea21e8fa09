package io.elastickv.embedded.internal.raft;

import static io.elastickv.embedded.internal.raft.Outcomes.bytes;
import static io.elastickv.embedded.internal.raft.ReplicaFixture.append;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.EntryKind;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.core.RaftConfig;
import io.elastickv.embedded.internal.raft.core.RaftMessage;
import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.VoteRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.VoteResponse;
import io.elastickv.embedded.internal.raft.core.Role;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

@Timeout(60)
class ReplicaGroupTest {

    private static final Logger LOGGER = (Logger) LoggerFactory.getLogger("io.elastickv.embedded.internal.raft");

    @TempDir
    Path directory;

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

    private static LogEntry noop(long index, long term) {
        return new LogEntry(index, term, EntryKind.NOOP, new byte[0]);
    }

    @Test
    void aLoneVoterAppliesInOrderAndAnswersWithTheResult() {
        try (ReplicaFixture replica = alone()) {
            replica.elect();
            for (int i = 0; i < 5000; i++) {
                replica.propose("c" + i);
            }
            replica.manual.runUntil(() -> replica.outcomes.told().size() == 5000);
            for (int i = 0; i < 5000; i++) {
                assertThat(replica.outcomes.told().get(i)).isEqualTo("c%d applied result of c%d at %d", i, i, i + 2);
            }
            assertThat(replica.applied).hasSize(5000);
            assertThat(replica.leaders).last().isEqualTo("n1 in 1");
        }
    }

    @Test
    void aVoteLeavesOnlyWhenItIsDurable() {
        try (ReplicaFixture replica = three()) {
            replica.files.shut();
            replica.receive("n2", new VoteRequest(4, 0, 0, true));
            replica.manual.runUntil(replica.files::hasWaiting);
            replica.manual.run();
            assertThat(replica.hasSent("n2", VoteResponse.class)).isFalse();
            replica.files.open();
            assertThat(replica.awaitSent("n2", VoteResponse.class)).isEqualTo(new VoteResponse(4, true));
        }
    }

    @Test
    void aFollowerAcknowledgesOnlyWhatIsDurable() {
        try (ReplicaFixture replica = three()) {
            replica.receive("n2", append(1, 0, 0, 0));
            replica.awaitSent("n2", AppendResponse.class);
            replica.sent.clear();
            replica.files.shut();
            replica.receive("n2", append(1, 0, 0, 0, noop(1, 1), command(2, 1, "a")));
            replica.manual.runUntil(replica.files::hasWaiting);
            replica.manual.run();
            replica.receive("n2", append(1, 2, 1, 0));
            assertThat(replica.sent).allSatisfy(sent -> {
                assertThat(sent.message()).isInstanceOf(AppendResponse.class);
                assertThat(((AppendResponse) sent.message()).matchIndex()).isZero();
            });
            replica.files.open();
            replica.manual.runUntil(() -> replica.hasSent("n2", AppendResponse.class)
                    && replica.lastSent("n2", AppendResponse.class).matchIndex() == 2);
        }
    }

    @Test
    void aLeaderDoesNotCountItsOwnLogBeforeItIsDurable() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            replica.files.shut();
            replica.manual.run(() -> replica.propose("a"));
            AppendRequest request = replica.awaitSent("n2", AppendRequest.class);
            assertThat(request.entries())
                    .as("sent before it is on the own disk")
                    .hasSize(1);
            replica.acknowledge("n2");
            replica.manual.runUntil(replica.files::hasWaiting);
            replica.manual.run();
            assertThat(replica.outcomes.told())
                    .as("one of three has it on disk")
                    .isEmpty();
            replica.files.open();
            replica.manual.runUntil(() -> !replica.outcomes.told().isEmpty());
            assertThat(replica.outcomes.told()).containsExactly("a applied result of a at 2");
        }
    }

    @Test
    void nothingIsAppliedBeforeAMajorityHasIt() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            replica.manual.run(() -> replica.propose("a"));
            replica.manual.runUntil(
                    () -> replica.log.group(ReplicaFixture.GROUP).lastIndex() == 2);
            replica.manual.run();
            assertThat(replica.outcomes.told()).isEmpty();
            replica.acknowledge("n3");
            replica.manual.runUntil(() -> !replica.outcomes.told().isEmpty());
            assertThat(replica.outcomes.told()).containsExactly("a applied result of a at 2");
        }
    }

    @Test
    void aReplicaThatDoesNotLeadProposesNothingAndSaysWhoLeads() {
        try (ReplicaFixture replica = three()) {
            replica.manual.run(() -> replica.propose("early"));
            replica.receive("n2", append(1, 0, 0, 0));
            replica.manual.run(() -> replica.propose("late"));
            assertThat(replica.outcomes.told())
                    .containsExactly("early not proposed NOT_LEADER null", "late not proposed NOT_LEADER n2");
        }
    }

    @Test
    void whoLosesTheLeadershipDoesNotKnowWhatBecomesOfItsProposals() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            replica.manual.run(() -> {
                replica.propose("a");
                replica.propose("b");
            });
            assertThat(replica.outcomes.told()).isEmpty();
            replica.receive("n2", append(9, 1, 1, 1));
            assertThat(replica.outcomes.told()).containsExactly("a unknown", "b unknown");
            replica.manual.run(() -> replica.propose("c"));
            assertThat(replica.outcomes.told()).last().isEqualTo("c not proposed NOT_LEADER n2");
            // Whatever happens to them later, they are not answered again.
            replica.receive("n2", append(9, 2, 1, 2, command(3, 9, "x")));
            replica.manual.runUntil(() -> replica.applied.contains("a"));
            assertThat(replica.outcomes.told()).hasSize(3);
        }
    }

    @Test
    void tooMuchUncommittedIsRefusedAsOverload() {
        try (ReplicaFixture replica = new ReplicaFixture(
                directory, config -> withMaxUncommitted(config, 10), options -> options, "n1", "n1", "n2", "n3")) {
            replica.elect();
            for (int i = 0; i < 12; i++) {
                int number = i;
                replica.manual.run(() -> replica.propose("c" + number));
            }
            assertThat(replica.outcomes.told())
                    .containsExactly("c10 not proposed OVERLOADED null", "c11 not proposed OVERLOADED null");
            replica.acknowledge("n2");
            replica.manual.runUntil(() -> replica.outcomes.told().size() == 12);
            assertThat(replica.outcomes.told().stream().filter(told -> told.contains("applied")))
                    .hasSize(10);
        }
    }

    private static RaftConfig withMaxUncommitted(RaftConfig config, int entries) {
        return new RaftConfig(
                config.self(),
                config.electionTimeoutNanos(),
                config.heartbeatIntervalNanos(),
                config.maxEntriesPerAppend(),
                config.maxBytesPerAppend(),
                config.maxInFlightAppends(),
                config.maxInFlightBytes(),
                entries,
                config.maxUncommittedBytes(),
                config.maxCachedEntryBytes(),
                config.preferredLeader());
    }

    @Test
    void aLeaderThatHandsOverRefusesAsOverload() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            replica.manual.run(() -> replica.group.transferLeadership("n2"));
            replica.manual.run(() -> replica.propose("a"));
            assertThat(replica.outcomes.told()).containsExactly("a not proposed OVERLOADED null");
            assertThat(replica.hasSent("n2", RaftMessage.TimeoutNow.class)).isTrue();
        }
    }

    @Test
    void leadershipIsNotHandedToAReplicaThatDoesNotAnswer() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            replica.manual.run(() -> {
                // Its node is back, but not it: its directory was lost.
                replica.group.peerReachable("n3", false);
                replica.group.peerReachable("n3", true);
                assertThat(replica.group.transferLeadership("n3")).isFalse();
                assertThat(replica.group.transferLeadership("n9")).isFalse();
            });
            replica.manual.run(() -> replica.propose("a"));
            assertThat(replica.outcomes.told()).isEmpty();
        }
    }

    @Test
    void leadershipIsHandedToTheReachableReplicaThatIsFurthest() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            replica.manual.run(() -> replica.group.peerReachable("n3", false));
            replica.manual.run(replica.group::handOver);
            assertThat(replica.hasSent("n2", RaftMessage.TimeoutNow.class)).isTrue();
            assertThat(replica.hasSent("n3", RaftMessage.TimeoutNow.class)).isFalse();
        }
    }

    @Test
    void aReadIsAnsweredOnceALaterRoundIsConfirmed() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            replica.manual.run(() -> {
                replica.group.read(replica.outcomes.read("r1"));
                replica.group.read(replica.outcomes.read("r2"));
            });
            assertThat(replica.outcomes.told()).isEmpty();
            assertThat(replica.group.freshAsOfNanos()).isEqualTo(Long.MIN_VALUE);
            long askedAt = replica.manual.nanos();
            AppendRequest round = replica.lastSent("n2", AppendRequest.class);
            replica.receive("n2", new AppendResponse(1, round.round() - 1, true, 1, 1, 0, 0, 0));
            assertThat(replica.outcomes.told())
                    .as("an answer to an earlier round")
                    .isEmpty();
            replica.receive("n2", new AppendResponse(1, round.round(), true, 1, 1, 0, 0, 0));
            assertThat(replica.outcomes.told()).containsExactly("r1 ready", "r2 ready");
            assertThat(replica.group.freshAsOfNanos()).isEqualTo(askedAt);
        }
    }

    @Test
    void aReadIsAnsweredOnlyWhenItsPointIsApplied() {
        try (ReplicaFixture replica = three()) {
            replica.receive("n2", append(1, 0, 0, 0, noop(1, 1), command(2, 1, "a")));
            replica.manual.runUntil(() -> replica.hasSent("n2", AppendResponse.class));
            replica.manual.run(() -> replica.group.read(replica.outcomes.read("r")));
            RaftMessage.ReadIndexRequest request = replica.lastSent("n2", RaftMessage.ReadIndexRequest.class);
            replica.receive("n2", new RaftMessage.ReadIndexResponse(1, request.context(), 3, 1234, true));
            assertThat(replica.outcomes.told()).as("entry 3 is not here").isEmpty();
            replica.receive("n2", append(1, 2, 1, 3, command(3, 1, "b")));
            replica.manual.runUntil(() -> !replica.outcomes.told().isEmpty());
            assertThat(replica.applied).containsExactly("a", "b");
            assertThat(replica.outcomes.told()).containsExactly("r ready");
        }
    }

    @Test
    void aReadWithoutLeaderFailsAtOnce() {
        try (ReplicaFixture replica = three()) {
            replica.manual.run(() -> replica.group.read(replica.outcomes.read("r")));
            assertThat(replica.outcomes.told()).containsExactly("r failed NOT_LEADER null");
        }
    }

    @Test
    void readsFailWhenTheLeadershipIsLost() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            replica.manual.run(() -> replica.group.read(replica.outcomes.read("r")));
            replica.receive("n2", append(9, 1, 1, 1));
            assertThat(replica.outcomes.told()).containsExactly("r failed NOT_LEADER n2");
        }
    }

    @Test
    void anIsolatedLeaderAnswersNoReadAndStepsDown() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            replica.manual.run(() -> {
                replica.group.read(replica.outcomes.read("r"));
                replica.propose("a");
            });
            replica.manual.advance(Duration.ofSeconds(5));
            assertThat(replica.outcomes.told()).containsExactlyInAnyOrder("r failed NOT_LEADER n1", "a unknown");
            assertThat(replica.group.status().role()).isNotEqualTo(Role.LEADER);
        }
    }

    @Test
    void aBrokenDiskFailsAllThatWaitsAndStopsTheReplica() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            replica.files.shut();
            replica.manual.run(() -> {
                replica.propose("a");
                replica.group.read(replica.outcomes.read("r"));
            });
            replica.manual.runUntil(replica.files::hasWaiting);
            replica.sent.clear();
            replica.files.breakDown();
            replica.manual.runUntil(() -> replica.group.status().failed());
            assertThat(replica.outcomes.told()).containsExactlyInAnyOrder("a unknown", "r failed FAILED null");
            assertThat(replica.failures).singleElement().asString().startsWith("the write-ahead log failed: ");
            replica.manual.run(() -> {
                replica.propose("b");
                replica.group.read(replica.outcomes.read("s"));
            });
            assertThat(replica.outcomes.told()).contains("b not proposed FAILED null", "s failed FAILED null");
            replica.receive("n2", new VoteRequest(20, 100, 20, true));
            replica.receive("n2", append(21, 0, 0, 0, noop(1, 21)));
            replica.manual.advance(Duration.ofSeconds(5));
            assertThat(replica.sent)
                    .as("it neither votes nor acknowledges nor campaigns")
                    .isEmpty();
            assertThat(replica.failures).hasSize(1);
        }
    }

    @Test
    void anAcknowledgementThatWaitedForABrokenDiskNeverLeaves() {
        try (ReplicaFixture replica = three()) {
            replica.receive("n2", append(1, 0, 0, 0));
            replica.awaitSent("n2", AppendResponse.class);
            replica.sent.clear();
            replica.files.shut();
            replica.receive("n2", append(1, 0, 0, 0, noop(1, 1)));
            replica.receive("n3", new VoteRequest(2, 5, 1, true));
            replica.manual.runUntil(replica.files::hasWaiting);
            replica.files.breakDown();
            replica.manual.runUntil(() -> replica.group.status().failed());
            assertThat(replica.hasSent("n3", VoteResponse.class)).isFalse();
            assertThat(replica.sent)
                    .allSatisfy(sent -> assertThat(((AppendResponse) sent.message()).matchIndex())
                            .isZero());
        }
    }

    @Test
    void anEntryThatTheLogRefusesFailsTheReplicaAndNotTheLoop() {
        try (ReplicaFixture replica = new ReplicaFixture(
                directory, config -> config, options -> options.withMaxRecordBytes(1000), "n1", "n1")) {
            replica.elect();
            replica.manual.run(() -> replica.group.propose(new byte[2000], replica.outcomes.proposal("large")));
            assertThat(replica.outcomes.told()).containsExactly("large unknown");
            assertThat(replica.failures).singleElement().asString().contains("maxRecordBytes");
            List<String> ran = new ArrayList<>();
            replica.manual.run(() -> ran.add("still alive"));
            assertThat(ran).hasSize(1);
        }
    }

    @Test
    void aFailureOfTheStateMachineStopsTheReplica() {
        try (ReplicaFixture replica = alone()) {
            replica.elect();
            replica.onApply = () -> {
                throw new IllegalStateException("cannot apply");
            };
            replica.manual.run(() -> {
                replica.propose("a");
                replica.propose("b");
            });
            replica.manual.runUntil(() -> replica.group.status().failed());
            assertThat(replica.outcomes.told()).containsExactly("a unknown", "b unknown");
            assertThat(replica.failures).containsExactly("the replica failed: cannot apply");
        }
    }

    @Test
    void aFailureOfTheTransportStopsTheReplicaAlsoWhenItMeetsAHeldAcknowledgement() {
        try (ReplicaFixture replica = three()) {
            replica.files.shut();
            replica.receive("n2", new VoteRequest(4, 0, 0, true));
            replica.onSend = () -> {
                throw new IllegalArgumentException("too large");
            };
            replica.files.open();
            replica.manual.runUntil(() -> replica.group.status().failed());
            assertThat(replica.failures).containsExactly("the replica failed: too large");
        }
    }

    @Test
    void whoeverFailsOnAnAnswerHarmsNeitherTheReplicaNorTheNext() {
        try (ReplicaFixture replica = alone()) {
            replica.elect();
            replica.manual.run(() -> {
                replica.group.propose(bytes("a"), new Throwing());
                replica.propose("b");
                replica.group.read(new Throwing());
                replica.group.read(replica.outcomes.read("r"));
            });
            replica.manual.runUntil(() -> replica.outcomes.told().size() == 2);
            assertThat(replica.outcomes.told()).containsExactlyInAnyOrder("b applied result of b at 3", "r ready");
            assertThat(replica.group.status().failed()).isFalse();
            replica.manual.run(() -> {
                replica.group.propose(bytes("c"), new Throwing());
                replica.propose("d");
                replica.group.close();
            });
            assertThat(replica.outcomes.told()).last().isEqualTo("d not proposed FAILED null");
        }
    }

    private static final class Throwing implements ProposalCallback, ReadCallback {
        @Override
        public void applied(Object result) {
            throw new IllegalStateException("applied");
        }

        @Override
        public void notProposed(Refusal reason, String leaderHint) {
            throw new IllegalStateException("not proposed");
        }

        @Override
        public void unknown() {
            throw new IllegalStateException("unknown");
        }

        @Override
        public void ready(long leaderWallMillis) {
            throw new IllegalStateException("ready");
        }

        @Override
        public void failed(Refusal reason, String leaderHint) {
            throw new IllegalStateException("failed");
        }
    }

    @Test
    void closingAnswersAllThatWaitsExactlyOnce() {
        try (ReplicaFixture replica = three()) {
            replica.elect();
            replica.manual.run(() -> {
                replica.propose("logged");
                replica.group.read(replica.outcomes.read("asked"));
            });
            replica.manual.run(() -> {
                replica.propose("new");
                replica.group.read(replica.outcomes.read("r"));
                replica.group.close();
                replica.group.close();
                replica.propose("late");
                replica.group.read(replica.outcomes.read("s"));
            });
            assertThat(replica.outcomes.told())
                    .containsExactlyInAnyOrder(
                            "logged unknown",
                            "asked failed FAILED null",
                            "new not proposed FAILED null",
                            "r failed FAILED null",
                            "late not proposed FAILED null",
                            "s failed FAILED null");
            replica.acknowledge("n2");
            replica.manual.advance(Duration.ofSeconds(3));
            assertThat(replica.outcomes.told()).hasSize(6);
            assertThat(replica.failures).isEmpty();
            assertThat(replica.group.progress()).isEmpty();
        }
    }

    @Test
    void whoIsAnsweredMayAskAgainAtOnce() {
        try (ReplicaFixture replica = alone()) {
            replica.elect();
            List<Object> results = new ArrayList<>();
            replica.manual.run(() -> proposeAgain(replica, results, 50));
            replica.manual.runUntil(() -> results.size() == 50);
            assertThat(results).doesNotHaveDuplicates();
            replica.manual.run(() -> {
                proposeAgain(replica, results, 60);
                replica.group.close();
            });
            assertThat(results).hasSize(51).last().isEqualTo("FAILED");
        }
    }

    private static void proposeAgain(ReplicaFixture replica, List<Object> results, int until) {
        replica.group.propose(bytes("c" + results.size()), new ProposalCallback() {
            @Override
            public void applied(Object result) {
                results.add(result);
                if (results.size() < until) {
                    proposeAgain(replica, results, until);
                }
            }

            @Override
            public void notProposed(Refusal reason, String leaderHint) {
                results.add(reason.name());
            }

            @Override
            public void unknown() {
                results.add("unknown");
            }
        });
    }

    @Test
    void aRestartAppliesWhatWasCommittedAgainFromTheLog() {
        try (ReplicaFixture replica = alone()) {
            replica.elect();
            for (int i = 0; i < 3000; i++) {
                replica.propose("c" + i);
            }
            replica.manual.runUntil(() -> replica.outcomes.told().size() == 3000);
        }
        try (ReplicaFixture replica = alone()) {
            replica.elect();
            replica.manual.runUntil(() -> replica.applied.size() == 3000);
            assertThat(replica.applied).first().isEqualTo("c0");
            assertThat(replica.applied).last().isEqualTo("c2999");
            assertThat(replica.outcomes.told()).isEmpty();
            replica.manual.run(() -> replica.propose("d"));
            replica.manual.runUntil(() -> !replica.outcomes.told().isEmpty());
            assertThat(replica.group.status().term()).isEqualTo(2);
        }
    }

    @Test
    void entriesOfADeposedLeaderThatStillStandInTheLogAreNotApplied() {
        try (ReplicaFixture replica = three()) {
            replica.receive("n2", append(1, 0, 0, 0, command(1, 1, "a"), command(2, 1, "b"), command(3, 1, "old")));
            replica.manual.runUntil(
                    () -> replica.log.group(ReplicaFixture.GROUP).lastIndex() == 3);
        }
        try (ReplicaFixture replica = three()) {
            replica.files.shut();
            replica.receive("n3", append(2, 2, 1, 4, command(3, 2, "new"), command(4, 2, "c")));
            replica.manual.runUntil(() -> replica.applied.size() == 4);
            assertThat(replica.applied).containsExactly("a", "b", "new", "c");
            assertThat(replica.failures).isEmpty();
        }
    }

    @Test
    void entriesThatLeftTheMemoryAreAppliedFromTheLog() {
        try (ReplicaFixture replica = new ReplicaFixture(
                directory, config -> withSmallCache(config), options -> options, "n1", "n1", "n2", "n3")) {
            LogEntry[] entries = new LogEntry[500];
            for (int i = 0; i < entries.length; i++) {
                entries[i] = command(i + 1, 1, "c" + i);
            }
            replica.receive("n2", append(1, 0, 0, 0, entries));
            replica.manual.runUntil(
                    () -> replica.log.group(ReplicaFixture.GROUP).lastIndex() == 500);
            replica.receive("n2", append(1, 500, 1, 500));
            replica.manual.runUntil(() -> replica.applied.size() == 500);
            assertThat(replica.applied).doesNotHaveDuplicates().last().isEqualTo("c499");
            assertThat(replica.group.status().appliedIndex()).isEqualTo(500);
        }
    }

    private static RaftConfig withSmallCache(RaftConfig config) {
        return new RaftConfig(
                config.self(),
                config.electionTimeoutNanos(),
                config.heartbeatIntervalNanos(),
                config.maxEntriesPerAppend(),
                config.maxBytesPerAppend(),
                config.maxInFlightAppends(),
                config.maxInFlightBytes(),
                config.maxUncommittedEntries(),
                config.maxUncommittedBytes(),
                1,
                config.preferredLeader());
    }

    @Test
    void aPreferredLeaderThatCameBackGetsTheLeadershipAfterAWhile() {
        try (ReplicaFixture replica =
                new ReplicaFixture(directory, config -> config, options -> options, "n2", "n1", "n2", "n3")) {
            replica.elect();
            replica.manual.run(() -> {
                replica.group.peerReachable("n2", false);
                replica.group.peerReachable("n2", true);
            });
            for (int i = 0; i < 14; i++) {
                replica.manual.advance(Duration.ofMillis(200));
                replica.acknowledge("n2");
                assertThat(replica.hasSent("n2", RaftMessage.TimeoutNow.class)).isFalse();
            }
            replica.manual.advance(Duration.ofMillis(200));
            replica.acknowledge("n2");
            replica.manual.advance(Duration.ofMillis(200));
            assertThat(replica.hasSent("n2", RaftMessage.TimeoutNow.class)).isTrue();
        }
    }

    @Test
    void aPreferredLeaderThatComesAndGoesGetsNothing() {
        try (ReplicaFixture replica =
                new ReplicaFixture(directory, config -> config, options -> options, "n2", "n1", "n2", "n3")) {
            replica.elect();
            for (int i = 0; i < 20; i++) {
                replica.manual.run(() -> replica.group.peerReachable("n2", false));
                replica.manual.advance(Duration.ofMillis(100));
                replica.manual.run(() -> replica.group.peerReachable("n2", true));
                replica.manual.advance(Duration.ofMillis(400));
                replica.acknowledge("n2");
                replica.acknowledge("n3");
            }
            assertThat(replica.hasSent("n2", RaftMessage.TimeoutNow.class)).isFalse();
            assertThat(replica.group.status().role()).isEqualTo(Role.LEADER);
        }
    }

    @Test
    void whoWasToldToCampaignGoesOnUntilThereIsALeader() {
        try (ReplicaFixture replica = three()) {
            replica.manual.run(replica.group::campaign);
            assertThat(replica.hasSent("n2", RaftMessage.PreVoteRequest.class)).isTrue();
            replica.sent.clear();
            replica.manual.advance(Duration.ofMillis(150));
            assertThat(replica.hasSent("n2", RaftMessage.PreVoteRequest.class)).isTrue();
            replica.receive("n3", append(1, 0, 0, 0));
            replica.sent.clear();
            replica.manual.advance(Duration.ofMillis(500));
            assertThat(replica.hasSent("n2", RaftMessage.PreVoteRequest.class)).isFalse();
        }
    }

    private static ReplicaGroup.Status status(Role role, long term, String leader, long index) {
        Configuration members = Configuration.of(List.of("n1", "n2", "n3"));
        return new ReplicaGroup.Status(
                role, term, leader, index, index, index, false, members, 1, List.of(), 32 * index, false, false);
    }

    @Test
    void theStatusSaysWhatOthersMayKnow() {
        try (ReplicaFixture replica = three()) {
            assertThat(replica.group.status()).isEqualTo(status(Role.FOLLOWER, 0, null, 0));
            replica.elect();
            assertThat(replica.group.status()).isEqualTo(status(Role.LEADER, 1, "n1", 1));
            assertThat(replica.group.progress()).hasSize(2);
            replica.receive("n2", append(9, 1, 1, 1));
            assertThat(replica.group.status().leader()).isEqualTo("n2");
            assertThat(replica.leaders).endsWith("n2 in 9");
        }
    }
}
