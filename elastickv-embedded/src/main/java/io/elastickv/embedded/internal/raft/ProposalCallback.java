package io.elastickv.embedded.internal.raft;

import org.jspecify.annotations.Nullable;

/** Told the outcome of a proposal, exactly once, on the group's loop. */
public interface ProposalCallback {

    /** The command was committed and applied, with this result. */
    void applied(Object result);

    /**
     * The command was not put into the log and never will be.
     *
     * @param reason why
     * @param leaderHint who may be the leader
     */
    void notProposed(Refusal reason, @Nullable String leaderHint);

    /** The command is in the log of this node but whether it will be committed is not known. */
    void unknown();

    /** Why a proposal or a read was refused. */
    enum Refusal {
        /** This replica does not lead. */
        NOT_LEADER,
        /** Too much is waiting to be committed, or the leadership is being handed over: try again soon. */
        OVERLOADED,
        /** The replica has failed or is closed. */
        FAILED
    }
}
