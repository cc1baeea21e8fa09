package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.NodeState;
import io.elastickv.embedded.internal.placement.plan.ReplicaState;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What steps are decided from: one revision of the catalog, one moment of what is seen, and what can be done.
 *
 * @param sinceMillis since when there is somebody who looks: a node that was never heard is missed since then
 * @param now in milliseconds since 1970
 */
record Scene(
        CatalogState catalog,
        Map<Integer, Members> members,
        Map<String, NodeSight> nodes,
        Actions actions,
        DriverSettings settings,
        long sinceMillis,
        long now) {

    boolean isUp(String node) {
        NodeSight seen = nodes.get(node);
        return seen != null && seen.up();
    }

    /** Whether the node may be given something: it is up and meant to stay. */
    boolean isActive(String node) {
        CatalogNode known = catalog.nodes().get(node);
        return known != null && known.lifecycle() == NodeState.Lifecycle.ACTIVE && isUp(node);
    }

    /** Who leads a group, as far as it is seen. */
    @Nullable
    String leaderOf(int group) {
        Members known = members.get(group);
        return known == null ? null : known.leader();
    }

    @Nullable
    ReplicaState replica(int group, String node) {
        Members known = members.get(group);
        return known == null ? null : known.on(node);
    }

    /** Who could lead instead of {@code node}: the one that is preferred, or else the first by name. */
    @Nullable
    String heir(int group, String node) {
        CatalogShard shard = catalog.group(group);
        Members known = members.get(group);
        String best = null;
        for (ReplicaState replica : known == null ? List.<ReplicaState>of() : known.replicas()) {
            String other = replica.node();
            if (!other.equals(node) && replica.voter() && replica.caughtUp() && isUp(other)) {
                if (shard != null && other.equals(shard.preferredLeader())) {
                    return other;
                }
                best = best == null || other.compareTo(best) < 0 ? other : best;
            }
        }
        return best;
    }

    /** Why it cannot be said that the node has no replica; null if it can. */
    @Nullable
    String whyNotEmpty(String node) {
        Set<Integer> groups = new TreeSet<>(catalog.shards().keySet());
        groups.add(Catalog.GROUP);
        groups.addAll(members.keySet());
        groups.removeAll(catalog.graves().keySet());
        for (int group : groups) {
            Members known = members.get(group);
            if (known == null || (known.leader() == null && !known.replicas().isEmpty())) {
                return "nothing certain is known of the replicas of " + Words.group(group);
            }
            if (known.on(node) != null) {
                return "it has a replica of " + Words.group(group);
            }
        }
        return null;
    }
}
