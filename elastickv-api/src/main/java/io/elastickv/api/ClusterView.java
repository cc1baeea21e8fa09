package io.elastickv.api;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The cluster as one node sees it. Methods that do not say otherwise answer from local knowledge, at once, and may be a
 * moment behind. Thread-safe.
 */
public interface ClusterView {

    /** The identity of the cluster, given at its formation: 32 hexadecimal digits; empty until then. */
    String clusterId();

    /** The name of the node that answers. */
    String localNode();

    /** All members and the storage-less nodes connected now, ordered by name. */
    List<NodeInfo> nodes();

    /** All shards, ordered by their first slot; empty until the cluster has formed. */
    List<ShardInfo> shards();

    /**
     * The shard that owns {@code slot}.
     *
     * @throws UnavailableException if the cluster has not formed yet
     */
    ShardInfo shardOfSlot(int slot);

    /** Where {@code key} lives: slot, shard, leader, epoch. */
    default KeyLocation explain(Bytes key) {
        int slot = KeySlot.of(key);
        ShardInfo shard = shardOfSlot(slot);
        return new KeyLocation(slot, shard.id(), shard.leader(), shard.epoch());
    }

    /**
     * How far each replica of a shard is, asked of the shard's leader; blocks for at most {@code timeout}.
     *
     * @throws UnavailableException if the leader does not answer in time
     */
    List<ReplicaInfo> replication(int shardId, Duration timeout);

    /**
     * Hands the leadership of a shard to the replica on {@code node}; blocks for at most {@code timeout}.
     *
     * @throws UnavailableException if it did not happen in time; the old leader goes on
     * @throws InvalidRequestException if there is no such shard, or no voter of it on {@code node}
     */
    void transferLeadership(int shardId, String node, Duration timeout);

    /**
     * Adds a replica of a shard on {@code node}: it is made there, gets the data while the shard goes on serving, and then
     * votes. Blocks for at most {@code timeout}. What has begun when the time is up goes on; calling again waits for it.
     *
     * @throws InvalidRequestException if there is no such shard, no such node that stores data, or a replica there already
     * @throws UnavailableException if it is not complete in time; the message says what is missing
     */
    void addReplica(int shardId, String node, Duration timeout);

    /**
     * Takes the replica on {@code node}, be it the leader's, out of a shard; the node deletes its data soon after. The
     * shard keeps serving. Blocks for at most {@code timeout}; what has begun when the time is up may still happen.
     *
     * @throws InvalidRequestException if there is no such shard, no replica on {@code node}, or no other one
     * @throws UnavailableException if it is not done in time, such as because the remaining replicas would be no connected
     *     majority; the message says so
     */
    void removeReplica(int shardId, String node, Duration timeout);

    /**
     * Attaches a named text to this node that all nodes see in {@link NodeInfo#attributes()} within about a second, such
     * as the address of an adapter. It is gone with the process. Name and value have at most 256 characters.
     */
    void setAttribute(String name, String value);

    /** The attribute of a node, if the node is connected and has it. */
    default Optional<String> attribute(String node, String name) {
        for (NodeInfo info : nodes()) {
            if (info.name().equals(node)) {
                return Optional.ofNullable(info.attributes().get(name));
            }
        }
        return Optional.empty();
    }

    /**
     * Adds a listener; it is called on the node's callback executor, one event at a time. If the node has failed already,
     * it is told so.
     */
    void addListener(ClusterEvents listener);

    /** Removes a listener. */
    void removeListener(ClusterEvents listener);
}
