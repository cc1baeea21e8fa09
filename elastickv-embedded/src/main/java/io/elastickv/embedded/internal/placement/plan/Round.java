package io.elastickv.embedded.internal.placement.plan;

import io.elastickv.api.SlotRange;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One round of decisions: the cluster as it is expected to be once all that is running or planned is done, and the plan so
 * far. Each operation that is added changes what the later rules see, so no two of them solve the same problem.
 */
final class Round {

    private static final int KINDS_OF_NOT_DONE = 64;

    final PlanSettings settings;
    final long now;
    final NodeTable nodes;
    final ShardTable shards;
    final Ledger ledger;
    /** The operations that are under way. */
    final List<RunningOperation> running;
    /** Mean load of an active node. */
    final double meanLoad;
    /** Whether there is enough of it to go by. */
    final boolean loaded;

    private final List<Plan.Step> steps = new ArrayList<>();
    private final Map<String, Plan.NotDone> notDone = new LinkedHashMap<>();

    Round(CatalogView catalog, Loads loads, long now) {
        this.settings = catalog.settings();
        this.now = now;
        this.running = catalog.running();
        this.nodes = new NodeTable(catalog.nodes(), settings, now);
        this.shards = new ShardTable(catalog, loads, nodes);
        this.ledger = new Ledger(settings.budgets(), nodes.size);
        for (RunningOperation operation : catalog.running()) {
            expect(operation.operation());
        }
        this.meanLoad = nodes.mean(nodes.load);
        this.loaded = meanLoad >= settings.costs().minNodeNanos() && meanLoad > 0;
    }

    /** Adds a transfer from the shard's leader, for which there must be room. */
    void transfer(Rule rule, int shard, int to, String reason) {
        ShardState state = shards.state(shard);
        String from = nodes.name(shards.leader[shard]);
        add(rule, new Operation.TransferLeader(state.id(), state.epoch(), from, nodes.name(to)), reason);
    }

    /** Adds an operation, for which there must be room. */
    void add(Rule rule, Operation operation, String reason) {
        boolean allowed = switch (settings.automation()) {
            case OFF -> false;
            case REPAIRS -> rule.isRepair();
            case ALL -> true;
        };
        if (allowed) {
            steps.add(new Plan.Step(rule, operation, reason));
        } else {
            String switched = "automation is " + settings.automation() + "; otherwise: " + operation + ", as " + reason;
            leave(rule, operation instanceof Operation.OfShard of ? "shard " + of.shard() : "the cluster", switched);
        }
        expect(operation);
    }

    /** Notes that something was not done. */
    void leave(Rule rule, String subject, String reason) {
        String kind = rule + reason;
        Plan.NotDone earlier = notDone.get(kind);
        if (earlier != null) {
            notDone.put(kind, new Plan.NotDone(rule, earlier.subject(), reason, earlier.count() + 1));
        } else if (notDone.size() < KINDS_OF_NOT_DONE) {
            notDone.put(kind, new Plan.NotDone(rule, subject, reason, 1));
        }
    }

    void leave(Rule rule, int shard, String reason) {
        leave(rule, name(shard), reason);
    }

    /** Whether an operation that fetches nothing can be started; notes why not. */
    boolean roomFor(Rule rule, int shard) {
        String refusal = ledger.refusesOperation();
        if (refusal != null) {
            leave(rule, shard, refusal);
        }
        return refusal == null;
    }

    Plan toPlan() {
        Collection<Plan.NotDone> left = notDone.values();
        double most = 0;
        for (int n = 0; n < nodes.size; n++) {
            most = Math.max(most, nodes.active[n] ? nodes.load[n] : 0);
        }
        String summary = nodes.activeCount + " of " + nodes.size + " nodes active, " + shards.size + " shards, "
                + running.size() + " operations running, "
                + (loaded
                        ? "the most loaded node is expected at " + Words.share(most / meanLoad) + " of the mean"
                        : "no load to speak of");
        return new Plan(steps, List.copyOf(left), summary);
    }

    // What rules ask of shards

    String name(int shard) {
        return "shard " + shards.state(shard).id();
    }

    /** Whether rules may touch it: nothing is going on with it, and nothing failed a moment ago. */
    boolean isFree(int shard) {
        return !shards.busy[shard]
                && now - shards.state(shard).stamps().failedMillis()
                        >= settings.cooldowns().failureMillis();
    }

    /** Whether it may be moved for the sake of balance again. */
    boolean hasCooled(int shard) {
        ShardStamps stamps = shards.state(shard).stamps();
        return now - Math.max(stamps.movedMillis(), stamps.transferredMillis())
                >= settings.cooldowns().moveMillis();
    }

    /** Whether all its replicas vote and answer: it can do without one of them for a while. */
    boolean isWhole(int shard) {
        for (int i = 0; i < shards.replicaCount(shard); i++) {
            if (!shards.replica(shard, i).voter() || !nodes.isUp(shards.node(shard, i))) {
                return false;
            }
        }
        return shards.leader[shard] != NodeTable.UNKNOWN;
    }

