package io.elastickv.embedded.internal.raft.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Elections, replication, reads and transfers as a host sees them. */
class RaftCoreTest {

    private final List<RaftCore> cores = new ArrayList<>();
    private final List<String> names = new ArrayList<>();
    private final List<Effects.ReadReady> readsReady = new ArrayList<>();

    private record Mail(String from, String to, RaftMessage message) {}

    private final ArrayDeque<Mail> mail = new ArrayDeque<>();

    private void start(int members) {
        for (int i = 1; i <= members; i++) {
            names.add("n" + i);
        }
        for (String name : names) {
            cores.add(new RaftCore(
                    RaftConfig.of(name), RestoredState.empty(Configuration.of(names)), 0, 0, new SplittableRandom(7)));
        }
    }

    private RaftCore core(String name) {
        return cores.get(names.indexOf(name));
    }

    private void settle() {
        boolean busy = true;
        while (busy) {
            busy = false;
            for (String name : names) {
                RaftCore core = core(name);
                while (core.hasEffects()) {
                    busy = true;
                    Effects effects = core.takeEffects();
                    for (Effects.Outbound out : effects.messages()) {
                        mail.add(new Mail(name, out.to(), out.message()));
                    }
                    readsReady.addAll(effects.readsReady());
                    if (effects.persist() != null) {
                        core.hardStateDurable(effects.persist());
                    }
                    if (!effects.appends().isEmpty()) {
                        LogEntry last = effects.appends().get(effects.appends().size() - 1);
                        core.durable(last.index(), last.term());
                    }
                }
            }
            for (Mail m = mail.poll(); m != null; m = mail.poll()) {
                busy = true;
                core(m.to).step(m.from, m.message);
            }
        }
    }

    @Test
    void aSingleVoterElectsItselfCommitsAndReads() {
        start(1);
        core("n1").campaign();
        settle();
        assertThat(core("n1").role()).isEqualTo(Role.LEADER);
        assertThat(core("n1").commitIndex()).isEqualTo(1);
        assertThat(core("n1").propose(List.of(bytes("a"), bytes("b")))).isEqualTo(new Proposal.Accepted(2, 1));
        settle();
        assertThat(core("n1").commitIndex()).isEqualTo(3);
        core("n1").read(42);
        settle();
        assertThat(readsReady).containsExactly(new Effects.ReadReady(42, 3, 0));
    }

    @Test
    void threeMembersElectReplicateCommitAndRead() {
        start(3);
        core("n2").campaign();
        settle();
        assertThat(core("n2").role()).isEqualTo(Role.LEADER);
        assertThat(core("n1").leader()).isEqualTo("n2");
        assertThat(core("n2").propose(List.of(bytes("a")))).isEqualTo(new Proposal.Accepted(2, 1));
        assertThat(core("n1").propose(List.of(bytes("x")))).isEqualTo(new Proposal.NotLeader("n2"));
        settle();
        assertThat(core("n2").commitIndex()).isEqualTo(2);
        core("n3").read(5);
        settle();
        assertThat(readsReady).containsExactly(new Effects.ReadReady(5, 2, 0));
        assertThat(core("n3").commitIndex()).isEqualTo(2);
        for (RaftCore core : cores) {
            core.tick(60_000_000, 60);
        }
        settle();
        assertThat(core("n1").committedEntries(1, 10, 1_000))
                .containsExactly(
                        new LogEntry(1, 1, EntryKind.NOOP, new byte[0]),
                        new LogEntry(2, 1, EntryKind.COMMAND, bytes("a")));
    }

    @Test
    void aVoterWithALiveLeaderHelpsNobodyToDeposeIt() {
        ScriptedCluster c = new ScriptedCluster(3);
        c.elect("n1");
        c.campaign("n3");
        c.settle();
        assertThat(c.core("n1").role()).isEqualTo(Role.LEADER);
        assertThat(c.core("n3").leader()).isNull();
        c.core("n2").step("n3", new RaftMessage.VoteRequest(9, 99, 9, false));
        assertThat(c.core("n2").term()).isEqualTo(1);
        c.core("n1").step("n3", new RaftMessage.VoteRequest(9, 99, 9, false));
        assertThat(c.core("n1").role()).isEqualTo(Role.LEADER);
        c.pass(100);
        c.settle();
        assertThat(c.core("n3").leader()).isEqualTo("n1"); // back at the next heartbeat, in the same term
    }

