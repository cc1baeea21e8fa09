package io.elastickv.embedded.internal.raft.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.VoteRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.VoteResponse;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * What an audit of the stock jgroups-raft found, row by row, asked of this core. The rows about files (D3, D4, L2)
 * belong to other parts.
 */
class RaftHazardsTest {

    private final ScriptedCluster three = new ScriptedCluster(3);

    private static LogEntry entry(long index, long term) {
        return new LogEntry(index, term, EntryKind.COMMAND, new byte[] {(byte) index, (byte) term});
    }

    private static AppendRequest append(long term, long prevIndex, long prevTerm, long commit, LogEntry... entries) {
        return new AppendRequest(term, prevIndex, prevTerm, commit, 0, List.of(entries));
    }

    private static AppendResponse ack(long term, long matchIndex, long round) {
        return new AppendResponse(term, round, true, matchIndex, matchIndex, 0, 0, 0);
    }

    private RaftMessage onlyAnswer(ScriptedCluster cluster, String from, String to) {
        List<ScriptedCluster.Mail> mails = cluster.take(from, to);
        assertThat(mails).hasSize(1);
        return mails.get(0).message();
    }

    private void step(ScriptedCluster cluster, String to, String from, RaftMessage message) {
        cluster.core(to).step(from, message);
        cluster.drain(to);
    }

    /** A node n1 of three with a planted log. */
    private ScriptedCluster planted(long term, LogEntry... entries) {
        three.crash("n1");
        three.plantLog("n1", new HardState(term, null), entries);
        three.start("n1");
        return three;
    }

    @Test
    void rowAEntriesOfEarlierTermsAreNotCommittedByCounting() {
        ScriptedCluster c = planted(2, entry(1, 1), entry(2, 2));
        c.isolate("n3");
        c.elect("n1"); // settles: everything is on n2 too
        assertThat(c.core("n1").commitIndex()).isEqualTo(3);

        ScriptedCluster other = new ScriptedCluster(3);
        other.crash("n1");
        other.plantLog("n1", new HardState(2, null), entry(1, 1), entry(2, 2));
        other.start("n1");
        other.campaign("n1");
        other.deliver("n1", "n2");
        other.deliver("n2", "n1");
        other.deliver("n1", "n2");
        other.deliver("n2", "n1");
        assertThat(other.core("n1").role()).isEqualTo(Role.LEADER);
        step(other, "n1", "n2", ack(3, 2, 0));
        step(other, "n1", "n3", ack(3, 2, 0));
        assertThat(other.core("n1").commitIndex()).isZero(); // index 2 is on all three, but of term 2
        step(other, "n1", "n2", ack(3, 3, 0));
        assertThat(other.core("n1").commitIndex()).isEqualTo(3);
    }

    @Test
    void rowB1AnIsolatedLeaderAnswersNoReadAndCommitsNoWrite() {
        three.elect("n1");
        three.isolate("n1");
        three.propose("n1", "pending");
        three.read("n1", 7);
        three.pass(990);
        assertThat(three.readsReady).isEmpty();
        assertThat(three.core("n1").commitIndex()).isEqualTo(1);
        three.pass(20);
        assertThat(three.readsReady).isEmpty();
        assertThat(three.readsFailed).hasSize(1);
        assertThat(three.core("n1").role()).isEqualTo(Role.FOLLOWER);
        assertThat(three.core("n1").commitIndex()).isEqualTo(1);
    }

    @Test
    void rowB2AnAckFromBeforeTheReadDoesNotConfirmIt() {
        three.elect("n1");
        three.pass(100);
        three.deliver("n1", "n2");
        List<ScriptedCluster.Mail> early = three.take("n2", "n1");
        assertThat(early).isNotEmpty();
        three.isolate("n1");
        three.read("n1", 7);
        early.forEach(three::deliver);
        assertThat(three.readsReady).isEmpty();
        step(three, "n1", "n2", ack(1, 1, 1));
        assertThat(three.readsReady).containsExactly(new Effects.ReadReady(7, 1, 100));
    }

    @Test
    void rowB2ARoundIsNotConfirmedByAnAnswerFromAnEarlierTerm() {
        three.elect("n1");
        three.isolate("n1");
        three.read("n1", 7);
        step(three, "n1", "n2", ack(0, 1, 1));
        assertThat(three.readsReady).isEmpty();
    }

