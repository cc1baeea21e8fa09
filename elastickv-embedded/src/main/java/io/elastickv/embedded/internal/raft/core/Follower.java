package io.elastickv.embedded.internal.raft.core;

import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.ReadIndexRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.ReadIndexResponse;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The follower's side of log replication (Ongaro, 3.5): stores what the leader sends, and acknowledges what is durable. All
 * it remembers is about the leader of this term.
 */
final class Follower {

    private final CoreState s;

    private long verifiedIndex;
    private long leaderCommitIndex;
    private long leaderRound;
    private long ackedIndex;
    private long ackedRound;
    private boolean ackPending;
    private boolean unanswered;
    private long unansweredSinceNanos;
    private @Nullable AppendResponse rejection;

    /** The entry before the log is that of a snapshot which this incarnation has installed. */
    private boolean baseIsInstalled;

    Follower(CoreState state) {
        s = state;
    }

    void forgetLeader() {
        verifiedIndex = 0;
        leaderRound = 0;
        ackedIndex = 0;
        ackedRound = 0;
        ackPending = false;
        unanswered = false;
        rejection = null;
    }

    /** Up to here our log is that of the leader. */
    long verifiedIndex() {
        return verifiedIndex;
    }

    /** What we may acknowledge: verified against this leader in this term, and durable, as is the term itself. */
    long ackableIndex() {
        return s.durableTerm < s.election.term() ? 0 : Math.min(verifiedIndex, s.log.durableIndex());
    }

    /** More may be durable than before. */
    void acknowledgeDurable() {
        if (ackableIndex() > ackedIndex) {
            ackPending = true;
            s.workPending = true;
        }
    }

    /**
     * Takes a message of the leader that this member follows.
     *
     * @return whether the log agreed with it
     */
    boolean append(AppendRequest m) {
        s.election.heardFromLeader(s.nowNanos);
        leaderRound = Math.max(leaderRound, m.round());
        s.workPending = true;
        if (!verifyPrefix(m) || !storeEntries(m)) {
            return false;
        }
        verifiedIndex = Math.max(verifiedIndex, m.prevIndex() + m.entries().size());
        leaderCommitIndex = Math.max(leaderCommitIndex, m.commitIndex());
        advanceCommit();
        // Entries are acknowledged when they are durable. Until then there is an answer only if it says anything else:
        // to a heartbeat, to a read round, or that we are alive although the disk takes its time.
        if (m.entries().isEmpty()
                || ackableIndex() >= m.prevIndex() + m.entries().size()
                || leaderRound > ackedRound
                || (unanswered && s.nowNanos - unansweredSinceNanos >= s.config.heartbeatIntervalNanos())) {
            ackPending = true;
        } else if (!unanswered) {
            unanswered = true;
            unansweredSinceNanos = s.nowNanos;
        }
        return true;
    }

    /** Whether our log agrees with the leader's at {@code prevIndex}, and so everywhere before (Ongaro, 3.5). */
    private boolean verifyPrefix(AppendRequest m) {
        long known = s.log.termAt(m.prevIndex());
        if (known == m.prevTerm() || (known == RaftLog.NO_TERM && m.prevIndex() < s.log.firstIndex())) {
            return true; // what a snapshot replaced was committed, and so agrees
        }
        if (contradictsCommitted(m.prevIndex(), m.prevTerm(), known)) {
            return false;
        }
        long hint = s.log.lastIndexNotAbove(Math.min(m.prevIndex() - 1, s.log.lastIndex()), m.prevTerm());
        rejection = new AppendResponse(
                s.election.term(),
                leaderRound,
                false,
                ackableIndex(),
                0,
                m.prevIndex(),
                hint,
                Math.max(0, s.log.termAt(hint)));
        return false;
    }

    /**
     * Stores what is missing; the tail goes only from the first proven conflict on (Ongaro, figure 3.1).
     *
     * @return false if the sender leads no more, which a snapshot of its successor's shows
     */
    private boolean storeEntries(AppendRequest m) {
        List<LogEntry> entries = m.entries();
        long previousTerm = m.prevTerm();
        for (int i = 0; i < entries.size(); i++) {
            LogEntry entry = entries.get(i);
            long index = m.prevIndex() + 1 + i;
            if (entry.index() != index || entry.term() < previousTerm || entry.term() > m.term()) {
                throw s.broken("entry " + entry + " cannot stand at index " + index + " after term " + previousTerm
                        + " in a message of term " + m.term());
            }
            previousTerm = entry.term();
            if (index <= s.log.lastIndex()) {
                long known = s.log.termAt(index);
                if (known == entry.term() || index < s.log.firstIndex() - 1) {
                    continue;
                }
                if (contradictsCommitted(index, entry.term(), known)) {
                    return false;
                }
                s.truncateFrom(index);
            }
            s.append(entry);
        }
        return true;
    }

    /**
     * Whether the leader has another entry than ours at a committed index. A leader of now cannot; but one that was
     * deposed without our knowledge can, if we have a snapshot from after that. It gets no answer.
     */
    private boolean contradictsCommitted(long index, long term, long ownTerm) {
        if (index > s.commitIndex) {
            return false;
        }
        if (baseIsInstalled && index == s.log.firstIndex() - 1) {
            return true;
        }
        throw s.broken("the leader has term " + term + " at committed index " + index + ", this member has " + ownTerm);
    }

    /** Ongaro, figure 3.1: the leader's commit index, but nothing that is not verified against this leader. */
    private void advanceCommit() {
        long index = s.rules.committable(leaderCommitIndex, verifiedIndex, s.log.lastIndex());
        if (index > s.commitIndex) {
            s.setCommitIndex(index);
        } else {
            s.log.evict(s.commitIndex);
        }
    }

    /** Takes the answer to a request for a read point. */
    void onReadIndexResponse(ReadIndexResponse m) {
        if (!s.reads.isCurrentRequest(m.context())) {
            return;
        }
        if (!m.accepted()) {
            s.reads.requestRefused(ReadFailure.LEADER_CHANGED, null, s.out);
        } else {
            s.reads.requestAnswered(m.index(), m.leaderWallMillis(), s.out);
            leaderCommitIndex = Math.max(leaderCommitIndex, m.index());
            advanceCommit();
        }
        s.workPending = true;
    }

    /** The log was compacted by the host: what stands before it is our own. */
    void compacted() {
        baseIsInstalled = false;
    }

    /**
     * A snapshot was installed. If a leader is known it counts as verified: whatever of it was committed by a later leader
     * than ours, our leader can no longer commit anything else in its place, since the voters that made its successor
     * acknowledge nothing to it.
     */
    void snapshotInstalled(long index, boolean leaderKnown) {
        baseIsInstalled = true;
        rejection = null;
        if (leaderKnown) {
            verifiedIndex = Math.max(index, Math.min(verifiedIndex, s.log.lastIndex()));
            ackPending = true;
        }
    }

    void buildMessages(String leader) {
        if (rejection != null) {
            if (rejection.rejectedIndex() > verifiedIndex) {
                s.out.send(leader, rejection);
            } // else what was missing came right after
            rejection = null;
        }
        if (ackPending) {
            ackPending = false;
            ackedIndex = ackableIndex();
            ackedRound = leaderRound;
            unanswered = false;
            s.out.send(
                    leader,
                    new AppendResponse(s.election.term(), leaderRound, true, ackedIndex, verifiedIndex, 0, 0, 0));
        }
        ReadIndexRequest request = s.reads.nextRequest(s.election.term(), s.nowNanos);
        if (request != null) {
            s.out.send(leader, request);
        }
    }
}