    /** Whether replica {@code i} could lead, on a node that is to stay. */
    boolean couldLead(int shard, int i) {
        int node = shards.node(shard, i);
        ReplicaState replica = shards.replica(shard, i);
        return node != NodeTable.UNKNOWN && nodes.active[node] && replica.voter() && replica.caughtUp();
    }

    int voters(int shard) {
        int count = 0;
        for (int i = 0; i < shards.replicaCount(shard); i++) {
            count += shards.replica(shard, i).voter() ? 1 : 0;
        }
        return count;
    }

    /** How many of the voters answer. */
    int healthyVoters(int shard) {
        int count = 0;
        for (int i = 0; i < shards.replicaCount(shard); i++) {
            count += shards.replica(shard, i).voter() && nodes.isUp(shards.node(shard, i)) ? 1 : 0;
        }
        return count;
    }

    static int majority(int voters) {
        return voters / 2 + 1;
    }

    // What an operation will have changed

    private void expect(Operation operation) {
        if (!(operation instanceof Operation.OfShard of)) {
            ledger.takeOperation();
            return;
        }
        int shard = shards.indexOf(of.shard());
        if (shard < 0) {
            ledger.takeOperation();
            return;
        }
        shards.busy[shard] = true;
        if (operation instanceof Operation.AddReplica add) {
            fetch(shard, nodes.indexOf(add.node()));
        } else if (operation instanceof Operation.MoveReplica move) {
            int from = nodes.indexOf(move.from());
            int to = nodes.indexOf(move.to());
            fetch(shard, to);
            if (shards.leader[shard] == from) {
                lead(shard, from, to);
            }
            drop(shard, from);
        } else if (operation instanceof Operation.ReplaceDeadReplica replace) {
            fetch(shard, nodes.indexOf(replace.to()));
            drop(shard, nodes.indexOf(replace.dead()));
        } else {
            ledger.takeOperation();
            if (operation instanceof Operation.RemoveReplica remove) {
                drop(shard, nodes.indexOf(remove.node()));
            } else if (operation instanceof Operation.TransferLeader transfer) {
                if (shards.leader[shard] == nodes.indexOf(transfer.from())) {
                    lead(shard, shards.leader[shard], nodes.indexOf(transfer.to()));
                }
            } else if (operation instanceof Operation.SplitShard split) {
                expectChild(shard, split.childSlots(), split.childLeader());
            } else if (operation instanceof Operation.MergeShards merge) {
                int right = shards.indexOf(merge.right());
                if (right >= 0) {
                    shards.busy[right] = true;
                }
            }
        }
    }

    private void fetch(int shard, int to) {
        long size = shards.state(shard).sizeBytes();
        ledger.takeMove(shards.leader[shard], to, size);
        if (to != NodeTable.UNKNOWN && !shards.isOn(shard, to)) {
            nodes.replicas[to]++;
            nodes.carry(to, shards.replicaCost[shard], shards.steadiness[shard]);
            if (nodes.freeBytes[to] != Long.MAX_VALUE) {
                nodes.freeBytes[to] -= size;
            }
        }
    }

    private void drop(int shard, int from) {
        if (from != NodeTable.UNKNOWN && shards.isOn(shard, from)) {
            nodes.replicas[from]--;
            nodes.carry(from, -shards.replicaCost[shard], shards.steadiness[shard]);
        }
    }

    private void lead(int shard, int from, int to) {
        lead(shards.leadCost[shard], shards.steadiness[shard], from, to);
        if (from != NodeTable.UNKNOWN) {
            nodes.leaders[from]--;
        }
        if (to != NodeTable.UNKNOWN) {
            nodes.leaders[to]++;
        }
    }

    private void lead(double cost, double steadiness, int from, int to) {
        if (from != NodeTable.UNKNOWN) {
            nodes.lead(from, -cost, steadiness);
        }
        if (to != NodeTable.UNKNOWN) {
            nodes.lead(to, cost, steadiness);
        }
    }

    private void expectChild(int shard, List<SlotRange> slots, @Nullable String childLeader) {
        int to = childLeader == null ? shards.leader[shard] : nodes.indexOf(childLeader);
        SlotLoads loads = shards.load(shard).slots();
        double part = 0;
        if (loads.total() > 0) {
            for (SlotRange range : slots) {
                for (int slot = range.first(); slot <= range.last(); slot++) {
                    part += loads.of(slot);
                }
            }
            part /= loads.total();
        }
        lead(shards.leadCost[shard] * part, shards.steadiness[shard], shards.leader[shard], to);
        if (to != NodeTable.UNKNOWN) {
            nodes.leaders[to]++;
        }
        for (int i = 0; i < shards.replicaCount(shard); i++) {
            if (shards.node(shard, i) != NodeTable.UNKNOWN) {
                nodes.replicas[shards.node(shard, i)]++;
            }
        }
    }
}
