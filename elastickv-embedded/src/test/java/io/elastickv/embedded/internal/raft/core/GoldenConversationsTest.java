package io.elastickv.embedded.internal.raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Whole conversations, word for word: what changes here changes on the wire. */
class GoldenConversationsTest {

    private static LogEntry entry(long index, long term) {
        return new LogEntry(index, term, EntryKind.COMMAND, new byte[] {(byte) index, (byte) term});
    }

    /** Ongaro, 3.4 with 9.6: pre-vote, vote, and the no-op that opens the term. */
    @Test
    void electionWithPreVote() {
        ScriptedCluster cluster = new ScriptedCluster(3);
        cluster.campaign("n1");
        cluster.settle();
        assertThat(cluster.transcript()).isEqualTo("""
                n1 is PRE_CANDIDATE of term 0
                n1->n2 PreVote?(1) last 0:0
                n1->n3 PreVote?(1) last 0:0
                n2->n1 PreVote(0) yes to term 1
                n1 is CANDIDATE of term 1
                n3->n1 PreVote(0) yes to term 1
                n1->n2 Vote?(1) last 0:0
                n2 is FOLLOWER of term 1
                n1->n3 Vote?(1) last 0:0
                n3 is FOLLOWER of term 1
                n2->n1 Vote(1) yes
                n1 is LEADER of term 1, leader n1
                n3->n1 Vote(1) yes
                n1->n2 Append(1) after 0:0 commit 0 + 1:1
                n2 is FOLLOWER of term 1, leader n1
                n1->n3 Append(1) after 0:0 commit 0 + 1:1
                n3 is FOLLOWER of term 1, leader n1
                n2->n1 Ack(1) 1 of 1
                n3->n1 Ack(1) 1 of 1
                """);
    }

    /** Ongaro, 3.5 and figure 3.6: a follower with a tail of terms that never were committed. */
    @Test
    void logRepairJumpsOverWholeTerms() {
        ScriptedCluster cluster = new ScriptedCluster(3);
        cluster.crash("n1");
        cluster.crash("n3");
        cluster.plantLog(
                "n1",
                new HardState(6, null),
                entry(1, 1),
                entry(2, 1),
                entry(3, 4),
                entry(4, 4),
                entry(5, 5),
                entry(6, 6));
        cluster.plantLog(
                "n3",
                new HardState(3, null),
                entry(1, 1),
                entry(2, 1),
                entry(3, 2),
                entry(4, 2),
                entry(5, 2),
                entry(6, 3),
                entry(7, 3),
                entry(8, 3));
        cluster.start("n1");
        cluster.start("n3");
        cluster.isolate("n2");
        cluster.campaign("n1");
        cluster.settle();
        assertThat(cluster.transcript()).isEqualTo("""
                n1 is PRE_CANDIDATE of term 6
                n1->n3 PreVote?(7) last 6:6
                n3->n1 PreVote(3) yes to term 7
                n1 is CANDIDATE of term 7
                n1->n3 Vote?(7) last 6:6
                n3 is FOLLOWER of term 7
                n3->n1 Vote(7) yes
                n1 is LEADER of term 7, leader n1
                n1->n3 Append(7) after 6:6 commit 0 + 7:7
                n3 is FOLLOWER of term 7, leader n1
                n3->n1 Reject(7) 6 hint 5:2
                n1->n3 Append(7) after 2:1 commit 0 + 3:4 4:4 5:5 6:6 7:7
                n3->n1 Ack(7) 7 of 7
                """);
        assertThat(cluster.durableLog("n3")).isEqualTo(cluster.durableLog("n1"));
    }

