package io.elastickv.embedded.internal.placement.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.SlotRange;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** What must be true of every plan, checked without any of the planner's code. */
final class PlanChecker {

    private final CatalogView catalog;
    private final long now;
    private final Map<String, NodeState> nodes = new HashMap<>();
    private final Map<Integer, ShardState> shards = new HashMap<>();
    private final Map<String, Integer> in = new HashMap<>();
    private final Map<String, Integer> out = new HashMap<>();
    private int moves;
    private int operations;
    private long bytes;

    private PlanChecker(CatalogView catalog, long now) {
        this.catalog = catalog;
        this.now = now;
        catalog.nodes().forEach(node -> nodes.put(node.name(), node));
        catalog.shards().forEach(shard -> shards.put(shard.id(), shard));
    }

    /** Fails if a plan breaks a rule of placement, of safety or of the budgets. */
    static void check(CatalogView catalog, Plan plan, long now) {
        if (!plan.operations().isEmpty()) {
            new PlanChecker(catalog, now).check(plan);
        }
    }

    private void check(Plan plan) {
        Set<Integer> busy = new HashSet<>();
        for (RunningOperation running : catalog.running()) {
            take(running.operation());
            claim(busy, running.operation(), false);
        }
        for (Plan.Step step : plan.operations()) {
            Operation operation = step.operation();
            claim(busy, operation, true);
            take(operation);
            assertThat(step.reason()).isNotBlank();
            if (operation instanceof Operation.OfShard of) {
                ShardState shard = shards.get(of.shard());
                assertThat(of.epoch()).isEqualTo(shard.epoch());
                check(shard, operation);
            } else {
                String node = ((Operation.ReleaseNode) operation).node();
                assertThat(nodes.get(node).lifecycle()).isEqualTo(NodeState.Lifecycle.DRAINING);
                assertThat(shards.values()).noneMatch(shard -> shard.replicaOn(node) != null);
            }
        }
        PlanSettings.Budgets budgets = catalog.settings().budgets();
        assertThat(operations).as("operations").isLessThanOrEqualTo(budgets.operations());
        assertThat(moves).as("moves").isLessThanOrEqualTo(budgets.moves());
        in.forEach((node, count) ->
                assertThat(count).as("moves to " + node).isLessThanOrEqualTo(budgets.movesInPerNode()));
        out.forEach((node, count) ->
                assertThat(count).as("moves from " + node).isLessThanOrEqualTo(budgets.movesOutPerNode()));
        assertThat(moves <= 1 || bytes <= budgets.bytesInFlight())
                .as("bytes in flight: " + bytes)
                .isTrue();
    }

    private static void claim(Set<Integer> busy, Operation operation, boolean planned) {
        if (operation instanceof Operation.OfShard of) {
            assertThat(busy.add(of.shard()) || !planned)
                    .as("one operation on shard " + of.shard())
                    .isTrue();
        }
        if (operation instanceof Operation.MergeShards merge) {
            assertThat(busy.add(merge.right()) || !planned)
                    .as("one operation on shard " + merge.right())
                    .isTrue();
        }
    }

    private void take(Operation operation) {
        operations++;
        String to = targetOf(operation);
        if (to != null) {
            ShardState shard = shards.get(((Operation.OfShard) operation).shard());
            moves++;
            in.merge(to, 1, Integer::sum);
            if (shard.leader() != null) {
                out.merge(shard.leader(), 1, Integer::sum);
            }
            bytes += shard.sizeBytes();
        }
    }

    static String targetOf(Operation operation) {
        if (operation instanceof Operation.AddReplica add) {
            return add.node();
        }
        if (operation instanceof Operation.MoveReplica move) {
            return move.to();
        }
        return operation instanceof Operation.ReplaceDeadReplica replace ? replace.to() : null;
    }

    private void check(ShardState shard, Operation operation) {
        String to = targetOf(operation);
        if (to != null) {
            NodeState node = nodes.get(to);
            assertThat(node.liveness()).isEqualTo(NodeState.Liveness.UP);
            assertThat(node.lifecycle()).isEqualTo(NodeState.Lifecycle.ACTIVE);
            ReplicaState there = shard.replicaOn(to);
            assertThat(there == null || (operation instanceof Operation.AddReplica && !there.voter()))
                    .as("a second replica of shard " + shard.id() + " on " + to)
                    .isTrue();
            assertThat(healthy(shard)).as("quorum of " + shard).isGreaterThanOrEqualTo(majority(voters(shard)));
        }
        if (operation instanceof Operation.MoveReplica move) {
            assertThat(shard.replicaOn(move.from())).isNotNull();
            assertThat(nodes.get(move.from()).liveness()).isEqualTo(NodeState.Liveness.UP);
            assertThat(zoneScore(shard, move.from(), move.to())).isLessThanOrEqualTo(zoneScore(shard, null, null));
        } else if (operation instanceof Operation.ReplaceDeadReplica replace) {
            assertThat(isGone(replace.dead())).as(replace.dead() + " is gone").isTrue();
            checkBestZone(shard, replace.dead(), replace.to());
        } else if (operation instanceof Operation.AddReplica add && shard.replicaOn(add.node()) == null) {
            assertThat(shard.replicas().size()).isLessThan(catalog.settings().replicationFactor());
            checkBestZone(shard, null, add.node());
        } else if (operation instanceof Operation.RemoveReplica remove) {
            checkRemoval(shard, remove.node());
        } else if (operation instanceof Operation.TransferLeader transfer) {
            assertThat(transfer.from()).isEqualTo(shard.leader());
            checkLeader(shard, transfer.to());
        } else if (operation instanceof Operation.SplitShard split) {
            BitSet child = slots(split.childSlots());
            BitSet all = slots(shard.slots());
            assertThat(child.isEmpty()).isFalse();
            BitSet rest = (BitSet) all.clone();
            rest.andNot(child);
            assertThat(rest.cardinality())
                    .isEqualTo(all.cardinality() - child.cardinality())
                    .isPositive();
            if (split.childLeader() != null) {
                checkLeader(shard, split.childLeader());
            }
        } else if (operation instanceof Operation.MergeShards merge) {
            ShardState right = shards.get(merge.right());
            assertThat(names(right)).isEqualTo(names(shard));
            assertThat(right.leader()).isEqualTo(shard.leader());
        }
    }

