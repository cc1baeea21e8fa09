package io.elastickv.embedded.internal.raft.core;

/** What a member currently is (Ongaro, 3.3; the pre-candidate is from 9.6). */
public enum Role {
    /** Follows a leader, or waits for one. */
    FOLLOWER,
    /** Asks whether an election could be won, without disturbing anybody's term. */
    PRE_CANDIDATE,
    /** Stands for election in a new term. */
    CANDIDATE,
    /** Leads its term. */
    LEADER
}