    @Test
    void rowB3TwoAcksOfOneFollowerCountAsOne() {
        ScriptedCluster five = new ScriptedCluster(5);
        five.elect("n1");
        five.isolate("n1");
        five.propose("n1", "x");
        five.read("n1", 7);
        for (int i = 0; i < 5; i++) {
            step(five, "n1", "n2", ack(1, 2, 1));
        }
        assertThat(five.core("n1").commitIndex()).isEqualTo(1);
        assertThat(five.readsReady).isEmpty();
        step(five, "n1", "n3", ack(1, 2, 1));
        assertThat(five.core("n1").commitIndex()).isEqualTo(2);
        assertThat(five.readsReady).hasSize(1);
    }

    @Test
    void rowB3StrangersDoNotCount() {
        three.elect("n1");
        three.isolate("n1");
        three.propose("n1", "x");
        step(three, "n1", "n9", ack(1, 2, 0));
        step(three, "n1", "n1", ack(1, 2, 0));
        assertThat(three.core("n1").commitIndex()).isEqualTo(1);
    }

    @Test
    void rowB4ANewLeaderServesNoReadBeforeItsNoopIsCommitted() {
        three.elect("n1");
        three.propose("n1", "acknowledged");
        three.settle();
        assertThat(three.core("n1").commitIndex()).isEqualTo(2);
        three.crash("n1");
        three.pass(1_000);
        three.mail.clear();
        three.campaign("n2");
        three.deliver("n2", "n3");
        three.deliver("n3", "n2");
        three.deliver("n2", "n3");
        three.deliver("n3", "n2");
        assertThat(three.core("n2").role()).isEqualTo(Role.LEADER);
        assertThat(three.core("n2").commitIndex()).isLessThan(2); // it does not know yet
        three.read("n2", 7);
        step(three, "n2", "n3", ack(three.core("n2").term(), 2, 0));
        assertThat(three.readsReady).isEmpty();
        three.settle();
        assertThat(three.readsReady).hasSize(1);
        assertThat(three.readsReady.get(0).index()).isEqualTo(3);
    }

    @Test
    void rowCAppendingOlderEntriesNeverLowersTheTerm() {
        step(three, "n1", "n2", append(7, 0, 0, 0, entry(1, 2), entry(2, 3)));
        assertThat(three.durableState("n1").term()).isEqualTo(7);
        step(three, "n1", "n2", append(7, 1, 2, 0, entry(2, 4)));
        assertThat(three.durableState("n1").term()).isEqualTo(7);
        assertThat(three.core("n1").term()).isEqualTo(7);
    }

    @Test
    void rowCAVoteLeavesOnlyWhenItIsDurableAndHoldsAcrossARestart() {
        three.holdWrites("n1");
        step(three, "n1", "n2", new VoteRequest(5, 0, 0, false));
        assertThat(three.mail).isEmpty();
        three.releaseWrites("n1");
        assertThat(onlyAnswer(three, "n1", "n2")).isEqualTo(new VoteResponse(5, true));
        assertThat(three.durableState("n1")).isEqualTo(new HardState(5, "n2"));

        three.crash("n1");
        three.start("n1");
        step(three, "n1", "n3", new VoteRequest(5, 9, 4, false));
        assertThat(onlyAnswer(three, "n1", "n3")).isEqualTo(new VoteResponse(5, false));
        step(three, "n1", "n2", new VoteRequest(5, 0, 0, false));
        assertThat(onlyAnswer(three, "n1", "n2")).isEqualTo(new VoteResponse(5, true));
    }

    @Test
    void rowCACandidateCountsItsOwnVoteOnlyWhenItIsDurable() {
        ScriptedCluster one = new ScriptedCluster(1);
        one.holdWrites("n1");
        one.campaign("n1");
        assertThat(one.core("n1").role()).isEqualTo(Role.CANDIDATE);
        one.releaseWrites("n1");
        assertThat(one.core("n1").role()).isEqualTo(Role.LEADER);
    }

    @Test
    void rowCATermInTheLogBindsEvenIfTheHardStateIsOlder() {
        ScriptedCluster c = planted(2, entry(1, 1), entry(2, 6));
        assertThat(c.core("n1").term()).isEqualTo(6);
        step(c, "n1", "n2", new VoteRequest(6, 9, 6, false));
        assertThat(onlyAnswer(c, "n1", "n2")).isEqualTo(new VoteResponse(6, false));
    }

