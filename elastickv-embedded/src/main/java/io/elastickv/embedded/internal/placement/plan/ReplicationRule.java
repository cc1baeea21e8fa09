package io.elastickv.embedded.internal.placement.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Keeps each shard at its number of replicas: replaces those on nodes that are gone, adds where there are too few, removes
 * where there are too many, finishes or clears away learners that an operation left behind. A replica on a node that has
 * not been down for the grace period counts as one, so a restart moves nothing. New replicas vote before old ones go. The
 * shards with the fewest voters to spare come first.
 */
final class ReplicationRule {

    private static final Rule RULE = Rule.REPLICATION;

    private final Round round;
    private final NodeTable nodes;
    private final ShardTable shards;
    private final Targets targets;
    private final int factor;

    ReplicationRule(Round round, Targets targets) {
        this.round = round;
        this.nodes = round.nodes;
        this.shards = round.shards;
        this.targets = targets;
        this.factor = round.settings.replicationFactor();
    }

    private record Case(int shard, int spare) {}

    void apply() {
        List<Case> cases = new ArrayList<>();
        for (int s = 0; s < shards.size; s++) {
            if (!isAsItShouldBe(s) && round.isFree(s)) {
                cases.add(new Case(s, round.healthyVoters(s) - Round.majority(round.voters(s))));
            }
        }
        cases.sort(Comparator.comparingInt(Case::spare).thenComparingInt(Case::shard));
        for (Case one : cases) {
            if (one.spare < 0) {
                round.leave(RULE, one.shard, "it has no quorum: only its nodes' return can help");
            } else {
                repair(one.shard);
            }
        }
    }

    private boolean isAsItShouldBe(int shard) {
        int count = shards.replicaCount(shard);
        if (count != factor) {
            return false;
        }
        for (int i = 0; i < count; i++) {
            if (!shards.replica(shard, i).voter() || nodes.isLost(shards.node(shard, i))) {
                return false;
            }
        }
        return true;
    }

    private void repair(int shard) {
        int present = 0;
        int lost = -1;
        int learner = -1;
        for (int i = 0; i < shards.replicaCount(shard); i++) {
            if (!shards.replica(shard, i).voter()) {
                learner = i;
            } else if (nodes.isLost(shards.node(shard, i))) {
                lost = i;
            } else {
                present++;
            }
        }
        if (learner >= 0) {
            settle(shard, learner, present < factor);
        } else if (lost >= 0 && present < factor) {
            replace(shard, lost, present);
        } else if (lost >= 0) {
            remove(
                    shard,
                    lost,
                    "node " + nameOf(shard, lost) + " is gone and " + present + " of " + factor
                            + " replicas are there without it");
        } else if (present < factor) {
            addTo(shard, present);
        } else {
            removeOneOf(shard, present);
        }
    }

    /** A learner without an operation is one that an operation left behind. */
    private void settle(int shard, int learner, boolean needed) {
        int node = shards.node(shard, learner);
        if (!needed || !nodes.isUp(node) || nodes.isDraining(node)) {
            remove(shard, learner, "the learner on " + nameOf(shard, learner) + " was left behind and is not needed");
            return;
        }
        String refusal = round.ledger.refusesMove(shards.state(shard).sizeBytes());
        if (refusal == null && !round.ledger.roomInto(node)) {
            refusal = "budget: node " + nodes.name(node) + " is being sent as many states as it may";
        }
        if (refusal == null && !round.ledger.roomOutOf(shards.leader[shard])) {
            refusal = "budget: its leader's node serves as many states as it may";
        }
        if (refusal != null) {
            round.leave(RULE, shard, refusal);
            return;
        }
        round.add(
                RULE,
                new Operation.AddReplica(id(shard), epoch(shard), nodes.name(node)),
                "the learner on " + nodes.name(node) + " was left behind and a voter is missing");
    }

    private void replace(int shard, int lost, int present) {
        String refusal = targets.choose(shard, shards.node(shard, lost));
        if (refusal != null) {
            round.leave(RULE, shard, refusal);
            return;
        }
        String to = nodes.name(targets.chosen());
        String dead = nameOf(shard, lost);
        round.add(
                RULE,
                new Operation.ReplaceDeadReplica(id(shard), epoch(shard), dead, to),
                "node " + dead + " " + absence(shard, lost) + ", " + present + " of " + factor
                        + " replicas are left; " + to + " fetches "
                        + Words.bytes(shards.state(shard).sizeBytes()));
    }

    private String absence(int shard, int lost) {
        int node = shards.node(shard, lost);
        if (node == NodeTable.UNKNOWN) {
            return "is no member any more";
        }
        return "has been down for " + (round.now - nodes.state(node).livenessSinceMillis()) / 1000 + " s"
                + (nodes.isDraining(node)
                        ? " and was draining"
                        : ", the grace period is " + round.settings.graceMillis() / 1000 + " s");
    }

    private void addTo(int shard, int present) {
        String refusal = targets.choose(shard, NodeTable.UNKNOWN);
        if (refusal != null) {
            round.leave(RULE, shard, refusal);
            return;
        }
        String to = nodes.name(targets.chosen());
        round.add(
                RULE,
                new Operation.AddReplica(id(shard), epoch(shard), to),
                present + " of " + factor + " replicas; " + to + " has the most room and fetches "
                        + Words.bytes(shards.state(shard).sizeBytes()));
    }

    /** Removes the one that is worth least: on a node that does not answer, drains, shares its zone, has the most to do. */
    private void removeOneOf(int shard, int present) {
        int worst = -1;
        double worth = Double.MAX_VALUE;
        for (int i = 0; i < shards.replicaCount(shard); i++) {
            int node = shards.node(shard, i);
            if (node == shards.leader[shard]) {
                continue;
            }
            boolean up = nodes.isUp(node);
            double value = (up ? 1e6 : 0)
                    + (nodes.isDraining(node) ? 0 : 1e5)
                    - 1e3 * targets.inZone(shard, nodes.zone[node], NodeTable.UNKNOWN)
                    - Math.min(targets.fill(node), 900);
            if (value < worth && keepsQuorum(shard, up)) {
                worth = value;
                worst = i;
            }
        }
        if (worst < 0) {
            round.leave(RULE, shard, "none of its " + present + " replicas can be removed without risking its quorum");
            return;
        }
        remove(
                shard,
                worst,
                present + " replicas where " + factor + " are wanted; the one on " + nameOf(shard, worst)
                        + " is needed least");
    }

    /** Whether a majority of the voters left is healthy after one has gone. */
    private boolean keepsQuorum(int shard, boolean healthy) {
        int left = round.healthyVoters(shard) - (healthy ? 1 : 0);
        return left >= Round.majority(round.voters(shard) - 1);
    }

    private void remove(int shard, int i, String reason) {
        int node = shards.node(shard, i);
        boolean voter = shards.replica(shard, i).voter();
        if (node != NodeTable.UNKNOWN && node == shards.leader[shard]) {
            round.leave(RULE, shard, "the replica to be removed still leads");
        } else if (voter && !keepsQuorum(shard, nodes.isUp(node))) {
            round.leave(RULE, shard, "a removal would risk its quorum");
        } else if (round.roomFor(RULE, shard)) {
            round.add(RULE, new Operation.RemoveReplica(id(shard), epoch(shard), nameOf(shard, i)), reason);
        }
    }

    private String nameOf(int shard, int i) {
        return shards.replica(shard, i).node();
    }

    private int id(int shard) {
        return shards.state(shard).id();
    }

    private long epoch(int shard) {
        return shards.state(shard).epoch();
    }
}
