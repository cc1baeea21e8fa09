package io.elastickv.embedded.internal.placement.plan;

/**
 * Splits what is too hot or too large. A shard is too hot if its leader's node is overloaded and either no node at all could
 * carry it or nothing but smaller pieces could be handed on: whole shards are transferred first, by the
 * {@link LeaderBalance}, and what a transfer solves is not split. The new shard is handed at once to the replica whose node
 * has the least to do.
 */
final class SplitRule {

    private static final Rule RULE = Rule.SPLIT;

    private final Round round;
    private final NodeTable nodes;
    private final ShardTable shards;
    private final HotKeyRule hotKeys;
    private final PlanSettings.Splitting settings;
    private final PlanSettings.Balance balance;

    SplitRule(Round round, HotKeyRule hotKeys) {
        this.round = round;
        this.nodes = round.nodes;
        this.shards = round.shards;
        this.hotKeys = hotKeys;
        this.settings = round.settings.splitting();
        this.balance = round.settings.balance();
    }

    void apply() {
        if (round.loaded && nodes.activeCount > 1) {
            for (int n = 0; n < nodes.size; n++) {
                if (nodes.isUp(n) && nodes.load[n] > balance.start() * round.meanLoad) {
                    splitHottestOf(n);
                }
            }
        }
        for (int s = 0; s < shards.size; s++) {
            if (shards.state(s).sizeBytes() > settings.maxBytes() && round.isFree(s) && round.isWhole(s)) {
                splitForSize(s);
            }
        }
    }

    /** One split per node and round: the next one is decided with the loads that this one leads to. */
    private void splitHottestOf(int node) {
        int hottest = -1;
        double most = 0;
        for (int i = 0; i < shards.countOn(node); i++) {
            int shard = shards.on(node, i);
            if (shards.leader[shard] == node && shards.leadCost[shard] > most && isSplittable(shard, node)) {
                most = shards.leadCost[shard];
                hottest = shard;
            }
        }
        if (hottest >= 0) {
            splitForLoad(hottest, node);
        }
    }

    private boolean isSplittable(int shard, int node) {
        double cost = shards.costOn(shard, node);
        if (shards.busy[shard]
                || cost < settings.minShare() * round.meanLoad
                || shards.load(shard).opsPerSecond() < settings.minOpsPerSecond()) {
            return false;
        }
        if (hotKeys.dominant(shard) != null) {
            round.leave(RULE, shard, "a single key carries most of its load: it is relieved, not split");
            return false;
        }
        if (shards.state(shard).slotCount() < 2) {
            round.leave(RULE, shard, "it is overloaded, but has a single slot");
            return false;
        }
        if (!round.isFree(shard)
                || round.now - shards.state(shard).stamps().splitMillis()
                        < round.settings.cooldowns().splitMillis()) {
            round.leave(RULE, shard, "it was split, or an operation on it failed, a moment ago");
            return false;
        }
        if (!round.isWhole(shard)) {
            round.leave(RULE, shard, "it is overloaded, but a replica of it does not answer");
            return false;
        }
        return cost > balance.start() * round.meanLoad || onlyPiecesHelp(shard, node);
    }

    /** Whether a half could go where the whole could not: to another replica, or nowhere else at all. */
    private boolean onlyPiecesHelp(int shard, int node) {
        double limit = nodes.load[node] - balance.gain() * round.meanLoad;
        boolean half = false;
        for (int i = 0; i < shards.replicaCount(shard); i++) {
            int other = shards.node(shard, i);
            if (other != node && round.couldLead(shard, i)) {
                if (nodes.load[other] + shards.leadCost[shard] <= limit) {
                    return false;
                }
                half |= nodes.load[other] + shards.leadCost[shard] / 2 <= limit;
            }
        }
        if (half) {
            return true;
        }
        for (int n = 0; n < nodes.size; n++) {
            if (nodes.hostable[n] && n != node && nodes.load[n] + shards.costOn(shard, node) <= limit) {
                return false;
            }
        }
        return true;
    }

    private void splitForLoad(int shard, int node) {
        SlotLoads loads = shards.load(shard).slots();
        if (loads.total() <= 0) {
            round.leave(RULE, shard, "it is overloaded, but nothing is known of its slots' loads");
            return;
        }
        SplitPoint point = SplitPoint.byLoad(shards.state(shard).slots(), loads, settings.imbalance());
        if (point == null) {
            round.leave(RULE, shard, "no split of it is more even than " + Words.percent(settings.imbalance()));
            return;
        }
        String why = "it carries " + Words.share(shards.costOn(shard, node) / round.meanLoad)
                + " of the mean of a node, " + nodes.name(node) + " is at "
                + Words.share(nodes.load[node] / round.meanLoad) + "; "
                + (point.isolated() >= 0
                        ? "slot " + point.isolated() + " is isolated with " + Words.percent(point.part())
                                + " of its load"
                        : "the new shard gets " + Words.percent(point.part()) + " of its load");
        split(shard, point, why);
    }

    private void splitForSize(int shard) {
        SplitPoint point = SplitPoint.byLoad(
                shards.state(shard).slots(), shards.load(shard).slots(), settings.imbalance());
        if (point == null || point.isolated() >= 0) {
            point = SplitPoint.inTheMiddle(shards.state(shard).slots());
        }
        if (point == null) {
            round.leave(RULE, shard, "it is too large, but has a single slot");
            return;
        }
        split(
                shard,
                point,
                "it has " + Words.bytes(shards.state(shard).sizeBytes()) + ", more than "
                        + Words.bytes(settings.maxBytes()));
    }

    private void split(int shard, SplitPoint point, String why) {
        if (!round.roomFor(RULE, shard)) {
            return;
        }
        int to = heir(shard, point.part());
        round.add(
                RULE,
                new Operation.SplitShard(
                        shards.state(shard).id(),
                        shards.state(shard).epoch(),
                        point.childSlots(),
                        to == NodeTable.UNKNOWN ? null : nodes.name(to)),
                why + (to == NodeTable.UNKNOWN ? "" : " and is handed to " + nodes.name(to)));
    }

    /** Whom to hand the new shard to: the least loaded one, unless it would have more than the leader's node has now. */
    private int heir(int shard, double part) {
        int leader = shards.leader[shard];
        int best = NodeTable.UNKNOWN;
        for (int i = 0; i < shards.replicaCount(shard); i++) {
            int other = shards.node(shard, i);
            if (other != leader
                    && round.couldLead(shard, i)
                    && nodes.load[other] + shards.leadCost[shard] * part <= nodes.load[leader]
                    && (best == NodeTable.UNKNOWN || nodes.load[other] < nodes.load[best])) {
                best = other;
            }
        }
        return best;
    }
}
