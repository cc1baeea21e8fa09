package io.elastickv.embedded.internal.raft.core;

/** A step from one {@link Configuration} to the next (Ongaro, 4.1): always about one member. */
public sealed interface MemberChange {

    /** The member it is about. */
    String member();

    /**
     * Lets a new member have the log, without a vote (Ongaro, 4.2.1).
     *
     * @param member a name that no member of the group has or had
     */
    record AddLearner(String member) implements MemberChange {}

    /**
     * Gives a learner that has caught up a vote.
     *
     * @param member the learner
     */
    record Promote(String member) implements MemberChange {}

    /**
     * Takes a member out, be it a voter, a learner or the leader itself.
     *
     * @param member the member
     */
    record Remove(String member) implements MemberChange {}
}
