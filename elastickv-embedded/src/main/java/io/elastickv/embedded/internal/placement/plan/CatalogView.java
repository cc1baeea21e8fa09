package io.elastickv.embedded.internal.placement.plan;

import java.util.List;

/**
 * What the planner sees of the catalog: one moment of it. Its lists may be in any order; the plan does not depend on it.
 *
 * @param nodes the nodes that store data
 * @param shards the shards
 * @param running the operations that have not ended
 * @param settings the settings
 */
public record CatalogView(
        List<NodeState> nodes, List<ShardState> shards, List<RunningOperation> running, PlanSettings settings) {

    /** Copies the lists. */
    public CatalogView {
        nodes = List.copyOf(nodes);
        shards = List.copyOf(shards);
        running = List.copyOf(running);
    }
}
