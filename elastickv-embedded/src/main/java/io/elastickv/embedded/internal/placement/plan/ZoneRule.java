package io.elastickv.embedded.internal.placement.plan;

/**
 * Spreads the replicas of each shard over the zones: one is moved if that makes two zones more even, that is if its zone
 * has at least two more of the shard's replicas than another one with a node that can take it.
 */
final class ZoneRule {

    private static final Rule RULE = Rule.ZONES;

    private final Round round;
    private final NodeTable nodes;
    private final ShardTable shards;
    private final Targets targets;

    ZoneRule(Round round, Targets targets) {
        this.round = round;
        this.nodes = round.nodes;
        this.shards = round.shards;
        this.targets = targets;
    }

    void apply() {
        if (nodes.zones < 2) {
            return;
        }
        for (int s = 0; s < shards.size; s++) {
            if (shards.replicaCount(s) == round.settings.replicationFactor()) {
                spread(s);
            }
        }
    }

    private void spread(int shard) {
        int from = crowded(shard);
        if (from == NodeTable.UNKNOWN || !round.isFree(shard)) {
            return;
        }
        if (!round.isWhole(shard)) {
            round.leave(RULE, shard, "its zones are uneven, but a replica does not answer");
            return;
        }
        int before = targets.inZone(shard, nodes.zone[from], NodeTable.UNKNOWN);
        if (!hasBetter(shard, from, before)) {
            return;
        }
        String refusal = targets.choose(shard, from);
        if (refusal != null) {
            round.leave(RULE, shard, refusal);
            return;
        }
        int to = targets.chosen();
        round.add(
                RULE,
                new Operation.MoveReplica(
                        shards.state(shard).id(), shards.state(shard).epoch(), nodes.name(from), nodes.name(to)),
                "zone " + nodes.state(from).zone() + " has " + before + " of its replicas, zone "
                        + nodes.state(to).zone() + " has "
                        + targets.inZone(shard, nodes.zone[to], NodeTable.UNKNOWN));
    }

    /** The replica's node in the zone with the most replicas: not the leader if possible, and the one with most to do. */
    private int crowded(int shard) {
        int best = NodeTable.UNKNOWN;
        double worst = -1;
        int count = shards.replicaCount(shard);
        for (int i = 0; i < count; i++) {
            int node = shards.node(shard, i);
            if (node == NodeTable.UNKNOWN) {
                return NodeTable.UNKNOWN;
            }
            int inZone = targets.inZone(shard, nodes.zone[node], NodeTable.UNKNOWN);
            if (inZone >= 2) {
                double value =
                        1e4 * inZone + (node == shards.leader[shard] ? 0 : 1e3) + Math.min(targets.fill(node), 900);
                if (value > worst) {
                    worst = value;
                    best = node;
                }
            }
        }
        return best;
    }

    private boolean hasBetter(int shard, int from, int inItsZone) {
        long size = shards.state(shard).sizeBytes();
        for (int n = 0; n < nodes.size; n++) {
            if (nodes.zone[n] != nodes.zone[from]
                    && targets.inZone(shard, nodes.zone[n], NodeTable.UNKNOWN) + 2 <= inItsZone
                    && targets.fits(shard, n, size)) {
                return true;
            }
        }
        return false;
    }
}
