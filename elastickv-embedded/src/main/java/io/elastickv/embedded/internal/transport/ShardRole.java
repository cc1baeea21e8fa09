package io.elastickv.embedded.internal.transport;

/** The role of a replica in its group. */
public enum ShardRole {
    /** Decides the order of the group's entries. */
    LEADER,
    /** Follows, and votes. Candidates count as followers here. */
    FOLLOWER,
    /** Receives the log without a vote. */
    LEARNER
}
