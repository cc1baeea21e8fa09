package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.ReplicaState;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The replicas of a group, as its newest configuration known here says.
 *
 * @param replicas the replicas
 * @param leader the node that leads, null if none is known
 * @param version the version of the configuration
 * @param term the term of the leader
 */
public record Members(List<ReplicaState> replicas, @Nullable String leader, long version, long term) {

    /** Copies the list. */
    public Members {
        replicas = List.copyOf(replicas);
    }

    /** The replica on {@code node}, null if there is none. */
    public @Nullable ReplicaState on(String node) {
        for (ReplicaState replica : replicas) {
            if (replica.node().equals(node)) {
                return replica;
            }
        }
        return null;
    }

    /** The nodes with a replica. */
    public List<String> nodes() {
        return replicas.stream().map(ReplicaState::node).toList();
    }
}
