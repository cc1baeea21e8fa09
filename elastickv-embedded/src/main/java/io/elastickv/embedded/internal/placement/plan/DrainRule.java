package io.elastickv.embedded.internal.placement.plan;

/**
 * Empties nodes that are to leave, so that no request fails: first all leaderships are handed over, which costs nothing
 * and takes the node out of the callers' way; then its replicas move, each only while its shard has a quorum; then the node
 * is told that it may go. A shard that nobody else could lead moves with its leadership, last.
 */
final class DrainRule {

    private static final Rule RULE = Rule.DRAIN;

    private final Round round;
    private final NodeTable nodes;
    private final ShardTable shards;
    private final Targets targets;

    DrainRule(Round round, Targets targets) {
        this.round = round;
        this.nodes = round.nodes;
        this.shards = round.shards;
        this.targets = targets;
    }

    void apply() {
        for (int n = 0; n < nodes.size; n++) {
            if (nodes.isDraining(n)) {
                drain(n);
            }
        }
    }

    private void drain(int node) {
        if (shards.countOn(node) == 0) {
            release(node);
        } else if (nodes.isUp(node)) {
            int leading = handOver(node);
            if (leading > 0) {
                round.leave(
                        RULE,
                        "node " + nodes.name(node),
                        "its replicas move once its leaderships are handed over, " + leading + " are left");
            } else {
                moveReplicas(node);
            }
        } else if (!nodes.isLost(node)) {
            round.leave(RULE, "node " + nodes.name(node), "it drains, but does not answer just now");
        }
    }

    /** Hands over what it can; how many leaderships the node still has that somebody else could have. */
    private int handOver(int node) {
        int left = 0;
        for (int i = 0; i < shards.countOn(node); i++) {
            int shard = shards.on(node, i);
            if (shards.leader[shard] != node) {
                continue;
            }
            int to = heir(shard, node);
            if (to == NodeTable.UNKNOWN) {
                continue;
            }
            left++;
            if (round.isFree(shard) && round.roomFor(RULE, shard)) {
                round.transfer(
                        RULE,
                        shard,
                        to,
                        nodes.name(node) + " drains; " + nodes.name(to)
                                + " has the least to do of its replicas' nodes");
            }
        }
        return left;
    }

    private int heir(int shard, int node) {
        int best = NodeTable.UNKNOWN;
        for (int i = 0; i < shards.replicaCount(shard); i++) {
            int other = shards.node(shard, i);
            if (other != node
                    && round.couldLead(shard, i)
                    && (best == NodeTable.UNKNOWN || weight(other) < weight(best))) {
                best = other;
            }
        }
        return best;
    }

    private double weight(int node) {
        return round.loaded ? nodes.load[node] : nodes.leaders[node];
    }

    private void moveReplicas(int node) {
        for (int i = 0; i < shards.countOn(node); i++) {
            int shard = shards.on(node, i);
            if (!round.isFree(shard)) {
                continue;
            }
            if (round.healthyVoters(shard) < Round.majority(round.voters(shard))) {
                round.leave(RULE, shard, "it has no quorum to move its replica with");
                continue;
            }
            String refusal = targets.choose(shard, node);
            if (refusal != null) {
                round.leave(RULE, shard, refusal);
                continue;
            }
            String to = nodes.name(targets.chosen());
            round.add(
                    RULE,
                    new Operation.MoveReplica(
                            shards.state(shard).id(), shards.state(shard).epoch(), nodes.name(node), to),
                    nodes.name(node) + " drains and has " + (int) nodes.replicas[node] + " replicas left; " + to
                            + " has the most room and fetches "
                            + Words.bytes(shards.state(shard).sizeBytes()));
        }
    }

    private void release(int node) {
        String name = nodes.name(node);
        for (RunningOperation running : round.running) {
            if (concerns(running.operation(), name)) {
                return;
            }
        }
        if (round.ledger.refusesOperation() == null) {
            round.add(RULE, new Operation.ReleaseNode(name), name + " drains and has no replica left");
        }
    }

    private static boolean concerns(Operation operation, String node) {
        if (operation instanceof Operation.ReleaseNode release) {
            return release.node().equals(node);
        }
        if (operation instanceof Operation.AddReplica add) {
            return add.node().equals(node);
        }
        if (operation instanceof Operation.MoveReplica move) {
            return move.to().equals(node) || move.from().equals(node);
        }
        if (operation instanceof Operation.ReplaceDeadReplica replace) {
            return replace.to().equals(node) || replace.dead().equals(node);
        }
        return operation instanceof Operation.RemoveReplica remove
                && remove.node().equals(node);
    }
}
