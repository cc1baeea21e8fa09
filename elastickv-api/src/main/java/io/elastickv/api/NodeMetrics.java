package io.elastickv.api;

/**
 * What a node has done with its disk since it was started, and what it does now. All numbers but {@code checkpointsRunning} only
 * grow; they are read one after the other, so they may differ by what happens meanwhile. All are zero on a storage-less node.
 *
 * @param logSyncs how often a file of the write-ahead log was synced
 * @param logCommits how many group commits were written to it, each one write and one sync
 * @param logRecords how many records they had; per commit it tells how well writes share syncs
 * @param logBytes how many bytes they had
 * @param checkpointsWritten checkpoints of shards that were completed
 * @param checkpointBytes the sizes of these; parts that had not changed and were used again count too
 * @param checkpointsFailed checkpoints that could not be written; the log keeps what they would have replaced
 * @param checkpointsRunning checkpoints being written now
 * @param snapshotsInstalled states of shards that were fetched from other nodes and installed
 * @param snapshotBytesInstalled the sizes of these
 * @param snapshotsServed states of shards that other nodes began to fetch from here
 * @param snapshotBytesServed how many bytes were sent for them
 */
public record NodeMetrics(
        long logSyncs,
        long logCommits,
        long logRecords,
        long logBytes,
        long checkpointsWritten,
        long checkpointBytes,
        long checkpointsFailed,
        int checkpointsRunning,
        long snapshotsInstalled,
        long snapshotBytesInstalled,
        long snapshotsServed,
        long snapshotBytesServed) {

    /** Of a node that has done nothing. */
    public static final NodeMetrics NONE = new NodeMetrics(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}
