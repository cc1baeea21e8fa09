package io.elastickv.embedded.internal.raft;

/** Told what becomes of a freeze, on the group's loop; must not block. */
public interface FreezeCallback {

    /**
     * The group stands still: everything in the log is applied, and nothing is added. Called at most once.
     *
     * @param token for {@link ReplicaGroup#thaw}
     * @param index of the last entry
     * @param term in which this replica leads
     */
    void frozen(long token, long index, long term);

    /**
     * The freeze has ended by itself: proposals go on. Called at most once, before {@link #frozen} or after it, but not
     * after the {@linkplain ReplicaGroup#thaw thaw}.
     */
    void broken(String reason);
}