    @Test
    void aHintThatTheLeaderIsGoneStartsAnElectionWithinAHeartbeat() {
        ScriptedCluster c = new ScriptedCluster(3);
        c.elect("n1");
        c.crash("n1");
        c.core("n2").peerReachable("n1", false);
        c.core("n3").peerReachable("n1", false);
        for (int i = 0; i < 11; i++) {
            c.pass(10);
            c.settle();
        }
        assertThat(List.of(c.core("n2").role(), c.core("n3").role())).contains(Role.LEADER);
    }

    @Test
    void aFalseHintIsWithdrawnByTheLeadersNextMessage() {
        ScriptedCluster c = new ScriptedCluster(3);
        c.elect("n1");
        c.core("n2").peerReachable("n1", false);
        c.pass(100); // the heartbeat is sent, and n2 may have asked for an election
        c.settle();
        assertThat(c.core("n2").leader()).isEqualTo("n1");
        for (int i = 0; i < 30; i++) {
            c.pass(50);
            c.settle();
        }
        assertThat(c.core("n1").role()).isEqualTo(Role.LEADER);
        assertThat(c.core("n1").term()).isEqualTo(1);
    }

    @Test
    void aLeaderThatReachesNoMajorityStepsDownAtOnce() {
        ScriptedCluster c = new ScriptedCluster(3);
        c.elect("n1");
        c.core("n1").peerReachable("n2", false);
        c.pass(10);
        assertThat(c.core("n1").role()).isEqualTo(Role.LEADER);
        c.core("n1").peerReachable("n3", false);
        c.pass(10);
        assertThat(c.core("n1").role()).isEqualTo(Role.FOLLOWER);
    }

    @Test
    void thePreferredLeaderCampaignsFirst() {
        for (int seed = 0; seed < 50; seed++) {
            RaftConfig template = RaftConfig.of("x");
            for (String self : List.of("n1", "n2", "n3")) {
                RaftConfig config = new RaftConfig(
                        self,
                        1_000,
                        100,
                        template.maxEntriesPerAppend(),
                        template.maxBytesPerAppend(),
                        template.maxInFlightAppends(),
                        template.maxInFlightBytes(),
                        template.maxUncommittedEntries(),
                        template.maxUncommittedBytes(),
                        template.maxCachedEntryBytes(),
                        "n2");
                RaftCore core = new RaftCore(
                        config,
                        RestoredState.empty(Configuration.of(List.of("n1", "n2", "n3"))),
                        0,
                        0,
                        new SplittableRandom(seed));
                if (self.equals("n2")) {
                    assertThat(core.nextDeadlineNanos()).isBetween(1_000L, 1_199L);
                } else {
                    assertThat(core.nextDeadlineNanos()).isBetween(1_500L, 1_999L);
                }
            }
        }
    }

    @Test
    void tooMuchUncommittedIsRefusedWithoutAppending() {
        RaftConfig small = new RaftConfig("n1", 1_000, 100, 10, 100_000, 3, 100_000, 5, 1_000, 5_000, null);
        ScriptedCluster c = new ScriptedCluster(3, 10, small);
        c.elect("n1");
        c.isolate("n1");
        assertThat(c.propose("n1", "a", "b", "c", "d")).isInstanceOf(Proposal.Accepted.class);
        assertThat(c.propose("n1", "e", "f")).isEqualTo(new Proposal.Overloaded());
        assertThat(c.core("n1").lastIndex()).isEqualTo(5);
        assertThat(c.propose("n1", "e")).isInstanceOf(Proposal.Accepted.class);
        c.heal("n1");
        c.pass(100);
        c.settle();
        assertThat(c.propose("n1", "x".repeat(800))).isInstanceOf(Proposal.Accepted.class);
        assertThat(c.propose("n1", "x".repeat(200))).isEqualTo(new Proposal.Overloaded());
        c.settle();
        assertThat(c.propose("n1", "x".repeat(5_000))).isInstanceOf(Proposal.Accepted.class); // alone it may be large
    }

