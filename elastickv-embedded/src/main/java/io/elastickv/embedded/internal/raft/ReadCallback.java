package io.elastickv.embedded.internal.raft;

import org.jspecify.annotations.Nullable;

/** Told the outcome of a request for a linearizable read point, exactly once, on the group's loop. */
public interface ReadCallback {

    /**
     * The local state now contains everything acknowledged before the request.
     *
     * @param leaderWallMillis the leader's wall clock when it confirmed the read
     */
    void ready(long leaderWallMillis);

    /** The read point could not be confirmed. */
    void failed(ProposalCallback.Refusal reason, @Nullable String leaderHint);
}