    /** Ongaro, figure 3.7: an entry of an old term on a majority is not committed before one of the own term is. */
    @Test
    void figureEight() {
        ScriptedCluster cluster = new ScriptedCluster(5, 1, null);
        cluster.elect("n1"); // index 1, term 1, everywhere
        cluster.isolate("n3");
        cluster.isolate("n4");
        cluster.isolate("n5");
        cluster.propose("n1", "x"); // index 2 of term 1 on n1 and n2 only
        cluster.settle();
        cluster.crash("n1");
        cluster.isolate("n2");
        cluster.heal("n3");
        cluster.heal("n4");
        cluster.heal("n5");
        cluster.pass(1_000);
        cluster.mail.clear();
        cluster.campaign("n5"); // wins term 2 and writes its own index 2, on itself only
        cluster.deliver("n5", "n3");
        cluster.deliver("n5", "n4");
        cluster.deliver("n3", "n5");
        cluster.deliver("n4", "n5");
        cluster.deliver("n5", "n3");
        cluster.deliver("n5", "n4");
        cluster.deliver("n3", "n5");
        cluster.crash("n5");
        cluster.mail.clear();
        cluster.start("n1");
        cluster.heal("n2");
        cluster.pass(1_000);
        cluster.mail.clear();
        cluster.isolate("n4");
        cluster.campaign("n1"); // learns of term 2
        cluster.settle();
        cluster.transcript();
        cluster.campaign("n1"); // wins term 3 with n2 and n3
        cluster.settle();
        // Only now that the no-op of term 3 is on a majority, index 2 of term 1 is committed with it.
        assertThat(cluster.transcript()).isEqualTo("""
                n1 is PRE_CANDIDATE of term 2
                n1->n2 PreVote?(3) last 2:1
                n1->n3 PreVote?(3) last 2:1
                n2->n1 PreVote(1) yes to term 3
                n3->n1 PreVote(2) yes to term 3
                n1 is CANDIDATE of term 3
                n1->n2 Vote?(3) last 2:1
                n2 is FOLLOWER of term 3
                n1->n3 Vote?(3) last 2:1
                n3 is FOLLOWER of term 3
                n2->n1 Vote(3) yes
                n3->n1 Vote(3) yes
                n1 is LEADER of term 3, leader n1
                n1->n2 Append(3) after 2:1 commit 0 + 3:3
                n2 is FOLLOWER of term 3, leader n1
                n1->n3 Append(3) after 2:1 commit 0 + 3:3
                n3 is FOLLOWER of term 3, leader n1
                n2->n1 Ack(3) 3 of 3
                n3->n1 Reject(3) 2 hint 1:1
                n1->n3 Append(3) after 1:1 commit 0 + 2:1
                n3->n1 Ack(3) 2 of 2
                n1->n3 Append(3) after 2:1 commit 0 + 3:3
                n3->n1 Ack(3) 3 of 3
                """);
    }

    /** Ongaro, 3.10. */
    @Test
    void leadershipTransfer() {
        ScriptedCluster cluster = new ScriptedCluster(3);
        cluster.elect("n1");
        cluster.propose("n1", "a");
        cluster.transcript();
        cluster.core("n1").transferLeadership("n3");
        cluster.drain("n1");
        assertThat(cluster.propose("n1", "b")).isEqualTo(new Proposal.TransferInProgress("n3"));
        cluster.settle();
        assertThat(cluster.transcript()).isEqualTo("""
                n1->n2 Append(1) after 1:1 commit 1 + 2:1
                n1->n3 Append(1) after 1:1 commit 1 + 2:1
                n2->n1 Ack(1) 2 of 2
                n3->n1 Ack(1) 2 of 2
                n1->n3 TimeoutNow(1)
                n3 is CANDIDATE of term 2
                n3->n1 Vote?(2) last 2:1 transfer
                n1 is FOLLOWER of term 2
                n3->n2 Vote?(2) last 2:1 transfer
                n2 is FOLLOWER of term 2
                n1->n3 Vote(2) yes
                n3 is LEADER of term 2, leader n3
                n2->n3 Vote(2) yes
                n3->n1 Append(2) after 2:1 commit 1 + 3:2
                n1 is FOLLOWER of term 2, leader n3
                n3->n2 Append(2) after 2:1 commit 1 + 3:2
                n2 is FOLLOWER of term 2, leader n3
                n1->n3 Ack(2) 3 of 3
                n2->n3 Ack(2) 3 of 3
                """);
        assertThat(cluster.propose("n3", "b")).isEqualTo(new Proposal.Accepted(4, 2));
    }

