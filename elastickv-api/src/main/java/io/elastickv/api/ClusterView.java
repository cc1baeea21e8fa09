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
     * What nodes and shards have to do, asked of the leader of the catalog, to which all nodes report each second; blocks for
     * at most {@code timeout}.
     *
     * @throws UnavailableException if it does not answer in time
     */
    ClusterLoads loads(Duration timeout);

    /**
     * The operations per second of each slot, reads and writes, as means over about three seconds; asked like {@link
     * #loads}.
     *
     * @return one figure per slot, {@link KeySlot#COUNT} in all; the array is the caller's
     * @throws UnavailableException if there is no answer in time
     */
    double[] slotLoads(Duration timeout);

    /** The operations that are running and the newest ones that have ended, up to 200; in the order of their numbers. */
    List<OperationInfo> operations();

    /**
     * What would be done to the placement now, and why; changes nothing. Asked of the leader of the catalog; blocks for at
     * most {@code timeout}.
     *
     * @throws UnavailableException if it does not answer in time
     */
    PlanInfo plan(Duration timeout);

    /** How much is done to the placement without being asked. */
    Automation automation();

    /**
     * Changes how much is done to the placement without being asked; what has begun is brought to its end all the same. Blocks
     * for at most {@code timeout}.
     *
     * @throws UnavailableException if it is not in effect in time; it may still come into effect
     */
    void setAutomation(Automation automation, Duration timeout);

    /** How many replicas each shard should have; it has fewer while there are fewer nodes. 0 until the cluster has formed. */
    int replicationFactor();

    /**
     * Changes how many replicas each shard should have. Replicas are added or removed in the background, within the budgets;
     * {@link #operations} shows it. Blocks for at most {@code timeout}.
     *
     * @throws InvalidRequestException if {@code replicas} is less than 1 or more than 7
     * @throws UnavailableException if it is not in effect in time; it may still come into effect
     */
    void setReplicationFactor(int replicas, Duration timeout);

    /**
     * Lets a node give away all its leaderships and then its replicas, so that it can leave without any request failing, and
     * waits until it has none; blocks for at most {@code timeout}. What has begun when the time is up goes on; calling again
     * waits for it.
     *
     * @throws InvalidRequestException if there is no such node that stores data, or too few others to take its replicas
     * @throws UnavailableException if it is not empty in time; the message says what is left
     */
    void drainNode(String node, Duration timeout);

    /**
     * Splits a shard in place: a new one gets its slots from {@code firstSlot} on, on the same nodes. Blocks for at most {@code
     * timeout}; what has begun when the time is up goes on.
     *
     * @return the number of the new shard
     * @throws InvalidRequestException if there is no such shard, or {@code firstSlot} is not one of its slots but the first
     * @throws UnavailableException if it is not done in time
     */
    int splitShard(int shardId, int firstSlot, Duration timeout);

    /**
     * Merges a shard with the one whose slots follow its own, which ceases to be. Blocks for at most {@code timeout}; what has
     * begun when the time is up goes on.
     *
     * @throws InvalidRequestException if there is no such shard, or none that follows it
     * @throws UnavailableException if it is not done in time
     */
    void mergeShards(int leftShardId, Duration timeout);

    /**
     * Moves a replica, leader or not, from one node to another while the shard goes on serving. Blocks for at most {@code
     * timeout}; what has begun when the time is up goes on.
     *
     * @throws InvalidRequestException if there is no such shard, no replica of it on {@code from}, one on {@code to}
     *     already, or no such node that stores data
     * @throws UnavailableException if it is not done in time; the message says what is missing
     */
    void moveReplica(int shardId, String from, String to, Duration timeout);

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
