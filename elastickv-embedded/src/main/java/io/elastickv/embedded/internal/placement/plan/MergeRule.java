package io.elastickv.embedded.internal.placement.plan;

import io.elastickv.api.SlotRange;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Merges adjacent shards that both were cold for long. They need the same replicas and the same leader: pairs that have
 * them come first; for the others the smaller shard follows the larger one, a replica at a time, and then its leader.
 * While a pair is being made equal, no later rule touches it.
 */
final class MergeRule {

    private static final Rule RULE = Rule.MERGE;
    private static final int SLOTS = 16384;

    private final Round round;
    private final NodeTable nodes;
    private final ShardTable shards;
    private final Targets targets;
    private final PlanSettings.Merging settings;
    /** The cold shard with a range that begins at a slot; -1 if there is none. */
    private final int[] beginningAt = new int[SLOTS + 1];

    private int remaining;

    MergeRule(Round round, Targets targets) {
        this.round = round;
        this.nodes = round.nodes;
        this.shards = round.shards;
        this.targets = targets;
        this.settings = round.settings.merging();
        this.remaining = round.shards.size;
        for (RunningOperation running : round.running) {
            if (running.operation() instanceof Operation.MergeShards) {
                remaining--;
            }
        }
    }

    void apply() {
        if (remaining <= settings.minShards()) {
            return;
        }
        Arrays.fill(beginningAt, -1);
        boolean any = false;
        for (int s = shards.size - 1; s >= 0; s--) {
            if (isCold(s)) {
                any = true;
                for (SlotRange range : shards.state(s).slots()) {
                    beginningAt[range.first()] = s;
                }
            }
        }
        if (any) {
            pass(true);
            pass(false);
        }
    }

    private void pass(boolean equalOnly) {
        for (int s = 0; s < shards.size && remaining > settings.minShards(); s++) {
            if (!isCold(s)) {
                continue;
            }
            for (SlotRange range : shards.state(s).slots()) {
                int right = beginningAt[range.last() + 1];
                if (right >= 0
                        && right != s
                        && isCold(s)
                        && isCold(right)
                        && fits(s, right)
                        && (haveSameReplicas(s, right) || !equalOnly)) {
                    bringTogether(s, right);
                }
            }
        }
    }

    private boolean isCold(int shard) {
        ShardLoad load = shards.load(shard);
        ShardStamps stamps = shards.state(shard).stamps();
        long now = round.now;
        return load.coldSinceMillis() != ShardLoad.NOT_COLD
                && now - load.coldSinceMillis() >= settings.coldMillis()
                && load.opsPerSecond() < settings.coldOpsPerSecond()
                && now - stamps.splitMillis() >= settings.coldMillis()
                && shards.state(shard).relieved().isEmpty()
                && round.isFree(shard)
                && round.isWhole(shard)
                && shards.replicaCount(shard) == round.settings.replicationFactor();
    }

    private boolean fits(int one, int other) {
        return shards.state(one).sizeBytes() + shards.state(other).sizeBytes() <= settings.maxBytes();
    }

    private boolean haveSameReplicas(int one, int other) {
        for (int i = 0; i < shards.replicaCount(one); i++) {
            if (!shards.isOn(other, shards.node(one, i))) {
                return false;
            }
        }
        return shards.replicaCount(one) == shards.replicaCount(other);
    }

    private void bringTogether(int left, int right) {
        boolean leftIsLarger =
                shards.state(left).sizeBytes() >= shards.state(right).sizeBytes();
        int stays = leftIsLarger ? left : right;
        int follows = leftIsLarger ? right : left;
        if (!haveSameReplicas(left, right)) {
            follow(stays, follows);
        } else if (shards.leader[left] != shards.leader[right]) {
            followLeader(stays, follows);
        } else if (round.roomFor(RULE, left)) {
            round.add(
                    RULE,
                    new Operation.MergeShards(
                            shards.state(left).id(),
                            shards.state(left).epoch(),
                            shards.state(right).id(),
                            shards.state(right).epoch()),
                    "it and shard " + shards.state(right).id() + " have had less than "
                            + Words.count(settings.coldOpsPerSecond()) + " operations/s for "
                            + (round.now
                                            - Math.max(
                                                    shards.load(left).coldSinceMillis(),
                                                    shards.load(right).coldSinceMillis()))
                                    / 1000
                            + " s, together "
                            + Words.bytes(shards.state(left).sizeBytes()
                                    + shards.state(right).sizeBytes()));
            remaining--;
        }
    }

    private void followLeader(int stays, int follows) {
        int to = shards.leader[stays];
        for (int i = 0; i < shards.replicaCount(follows); i++) {
            if (shards.node(follows, i) == to && round.couldLead(follows, i) && round.roomFor(RULE, follows)) {
                round.transfer(
                        RULE,
                        follows,
                        to,
                        "it is to be merged with shard " + shards.state(stays).id() + ", which " + nodes.name(to)
                                + " leads");
                shards.busy[stays] = true;
                remaining--;
                return;
            }
        }
    }

    private void follow(int stays, int follows) {
        int to = odd(stays, follows, NodeTable.UNKNOWN);
        int from = odd(follows, stays, shards.leader[follows]);
        String refusal = whyNot(follows, from, to);
        if (refusal != null) {
            round.leave(RULE, follows, refusal);
            return;
        }
        round.add(
                RULE,
                new Operation.MoveReplica(
                        shards.state(follows).id(), shards.state(follows).epoch(), nodes.name(from), nodes.name(to)),
                "it is to be merged with shard " + shards.state(stays).id() + ", which has a replica on "
                        + nodes.name(to) + " instead; both are cold");
        shards.busy[stays] = true;
        remaining--;
    }

    private @Nullable String whyNot(int shard, int from, int to) {
        long size = shards.state(shard).sizeBytes();
        if (to == NodeTable.UNKNOWN || from == NodeTable.UNKNOWN || !targets.fits(shard, to, size)) {
            return "it could be merged, but a node of the other shard cannot take a replica";
        }
        String refusal = round.ledger.refusesMove(size);
        return refusal == null && (!round.ledger.roomInto(to) || !round.ledger.roomOutOf(shards.leader[shard]))
                ? "budget: a node sends or is sent as many states as it may"
                : refusal;
    }

    /** A node with a replica of {@code one} and not of {@code other}; {@code unlikely} only if there is no other one. */
    private int odd(int one, int other, int unlikely) {
        int found = NodeTable.UNKNOWN;
        for (int i = 0; i < shards.replicaCount(one); i++) {
            int node = shards.node(one, i);
            if (!shards.isOn(other, node) && (found == NodeTable.UNKNOWN || found == unlikely)) {
                found = node;
            }
        }
        return found;
    }
}