    @Test
    void aTransferThatDoesNotSucceedIsGivenUp() {
        ScriptedCluster c = new ScriptedCluster(3);
        c.elect("n1");
        c.crash("n3");
        c.core("n1").transferLeadership("n3");
        for (int i = 0; i < 99; i++) {
            c.pass(10);
            c.settle();
        }
        assertThat(c.propose("n1", "a")).isEqualTo(new Proposal.TransferInProgress("n3"));
        c.pass(20);
        c.settle();
        assertThat(c.propose("n1", "a")).isInstanceOf(Proposal.Accepted.class);
    }

    @Test
    void aBusyGroupSendsOneAppendAndOneAckPerBatchAndFollower() {
        ScriptedCluster c = new ScriptedCluster(3);
        c.elect("n1");
        c.transcript();
        for (int i = 0; i < 50; i++) {
            c.propose("n1", "a", "b", "c");
            c.settle();
        }
        assertThat(c.transcript().lines().count()).isEqualTo(50 * 4);
    }

    @Test
    void anIdleGroupSendsOnlyHeartbeats() {
        ScriptedCluster c = new ScriptedCluster(3);
        c.elect("n1");
        c.pass(200);
        c.settle();
        c.transcript();
        for (int i = 0; i < 100; i++) {
            c.pass(10);
            c.settle();
        }
        assertThat(c.transcript().lines().count()).isEqualTo(10 * 4);
    }

    @Test
    void aFollowersReadEndsWhenTheLeaderIsGone() {
        ScriptedCluster c = new ScriptedCluster(3);
        c.elect("n1");
        c.isolate("n1");
        c.read("n2", 1);
        c.pass(2_000);
        assertThat(c.readsFailed).hasSize(1);
        c.read("n2", 2);
        assertThat(c.readsFailed).hasSize(2);
        assertThat(c.readsFailed.get(1)).isEqualTo(new Effects.ReadFailed(2, ReadFailure.NO_LEADER, null));
    }

    @Test
    void aFollowersReadIsAskedAgainWhenAMessageIsLost() {
        ScriptedCluster c = new ScriptedCluster(3);
        c.elect("n1");
        c.read("n2", 1);
        c.take("n2", "n1");
        c.pass(100);
        c.settle();
        assertThat(c.readsReady).hasSize(1);
    }

    @Test
    void aLeaderThatStoodStillListensBeforeItStepsDown() {
        ScriptedCluster c = new ScriptedCluster(3);
        c.elect("n1");
        RaftCore leader = c.core("n1");
        leader.tick(c.nowNanos + 5_000 * ScriptedCluster.MILLI, 5_000);
        assertThat(leader.role()).isEqualTo(Role.LEADER);
        for (int i = 0; i < 110; i++) {
            leader.tick(c.nowNanos + (5_000 + i * 10) * ScriptedCluster.MILLI, 5_000);
        }
        assertThat(leader.role()).isEqualTo(Role.FOLLOWER); // nobody answered in the time it was given
    }

    @Test
    void theSameSeedTellsTheSameStory() {
        for (int seed = 1; seed <= 20; seed++) {
            SimCluster one = new SimCluster(seed, SimMutation.NONE);
            SimCluster two = new SimCluster(seed, SimMutation.NONE);
            one.run();
            two.run();
            assertThat(two.eventsRun).isEqualTo(one.eventsRun);
            assertThat(two.nodes.toString()).isEqualTo(one.nodes.toString());
            for (int i = 0; i < one.nodes.size(); i++) {
                assertThat(two.nodes.get(i).disk.log.entries())
                        .isEqualTo(one.nodes.get(i).disk.log.entries());
            }
        }
    }

    @Test
    void contradictionsInTheSettingsAreNamed() {
        assertThatThrownBy(() -> new RaftConfig("a", 100, 60, 1, 1, 1, 1, 1, 1, 1, null))
                .hasMessageContaining("electionTimeoutNanos 100")
                .hasMessageContaining("heartbeatIntervalNanos 60");
        assertThatThrownBy(() -> new RaftConfig("a", 100, 50, 1, 0, 1, 1, 1, 1, 1, null))
                .hasMessageContaining("maxBytesPerAppend 0");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
