package io.elastickv.embedded.internal.raft.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.embedded.internal.raft.core.MemberChange.AddLearner;
import io.elastickv.embedded.internal.raft.core.MemberChange.Promote;
import io.elastickv.embedded.internal.raft.core.MemberChange.Remove;
import io.elastickv.embedded.internal.raft.core.RaftMessage.PreVoteResponse;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Changes of the members, step by step (Ongaro, chapter 4). */
class RaftMembershipTest {

    private final ScriptedCluster c = new ScriptedCluster(3);

    private Configuration configuration(String name) {
        return c.core(name).configuration();
    }

    private static String reason(Proposal proposal) {
        assertThat(proposal).isInstanceOf(Proposal.Refused.class);
        return ((Proposal.Refused) proposal).reason();
    }

    private PeerProgress progress(String leader, String peer) {
        return c.core(leader).progress().stream()
                .filter(p -> p.peer().equals(peer))
                .findAny()
                .orElseThrow();
    }

    @Test
    void aLearnerGetsTheLogAndCountsInNoMajority() {
        c.elect("n1");
        c.addLearner("n1", "n4");
        assertThat(c.core("n4").commitIndex()).isEqualTo(2);
        assertThat(configuration("n4").isLearner("n4")).isTrue();
        assertThat(progress("n1", "n4").voter()).isFalse();
        c.isolate("n2");
        c.isolate("n3");
        c.propose("n1", "a");
        c.settle();
        assertThat(c.core("n4").lastIndex()).isEqualTo(3);
        assertThat(c.core("n1").commitIndex()).isEqualTo(2);
        c.pass(1_000); // nor does it keep its leader in office
        assertThat(c.core("n1").role()).isEqualTo(Role.FOLLOWER);
    }

    @Test
    void aLearnerNeitherCampaignsNorElects() {
        c.elect("n1");
        c.addLearner("n1", "n4");
        c.crash("n1");
        c.crash("n3");
        c.campaign("n4");
        c.pass(4_000);
        assertThat(c.core("n4").role()).isEqualTo(Role.FOLLOWER);
        c.campaign("n2");
        long term = c.core("n2").term();
        c.core("n2").step("n4", new PreVoteResponse(term, term + 1, true));
        c.drain("n2");
        assertThat(c.core("n2").role()).isEqualTo(Role.PRE_CANDIDATE);
    }

    /** Otherwise nobody could be elected: one who needs the learner's vote has the shorter log, and cannot get it. */
    @Test
    void aLearnerWithTheLongestLogLeadsAsALastResortAndHandsOver() {
        c.elect("n1");
        c.addLearner("n1", "n4");
        c.isolate("n1");
        c.change("n1", new Promote("n4")); // nobody hears of it
        c.pass(1_200);
        c.mail.clear();
        c.campaign("n2");
        c.deliver("n2", "n3");
        c.deliver("n3", "n2");
        c.deliver("n2", "n3");
        c.deliver("n3", "n2");
        assertThat(c.core("n2").role()).isEqualTo(Role.LEADER);
        c.deliver("n2", "n4"); // only the learner gets an entry of that term, then the leader is gone for good
        c.crash("n2");
        c.mail.clear();
        c.heal("n1");
        c.pass(200);
        c.mail.clear();
        c.campaign("n3");
        c.settle();
        c.campaign("n1");
        c.settle();
        assertThat(c.core("n1").role()).isNotEqualTo(Role.LEADER); // needs three of four
        assertThat(c.core("n3").role()).isNotEqualTo(Role.LEADER); // n1 has more
        for (int i = 0; i < 200; i++) {
            c.pass(100);
            c.settle();
        }
        assertThat(List.of(c.core("n1").role(), c.core("n3").role())).contains(Role.LEADER);
        assertThat(c.core("n4").role()).isEqualTo(Role.FOLLOWER);
        assertThat(configuration("n3").learners()).containsExactly("n4");
        assertThat(configuration("n1").learners()).containsExactly("n4");
    }

    @Test
    void aLearnerServesReads() {
        c.elect("n1");
        c.addLearner("n1", "n4");
        c.read("n4", 9);
        c.settle();
        assertThat(c.readsReady).extracting(Effects.ReadReady::context).containsExactly(9L);
    }

