package io.elastickv.embedded.internal.raft.core;

import org.jspecify.annotations.Nullable;

/**
 * What must be durable before it is used: the latest term seen and the vote given in it (Ongaro, figure 3.1). One
 * record, so that no crash separates the two; the term never goes down.
 *
 * @param term latest term this member has seen, 0 before the first
 * @param votedFor name of the member voted for in this term, or null
 */
public record HardState(long term, @Nullable String votedFor) {

    /** The state of a member that has never run. */
    public static final HardState INITIAL = new HardState(0, null);

    /** Rejects a negative term. */
    public HardState {
        if (term < 0) {
            throw new IllegalArgumentException("term " + term + " is negative");
        }
    }
}
