package io.elastickv.embedded.internal.raft;

import org.jspecify.annotations.Nullable;

/**
 * Holds a group's proposals back for a bounded time, so that its leader can be seen standing still together with those of
 * other groups. Proposals wait meanwhile, they do not fail; reads go on. On the group's loop.
 *
 * <p>A freeze ends with {@link #thaw}; by itself when its time is up, when the leadership is lost, and when the replica
 * ends. So whoever asked for it may die.
 */
final class ProposalFreeze {

    private @Nullable FreezeCallback callback;
    private long token;
    private long deadlineNanos;
    private boolean settled;

    /** Whether proposals are to wait. */
    boolean holds(long nowNanos) {
        if (callback != null && nowNanos - deadlineNanos >= 0) {
            breakUp(settled ? "its time is up" : "the log did not come to rest in time");
        }
        return callback != null;
    }

    /** Begins; refused while another one lasts. */
    void begin(boolean leads, long nowNanos, long maxNanos, FreezeCallback told) {
        if (!leads) {
            told.broken("the replica does not lead");
        } else if (holds(nowNanos)) {
            told.broken("the group is frozen already");
        } else {
            callback = told;
            token++;
            deadlineNanos = nowNanos + maxNanos;
            settled = false;
        }
    }

    /** To be told after each round of applying how far the log and the state machine are. */
    void settle(long nowNanos, long lastIndex, long appliedIndex, long term) {
        if (callback != null && !settled && appliedIndex == lastIndex && holds(nowNanos)) {
            settled = true;
            callback.frozen(token, lastIndex, term);
        }
    }

    /**
     * Ends the freeze.
     *
     * @return whether it lasted until now
     */
    boolean thaw(long whichToken, long nowNanos) {
        if (!holds(nowNanos) || whichToken != token) {
            return false;
        }
        callback = null;
        return settled;
    }

    /** It cannot go on. */
    void breakUp(String reason) {
        FreezeCallback told = callback;
        callback = null;
        if (told != null) {
            told.broken(reason);
        }
    }
}
