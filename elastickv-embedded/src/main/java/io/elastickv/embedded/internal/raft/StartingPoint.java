package io.elastickv.embedded.internal.raft;

import io.elastickv.embedded.internal.raft.GroupSnapshots.Snapshot;
import java.util.List;

/**
 * What a replica starts from besides what its consensus core was told.
 *
 * @param appliedTerm the term of the last entry that the state machine contains; 0 if it contains none
 * @param snapshots the durable copies of the state, newest first; those from which the log goes on
 * @param bytesSinceNewest about how many bytes of log the state machine contains beyond the newest of them
 */
public record StartingPoint(long appliedTerm, List<Snapshot> snapshots, long bytesSinceNewest) {

    /** A replica that has never run. */
    public static final StartingPoint EMPTY = new StartingPoint(0, List.of(), 0);

    public StartingPoint {
        snapshots = List.copyOf(snapshots);
    }
}