    @Test
    void onlyALearnerThatHasCaughtUpIsPromoted() {
        c.elect("n1");
        c.make("n4");
        c.isolate("n4");
        assertThat(c.change("n1", new AddLearner("n4"))).isEqualTo(new Proposal.Accepted(2, 1));
        c.settle();
        assertThat(reason(c.change("n1", new Promote("n4")))).contains("n4 has not caught up");
        c.heal("n4");
        c.pass(200);
        c.settle();
        assertThat(progress("n1", "n4").caughtUp()).isTrue();
        assertThat(c.change("n1", new Promote("n4"))).isInstanceOf(Proposal.Accepted.class);
        assertThat(configuration("n1").voters()).containsExactly("n1", "n2", "n3", "n4");
        c.isolate("n4");
        for (int i = 0; i < 11; i++) {
            c.pass(100);
            c.settle();
        }
        // What it once was is no longer known.
        assertThat(progress("n1", "n4").caughtUp()).isFalse();
    }

    @Test
    void impossibleChangesAreRefusedWithAReason() {
        assertThat(c.change("n2", new Remove("n1"))).isEqualTo(new Proposal.NotLeader(null));
        c.elect("n1");
        assertThat(reason(c.change("n1", new AddLearner("n2")))).isEqualTo("n2 is a member already");
        assertThat(reason(c.change("n1", new Promote("n2")))).isEqualTo("n2 is no learner");
        assertThat(reason(c.change("n1", new Remove("n9")))).isEqualTo("n9 is no member");
        c.core("n1").transferLeadership("n2");
        assertThat(c.change("n1", new Remove("n3"))).isEqualTo(new Proposal.TransferInProgress("n2"));
        ScriptedCluster one = new ScriptedCluster(1);
        one.elect("n1");
        assertThat(reason(one.change("n1", new Remove("n1")))).isEqualTo("n1 is the last voter");
    }

