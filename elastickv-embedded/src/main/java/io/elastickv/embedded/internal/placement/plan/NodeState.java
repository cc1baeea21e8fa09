package io.elastickv.embedded.internal.placement.plan;

import java.util.Objects;

/**
 * A node that stores data, as the catalog has it.
 *
 * @param name its name
 * @param zone what fails together with it; nodes without zones all have the same, for example the empty one
 * @param lifecycle what is meant to become of it
 * @param liveness whether it is heard
 * @param livenessSinceMillis since when it is as {@code liveness} says
 * @param freeBytes how much more it can store, {@link Long#MAX_VALUE} if unknown
 * @param refusedMillis when an operation last failed because of it as the target, {@link ShardStamps#NEVER} if never:
 *     for a while it is no target then, so that the planner does not choose it over and over
 */
public record NodeState(
        String name,
        String zone,
        Lifecycle lifecycle,
        Liveness liveness,
        long livenessSinceMillis,
        long freeBytes,
        long refusedMillis) {

    /** What is meant to become of a node. */
    public enum Lifecycle {
        /** It is known, and not ready for replicas yet. */
        JOINING,
        /** It has replicas. */
        ACTIVE,
        /** It gives its replicas away, to leave. */
        DRAINING
    }

    /** Whether a node is heard. */
    public enum Liveness {
        /** It is. */
        UP,
        /** Not for a moment: nothing is done to it, and nothing is given to it. */
        SUSPECT,
        /** It is not. Beyond the grace period its replicas are replaced. */
        DOWN
    }

    /** Checks that nothing is missing. */
    public NodeState {
        Objects.requireNonNull(name);
        Objects.requireNonNull(zone);
        Objects.requireNonNull(lifecycle);
        Objects.requireNonNull(liveness);
    }

    /** An active node that is up, with unknown free space. */
    public static NodeState active(String name, String zone) {
        return new NodeState(name, zone, Lifecycle.ACTIVE, Liveness.UP, 0, Long.MAX_VALUE, ShardStamps.NEVER);
    }

    /** With another lifecycle. */
    public NodeState with(Lifecycle other) {
        return new NodeState(name, zone, other, liveness, livenessSinceMillis, freeBytes, refusedMillis);
    }

    /** With another liveness, since {@code sinceMillis}. */
    public NodeState with(Liveness other, long sinceMillis) {
        return new NodeState(name, zone, lifecycle, other, sinceMillis, freeBytes, refusedMillis);
    }
}