    private void checkLeader(ShardState shard, String to) {
        ReplicaState replica = shard.replicaOn(to);
        assertThat(replica != null && replica.voter() && replica.caughtUp()).isTrue();
        assertThat(nodes.get(to).liveness()).isEqualTo(NodeState.Liveness.UP);
        assertThat(nodes.get(to).lifecycle()).isEqualTo(NodeState.Lifecycle.ACTIVE);
    }

    private void checkRemoval(ShardState shard, String node) {
        assertThat(node).isNotEqualTo(shard.leader());
        ReplicaState replica = shard.replicaOn(node);
        if (replica.voter()) {
            int left = healthy(shard) - (isUp(node) ? 1 : 0);
            assertThat(left).as("healthy voters left of " + shard).isGreaterThanOrEqualTo(majority(voters(shard) - 1));
            assertThat(voters(shard)).isGreaterThan(catalog.settings().replicationFactor());
        }
    }

    /** No other node that could have been chosen is in a zone with fewer of the shard's replicas. */
    private void checkBestZone(ShardState shard, String without, String to) {
        int chosen = inZone(shard, nodes.get(to).zone(), without);
        for (NodeState node : nodes.values()) {
            if (node.liveness() == NodeState.Liveness.UP
                    && node.lifecycle() == NodeState.Lifecycle.ACTIVE
                    && now - node.refusedMillis()
                            >= catalog.settings().cooldowns().failureMillis()
                    && shard.replicaOn(node.name()) == null) {
                assertThat(chosen).as("zone of " + to).isLessThanOrEqualTo(inZone(shard, node.zone(), without));
            }
        }
    }

    private int inZone(ShardState shard, String zone, String without) {
        int count = 0;
        for (ReplicaState replica : shard.replicas()) {
            if (!replica.node().equals(without) && !isGone(replica.node())) {
                count += nodes.get(replica.node()).zone().equals(zone) ? 1 : 0;
            }
        }
        return count;
    }

    /** The sum of the squares of the zones' numbers of replicas, with one moved: the lower the more even. */
    private int zoneScore(ShardState shard, String from, String to) {
        Map<String, Integer> count = new HashMap<>();
        for (ReplicaState replica : shard.replicas()) {
            if (!replica.node().equals(from) && !isGone(replica.node())) {
                count.merge(nodes.get(replica.node()).zone(), 1, Integer::sum);
            }
        }
        if (to != null) {
            count.merge(nodes.get(to).zone(), 1, Integer::sum);
        }
        // A drain has to go where there is room.
        boolean draining = from != null && nodes.get(from).lifecycle() == NodeState.Lifecycle.DRAINING;
        return draining ? 0 : count.values().stream().mapToInt(n -> n * n).sum();
    }

    private boolean isGone(String name) {
        NodeState node = nodes.get(name);
        return node == null
                || (node.liveness() == NodeState.Liveness.DOWN
                        && (node.lifecycle() == NodeState.Lifecycle.DRAINING
                                || now - node.livenessSinceMillis()
                                        >= catalog.settings().graceMillis()));
    }

    private boolean isUp(String name) {
        NodeState node = nodes.get(name);
        return node != null && node.liveness() == NodeState.Liveness.UP;
    }

    private static int voters(ShardState shard) {
        return (int) shard.replicas().stream().filter(ReplicaState::voter).count();
    }

    private int healthy(ShardState shard) {
        return (int) shard.replicas().stream()
                .filter(replica -> replica.voter() && isUp(replica.node()))
                .count();
    }

    private static int majority(int voters) {
        return voters / 2 + 1;
    }

    private static Set<String> names(ShardState shard) {
        Set<String> names = new HashSet<>();
        shard.replicas().forEach(replica -> names.add(replica.node()));
        return names;
    }

    private static BitSet slots(Iterable<SlotRange> ranges) {
        BitSet set = new BitSet();
        for (SlotRange range : ranges) {
            set.set(range.first(), range.last() + 1);
        }
        return set;
    }
}
