package io.elastickv.embedded.internal.placement.plan;

/**
 * A replica of a shard.
 *
 * @param node the name of its node
 * @param voter whether it votes; a learner otherwise
 * @param caughtUp whether it has all but the newest of what its leader has, so that it could lead without a pause
 */
public record ReplicaState(String node, boolean voter, boolean caughtUp) {

    /** A voter that has caught up. */
    public static ReplicaState voter(String node) {
        return new ReplicaState(node, true, true);
    }
}
