package io.elastickv.embedded.internal.raft.core;

import io.elastickv.embedded.internal.raft.core.RaftMessage.PreVoteRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.PreVoteResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.VoteRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.VoteResponse;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Who leads: campaigns, votes, and the changes of role (Ongaro, 3.4 and 9.6). */
final class Elections {

    /** Timeouts without a leader after which a learner with a longer log than the voters' may be what they lack. */
    private static final int LEARNERS_PATIENCE = 4;

    private final CoreState s;
    private final Follower follower;
    private final Leader leader;
    private final SnapshotNeed snapshotNeed;
    private final LostMemory lostMemory;
    /** Timeouts since a leader was heard of. */
    private int quietTimeouts;

    Elections(CoreState state, Follower follower, Leader leader, SnapshotNeed snapshotNeed, LostMemory lostMemory) {
        s = state;
        this.follower = follower;
        this.leader = leader;
        this.snapshotNeed = snapshotNeed;
        this.lostMemory = lostMemory;
    }

    void becomeFollower(long term, @Nullable String newLeader) {
        Role before = s.election.role();
        boolean newTerm = term > s.election.term();
        boolean otherLeader = !Objects.equals(newLeader, s.election.leader());
        if (newTerm) {
            s.election.enterTerm(term);
            s.out.setPersist(s.election.hardState());
        }
        if (newTerm || otherLeader) {
            s.reads.failAll(ReadFailure.LEADER_CHANGED, newLeader, s.out);
            forgetLeader();
        }
        leader.end();
        if (newLeader != null) {
            quietTimeouts = 0;
        }
        s.election.become(Role.FOLLOWER, newLeader);
        if (before != Role.FOLLOWER || (otherLeader && newLeader != null)) {
            s.election.restartTimerAnew(s.nowNanos);
        }
    }

    private void forgetLeader() {
        follower.forgetLeader();
        snapshotNeed.forgetLeader();
        lostMemory.forgetLeader();
    }

    /**
     * Whether this member may be elected: it votes, it has the state that its log goes on from, and it has what it once
     * acknowledged.
     */
    private boolean mayCampaign() {
        return (s.members.selfVotes() || isBeingRemoved() || isLastResort()) && !s.stateLost() && mayVote();
    }

    /**
     * Ongaro, 4.2.2: whether the configuration that takes this member out may still be undecided. It may be the only one to
     * have that entry, and then nobody else can be elected; it leads without counting itself until the entry is committed.
     */
    private boolean isBeingRemoved() {
        return s.configurations.latestIndex() > s.commitIndex
                && s.configurations.mayBeVoter(s.config.self(), s.commitIndex);
    }

    /**
     * A learner may have got entries from a leader that is gone for good, and that no voter has. If somebody has a
     * configuration in which it votes, which it has not heard of, its vote may be needed there, and it cannot give it to one
     * with a shorter log. So at last it campaigns itself: without its own vote, with those of the voters it knows, which is
     * all that Raft asks for (Ongaro, 4.2.2); when it has led far enough to have its log committed it hands over.
     */
    private boolean isLastResort() {
        return quietTimeouts > LEARNERS_PATIENCE && s.members.self() >= 0;
    }

    private boolean mayVote() {
        return !lostMemory.isLost() || s.rules.votesWithoutMemory();
    }

    /** Nothing was heard of a leader for too long. */
    void timerExpired() {
        quietTimeouts++;
        if (mayCampaign()) {
            startPreVote();
            return;
        }
        s.reads.failAll(ReadFailure.NO_LEADER, null, s.out);
        forgetLeader();
        s.election.become(Role.FOLLOWER, null);
        s.election.restartTimerAnew(s.nowNanos);
    }

    void campaign() {
        if (!s.election.isLeader() && mayCampaign()) {
            startPreVote();
        }
    }

    /** Ongaro, 9.6: ask first, so that a member that cannot win does not disturb the others with its term. */
    private void startPreVote() {
        s.reads.failAll(ReadFailure.NO_LEADER, null, s.out);
        forgetLeader();
        s.election.become(Role.PRE_CANDIDATE, null);
        s.election.restartTimerAnew(s.nowNanos);
        if (s.election.grantAndCount(s.config.self())) {
            startElection(false);
            return;
        }
        broadcast(new PreVoteRequest(s.election.term() + 1, s.log.lastIndex(), s.log.lastTerm()), false);
    }

