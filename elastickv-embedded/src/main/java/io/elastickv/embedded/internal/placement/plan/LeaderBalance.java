package io.elastickv.embedded.internal.placement.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Spreads the leaders, the cheapest way to move load as no data moves. First nodes that are overloaded as a whole hand over
 * to nodes that are not; then leaders return to where they are preferred; then what nodes lead is made even within a tighter
 * band, over a longer time, as far as no node's whole load suffers. Without load the leaders are counted.
 *
 * <p>A transfer is planned only if it leaves the higher one of its two nodes clearly lower, so each one lowers the sum of
 * the squares, and there cannot be a cycle of them under an unchanged load.
 */
final class LeaderBalance {

    private static final Rule RULE = Rule.LEADER_BALANCE;

    private final Round round;
    private final NodeTable nodes;
    private final ShardTable shards;
    private final PlanSettings.Balance balance;
    private final double[] one;
    /** How many transfers there may still be in this minute. */
    private int transfersLeft;

    /** A shard and the node it should go to, while the best one is looked for. */
    private int bestShard;
    /** Shards that cost less than this are not worth a transfer. */
    private double least;

    private int bestTo;
    private double bestReduction;

    /**
     * What is being made even: of each node, of each shard, and how much a transfer has to gain.
     *
     * @param whole whether it is all that a node carries
     */
    private record Measure(double[] ofNode, double[] ofShard, double mean, double gain, boolean whole, String unit) {}

    LeaderBalance(Round round) {
        this.round = round;
        this.nodes = round.nodes;
        this.shards = round.shards;
        this.balance = round.settings.balance();
        this.one = new double[shards.size];
        Arrays.fill(one, 1);
        this.transfersLeft = round.settings.budgets().transfersPerNodeAndMinute() * nodes.activeCount - lastMinute();
    }

    void apply() {
        if (nodes.activeCount < 2) {
            return;
        }
        if (round.loaded) {
            Measure load = new Measure(
                    nodes.load, shards.leadCost, round.meanLoad, balance.gain() * round.meanLoad, true, "load");
            even(load, balance.start(), balance.stop());
        }
        returnToPreferred();
        double meanLead = nodes.mean(nodes.steadyLead);
        if (round.loaded && meanLead > 0) {
            double[] steadyCost = new double[shards.size];
            for (int s = 0; s < shards.size; s++) {
                steadyCost[s] = shards.leadCost[s] * shards.steadiness[s];
            }
            Measure lead = new Measure(
                    nodes.steadyLead, steadyCost, meanLead, balance.gain() * meanLead / 2, false, "leading load");
            even(lead, balance.leaderStart(), balance.leaderStop());
        } else if (!round.loaded) {
            double mean = nodes.mean(nodes.leaders);
            even(
                    new Measure(nodes.leaders, one, mean, 0.5, false, "leaders"),
                    balance.leaderStart(),
                    balance.leaderStop());
        }
    }

    private int lastMinute() {
        int count = 0;
        for (int s = 0; s < shards.size; s++) {
            count += round.now - shards.state(s).stamps().transferredMillis() < 60_000 ? 1 : 0;
        }
        for (RunningOperation running : round.running) {
            count += running.operation() instanceof Operation.TransferLeader ? 1 : 0;
        }
        return count;
    }

    private boolean hasRoom() {
        return transfersLeft > 0 && round.ledger.refusesOperation() == null;
    }

    /** What is led is evened out over a longer time, and only if the load over some seconds says the same. */
    private boolean agrees(Measure measure, int node, boolean high) {
        double mean = nodes.mean(nodes.leadLoad);
        return measure.whole || !round.loaded || (high ? nodes.leadLoad[node] > mean : nodes.leadLoad[node] < mean);
    }

    private void even(Measure measure, double start, double stop) {
        for (int node : descending(measure.ofNode)) {
            if (!hasRoom()) {
                round.leave(
                        RULE, "the " + measure.unit, "budget: no more operations at once, or transfers in a minute");
                return;
            }
            if (measure.ofNode[node] > start * measure.mean && nodes.isUp(node) && agrees(measure, node, true)) {
                relieve(measure, node, stop * measure.mean);
            } else if (measure.ofNode[node] < measure.mean / start
                    && nodes.active[node]
                    && agrees(measure, node, false)) {
                fill(measure, node, measure.mean / stop);
            }
        }
    }

    /** Much less than the mean of what the node leads: moving such ones changes nothing but their callers' routes. */
    private double worthwhile(Measure measure, int node) {
        double sum = 0;
        int count = 0;
        for (int i = 0; i < shards.countOn(node); i++) {
            if (shards.leader[shards.on(node, i)] == node) {
                sum += measure.ofShard[shards.on(node, i)];
                count++;
            }
        }
        return count == 0 ? 0 : sum / count / 4;
    }

    private void relieve(Measure measure, int node, double until) {
        int planned = 0;
        least = worthwhile(measure, node);
        while (measure.ofNode[node] > until && hasRoom()) {
            bestReduction = 0;
            for (int i = 0; i < shards.countOn(node); i++) {
                int shard = shards.on(node, i);
                if (shards.leader[shard] == node && isMovable(shard)) {
                    for (int r = 0; r < shards.replicaCount(shard); r++) {
                        consider(measure, shard, r);
                    }
                }
            }
            if (bestReduction <= 0) {
                if (planned == 0) {
                    round.leave(
                            RULE,
                            "node " + nodes.name(node),
                            "its " + measure.unit
                                    + " is above the mean, but no transfer would make a clear difference");
                }
                return;
            }
            transfer(measure);
            planned++;
        }
    }