    @Test
    void rowD1NothingIsAcknowledgedOrCountedBeforeItIsDurable() {
        three.elect("n1");
        three.holdWrites("n1");
        three.holdWrites("n2");
        three.holdWrites("n3");
        three.propose("n1", "x");
        three.settle();
        assertThat(three.core("n1").commitIndex()).isEqualTo(1);
        three.releaseWrites("n2");
        three.settle();
        assertThat(three.core("n1").commitIndex()).isEqualTo(1); // on n2's disk alone
        three.releaseWrites("n3");
        three.settle();
        assertThat(three.core("n1").commitIndex()).isEqualTo(2); // on a majority, though not on the leader's
    }

    @Test
    void rowD2AnAppendNeverUsesAnIndexAndTermAgain() {
        three.elect("n1");
        three.holdWrites("n1");
        assertThat(three.propose("n1", "lost")).isEqualTo(new Proposal.Accepted(2, 1));
        three.crash("n1"); // the append got neither to its disk nor to anybody
        three.mail.clear();
        three.start("n1");
        three.elect("n1");
        assertThat(three.propose("n1", "again")).isEqualTo(new Proposal.Accepted(3, 2)); // after the no-op 2:2
    }

    @Test
    void rowD2ALeaderThatStepsDownAppendsNothingMoreInThatTerm() {
        three.elect("n1");
        three.isolate("n1");
        three.pass(1_010);
        assertThat(three.core("n1").role()).isEqualTo(Role.FOLLOWER);
        assertThat(three.core("n1").term()).isEqualTo(1);
        // Late answers and votes of the term do not make it lead again.
        step(three, "n1", "n2", ack(1, 1, 0));
        step(three, "n1", "n2", new VoteResponse(1, true));
        assertThat(three.propose("n1", "x")).isEqualTo(new Proposal.NotLeader(null));
    }

    @Test
    void rowE1AcksNameWhatIsVerifiedNotTheLastIndex() {
        ScriptedCluster c = planted(1, entry(1, 1), entry(2, 1), entry(3, 1), entry(4, 1));
        step(c, "n1", "n2", append(3, 1, 1, 0, entry(2, 1)));
        AppendResponse last = null;
        for (ScriptedCluster.Mail m : c.take("n1", "n2")) {
            last = (AppendResponse) m.message();
            assertThat(last.matchIndex()).isLessThanOrEqualTo(2);
        }
        assertThat(last).isNotNull();
        assertThat(last.matchIndex()).isEqualTo(2);
        // What one leader verified is not carried over to the next one.
        step(c, "n1", "n3", append(4, 1, 1, 0));
        for (ScriptedCluster.Mail m : c.take("n1", "n3")) {
            assertThat(((AppendResponse) m.message()).matchIndex()).isLessThanOrEqualTo(1);
        }
    }

    @Test
    void rowE2EveryEntryOfABatchIsChecked() {
        ScriptedCluster c = planted(1, entry(1, 1), entry(2, 1), entry(3, 1));
        step(c, "n1", "n2", append(3, 0, 0, 0, entry(1, 1), entry(2, 2), entry(3, 2), entry(4, 3)));
        assertThat(c.durableLog("n1")).containsExactly(entry(1, 1), entry(2, 2), entry(3, 2), entry(4, 3));
    }

    @Test
    void rowE2AnOverlappingBatchIsStoredBeforeItIsAcknowledged() {
        ScriptedCluster c = planted(1, entry(1, 1), entry(2, 1));
        step(c, "n1", "n2", append(1, 0, 0, 0, entry(1, 1), entry(2, 1), entry(3, 1)));
        assertThat(c.durableLog("n1")).hasSize(3);
        assertThat(((AppendResponse) onlyAnswer(c, "n1", "n2")).matchIndex()).isEqualTo(3);
    }

    @Test
    void rowE3ARejectionDeletesNothing() {
        ScriptedCluster c = planted(1, entry(1, 1), entry(2, 1), entry(3, 1));
        step(c, "n1", "n2", append(4, 3, 3, 0, entry(4, 4)));
        assertThat(((AppendResponse) onlyAnswer(c, "n1", "n2")).matched()).isFalse();
        assertThat(c.core("n1").lastIndex()).isEqualTo(3);
    }