    /** Ongaro, 3.4. Our own vote counts when it is durable, as everybody else's. */
    private void startElection(boolean leadershipTransfer) {
        s.reads.failAll(ReadFailure.NO_LEADER, null, s.out);
        forgetLeader();
        s.election.enterTerm(s.election.term() + 1);
        s.election.vote(s.config.self());
        s.election.become(Role.CANDIDATE, null);
        s.election.restartTimerAnew(s.nowNanos);
        s.out.setPersist(s.election.hardState());
        broadcast(new VoteRequest(s.election.term(), s.log.lastIndex(), s.log.lastTerm(), leadershipTransfer), true);
    }

    private void broadcast(RaftMessage message, boolean afterDurable) {
        for (int i = 0; i < s.members.voters(); i++) {
            if (i == s.members.self()) {
                continue;
            }
            if (afterDurable) {
                s.out.sendAfterDurable(s.members.name(i), message);
            } else {
                s.out.send(s.members.name(i), message);
            }
        }
    }

    /** A vote for us in this term is durable. */
    void countVote(String voter) {
        if (s.election.grantAndCount(voter)) {
            s.election.become(Role.LEADER, s.config.self());
            leader.begin();
        }
    }

    /** Ongaro, 4.2.3 and 6.2: who has a live leader, or is one, does not help to depose it. */
    boolean holdsOnToLeader() {
        if (s.election.isLeader()) {
            return true;
        }
        String current = s.election.leader();
        if (current == null) {
            return false;
        }
        int ordinal = s.members.ordinal(current); // unknown while this member has not heard of its own configuration
        return (ordinal < 0 || s.replication.peer(ordinal).reachable) && s.election.leaderHeardRecently(s.nowNanos);
    }

    /** Ongaro, 3.6.1. */
    private boolean upToDate(long lastIndex, long lastTerm) {
        return lastTerm > s.log.lastTerm() || (lastTerm == s.log.lastTerm() && lastIndex >= s.log.lastIndex());
    }

    void onPreVoteRequest(String from, PreVoteRequest m) {
        if (m.term() > s.election.term() && from.equals(s.election.leader())) {
            // Who asks for the term after ours has stopped leading ours; it has been restarted, most likely.
            becomeFollower(s.election.term(), null);
        }
        boolean granted = m.term() > s.election.term()
                && upToDate(m.lastIndex(), m.lastTerm())
                && !holdsOnToLeader()
                && mayVote();
        s.out.send(from, new PreVoteResponse(s.election.term(), m.term(), granted));
    }

    void onPreVoteResponse(String from, PreVoteResponse m) {
        if (s.election.role() == Role.PRE_CANDIDATE
                && m.granted()
                && m.campaignTerm() == s.election.term() + 1
                && s.election.grantAndCount(from)) {
            startElection(false);
        }
    }

    void onVoteRequest(String from, VoteRequest m) {
        if (m.term() < s.election.term()) {
            s.out.send(from, new VoteResponse(s.election.term(), false));
            return;
        }
        String votedFor = s.election.votedFor();
        boolean free = from.equals(votedFor) || (votedFor == null && s.election.leader() == null);
        boolean granted = free && upToDate(m.lastIndex(), m.lastTerm()) && mayVote();
        if (granted) {
            if (votedFor == null) {
                s.election.vote(from);
                s.out.setPersist(s.election.hardState());
            }
            s.election.restartTimer(s.nowNanos);
        }
        s.out.sendAfterDurable(from, new VoteResponse(s.election.term(), granted));
    }

    void onVoteResponse(String from, VoteResponse m) {
        if (s.election.role() == Role.CANDIDATE && m.term() == s.election.term() && m.granted()) {
            countVote(from);
        }
    }

    /** The leader hands over to us. */
    void onTimeoutNow() {
        if (mayCampaign()) {
            startElection(true);
        }
    }
}