    /** Ongaro, 6.4: a follower's reads and the leader's share one round. */
    @Test
    void readRound() {
        ScriptedCluster cluster = new ScriptedCluster(3);
        cluster.elect("n1");
        cluster.transcript();
        cluster.core("n2").read(21);
        cluster.core("n2").read(22);
        cluster.drain("n2");
        cluster.deliver("n2", "n1");
        cluster.read("n1", 11); // its round is under way: waits for the next
        cluster.settle();
        assertThat(cluster.transcript()).isEqualTo("""
                n2->n1 Read?(1)
                n1->n2 Append(1) after 1:1 commit 1 round 1
                n1->n3 Append(1) after 1:1 commit 1 round 1
                n2->n1 Ack(1) 1 of 1 round 1
                n3->n1 Ack(1) 1 of 1 round 1
                n1->n2 Read(1) at 1
                n2 may serve read 21 at 1
                n2 may serve read 22 at 1
                n1->n2 Append(1) after 1:1 commit 1 round 2
                n1->n3 Append(1) after 1:1 commit 1 round 2
                n2->n1 Ack(1) 1 of 1 round 2
                n1 may serve read 11 at 1
                n3->n1 Ack(1) 1 of 1 round 2
                """);
    }

    /** Ongaro, 6.2: an isolated leader answers nothing and steps down; the others do without it. */
    @Test
    void isolatedLeader() {
        ScriptedCluster cluster = new ScriptedCluster(3);
        cluster.elect("n1");
        cluster.isolate("n1");
        cluster.transcript();
        assertThat(cluster.propose("n1", "a")).isEqualTo(new Proposal.Accepted(2, 1));
        cluster.read("n1", 1);
        cluster.pass(1_000);
        cluster.read("n1", 2);
        assertThat(cluster.propose("n1", "b")).isEqualTo(new Proposal.NotLeader(null));
        cluster.settle();
        cluster.campaign("n2");
        cluster.settle();
        cluster.propose("n2", "c");
        cluster.settle();
        cluster.heal("n1");
        cluster.pass(100);
        cluster.settle();
        assertThat(cluster.transcript()).isEqualTo("""
                n1 is FOLLOWER of term 1
                n1 fails read 1: TIMEOUT
                n1 fails read 2: NO_LEADER
                n2 is PRE_CANDIDATE of term 1
                n2->n3 PreVote?(2) last 1:1
                n3->n2 PreVote(1) yes to term 2
                n2 is CANDIDATE of term 2
                n2->n3 Vote?(2) last 1:1
                n3 is FOLLOWER of term 2
                n3->n2 Vote(2) yes
                n2 is LEADER of term 2, leader n2
                n2->n3 Append(2) after 1:1 commit 0 + 2:2
                n3 is FOLLOWER of term 2, leader n2
                n3->n2 Ack(2) 2 of 2
                n2->n3 Append(2) after 2:2 commit 2 + 3:2
                n3->n2 Ack(2) 3 of 3
                n2->n1 Append(2) after 1:1 commit 3
                n1 is FOLLOWER of term 2, leader n2
                n2->n3 Append(2) after 3:2 commit 3
                n1->n2 Ack(2) 0 of 1
                n1->n2 Ack(2) 1 of 1
                n3->n2 Ack(2) 3 of 3
                n2->n1 Append(2) after 1:1 commit 3 + 2:2 3:2
                n1->n2 Ack(2) 3 of 3
                """);
        assertThat(cluster.durableLog("n1")).isEqualTo(cluster.durableLog("n2"));
    }

    /** Ongaro, 4.2.1: a new member first gets the log, then the vote. */
    @Test
    void aMemberIsAddedAndPromoted() {
        ScriptedCluster cluster = new ScriptedCluster(2);
        cluster.elect("n1");
        cluster.make("n3");
        cluster.transcript();
        cluster.change("n1", new MemberChange.AddLearner("n3"));
        cluster.settle();
        cluster.pass(100);
        cluster.settle();
        cluster.change("n1", new MemberChange.Promote("n3"));
        cluster.settle();
        assertThat(cluster.core("n3").configuration().voters()).containsExactly("n1", "n2", "n3");
        assertThat(cluster.transcript()).isEqualTo("""
                n1->n2 Append(1) after 1:1 commit 1 + 2:1
                n1->n3 Append(1) after 2:1 commit 1
                n3 is FOLLOWER of term 1, leader n1
                n2->n1 Ack(1) 2 of 2
                n3->n1 Reject(1) 2 hint 0:0
                n1->n3 Append(1) after 0:0 commit 2 + 1:1 2:1
                n3->n1 Ack(1) 2 of 2
                n1->n2 Append(1) after 2:1 commit 2
                n1->n3 Append(1) after 2:1 commit 2
                n2->n1 Ack(1) 2 of 2
                n3->n1 Ack(1) 2 of 2
                n1->n2 Append(1) after 2:1 commit 2 + 3:1
                n1->n3 Append(1) after 2:1 commit 2 + 3:1
                n2->n1 Ack(1) 3 of 3
                n3->n1 Ack(1) 3 of 3
                """);
    }

