package io.elastickv.embedded.internal.placement;

import io.elastickv.api.ClusterLoads;
import io.elastickv.api.HotKeyInfo;
import io.elastickv.api.NodeLoadInfo;
import io.elastickv.api.ShardLoadInfo;
import io.elastickv.embedded.internal.placement.plan.HotKey;
import io.elastickv.embedded.internal.placement.plan.NodeState;
import io.elastickv.embedded.internal.placement.plan.RelievedKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/** A {@link LoadBook} as applications see it. */
public final class LoadInfos {

    private LoadInfos() {}

    /**
     * The loads of the catalog's shards and of the nodes that report.
     *
     * @param nowMillis by the clock that the book goes by
     * @param asOf for the answer
     */
    public static ClusterLoads of(LoadBook book, CatalogState catalog, long nowMillis, Instant asOf) {
        SortedMap<Integer, ShardFigures> shards = book.shards(nowMillis);
        List<ShardLoadInfo> shardInfos = new ArrayList<>();
        catalog.shards().values().stream()
                .sorted(Comparator.comparingInt(shard -> shard.slots().first()))
                .forEach(shard -> shardInfos.add(of(shard, shards.get(shard.id()))));
        return new ClusterLoads(asOf, nodes(book.nodes(nowMillis), catalog), shardInfos);
    }

    private static ShardLoadInfo of(CatalogShard shard, @Nullable ShardFigures figures) {
        if (figures == null) {
            return new ShardLoadInfo(
                    shard.id(), List.of(shard.slots()), Optional.empty(), 0, 0, 0, 0, 0, 0, 0, List.of());
        }
        return new ShardLoadInfo(
                shard.id(),
                List.of(shard.slots()),
                Optional.ofNullable(figures.leader()),
                figures.readsPerSecond(),
                figures.writesPerSecond(),
                figures.bytesPerSecond(),
                figures.applyNanosPerSecond() / 1e9,
                figures.steadyOpsPerSecond(),
                figures.entries(),
                figures.sizeBytes(),
                keys(shard, figures.hotKeys()));
    }

    private static List<HotKeyInfo> keys(CatalogShard shard, List<HotKey> hot) {
        List<HotKeyInfo> keys = new ArrayList<>();
        for (HotKey key : hot) {
            boolean relieved = shard.relieved().contains(new RelievedKey(key.slot(), key.key()));
            keys.add(new HotKeyInfo(key.slot(), key.key(), key.shareOfSlot(), relieved));
        }
        for (RelievedKey key : shard.relieved()) {
            if (keys.stream().noneMatch(each -> each.key().equals(key.key()))) {
                keys.add(new HotKeyInfo(key.slot(), key.key(), 0, true));
            }
        }
        return keys;
    }

    private static List<NodeLoadInfo> nodes(Map<String, NodeFigures> nodes, CatalogState catalog) {
        double sum = 0;
        int active = 0;
        for (NodeFigures node : nodes.values()) {
            CatalogNode known = catalog.nodes().get(node.node());
            if (known == null || known.lifecycle() == NodeState.Lifecycle.ACTIVE) {
                active++;
                sum += node.cost();
            }
        }
        double mean = active == 0 ? 0 : sum / active;
        return nodes.values().stream()
                .map(node -> new NodeLoadInfo(
                        node.node(),
                        node.readsPerSecond(),
                        node.writesPerSecond(),
                        node.bytesPerSecond(),
                        mean > 0 ? node.cost() / mean : 0,
                        node.leaders(),
                        node.replicas(),
                        node.storedBytes(),
                        node.freeBytes()))
                .toList();
    }
}