    @Test
    void rowE3ALateShorterBatchDeletesNothing() {
        step(three, "n1", "n2", append(1, 0, 0, 0, entry(1, 1), entry(2, 1), entry(3, 1)));
        step(three, "n1", "n2", append(1, 0, 0, 0, entry(1, 1)));
        step(three, "n1", "n2", append(1, 0, 0, 0));
        assertThat(three.core("n1").lastIndex()).isEqualTo(3);
    }

    @Test
    void rowE3NothingCommittedIsEverDeleted() {
        step(three, "n1", "n2", append(1, 0, 0, 2, entry(1, 1), entry(2, 1)));
        assertThat(three.core("n1").commitIndex()).isEqualTo(2);
        RaftCore core = three.core("n1");
        assertThatThrownBy(() -> core.step("n3", append(2, 1, 1, 0, entry(2, 2))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("committed index 2");
        // And from then on it does nothing any more.
        assertThatThrownBy(() -> core.tick(three.nowNanos + 1, 0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(core::takeEffects).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void rowFAFollowerCommitsOnlyWhatIsVerified() {
        ScriptedCluster c = planted(1, entry(1, 1), entry(2, 1), entry(3, 1));
        step(c, "n1", "n2", append(3, 0, 0, 3));
        assertThat(c.core("n1").commitIndex()).isZero();
        step(c, "n1", "n2", append(3, 1, 1, 3));
        assertThat(c.core("n1").commitIndex()).isEqualTo(1);
        step(c, "n1", "n2", append(3, 1, 1, 3, entry(2, 3), entry(3, 3)));
        assertThat(c.core("n1").commitIndex()).isEqualTo(3);
    }

    @Test
    void rowG1ALateVoteOfAnEarlierElectionDoesNotCount() {
        three.campaign("n1");
        three.deliver("n1", "n2");
        three.deliver("n2", "n1");
        assertThat(three.core("n1").role()).isEqualTo(Role.CANDIDATE);
        assertThat(three.core("n1").term()).isEqualTo(1);
        three.mail.clear();
        step(three, "n1", "n3", new VoteResponse(3, false)); // somebody is at term 3
        three.campaign("n1");
        step(three, "n1", "n2", new RaftMessage.PreVoteResponse(0, 2, true)); // about an earlier term
        assertThat(three.core("n1").role()).isEqualTo(Role.PRE_CANDIDATE);
        step(three, "n1", "n2", new RaftMessage.PreVoteResponse(3, 4, true));
        assertThat(three.core("n1").term()).isEqualTo(4);
        step(three, "n1", "n2", new VoteResponse(1, true));
        step(three, "n1", "n3", new VoteResponse(1, true));
        assertThat(three.core("n1").role()).isEqualTo(Role.CANDIDATE);
        step(three, "n1", "n2", new VoteResponse(4, true));
        assertThat(three.core("n1").role()).isEqualTo(Role.LEADER);
    }

    @Test
    void rowG1VotesAreCountedByVoter() {
        ScriptedCluster five = new ScriptedCluster(5);
        five.campaign("n1");
        step(five, "n1", "n2", new RaftMessage.PreVoteResponse(0, 1, true));
        step(five, "n1", "n2", new RaftMessage.PreVoteResponse(0, 1, true));
        assertThat(five.core("n1").role()).isEqualTo(Role.PRE_CANDIDATE);
        step(five, "n1", "n3", new RaftMessage.PreVoteResponse(0, 1, true));
        assertThat(five.core("n1").role()).isEqualTo(Role.CANDIDATE);
        step(five, "n1", "n2", new VoteResponse(1, true));
        step(five, "n1", "n2", new VoteResponse(1, true));
        step(five, "n1", "n9", new VoteResponse(1, true));
        assertThat(five.core("n1").role()).isEqualTo(Role.CANDIDATE);
        step(five, "n1", "n4", new VoteResponse(1, true));
        assertThat(five.core("n1").role()).isEqualTo(Role.LEADER);
    }

    @Test
    void rowG2AVoterRefusesACandidateThatLacksWhatItHas() {
        ScriptedCluster c = planted(2, entry(1, 1), entry(2, 2));
        step(c, "n1", "n2", new VoteRequest(3, 5, 1, false)); // longer, but of an older term
        assertThat(onlyAnswer(c, "n1", "n2")).isEqualTo(new VoteResponse(3, false));
        step(c, "n1", "n3", new VoteRequest(3, 1, 2, false)); // the same term, but shorter
        assertThat(onlyAnswer(c, "n1", "n3")).isEqualTo(new VoteResponse(3, false));
        step(c, "n1", "n2", new VoteRequest(4, 2, 2, false));
        assertThat(onlyAnswer(c, "n1", "n2")).isEqualTo(new VoteResponse(4, true));
    }

    @Test
    void rowG3NothingIsAcknowledgedToALeaderOfThePastAfterAVote() {
        step(three, "n1", "n2", append(1, 0, 0, 0, entry(1, 1)));
        three.mail.clear();
        step(three, "n1", "n2", append(1, 1, 1, 0, entry(2, 1)));
        three.mail.clear();
        step(three, "n1", "n3", new VoteRequest(2, 2, 1, true));
        assertThat(onlyAnswer(three, "n1", "n3")).isEqualTo(new VoteResponse(2, true));
        step(three, "n1", "n2", append(1, 2, 1, 0, entry(3, 1)));
        assertThat(three.core("n1").lastIndex()).isEqualTo(2);
        AppendResponse answer = (AppendResponse) onlyAnswer(three, "n1", "n2");
        assertThat(answer.matched()).isFalse();
        assertThat(answer.term()).isEqualTo(2);
    }

    @Test
    void rowH1ALateOrDuplicateSnapshotTakesNothingBack() {
        three.elect("n1");
        three.propose("n1", "a", "b", "c");
        three.settle();
        three.pass(100);
        three.settle();
        RaftCore core = three.core("n2");
        core.applied(4);
        assertThat(core.acceptsSnapshot(4)).isFalse();
        assertThat(core.acceptsSnapshot(3)).isFalse();
        core.snapshotFailed(); // what a host says of one that came too late
        assertThat(core.commitIndex()).isEqualTo(4);
        assertThat(core.lastIndex()).isEqualTo(4);
        Configuration members = core.configuration();
        // A host that installs it all the same is stopped, and with it the replica.
        assertThatThrownBy(() -> core.snapshotInstalled(3, 1, members))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("over a state at 4");
        assertThatThrownBy(() -> core.tick(1, 1)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void rowH2ASnapshotThatFailsLeavesEverythingAsItWas() {
        three.elect("n1");
        three.isolate("n3");
        three.propose("n1", "a", "b", "c");
        three.settle();
        three.pass(100);
        three.settle();
        three.compact("n1", 4);
        three.heal("n3");
        three.pass(100);
        three.settle();
        assertThat(three.fetches).hasSize(1);
        three.core("n3").snapshotFailed();
        three.drain("n3");
        assertThat(three.core("n3").lastIndex()).isEqualTo(1);
        assertThat(three.core("n3").leader()).isEqualTo("n1");
        three.read("n3", 8);
        three.settle();
        assertThat(three.readsReady).containsExactly(new Effects.ReadReady(8, 4, 200));
        assertThat(three.core("n3").commitIndex()).isEqualTo(1); // to be served when it has applied that much
        three.pass(100);
        assertThat(three.fetches).hasSize(2);
    }

    @Test
    void rowI1AConfigurationIsInEffectWhenItIsAppendedAndUndoneWhenItIsTruncated() {
        three.elect("n1");
        three.isolate("n1");
        assertThat(three.change("n1", new MemberChange.Remove("n3"))).isInstanceOf(Proposal.Accepted.class);
        assertThat(three.core("n1").configuration().voters()).containsExactly("n1", "n2");
        assertThat(three.core("n1").commitIndex()).isEqualTo(1);
        three.pass(1_100);
        three.mail.clear();
        three.campaign("n2");
        three.settle();
        assertThat(three.core("n2").role()).isEqualTo(Role.LEADER);
        three.heal("n1");
        three.pass(200);
        three.settle();
        assertThat(three.core("n1").configuration().voters()).containsExactly("n1", "n2", "n3");
        assertThat(three.core("n1").lastIndex()).isEqualTo(three.core("n2").lastIndex());
    }

    @Test
    void rowI1ThereIsOneChangeAtATime() {
        three.elect("n1");
        three.isolate("n1");
        three.change("n1", new MemberChange.AddLearner("n4"));
        assertThat(three.change("n1", new MemberChange.Remove("n3")))
                .isEqualTo(new Proposal.Refused("another change of the members is under way"));
        assertThat(three.core("n1").lastIndex()).isEqualTo(2);
    }

    @Test
    void rowI1ThereIsNoChangeBeforeAnEntryOfTheOwnTermIsCommitted() {
        three.campaign("n1");
        three.deliver("n1", "n2");
        three.deliver("n2", "n1");
        three.deliver("n1", "n2");
        three.deliver("n2", "n1");
        assertThat(three.core("n1").role()).isEqualTo(Role.LEADER);
        assertThat(three.change("n1", new MemberChange.Remove("n3")))
                .isEqualTo(new Proposal.Refused("the leader has not committed an entry of its term yet"));
        three.settle();
        assertThat(three.change("n1", new MemberChange.Remove("n3"))).isInstanceOf(Proposal.Accepted.class);
    }

    @Test
    void rowI2TheMembersAreRestoredFromTheCheckpointAndTheWholeLog() {
        three.elect("n1");
        three.addLearner("n1", "n4"); // entry 2
        three.change("n1", new MemberChange.Promote("n4")); // entry 3
        three.settle();
        Configuration now = three.core("n2").configuration();
        assertThat(now.voters()).containsExactly("n1", "n2", "n3", "n4");
        three.crash("n2");
        three.start("n2");
        assertThat(three.core("n2").configuration()).isEqualTo(now); // committed or not: it is in the log
        three.pass(200);
        three.settle();
        three.compact("n2", 2);
        three.crash("n2");
        three.start("n2");
        assertThat(three.core("n2").firstIndex()).isEqualTo(3);
        assertThat(three.core("n2").configurationAt(2).learners()).containsExactly("n4");
        assertThat(three.core("n2").configuration()).isEqualTo(now);
        three.pass(200);
        three.settle();
        three.compact("n2", 3);
        three.crash("n2");
        three.start("n2");
        assertThat(three.core("n2").configuration()).isEqualTo(now);
    }

    @Test
    void rowJ1ReplayStartsAfterTheSnapshotEvenIfTheLogStillHasWhatIsInIt() {
        RaftCore core = new RaftCore(
                RaftConfig.of("n1"),
                new RestoredState(
                        new HardState(1, null),
                        1,
                        5,
                        5,
                        3, // the checkpoint; the log was not cut before the crash
                        List.of(new TermRun(1, 1)),
                        List.of(entry(4, 1), entry(5, 1)),
                        Configuration.of(List.of("n1", "n2", "n3")),
                        List.of(),
                        false),
                0,
                0,
                new java.util.SplittableRandom(1));
        assertThat(core.appliedIndex()).isEqualTo(3);
        assertThat(core.commitIndex()).isEqualTo(5);
        assertThat(core.committedEntries(core.appliedIndex() + 1, 10, 1_000))
                .extracting(LogEntry::index)
                .containsExactly(4L, 5L);
        core.compact(3);
        assertThat(core.firstIndex()).isEqualTo(4);
    }

    @Test
    void rowL1WhatFollowsASnapshotIsThereAfterARestart() {
        three.elect("n1");
        three.isolate("n3");
        three.propose("n1", "a", "b", "c");
        three.settle();
        three.pass(100);
        three.settle();
        three.compact("n1", 4);
        three.heal("n3");
        three.pass(100);
        three.settle();
        three.install("n3", "n1");
        three.settle();
        three.propose("n1", "d", "e");
        three.settle();
        three.crash("n3");
        three.start("n3");
        assertThat(three.core("n3").firstIndex()).isEqualTo(5);
        assertThat(three.core("n3").lastIndex()).isEqualTo(6);
        assertThat(three.core("n3").termAt(4)).isEqualTo(1);
        assertThat(three.core("n3").appliedIndex()).isEqualTo(4);
        assertThat(three.durableLog("n3")).isEqualTo(three.durableLog("n1"));
        three.crash("n1");
        three.pass(2_000);
        three.settle();
        three.campaign("n3");
        three.settle();
        assertThat(List.of(three.core("n2").role(), three.core("n3").role())).contains(Role.LEADER);
    }

    @Test
    void rowJ2ACommitIndexBeyondTheLogIsNotBelieved() {
        RaftCore core = new RaftCore(
                RaftConfig.of("n1"),
                new RestoredState(
                        new HardState(1, null),
                        1,
                        2,
                        99,
                        0,
                        List.of(new TermRun(1, 1)),
                        List.of(entry(2, 1)),
                        Configuration.of(List.of("n1", "n2", "n3")),
                        List.of(),
                        false),
                0,
                0,
                new java.util.SplittableRandom(1));
        assertThat(core.commitIndex()).isEqualTo(2);
        core.step("n2", append(2, 3, 1, 99));
        Effects effects = core.takeEffects();
        AppendResponse answer = (AppendResponse) effects.messages().get(0).message();
        assertThat(answer.matched()).isFalse();
        assertThat(answer.matchIndex()).isZero();
        assertThatThrownBy(() -> new RestoredState(
                        new HardState(1, null),
                        1,
                        2,
                        2,
                        3,
                        List.of(new TermRun(1, 1)),
                        List.of(),
                        Configuration.EMPTY,
                        List.of(),
                        false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("appliedIndex 3");
    }

    @Test
    void rowKNotAppendedAndUnknownAreToldApart() {
        assertThat(three.propose("n2", "a")).isEqualTo(new Proposal.NotLeader(null)); // certainly not applied
        three.elect("n1");
        assertThat(three.propose("n2", "a")).isEqualTo(new Proposal.NotLeader("n1"));
        three.isolate("n1");
        Proposal.Accepted accepted = (Proposal.Accepted) three.propose("n1", "a"); // from here on unknown
        three.pass(1_010);
        three.mail.clear();
        assertThat(three.propose("n1", "b")).isEqualTo(new Proposal.NotLeader(null));
        three.campaign("n2");
        three.settle();
        three.heal("n1");
        three.pass(100);
        three.settle();
        // Something else was committed at its index: now it is known that it never will be.
        LogEntry there = three.core("n1")
                .committedEntries(accepted.firstIndex(), 1, 1_000)
                .get(0);
        assertThat(there.term()).isNotEqualTo(accepted.term());
    }

    @Test
    void rowX2ALaggingFollowerIsCaughtUpUnderLoadWithinABoundedWindow() {
        RaftConfig small = new RaftConfig("n1", 1_000, 100, 10, 100_000, 3, 100_000, 1_000, 1_000_000, 5_000, null);
        ScriptedCluster c = new ScriptedCluster(3, 10, small);
        c.elect("n1");
        c.isolate("n3");
        for (int i = 0; i < 1_000; i++) {
            c.propose("n1", "x" + i);
            c.settle();
            answerLogReads(c);
        }
        c.pass(200);
        c.settle();
        c.heal("n3");
        c.pass(100);
        int turns = 0;
        // Load goes on; no time passes: catching up waits for no timer.
        while (c.core("n3").lastIndex() < c.core("n1").lastIndex()) {
            assertThat(turns++).isLessThan(600);
            c.propose("n1", "more");
            List<ScriptedCluster.Mail> now = new ArrayList<>(c.mail);
            c.mail.clear();
            now.forEach(c::deliver);
            answerLogReads(c);
            for (PeerProgress peer : c.core("n1").progress()) {
                assertThat(peer.inFlightAppends()).isLessThanOrEqualTo(3);
            }
        }
        assertThat(turns).isGreaterThan(20); // it really was behind by many windows
        assertThat(c.core("n1").commitIndex()).isGreaterThan(1_000L + turns - 20); // and nobody waited for it
    }

    private static void answerLogReads(ScriptedCluster c) {
        List<Effects.LogRead> wanted = List.copyOf(c.logReads);
        c.logReads.clear();
        for (Effects.LogRead read : wanted) {
            List<LogEntry> log = c.durableLog("n1");
            int from = (int) read.fromIndex() - 1;
            c.core("n1")
                    .logRead(
                            read.peer(),
                            read.fromIndex(),
                            log.subList(from, Math.min(log.size(), from + read.maxEntries())));
            c.drain("n1");
        }
    }
}
