package io.elastickv.embedded.internal.raft.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.SnapshotRequired;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Logs that are cut off at their beginning or have lost their end, and the snapshots that help. */
class RaftSnapshotTest {

    private final ScriptedCluster c = new ScriptedCluster(3);

    private static LogEntry entry(long index, long term) {
        return new LogEntry(index, term, EntryKind.COMMAND, new byte[] {(byte) index, (byte) term});
    }

    private static AppendRequest append(long term, long prevIndex, long prevTerm, long commit, LogEntry... entries) {
        return new AppendRequest(term, prevIndex, prevTerm, commit, 0, List.of(entries));
    }

    /** n1 leads with ten entries committed, of which n3 has the first one only. */
    private void n3FallsBehind() {
        c.elect("n1");
        c.isolate("n3");
        c.propose("n1", "a", "b", "c", "d", "e", "f", "g", "h", "i");
        c.settle();
        c.pass(100);
        c.settle();
        assertThat(c.core("n1").commitIndex()).isEqualTo(10);
    }

    @Test
    void theTermBeforeTheLogIsKept() {
        n3FallsBehind();
        c.compact("n1", 6);
        assertThat(c.core("n1").firstIndex()).isEqualTo(7);
        assertThat(c.core("n1").termAt(6)).isEqualTo(1);
        assertThat(c.core("n1").termAt(5)).isEqualTo(-1);
        assertThat(c.core("n1").committedEntries(7, 10, 1_000)).hasSize(4);
        assertThat(c.core("n1").committedEntries(6, 10, 1_000)).isEmpty();
        c.core("n1").compact(3); // late
        assertThat(c.core("n1").firstIndex()).isEqualTo(7);
        assertThatThrownBy(() -> c.core("n2").compact(6)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aFollowerWithinReachOfACompactedLogNeedsNoSnapshot() {
        n3FallsBehind();
        c.compact("n1", 1);
        c.heal("n3");
        c.pass(200);
        c.settle();
        assertThat(c.core("n3").commitIndex()).isEqualTo(10);
        assertThat(c.fetches).isEmpty();
    }

    @Test
    void aSnapshotIsFetchedOnceAndAgainAfterItFailed() {
        n3FallsBehind();
        c.compact("n1", 8);
        c.heal("n3");
        c.pass(100);
        c.settle();
        c.pass(500);
        c.settle();
        assertThat(c.fetches).containsExactly(new Effects.FetchSnapshot("n1", 8));
        assertThat(c.core("n1").progress().get(1).state()).isEqualTo(PeerProgress.State.NEEDS_SNAPSHOT);
        assertThat(c.core("n3").leader()).isEqualTo("n1"); // heartbeats go on
        c.core("n3").snapshotFailed();
        c.drain("n3");
        c.settle();
        assertThat(c.fetches).hasSize(1);
        c.pass(100);
        assertThat(c.fetches).hasSize(2);
        c.install("n3", "n1");
        c.settle();
        assertThat(c.core("n3").appliedIndex()).isEqualTo(10);
        c.propose("n1", "x");
        c.settle();
        assertThat(c.core("n3").lastIndex()).isEqualTo(11);
        assertThat(c.core("n1").progress().get(1).state()).isEqualTo(PeerProgress.State.REPLICATE);
        assertThat(c.fetches).hasSize(2);
    }

    @Test
    void entriesThatWereReadBeforeTheLogWasCompactedAreNotSent() {
        RaftConfig small = new RaftConfig("n1", 1_000, 100, 10, 100_000, 3, 100_000, 1_000, 1_000_000, 1, null);
        ScriptedCluster s = new ScriptedCluster(3, 10, small);
        s.elect("n1");
        s.isolate("n3");
        for (int i = 0; i < 9; i++) {
            s.propose("n1", "x" + i);
            s.settle();
        }
        s.pass(200);
        s.settle();
        s.heal("n3");
        s.pass(100);
        s.settle();
        assertThat(s.logReads).containsExactly(new Effects.LogRead("n3", 2, 10, 100_000));
        List<LogEntry> read = List.copyOf(s.durableLog("n1").subList(1, 5));
        s.compact("n1", 2); // of what was read the first entry is the one before the log now
        s.core("n1").logRead("n3", 2, read);
        s.drain("n1");
        s.settle();
        assertThat(s.core("n3").lastIndex()).isEqualTo(1);
        assertThat(s.fetches).containsExactly(new Effects.FetchSnapshot("n1", 2));
    }

    @Test
    void anotherLeaderIsAskedAnew() {
        n3FallsBehind();
        c.compact("n1", 8);
        c.compact("n2", 7);
        c.heal("n3");
        c.pass(100);
        c.settle();
        c.core("n1").transferLeadership("n2");
        c.drain("n1");
        c.settle();
        c.pass(200);
        c.settle();
        assertThat(c.fetches).containsExactly(new Effects.FetchSnapshot("n1", 8), new Effects.FetchSnapshot("n2", 7));
    }

    @Test
    void aRequestThatIsNoLongerTrueIsIgnored() {
        c.elect("n1");
        c.core("n3").step("n1", new SnapshotRequired(1, 1)); // it has that entry
        c.core("n3").step("n2", new SnapshotRequired(1, 9)); // does not lead
        c.core("n3").step("n1", new SnapshotRequired(0, 9)); // leads no more
        c.drain("n3");
        assertThat(c.fetches).isEmpty();
    }

    @Test
    void theSuffixStaysIfItFollowsTheSnapshot() {
        c.crash("n1");
        c.plantLog("n1", new HardState(2, null), entry(1, 1), entry(2, 1), entry(3, 2), entry(4, 2));
        c.start("n1");
        c.install("n1", 3, 2, configuration());
        assertThat(c.core("n1").firstIndex()).isEqualTo(4);
        assertThat(c.core("n1").lastIndex()).isEqualTo(4);
        assertThat(c.core("n1").commitIndex()).isEqualTo(3);
    }

    @Test
    void nothingStaysIfItDoesNot() {
        c.crash("n1");
        c.plantLog("n1", new HardState(2, null), entry(1, 1), entry(2, 1), entry(3, 2), entry(4, 2));
        c.start("n1");
        c.install("n1", 3, 3, configuration());
        assertThat(c.core("n1").firstIndex()).isEqualTo(4);
        assertThat(c.core("n1").lastIndex()).isEqualTo(3);
        assertThat(c.core("n1").readableIndex()).isEqualTo(3);
        assertThat(c.core("n1").term()).isEqualTo(3); // who has an entry of a term is in it
        assertThat(c.durableState("n1").term()).isEqualTo(3);
    }

    @Test
    void aSnapshotBringsTheMembersAsOfThen() {
        c.install("n1", 5, 1, Configuration.of(List.of("n1", "n2")).withLearner("n9"));
        assertThat(c.core("n1").configuration().learners()).containsExactly("n9");
        c.install("n1", 6, 1, Configuration.EMPTY); // of a replica that has not heard of any
        assertThat(c.core("n1").configuration().learners()).containsExactly("n9");
    }

    @Test
    void aDeposedLeaderThatContradictsASnapshotGetsNoAnswer() {
        c.core("n3").step("n1", append(1, 0, 0, 0, entry(1, 1)));
        c.drain("n3");
        c.install("n3", 4, 1, configuration()); // what the leader after n1 has committed
        c.mail.clear();
        c.core("n3").step("n1", append(2, 4, 2, 0));
        c.core("n3").step("n1", append(2, 2, 1, 0, entry(3, 1), entry(4, 2), entry(5, 2)));
        c.drain("n3");
        assertThat(c.core("n3").lastIndex()).isEqualTo(4);
        assertThat(c.take("n3", "n1")).isEmpty();
    }

    @Test
    void whoHasLostItsStateVotesAndStoresButDoesNotLead() {
        n3FallsBehind();
        c.compact("n2", 8);
        c.crash("n2");
        c.loseState("n2");
        c.start("n2");
        assertThat(c.core("n2").stateLost()).isTrue();
        c.campaign("n2");
        c.pass(3_000);
        assertThat(c.core("n2").role()).isEqualTo(Role.FOLLOWER);
        c.mail.clear();
        c.campaign("n1");
        c.settle();
        assertThat(c.core("n1").role()).isEqualTo(Role.LEADER); // with its vote
        assertThat(c.core("n1").commitIndex()).isEqualTo(11); // and its acknowledgement
        assertThat(c.fetches).containsExactly(new Effects.FetchSnapshot("n1", 8));
        assertThat(c.core("n2").acceptsSnapshot(7)).isFalse(); // there would be a gap
        c.install("n2", "n1");
        assertThat(c.core("n2").stateLost()).isFalse();
        assertThat(c.core("n2").appliedIndex()).isEqualTo(11);
    }

    @Test
    void whoHasLostItsMemoryDoesNotVoteBeforeItHasWhatItAcknowledged() {
        n3FallsBehind();
        c.crash("n2");
        c.loseMemory("n2", 4);
        c.start("n2");
        c.isolate("n1");
        c.heal("n3");
        c.pass(2_000);
        c.settle();
        assertThat(c.core("n2").memoryLost()).isTrue();
        assertThat(c.core("n3").role()).isNotEqualTo(Role.LEADER); // it lacks what is committed
        assertThat(c.core("n2").role()).isEqualTo(Role.FOLLOWER);
        c.heal("n1");
        c.isolate("n3");
        c.campaign("n1");
        c.settle();
        assertThat(c.core("n1").role()).isNotEqualTo(Role.LEADER); // not with that vote either
        c.heal("n3");
        c.pass(2_000);
        c.settle();
        c.mail.clear();
        c.campaign("n1");
        c.settle();
        assertThat(c.core("n1").role()).isEqualTo(Role.LEADER); // n3 votes for it
        assertThat(c.core("n2").memoryLost()).isFalse();
        assertThat(c.core("n2").lastIndex()).isEqualTo(c.core("n1").lastIndex());
    }

    @Test
    void theLeaderForgetsWhatWasAcknowledgedBeforeALoss() {
        n3FallsBehind();
        c.crash("n2");
        c.loseMemory("n2", 4);
        c.start("n2");
        assertThat(remembers("n2")).isTrue(); // for all that the leader knows
        c.isolate("n2");
        c.core("n1").step("n2", new RaftMessage.MemoryLost(c.core("n1").term(), 1));
        assertThat(remembers("n2")).isFalse();
        c.heal("n2");
        c.pass(200);
        c.settle();
        c.pass(200);
        c.settle();
        assertThat(c.core("n1").role()).isEqualTo(Role.LEADER); // all the time
        assertThat(remembers("n2")).isTrue();
        assertThat(c.core("n2").lastIndex()).isEqualTo(10);
        assertThat(c.core("n2").memoryLost()).isFalse();
    }

    private boolean remembers(String peer) {
        return c.core("n1").progress().stream()
                .filter(each -> each.peer().equals(peer))
                .allMatch(PeerProgress::remembers);
    }

    @Test
    void whoIsAloneHasNobodyToAsk() {
        ScriptedCluster one = new ScriptedCluster(1);
        one.elect("n1");
        one.propose("n1", "a", "b");
        one.crash("n1");
        one.loseMemory("n1", 2);
        one.start("n1");
        assertThat(one.core("n1").memoryLost()).isFalse();
        one.elect("n1");
        assertThat(one.core("n1").commitIndex()).isEqualTo(3);
    }

    private static Configuration configuration() {
        return Configuration.of(List.of("n1", "n2", "n3"));
    }
}
