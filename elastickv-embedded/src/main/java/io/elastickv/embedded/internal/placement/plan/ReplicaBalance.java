package io.elastickv.embedded.internal.placement.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Moves replicas from nodes that have too much to nodes that have too little: by load, and then by count those that have
 * next to none. As data is moved, only what the load over a longer time says as well is done. Of the moves that help, the one that helps most per byte is taken. Moves keep the zones as they are or make
 * them more even, start from whole shards, and follow the same rule against cycles as {@link LeaderBalance}.
 */
final class ReplicaBalance {

    /** What a move costs besides its bytes, in bytes: a snapshot, two changes of the members. */
    private static final double BASE_BYTES = 64 << 20;

    /** A node that is away for a moment distorts everything, unless it is less than this part of them. */
    private static final int ABSENT_PART = 50;

    private final Round round;
    private final NodeTable nodes;
    private final ShardTable shards;
    private final Targets targets;
    private final PlanSettings.Balance balance;
    private final boolean byLoad;
    private final Rule rule;
    private final double[] metric;
    private final double mean;
    private final double gain;

    private List<Integer> ascending = new ArrayList<>();
    private int bestShard;
    private int bestTo;
    private double bestScore;
    /** Replicas that cost less than this are not worth a move. */
    private double least;

    private ReplicaBalance(Round round, Targets targets, boolean byLoad) {
        this.round = round;
        this.nodes = round.nodes;
        this.shards = round.shards;
        this.targets = targets;
        this.balance = round.settings.balance();
        this.byLoad = byLoad;
        this.rule = byLoad ? Rule.LOAD_BALANCE : Rule.COUNT_BALANCE;
        this.metric = byLoad ? nodes.steadyLoad : nodes.replicas;
        this.mean = nodes.mean(metric);
        this.gain = byLoad ? balance.gain() * mean : 0.5;
    }

    static void apply(Round round, Targets targets) {
        if (round.nodes.activeCount < 2) {
            return;
        }
        if (round.nodes.awaited * ABSENT_PART > round.nodes.activeCount) {
            round.leave(Rule.LOAD_BALANCE, "the replicas", "nodes do not answer that may come back");
            return;
        }
        if (round.loaded) {
            new ReplicaBalance(round, targets, true).even();
        }
        new ReplicaBalance(round, targets, false).even();
    }

    private void even() {
        // A count is never more exact than one.
        double slack = byLoad ? 0 : 1;
        double start = balance.start() * mean + slack;
        double low = mean / balance.start() - slack;
        double stop = byLoad ? balance.stop() * mean : mean + 0.5;
        double filled = byLoad ? mean / balance.stop() : mean - 0.5;
        sort();
        List<Integer> order = List.copyOf(ascending);
        for (int i = order.size() - 1; i >= 0 && hasRoom(); i--) {
            int node = order.get(i);
            if (nodes.isUp(node) && metric[node] > start && agrees(node, true)) {
                relieve(node, stop);
            }
        }
        for (int node : order) {
            if (!hasRoom()) {
                return;
            }
            if (nodes.hostable[node] && metric[node] < low && agrees(node, false)) {
                fill(node, filled);
            }
        }
    }

    /** Data is moved for what lasts: the load over some seconds has to say the same as the one over a longer time. */
    private boolean agrees(int node, boolean high) {
        if (!byLoad) {
            return true;
        }
        return high
                ? nodes.load[node] > balance.start() * round.meanLoad
                : nodes.load[node] < round.meanLoad / balance.start() && !isReturning(node);
    }

    /** A node with replicas that has just come back gets its leaderships first. */
    private boolean isReturning(int node) {
        return round.now - nodes.state(node).livenessSinceMillis()
                        < round.settings.cooldowns().moveMillis()
                && nodes.replicas[node] > nodes.mean(nodes.replicas) / 2;
    }

    private boolean hasRoom() {
        String refusal = round.ledger.refusesMove(0);
        if (refusal != null) {
            round.leave(rule, "the " + (byLoad ? "load" : "number") + " of replicas", refusal);
        }
        return refusal == null;
    }

    private void relieve(int from, double until) {
        int planned = 0;
        least = nodes.replicas[from] > 0 ? metric[from] / nodes.replicas[from] / 4 : 0;
        while (metric[from] > until && round.ledger.refusesMove(0) == null) {
            bestScore = 0;
            for (int i = 0; i < shards.countOn(from); i++) {
                int shard = shards.on(from, i);
                if (cost(shard, from) > 0 && cost(shard, from) >= least && isMovable(shard, from)) {
                    considerAllTargets(shard, from);
                }
            }
            if (bestScore <= 0) {
                break;
            }
            move(from);
            planned++;
        }
        if (planned == 0) {
            round.leave(rule, "node " + nodes.name(from), "it has too much, but no move would make a clear difference");
        }
    }

