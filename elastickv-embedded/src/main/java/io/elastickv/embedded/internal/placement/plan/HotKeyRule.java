package io.elastickv.embedded.internal.placement.plan;

import org.jspecify.annotations.Nullable;

/**
 * A key that carries nearly all of a hot shard is relieved: its slot cannot be divided, so a split would only move it. Its
 * relief ends when its share has clearly fallen or the shard is no longer hot.
 */
final class HotKeyRule {

    private static final Rule RULE = Rule.HOT_KEY;

    private final Round round;
    private final ShardTable shards;
    private final PlanSettings.Splitting settings;

    HotKeyRule(Round round) {
        this.round = round;
        this.shards = round.shards;
        this.settings = round.settings.splitting();
    }

    void apply() {
        for (int s = 0; s < shards.size; s++) {
            if (!shards.state(s).relieved().isEmpty()) {
                endRelief(s);
            }
        }
        if (!round.loaded) {
            return;
        }
        for (int s = 0; s < shards.size; s++) {
            HotKey key = shards.load(s).hotKeys().isEmpty() ? null : dominant(s);
            if (key != null && round.isFree(s) && isHot(s) && round.roomFor(RULE, s)) {
                round.add(
                        RULE,
                        new Operation.RelieveKey(
                                shards.state(s).id(), shards.state(s).epoch(), key.slot(), key.key()),
                        "one key in slot " + key.slot() + " carries " + Words.percent(share(s, key)) + " of its "
                                + Words.count(shards.load(s).opsPerSecond())
                                + " operations/s: no split could divide them");
            }
        }
    }

    /** The key that makes splits pointless, whether it is being relieved already or not; null if there is none. */
    @Nullable
    HotKey dominant(int shard) {
        for (HotKey key : shards.load(shard).hotKeys()) {
            if (share(shard, key) >= settings.relieveShare()) {
                return key;
            }
        }
        return null;
    }

    private boolean isHot(int shard) {
        int leader = shards.leader[shard];
        return shards.state(shard).relieved().isEmpty()
                && leader != NodeTable.UNKNOWN
                && shards.load(shard).opsPerSecond() >= settings.minOpsPerSecond()
                && shards.costOn(shard, leader) >= settings.minShare() * round.meanLoad
                && round.nodes.load[leader] > round.settings.balance().start() * round.meanLoad;
    }

    private void endRelief(int shard) {
        for (RelievedKey relieved : shards.state(shard).relieved()) {
            double share = 0;
            for (HotKey key : shards.load(shard).hotKeys()) {
                if (key.slot() == relieved.slot() && key.key().equals(relieved.key())) {
                    share = share(shard, key);
                }
            }
            double ops = shards.load(shard).opsPerSecond();
            boolean cool = share < settings.endShare() || ops < settings.minOpsPerSecond() / 2;
            if (cool && round.isFree(shard) && round.roomFor(RULE, shard)) {
                round.add(
                        RULE,
                        new Operation.EndRelief(
                                shards.state(shard).id(), shards.state(shard).epoch(), relieved.slot(), relieved.key()),
                        "the key in slot " + relieved.slot() + " carries " + Words.percent(share) + " of "
                                + Words.count(ops) + " operations/s now");
            }
        }
    }

    /** The key's share of the shard's load. A shard of which no slot's load is known is taken for that slot. */
    private double share(int shard, HotKey key) {
        SlotLoads slots = shards.load(shard).slots();
        return slots.total() > 0 ? key.shareOfSlot() * slots.of(key.slot()) / slots.total() : key.shareOfSlot();
    }
}