    /** Ongaro, 4.2.2: the leader goes. */
    @Test
    void aLeaderRemovesItself() {
        ScriptedCluster cluster = new ScriptedCluster(3);
        cluster.elect("n1");
        cluster.transcript();
        cluster.change("n1", new MemberChange.Remove("n1"));
        cluster.settle();
        cluster.pass(100);
        cluster.settle();
        assertThat(cluster.transcript()).isEqualTo("""
                n1->n2 Append(1) after 1:1 commit 1 + 2:1
                n1->n3 Append(1) after 1:1 commit 1 + 2:1
                n2->n1 Ack(1) 2 of 2
                n3->n1 Ack(1) 2 of 2
                n1->n2 TimeoutNow(1)
                n2 is CANDIDATE of term 2
                n2->n3 Vote?(2) last 2:1 transfer
                n3 is FOLLOWER of term 2
                n3->n2 Vote(2) yes
                n2 is LEADER of term 2, leader n2
                n2->n3 Append(2) after 2:1 commit 1 + 3:2
                n3 is FOLLOWER of term 2, leader n2
                n3->n2 Ack(2) 3 of 3
                n1->n2 Append(1) after 2:1 commit 2
                n1->n3 Append(1) after 2:1 commit 2
                n1->n2 TimeoutNow(1)
                n2->n3 Append(2) after 3:2 commit 3
                n2->n1 Reject(2) 2 hint 0:0
                n1 is FOLLOWER of term 2
                n3->n1 Reject(2) 2 hint 0:0
                n3->n2 Ack(2) 3 of 3
                """);
    }

    /** Ongaro, chapter 5; the follower fetches. */
    @Test
    void aFollowerFetchesASnapshot() {
        ScriptedCluster cluster = new ScriptedCluster(3);
        cluster.elect("n1");
        cluster.isolate("n3");
        cluster.propose("n1", "a", "b", "c");
        cluster.settle();
        cluster.compact("n1", 3);
        cluster.heal("n3");
        cluster.transcript();
        cluster.pass(100);
        cluster.settle();
        cluster.install("n3", "n1");
        cluster.settle();
        cluster.propose("n1", "d");
        cluster.settle();
        assertThat(cluster.transcript()).isEqualTo("""
                n1->n2 Append(1) after 4:1 commit 4
                n1->n3 Append(1) after 4:1 commit 4
                n2->n1 Ack(1) 4 of 4
                n3->n1 Reject(1) 4 hint 1:1
                n1->n3 Append(1) after 3:1 commit 4
                n1->n3 SnapshotRequired(1) at 3 at least
                n3 fetches a snapshot of n1 at 3 at least
                n3->n1 Reject(1) 3 hint 1:1
                n3 has installed a snapshot at 4:1
                n3->n1 Ack(1) 4 of 4
                n1->n2 Append(1) after 4:1 commit 4 + 5:1
                n1->n3 Append(1) after 4:1 commit 4 + 5:1
                n2->n1 Ack(1) 5 of 5
                n3->n1 Ack(1) 5 of 5
                """);
    }

    /** A follower has lost the end of its log, which its leader takes for granted. */
    @Test
    void aFollowerRecoversItsMemory() {
        ScriptedCluster cluster = new ScriptedCluster(3);
        cluster.elect("n1");
        cluster.propose("n1", "a", "b", "c");
        cluster.settle();
        cluster.crash("n2");
        cluster.loseMemory("n2", 2);
        cluster.start("n2");
        cluster.transcript();
        cluster.pass(100);
        cluster.settle();
        assertThat(cluster.core("n2").memoryLost()).isFalse();
        assertThat(cluster.transcript()).isEqualTo("""
                n1->n2 Append(1) after 4:1 commit 4
                n2 is FOLLOWER of term 1, leader n1
                n1->n3 Append(1) after 4:1 commit 4
                n2->n1 Reject(1) 4 hint 2:1
                n2->n1 MemoryLost(1)
                n3->n1 Ack(1) 4 of 4
                n1->n2 Append(1) after 2:1 commit 4 + 3:1 4:1
                n1->n2 RecoverUpTo(1) 4
                n1->n2 Append(1) after 4:1 commit 4
                n2->n1 Ack(1) 4 of 4
                n2->n1 Ack(1) 4 of 4
                """);
    }
}
