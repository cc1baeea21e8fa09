package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.Automation;

/** What the leader of the catalog is asked to do to the placement. */
public sealed interface Request {

    /**
     * A node wants to become a member. Asked again by a member, it says where that is now.
     *
     * @param name its name
     * @param host the host that others use
     * @param port the port that others use
     * @param nodeId the identity of its data directory
     * @param zone what fails together with it; empty if nothing is said
     */
    record Join(String name, String host, int port, String nodeId, String zone) implements Request {}

    /** A node shall give all it has away and leave. */
    record Drain(String node) implements Request {}

    /** It shall stay after all. */
    record Stay(String node) implements Request {}

    /** Each shard shall have so many replicas. */
    record SetReplicationFactor(int replicas) implements Request {}

    /** So much shall be done without being asked. */
    record SetAutomation(Automation automation) implements Request {}

    /** A shard's slots from {@code firstSlot} on shall be a shard of their own. */
    record Split(int shard, int firstSlot) implements Request {}

    /** A shard shall take in the one whose slots follow its own. */
    record Merge(int left) implements Request {}

    /** A shard shall have a replica on a node. */
    record Add(int shard, String node) implements Request {}

    /** A shard shall have none on a node. */
    record Remove(int shard, String node) implements Request {}

    /** A replica shall move. */
    record Move(int shard, String from, String to) implements Request {}

    /** Another node shall lead a shard, and be preferred for that from now on. */
    record Transfer(int shard, String to) implements Request {}

    /** An operation shall be undone. */
    record Abandon(long operation) implements Request {}
}