    private void fill(Measure measure, int node, double until) {
        double led = 0;
        double leaders = 0;
        for (int n = 0; n < nodes.size; n++) {
            led += measure.whole ? nodes.leadLoad[n] : measure.ofNode[n];
            leaders += nodes.leaders[n];
        }
        least = leaders == 0 ? 0 : led / leaders / 4;
        while (measure.ofNode[node] < until && hasRoom()) {
            bestReduction = 0;
            for (int i = 0; i < shards.countOn(node); i++) {
                int shard = shards.on(node, i);
                int leader = shards.leader[shard];
                if (leader != node
                        && leader != NodeTable.UNKNOWN
                        && measure.ofNode[leader] - measure.ofShard[shard] >= until
                        && isMovable(shard)) {
                    for (int r = 0; r < shards.replicaCount(shard); r++) {
                        if (shards.node(shard, r) == node) {
                            consider(measure, shard, r);
                        }
                    }
                }
            }
            if (bestReduction <= 0) {
                return;
            }
            transfer(measure);
        }
    }

    /** Compares handing a shard to one of its replicas with the best so far; the first of equals stays. */
    private void consider(Measure measure, int shard, int replica) {
        int from = shards.leader[shard];
        int to = shards.node(shard, replica);
        double cost = measure.ofShard[shard];
        if (to == from || cost <= 0 || cost < least || !round.couldLead(shard, replica)) {
            return;
        }
        double higher = measure.ofNode[from];
        double after = measure.ofNode[to] + cost;
        double reduction = cost * (higher - after);
        if (after <= higher - measure.gain
                && reduction > bestReduction
                && (measure.whole || sparesWhole(shard, from, to))) {
            bestReduction = reduction;
            bestShard = shard;
            bestTo = to;
        }
    }

    /**
     * Whether evenness of what is led does not cost evenness of the whole: on neither side, or the whole's balance would
     * take back at once what this one gives.
     */
    private boolean sparesWhole(int shard, int from, int to) {
        double cost = shards.leadCost[shard];
        return !round.loaded
                || (nodes.load[to] + cost <= Math.max(balance.stop() * round.meanLoad, nodes.load[from] * (1 - 1e-9))
                        && nodes.load[from] - cost >= Math.min(round.meanLoad / balance.stop(), nodes.load[to])
                        && nodes.leadLoad[to] + cost < nodes.leadLoad[from]);
    }

    private boolean isMovable(int shard) {
        return round.isFree(shard) && round.hasCooled(shard);
    }

    private void transfer(Measure measure) {
        int from = shards.leader[bestShard];
        String figures = measure.unit.equals("leaders")
                ? nodes.name(from) + " leads " + Words.count(measure.ofNode[from]) + ", " + nodes.name(bestTo) + " "
                        + Words.count(measure.ofNode[bestTo]) + ", the mean is " + Words.share(measure.mean)
                : nodes.name(from) + " carries " + Words.share(measure.ofNode[from] / measure.mean) + " of the mean "
                        + measure.unit + ", " + nodes.name(bestTo) + " "
                        + Words.share(measure.ofNode[bestTo] / measure.mean) + "; leading it is "
                        + Words.share(measure.ofShard[bestShard] / measure.mean);
        add(bestShard, bestTo, figures);
    }

    /** After an election the leader may be anywhere: the spread that was planned comes back, if there is room for it. */
    private void returnToPreferred() {
        for (int s = 0; s < shards.size; s++) {
            String preferred = shards.state(s).preferredLeader();
            int leader = shards.leader[s];
            if (preferred == null || leader == NodeTable.UNKNOWN || !isMovable(s)) {
                continue;
            }
            int to = nodes.indexOf(preferred);
            if (to == leader || to == NodeTable.UNKNOWN) {
                continue;
            }
            for (int r = 0; r < shards.replicaCount(s); r++) {
                if (shards.node(s, r) == to && round.couldLead(s, r) && hasRoomFor(s, leader, to)) {
                    if (!round.roomFor(RULE, s)) {
                        return;
                    }
                    add(s, to, nodes.name(to) + " is its preferred leader and has room for it");
                }
            }
        }
    }

    private boolean hasRoomFor(int shard, int from, int to) {
        return round.loaded
                ? nodes.load[to] + shards.leadCost[shard] <= Math.max(balance.stop() * round.meanLoad, nodes.load[from])
                : nodes.leaders[to] + 1 <= Math.max(nodes.leaders[from], nodes.mean(nodes.leaders) + 1);
    }

    private void add(int shard, int to, String reason) {
        transfersLeft--;
        round.transfer(RULE, shard, to, reason);
    }

    private List<Integer> descending(double[] metric) {
        List<Integer> order = new ArrayList<>();
        for (int n = 0; n < nodes.size; n++) {
            order.add(n);
        }
        order.sort(Comparator.<Integer>comparingDouble(n -> -metric[n]).thenComparing(n -> n));
        return order;
    }
}
