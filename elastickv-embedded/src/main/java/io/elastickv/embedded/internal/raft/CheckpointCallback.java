package io.elastickv.embedded.internal.raft;

/** Told the end of a checkpoint, exactly once, on the group's loop unless the loop has ended. */
public interface CheckpointCallback {

    /** A durable copy of the state was made. */
    void saved(GroupSnapshots.Snapshot snapshot);

    /** None was made; the replica goes on as before. */
    void failed(Throwable cause);
}
