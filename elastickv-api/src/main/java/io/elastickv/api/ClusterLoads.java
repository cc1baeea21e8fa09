package io.elastickv.api;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The loads of all shards and nodes, about as of one moment.
 *
 * @param asOf that moment, by the clock of the node that collected them
 * @param nodes of the nodes that store data and report, ordered by name. A node that fell silent is missing
 * @param shards of all shards, ordered by their first slot; one of which nothing is known has no load
 */
public record ClusterLoads(Instant asOf, List<NodeLoadInfo> nodes, List<ShardLoadInfo> shards) {

    /** Copies the lists. */
    public ClusterLoads {
        Objects.requireNonNull(asOf);
        nodes = List.copyOf(nodes);
        shards = List.copyOf(shards);
    }

    /** The load of a shard, if there is such a shard. */
    public Optional<ShardLoadInfo> shard(int id) {
        return shards.stream().filter(shard -> shard.shard() == id).findFirst();
    }

    /** The load of a node, if it reports. */
    public Optional<NodeLoadInfo> node(String name) {
        return nodes.stream().filter(node -> node.node().equals(name)).findFirst();
    }
}