    /** The target with the least is the best one that is possible: they are tried in that order. */
    private void considerAllTargets(int shard, int from) {
        for (int to : ascending) {
            if (metric[to] >= mean || metric[to] + cost(shard, from) > metric[from] - gain) {
                return;
            }
            if (helps(shard, from, to) && isPossible(shard, from, to)) {
                consider(shard, from, to);
                return;
            }
        }
    }

    private void fill(int to, double until) {
        boolean moved = true;
        while (moved && metric[to] < until && round.ledger.refusesMove(0) == null && round.ledger.roomInto(to)) {
            moved = false;
            for (int k = ascending.size() - 1; k >= 0 && !moved; k--) {
                int from = ascending.get(k);
                if (metric[from] <= mean) {
                    break;
                }
                bestScore = 0;
                least = nodes.replicas[from] > 0 ? metric[from] / nodes.replicas[from] / 4 : 0;
                for (int i = 0; i < shards.countOn(from); i++) {
                    int shard = shards.on(from, i);
                    double cost = cost(shard, from);
                    if (cost > 0
                            && cost >= least
                            && metric[from] - cost >= until
                            && isMovable(shard, from)
                            && helps(shard, from, to)
                            && isPossible(shard, from, to)) {
                        consider(shard, from, to);
                    }
                }
                if (bestScore > 0) {
                    move(from);
                    moved = true;
                }
            }
        }
    }

    private double cost(int shard, int from) {
        return byLoad ? shards.costOn(shard, from) * shards.steadiness[shard] : 1;
    }

    private boolean isMovable(int shard, int from) {
        return round.isFree(shard)
                && round.hasCooled(shard)
                && round.isWhole(shard)
                && shards.replicaCount(shard) >= round.settings.replicationFactor()
                // Moving a leader only to make counts even would cost its callers something.
                && (byLoad || shards.leader[shard] != from || shards.replicaCount(shard) == 1)
                && round.ledger.roomOutOf(shards.leader[shard])
                && round.ledger.refusesMove(shards.state(shard).sizeBytes()) == null;
    }

    private boolean helps(int shard, int from, int to) {
        return metric[to] + cost(shard, from) <= metric[from] - gain
                && (!byLoad || nodes.load[to] + shards.costOn(shard, from) < nodes.load[from]);
    }

    private boolean isPossible(int shard, int from, int to) {
        return targets.fits(shard, to, shards.state(shard).sizeBytes())
                && round.ledger.roomInto(to)
                && targets.keepsZones(shard, from, to)
                && (byLoad || !round.loaded || sparesLoad(shard, from, to));
    }

    /** Whether evenness of the counts does not cost evenness of the load. */
    private boolean sparesLoad(int shard, int from, int to) {
        double cost = shards.costOn(shard, from);
        return nodes.load[to] + cost <= balance.stop() * round.meanLoad
                && (nodes.load[from] - cost >= round.meanLoad / balance.stop() || cost < 0.005 * round.meanLoad);
    }

    private void consider(int shard, int from, int to) {
        double cost = cost(shard, from);
        double score =
                cost * (metric[from] - metric[to] - cost) / (shards.state(shard).sizeBytes() + BASE_BYTES);
        if (!byLoad) {
            // Cold ones first.
            score /= 1 + (round.loaded ? shards.costOn(shard, from) / round.meanLoad : 0);
        }
        if (score > bestScore) {
            bestScore = score;
            bestShard = shard;
            bestTo = to;
        }
    }

    private void move(int from) {
        int shard = bestShard;
        ShardState state = shards.state(shard);
        String moving = "moving it takes " + Words.bytes(state.sizeBytes());
        String figures = byLoad
                ? nodes.name(from) + " carries " + Words.share(metric[from] / mean) + " of the mean load, "
                        + nodes.name(bestTo) + " " + Words.share(metric[bestTo] / mean) + "; " + moving
                        + " and shifts " + Words.share(cost(shard, from) / mean)
                        + (shards.leader[shard] == from ? ", with its leadership" : "")
                : nodes.name(from) + " has " + Words.count(metric[from]) + " replicas, " + nodes.name(bestTo) + " "
                        + Words.count(metric[bestTo]) + ", the mean is " + Words.share(mean) + "; " + moving;
        round.add(
                rule,
                new Operation.MoveReplica(state.id(), state.epoch(), nodes.name(from), nodes.name(bestTo)),
                figures);
        sort();
    }

    /** The active nodes, those with the least first; draining ones are emptied by another rule. */
    private void sort() {
        List<Integer> order = new ArrayList<>();
        for (int n = 0; n < nodes.size; n++) {
            if (nodes.active[n]) {
                order.add(n);
            }
        }
        order.sort(Comparator.<Integer>comparingDouble(n -> metric[n]).thenComparing(n -> n));
        ascending = order;
    }
}
