package io.elastickv.api;

import org.jspecify.annotations.Nullable;

/**
 * Told what happens in the cluster, as the local node sees it. Called on the node's callback executor, one event at a
 * time; an exception is logged and otherwise ignored.
 */
public interface ClusterEvents {

    /**
     * A shard has another leader, or none.
     *
     * @param shard the shard
     * @param term the Raft term
     * @param leader the node that leads now; null if none is known
     */
    default void leaderChanged(int shard, long term, @Nullable String leader) {}

    /** A node became reachable. */
    default void nodeJoined(String node) {}

    /** A node is not reachable any more. */
    default void nodeLeft(String node) {}

    /** A shard serves, lacks a leader, or its local replica failed. */
    default void shardStateChanged(int shard, ShardInfo.State state) {}

    /** Something is being done to the placement: what, and why. Told on every node, from the catalog. */
    default void operationStarted(OperationInfo operation) {}

    /** It has ended; {@link OperationInfo#outcome} says how. */
    default void operationEnded(OperationInfo operation) {}

    /**
     * The local node has stopped serving for good, for example because its disk failed. Close it.
     *
     * @param reason what happened and what to do
     */
    default void nodeFailed(String reason) {}
}
