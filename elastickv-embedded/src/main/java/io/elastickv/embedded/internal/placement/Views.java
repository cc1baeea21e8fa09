package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.Automation;
import io.elastickv.embedded.internal.placement.plan.CatalogView;
import io.elastickv.embedded.internal.placement.plan.NodeState;
import io.elastickv.embedded.internal.placement.plan.Operation;
import io.elastickv.embedded.internal.placement.plan.PlanSettings;
import io.elastickv.embedded.internal.placement.plan.RunningOperation;
import io.elastickv.embedded.internal.placement.plan.ShardState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the planner is shown: the catalog with what is seen; one view of the shards, and one of the catalog's own group. */
final class Views {

    private final Scene scene;
    private final Map<Integer, Long> sizes;
    private final List<NodeState> nodes = new ArrayList<>();

    Views(Scene scene, Map<Integer, Long> sizes) {
        this.scene = scene;
        this.sizes = sizes;
        for (CatalogNode node : scene.catalog().nodes().values()) {
            nodes.add(state(node, scene.nodes().get(node.name())));
        }
    }

    private NodeState state(CatalogNode node, @Nullable NodeSight seen) {
        boolean up = seen != null && seen.up();
        return new NodeState(
                node.name(),
                node.zone(),
                node.lifecycle(),
                up ? NodeState.Liveness.UP : NodeState.Liveness.DOWN,
                seen == null ? Math.max(node.sinceMillis(), scene.sinceMillis()) : seen.sinceMillis(),
                seen == null ? Long.MAX_VALUE : seen.freeBytes(),
                node.refusedMillis());
    }

    /** The shards. */
    CatalogView shards() {
        List<ShardState> shards = new ArrayList<>();
        for (CatalogShard shard : scene.catalog().shards().values()) {
            shards.add(state(shard));
        }
        return new CatalogView(nodes, shards, running(false), settings());
    }

    /** The catalog's own group, which is repaired and nothing else. */
    CatalogView self() {
        long staying = nodes.stream()
                .filter(node -> node.lifecycle() == NodeState.Lifecycle.ACTIVE && !isLost(node))
                .count();
        PlanSettings settings = settings();
        return new CatalogView(
                nodes,
                List.of(state(scene.catalog().self())),
                running(true),
                settings.withReplicationFactor(Math.max(1, Catalog.replicas((int) staying)))
                        .with(settings.automation() == Automation.ALL ? Automation.REPAIRS : settings.automation()));
    }

    /** Whether the node has been down beyond the grace period. */
    boolean isLost(NodeState node) {
        return node.liveness() == NodeState.Liveness.DOWN
                && scene.now() - node.livenessSinceMillis()
                        >= scene.settings().planning().graceMillis();
    }

    List<NodeState> nodes() {
        return nodes;
    }

    private PlanSettings settings() {
        CatalogSettings decided = scene.catalog().settings();
        PlanSettings base = scene.settings().planning();
        PlanSettings.Merging merging = base.merging();
        return base.with(decided.automation())
                .withReplicationFactor(decided.replicationFactor())
                .with(new PlanSettings.Merging(
                        merging.coldMillis(), merging.coldOpsPerSecond(), merging.maxBytes(), decided.minShards()));
    }

    private ShardState state(CatalogShard shard) {
        Members known = scene.members().get(shard.id());
        return new ShardState(
                shard.id(),
                shard.epoch(),
                List.of(shard.slots()),
                known == null ? List.of() : known.replicas(),
                known == null ? null : known.leader(),
                shard.preferredLeader(),
                sizes.getOrDefault(shard.id(), 0L),
                shard.relieved(),
                shard.stamps());
    }

    private List<RunningOperation> running(boolean ofTheCatalog) {
        List<RunningOperation> running = new ArrayList<>();
        for (CatalogOperation operation : scene.catalog().running().values()) {
            boolean its = operation.operation() instanceof Operation.OfShard of && of.shard() == Catalog.GROUP;
            if (its == ofTheCatalog || !(operation.operation() instanceof Operation.OfShard)) {
                running.add(operation.toRunning());
            }
        }
        return running;
    }
}
