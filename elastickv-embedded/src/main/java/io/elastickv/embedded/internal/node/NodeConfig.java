package io.elastickv.embedded.internal.node;

import io.elastickv.api.NodeProvisioner;
import io.elastickv.api.ScalingPolicy;
import io.elastickv.embedded.Durability;
import io.elastickv.embedded.StorageEngine;
import io.elastickv.embedded.internal.transport.LinkFilter;
import io.elastickv.embedded.internal.transport.PeerAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a node is started with: the builder's fields, checked.
 *
 * @param name the node's name
 * @param address where other nodes reach it
 * @param seeds the initial members, or where to find the cluster; empty for a cluster of one
 * @param join addresses of members of the cluster that the node joins, if it is no initial member
 * @param zone what fails together with it; empty if nothing is said about that
 * @param dataDirectory where it keeps its data; null if it is storage-less
 * @param shards how many shards a cluster formed by this node has
 * @param replicationFactor how many replicas each shard has
 * @param durability what an acknowledgement waits for
 * @param storage where values are kept in memory
 * @param requestTimeout how long an operation may last
 * @param electionTimeout after how long without a leader an election starts
 * @param eventLoops how many event loops
 * @param maxOperations how many operations of this node's callers may be under way
 * @param maxOperationBytes how many bytes they may hold
 * @param callbackExecutor completes futures and calls listeners; null for one of the node's own
 * @param acceptMemoryLoss whether to go on although acknowledged writes may be lost with the machine's memory
 * @param segmentBytes the size of the log's files
 * @param checkpoints when checkpoints are made
 * @param snapshotBytesPerSecond how much it reads of its checkpoints for other nodes
 * @param graceMillis after how long of silence a node's replicas are replaced, in milliseconds
 * @param drives whether the node drives the placement when it leads the catalog: for tests that place replicas themselves
 * @param scaling who adds and removes nodes, and when; null if nobody does
 * @param linkFilter what may pass the network: for tests
 * @param wallMillis the wall clock
 */
public record NodeConfig(
        String name,
        PeerAddress address,
        List<PeerAddress> seeds,
        List<PeerAddress> join,
        String zone,
        @Nullable Path dataDirectory,
        int shards,
        int replicationFactor,
        Durability durability,
        StorageEngine storage,
        Duration requestTimeout,
        Duration electionTimeout,
        int eventLoops,
        int maxOperations,
        long maxOperationBytes,
        @Nullable Executor callbackExecutor,
        boolean acceptMemoryLoss,
        long segmentBytes,
        CheckpointPolicy checkpoints,
        long snapshotBytesPerSecond,
        long graceMillis,
        boolean drives,
        @Nullable Scaling scaling,
        LinkFilter linkFilter,
        LongSupplier wallMillis) {

    /** 96 MiB: a tenth of a gigabit network, a tenth of what a disk or its cache gives. */
    public static final long DEFAULT_SNAPSHOT_BYTES_PER_SECOND = 96L << 20;

    /** When nodes are added and removed, and by whom. */
    public record Scaling(ScalingPolicy policy, NodeProvisioner provisioner) {}

    /** Whether the node keeps no data. */
    public boolean storageless() {
        return dataDirectory == null;
    }
}
