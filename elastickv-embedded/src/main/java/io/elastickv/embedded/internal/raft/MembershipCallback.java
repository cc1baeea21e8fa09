package io.elastickv.embedded.internal.raft;

/** Told the outcome of a change of a group's members, exactly once, on the group's loop. */
public interface MembershipCallback {

    /** The change is committed. */
    void committed();

    /** The change is not in the log and never will be, for this reason: this replica may not lead, for one. */
    void refused(String reason);

    /** The change is in the log of this node, but whether it will be committed is up to the next leader. */
    void unknown();
}
