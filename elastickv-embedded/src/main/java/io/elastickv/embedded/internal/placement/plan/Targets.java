package io.elastickv.embedded.internal.placement.plan;

import org.jspecify.annotations.Nullable;

/** Which node gets a replica that has to go somewhere: first by zone, then the one with the least to do. */
final class Targets {

    private final Round round;
    private final NodeTable nodes;
    private final ShardTable shards;
    private final double meanReplicas;
    private int chosen;

    Targets(Round round) {
        this.round = round;
        this.nodes = round.nodes;
        this.shards = round.shards;
        this.meanReplicas = Math.max(1e-9, nodes.mean(nodes.replicas));
    }

    /**
     * Chooses; see {@link #chosen()} for the result.
     *
     * @param leaving the node whose replica will be removed, or {@link NodeTable#UNKNOWN}
     * @return why none can be chosen now, null if one was
     */
    @Nullable
    String choose(int shard, int leaving) {
        long size = shards.state(shard).sizeBytes();
        String refusal = round.ledger.refusesMove(size);
        if (refusal != null) {
            return refusal;
        }
        if (!round.ledger.roomOutOf(shards.leader[shard])) {
            return "budget: its leader's node serves as many states as it may";
        }
        int bestZone = Integer.MAX_VALUE;
        for (int n = 0; n < nodes.size; n++) {
            if (fits(shard, n, size)) {
                bestZone = Math.min(bestZone, inZone(shard, nodes.zone[n], leaving));
            }
        }
        if (bestZone == Integer.MAX_VALUE) {
            return "no other node can take a replica: " + nodes.activeCount + " of " + nodes.size
                    + " nodes are active, the replication factor is " + round.settings.replicationFactor();
        }
        int best = -1;
        double least = Double.MAX_VALUE;
        for (int n = 0; n < nodes.size; n++) {
            if (round.ledger.roomInto(n) && fits(shard, n, size) && inZone(shard, nodes.zone[n], leaving) == bestZone) {
                double fill = fill(n);
                if (fill < least) {
                    least = fill;
                    best = n;
                }
            }
        }
        if (best < 0) {
            return "budget: all nodes that could take a replica are being sent as many states as they may";
        }
        chosen = best;
        return null;
    }

    /** The node that {@link #choose} chose. */
    int chosen() {
        return chosen;
    }

    /** How much a node carries, by load and by count, in terms of the means. */
    double fill(int node) {
        double byCount = nodes.replicas[node] / meanReplicas;
        return round.loaded ? byCount + nodes.load[node] / round.meanLoad : byCount;
    }

    /** Whether a node may be given a replica of the shard at all. */
    boolean fits(int shard, int node, long size) {
        return nodes.hostable[node] && nodes.freeBytes[node] >= size && !shards.isOn(shard, node);
    }

    /** How many replicas of the shard are in a zone, without the one on {@code leaving}. */
    int inZone(int shard, int zone, int leaving) {
        int count = 0;
        for (int i = 0; i < shards.replicaCount(shard); i++) {
            int node = shards.node(shard, i);
            if (node != leaving && node != NodeTable.UNKNOWN && !nodes.isLost(node) && nodes.zone[node] == zone) {
                count++;
            }
        }
        return count;
    }

    /** Whether a replica may go from one node to the other without the zones being less evenly used. */
    boolean keepsZones(int shard, int from, int to) {
        return nodes.zone[from] == nodes.zone[to]
                || inZone(shard, nodes.zone[to], from) <= inZone(shard, nodes.zone[from], from);
    }
}