    @Test
    void aMajorityIsOneOfTheNewConfigurationFromTheMomentItIsAppended() {
        c.elect("n1");
        c.addVoter("n1", "n4");
        c.isolate("n3");
        c.isolate("n4");
        c.propose("n1", "a");
        c.settle();
        assertThat(c.core("n1").commitIndex()).isEqualTo(3); // two of four are no majority
        assertThat(c.change("n1", new Remove("n4"))).isInstanceOf(Proposal.Accepted.class);
        c.settle();
        assertThat(c.core("n1").commitIndex()).isEqualTo(5); // two of three are
        assertThat(c.core("n1").configurationIndex()).isEqualTo(5);
        assertThat(c.core("n1").configurationAt(4).voters()).hasSize(4);
        assertThatThrownBy(() -> c.core("n1").configurationAt(6)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aLeaderThatRemovesItselfLeadsUntilThatIsCommittedAndHandsOver() {
        c.elect("n1");
        c.isolate("n3");
        assertThat(c.change("n1", new Remove("n1"))).isInstanceOf(Proposal.Accepted.class);
        c.propose("n1", "a"); // still taken
        c.settle();
        assertThat(c.core("n1").commitIndex()).isEqualTo(1); // it does not count itself
        assertThat(c.core("n1").role()).isEqualTo(Role.LEADER);
        c.heal("n3");
        c.pass(100);
        c.settle();
        assertThat(c.core("n2").configuration().voters()).containsExactly("n2", "n3");
        c.pass(100);
        c.settle();
        assertThat(c.core("n1").role()).isEqualTo(Role.FOLLOWER);
        assertThat(List.of(c.core("n2").role(), c.core("n3").role())).contains(Role.LEADER);
        c.mail.clear();
        c.isolate("n2");
        c.isolate("n3");
        c.pass(5_000);
        assertThat(c.core("n1").role()).isEqualTo(Role.FOLLOWER); // it is no member and does not try
    }

    @Test
    void aLeaderThatRemovedItselfStepsDownWhenNobodyTakesOver() {
        c.elect("n1");
        c.change("n1", new Remove("n1"));
        c.deliver("n1", "n2");
        c.deliver("n1", "n3");
        c.deliver("n2", "n1");
        c.deliver("n3", "n1");
        assertThat(c.core("n1").commitIndex()).isEqualTo(2);
        assertThat(c.core("n1").transferTarget()).isNotNull();
        assertThat(c.propose("n1", "a")).isInstanceOf(Proposal.TransferInProgress.class);
        c.mail.clear();
        for (int i = 0; i < 10; i++) {
            c.pass(100);
            c.deliver("n2", "n1");
            c.deliver("n3", "n1");
            c.deliver("n1", "n2");
            c.take("n1", "n3"); // the request to campaign goes to either of them, and is lost
            c.mail.removeIf(m -> m.message() instanceof RaftMessage.TimeoutNow);
        }
        c.pass(100);
        assertThat(c.core("n1").role()).isEqualTo(Role.FOLLOWER);
    }

    /** Ongaro, 4.2.2. Without it nobody could ever be elected again: the other one misses an entry. */
    @Test
    void whoMayBeRemovedStillCampaignsWhileThatIsUndecided() {
        ScriptedCluster two = new ScriptedCluster(2);
        two.elect("n1");
        two.isolate("n2");
        two.change("n1", new Remove("n1"));
        two.crash("n1");
        two.mail.clear();
        two.start("n1");
        two.heal("n2");
        assertThat(two.core("n1").configuration().voters()).containsExactly("n2");
        two.pass(2_000);
        two.mail.clear();
        two.campaign("n2");
        two.settle();
        assertThat(two.core("n2").role()).isNotEqualTo(Role.LEADER);
        two.campaign("n1");
        two.settle();
        two.pass(200);
        two.settle();
        assertThat(two.core("n2").role()).isEqualTo(Role.LEADER);
        assertThat(two.core("n2").configuration().voters()).containsExactly("n2");
        assertThat(two.core("n1").role()).isEqualTo(Role.FOLLOWER);
    }

    /** The same, when the member has forgotten in a restart how much is committed, and joined without knowing the members. */
    @Test
    void whoMayBeRemovedCampaignsWhateverItKnowsToBeCommitted() {
        ScriptedCluster one = new ScriptedCluster(1);
        one.elect("n1");
        one.addVoter("n1", "n2");
        one.core("n1").transferLeadership("n2");
        one.drain("n1");
        one.settle();
        one.pass(100);
        one.settle();
        assertThat(one.core("n2").role()).isEqualTo(Role.LEADER);
        one.isolate("n1");
        one.change("n2", new Remove("n2"));
        one.crash("n2");
        one.mail.clear();
        one.start("n2");
        one.heal("n1");
        assertThat(one.core("n2").commitIndex()).isZero();
        one.pass(2_000);
        one.mail.clear();
        one.campaign("n2");
        one.settle();
        one.pass(200);
        one.settle();
        assertThat(one.core("n1").role()).isEqualTo(Role.LEADER);
        assertThat(one.core("n1").configuration().voters()).containsExactly("n1");
    }

    @Test
    void aRemovedMemberDoesNotDisturb() {
        c.elect("n1");
        c.isolate("n3");
        c.change("n1", new Remove("n3"));
        c.settle();
        assertThat(c.core("n1").commitIndex()).isEqualTo(2);
        c.pass(200);
        c.settle();
        c.heal("n3");
        for (int i = 0; i < 50; i++) {
            c.pass(100); // n3 was never told
            c.settle();
        }
        assertThat(c.core("n3").role()).isEqualTo(Role.PRE_CANDIDATE);
        assertThat(c.core("n1").role()).isEqualTo(Role.LEADER);
        assertThat(c.core("n1").term()).isEqualTo(1);
        assertThat(c.mail.stream().anyMatch(m -> m.from().equals("n1") && m.to().equals("n3")))
                .isFalse();
    }

    @Test
    void leadershipGoesToVotersOnly() {
        c.elect("n1");
        c.addLearner("n1", "n4");
        assertThatThrownBy(() -> c.core("n1").transferLeadership("n4"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("n4 is not among voters");
        c.core("n4").step("n1", new RaftMessage.TimeoutNow(1));
        c.drain("n4");
        assertThat(c.core("n4").role()).isEqualTo(Role.FOLLOWER);
        c.core("n1").transferLeadership("n2");
        assertThat(c.core("n1").transferTarget()).isEqualTo("n2");
    }

    @Test
    void whoIsAddedAgainStartsFromNothing() {
        c.elect("n1");
        c.addVoter("n1", "n4");
        assertThat(progress("n1", "n4").matchIndex()).isEqualTo(3);
        c.change("n1", new Remove("n4"));
        c.settle();
        c.isolate("n4");
        c.change("n1", new AddLearner("n4"));
        c.settle();
        assertThat(progress("n1", "n4").matchIndex()).isZero();
        assertThat(progress("n1", "n4").caughtUp()).isFalse();
    }

    @Test
    void aReadRoundIsConfirmedByTheVotersOfNow() {
        ScriptedCluster two = new ScriptedCluster(2);
        two.elect("n1");
        two.isolate("n2");
        two.read("n1", 5);
        two.settle();
        assertThat(two.readsReady).isEmpty();
        two.change("n1", new Remove("n2")); // n1 alone is the majority now
        two.settle();
        assertThat(two.readsReady).extracting(Effects.ReadReady::context).containsExactly(5L);
        assertThat(two.core("n1").commitIndex()).isEqualTo(2);
    }

    @Test
    void aMessageOfALeaderThatIsNotKnownAsAMemberIsTaken() {
        c.make("n4");
        c.core("n4").step("n1", new RaftMessage.AppendRequest(3, 0, 0, 0, 0, List.of()));
        c.drain("n4");
        assertThat(c.core("n4").leader()).isEqualTo("n1");
        assertThat(c.mail).hasSize(1);
    }
}
