package io.elastickv.embedded.internal.raft.core;

/** Why a read got no read point. Nothing was changed by it: the caller may always try again. */
public enum ReadFailure {
    /** No leader is known. */
    NO_LEADER,
    /** The leader or the term changed before the read was confirmed. */
    LEADER_CHANGED,
    /** No confirmation within one election timeout. */
    TIMEOUT
}
