package io.elastickv.embedded.internal.raft.core;

import io.elastickv.embedded.internal.raft.core.RaftMessage.MemoryLost;
import io.elastickv.embedded.internal.raft.core.RaftMessage.RecoverUpTo;
import org.jspecify.annotations.Nullable;

/**
 * A member whose log may miss, at its end, entries that it has acknowledged: it must not vote, for with its vote somebody
 * could be elected who misses them too.
 *
 * <p>It asks its leader where the leader's log ends, with a number that no earlier request had, so the answer is from after
 * the loss. What the member ever acknowledged and what anybody counts on is at or before that index in the leader's log: it
 * was acknowledged to this leader, or to an earlier one and is committed, or will never be. When the member has all of it
 * on its disk again it is as good as before. Another leader is asked anew. Term and vote are never lost, so what it
 * acknowledges now is true.
 */
final class LostMemory {

    private final CoreState s;

    private boolean lost;
    private long context;
    private boolean asked;
    private boolean answered;
    private long recoverUpTo;
    private long askedAtNanos;
    private long matchedAtNanos;

    /**
     * Creates the state of one incarnation.
     *
     * @param firstContext random, see {@link MemoryLost}
     */
    LostMemory(CoreState state, boolean lost, long firstContext) {
        s = state;
        this.lost = lost;
        context = firstContext;
        giveUpIfAlone();
    }

    /** Nobody else knows anything: what is left is all there is. */
    private void giveUpIfAlone() {
        if (s.members.voters() == 1 && s.members.selfVotes()) {
            lost = false;
        }
    }

    boolean isLost() {
        return lost;
    }

    void forgetLeader() {
        asked = false;
        answered = false;
    }

    /** The leader has sent something that fits: it has a true idea of where we are. */
    void matched(long ackableIndex) {
        if (lost) {
            matchedAtNanos = s.nowNanos;
            recovered(ackableIndex);
        }
    }

    void onRecoverUpTo(RecoverUpTo m, long ackableIndex) {
        if (lost && m.context() == context && !answered) {
            answered = true;
            recoverUpTo = m.lastIndex();
            recovered(ackableIndex);
        }
    }

    /** More may be recovered than before. */
    void recovered(long ackableIndex) {
        if (lost && answered && ackableIndex >= recoverUpTo) {
            lost = false;
        }
    }

    void build(String leader) {
        if (dueInNanos(leader) <= 0) {
            asked = true;
            askedAtNanos = s.nowNanos;
            matchedAtNanos = s.nowNanos;
            context++;
            s.out.send(leader, new MemoryLost(s.election.term(), context));
        }
    }

    /** Nanoseconds until a request is to be sent, not positive if it is now; {@link Long#MAX_VALUE} for never. */
    long dueInNanos(@Nullable String leader) {
        if (!lost || leader == null) {
            return Long.MAX_VALUE;
        }
        if (!asked) {
            return 0;
        }
        // An acknowledgement of before the loss may have reached the leader after the request; then nothing it sends
        // fits any more, and it has to be asked again.
        return answered
                ? matchedAtNanos + s.config.electionTimeoutNanos() / 2 - s.nowNanos
                : askedAtNanos + s.config.heartbeatIntervalNanos() - s.nowNanos;
    }
}
