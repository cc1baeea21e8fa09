package io.elastickv.embedded.internal.placement.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.SlotRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * A cluster in virtual time that does what the planner says: operations take time and fail, nodes die and come back,
 * leaders are elected, loads are seen through a moving average. One step is a second. Every plan is checked.
 */
final class SimulatedCluster {

    static final double ALPHA = 0.4;
    static final double STEADY_ALPHA = 1 / 25.0;
    /** As many slots as there are; the number of slots is a multiple of it if there are more. */
    static final int LAYER = 16384;

    private static final int WRITE_NANOS = 3_000;

    final SplittableRandom random;
    final TreeMap<String, NodeState> nodes = new TreeMap<>();
    final TreeMap<Integer, ShardState> shards = new TreeMap<>();
    final List<Pending> pending = new ArrayList<>();
    final Map<String, Integer> counts = new TreeMap<>();
    /** Operations per second of each slot, as offered. */
    final double[] slotOps;
    /** As seen. */
    final double[] slotMean;
    /** As seen over a longer time. */
    final double[] slotSteady;
    /** Since when a shard has been cold. */
    private final Map<Integer, Long> coldSince = new TreeMap<>();

    PlanSettings settings;
    long now = 1_000_000;
    double failures;
    double writeShare = 0.5;
    double noise = 0.05;
    long bytesPerSecond = 64 << 20;
    long bytesMoved;
    int started;
    Plan last;
    /** How long the last decision took, in real time. */
    long planNanos;

    /** Where in the arrays a shard's slots begin, if that is not at 0: how there can be more shards than slots. */
    private final Map<Integer, Integer> layers = new HashMap<>();

    private int nextShard;
    private long nextOperation = 1;

    /** An operation under way. */
    static final class Pending {
        final RunningOperation running;
        final long halfway;
        final long end;
        final boolean fails;
        boolean added;

        Pending(RunningOperation running, long halfway, long end, boolean fails) {
            this.running = running;
            this.halfway = halfway;
            this.end = end;
            this.fails = fails;
        }
    }

    SimulatedCluster(long seed, int slots, PlanSettings settings) {
        this.random = new SplittableRandom(seed);
        this.slotOps = new double[slots];
        this.slotMean = new double[slots];
        this.slotSteady = new double[slots];
        this.settings = settings;
    }

    void addNode(String name, String zone) {
        nodes.put(name, NodeState.active(name, zone));
    }

    /** Divides the slots evenly, the replicas round robin over nodes ordered so that neighbours differ in zone. */
    void form(int count, long bytesEach) {
        List<String> names = new ArrayList<>(nodes.keySet());
        int factor = Math.min(settings.replicationFactor(), names.size());
        for (int i = 0; i < count; i++) {
            int first = (int) ((long) slotOps.length * i / count);
            int last = (int) ((long) slotOps.length * (i + 1) / count) - 1;
            if (slotOps.length > LAYER) {
                layers.put(i, first / LAYER * LAYER);
                first %= LAYER;
                last = last % LAYER < first ? LAYER - 1 : last % LAYER;
            }
            List<ReplicaState> replicas = new ArrayList<>();
            for (int r = 0; r < factor; r++) {
                replicas.add(ReplicaState.voter(names.get((i + r) % names.size())));
            }
            String leader = replicas.get(0).node();
            shards.put(
                    i,
                    new ShardState(
                            i,
                            1,
                            List.of(new SlotRange(first, last)),
                            replicas,
                            leader,
                            leader,
                            bytesEach,
                            List.of(),
                            ShardStamps.NONE));
        }
        nextShard = count;
    }

    void step() {
        now += 1000;
        observe();
        elect();
        for (Iterator<Pending> each = new ArrayList<>(pending).iterator(); each.hasNext(); ) {
            progress(each.next());
        }
        CatalogView view = view();
        Loads loads = loads();
        long start = System.nanoTime();
        Plan plan = Planner.plan(view, loads, now);
        planNanos = System.nanoTime() - start;
        PlanChecker.check(view, plan, now);
        last = plan;
        for (Plan.Step step : plan.operations()) {
            start(step.operation());
            counts.merge(step.rule().name(), 1, Integer::sum);
        }
    }

    void steps(int count) {
        for (int i = 0; i < count; i++) {
            step();
        }
    }

    CatalogView view() {
        return new CatalogView(
                List.copyOf(nodes.values()),
                List.copyOf(shards.values()),
                pending.stream().map(p -> p.running).toList(),
                settings);
    }

    void kill(String node) {
        nodes.computeIfPresent(node, (name, state) -> state.with(NodeState.Liveness.DOWN, now));
    }

    void revive(String node) {
        nodes.computeIfPresent(node, (name, state) -> state.with(NodeState.Liveness.UP, now));
    }

    void drain(String node) {
        nodes.computeIfPresent(node, (name, state) -> state.with(NodeState.Lifecycle.DRAINING));
    }

    boolean isUp(String node) {
        NodeState state = nodes.get(node);
        return state != null && state.liveness() == NodeState.Liveness.UP;
    }

    private void observe() {
        for (int i = 0; i < slotOps.length; i++) {
            double seen = slotOps[i] == 0 ? 0 : slotOps[i] * (1 + noise * (2 * random.nextDouble() - 1));
            slotMean[i] += ALPHA * (seen - slotMean[i]);
            slotSteady[i] += STEADY_ALPHA * (seen - slotSteady[i]);
        }
    }

    Loads loads() {
        Map<Integer, ShardLoad> loads = new TreeMap<>();
        for (ShardState shard : shards.values()) {
            int[] slots = new int[shard.slotCount()];
            double[] ops = new double[slots.length];
            int at = 0;
            int base = layers.getOrDefault(shard.id(), 0);
            double sum = 0;
            double steady = 0;
            for (SlotRange range : shard.slots()) {
                for (int slot = range.first(); slot <= range.last(); slot++) {
                    slots[at] = slot;
                    ops[at] = slotMean[base + slot];
                    sum += ops[at++];
                    steady += slotSteady[base + slot];
                }
            }
            if (sum >= settings.merging().coldOpsPerSecond()) {
                coldSince.remove(shard.id());
            } else {
                coldSince.putIfAbsent(shard.id(), now);
            }
            loads.put(
                    shard.id(),
                    new ShardLoad(
                            sum,
                            steady,
                            0,
                            sum * writeShare * WRITE_NANOS,
                            SlotLoads.of(slots, ops),
                            List.of(),
                            coldSince.getOrDefault(shard.id(), ShardLoad.NOT_COLD)));
        }
        return new Loads(loads);
    }

    private void elect() {
        for (ShardState shard : leaderless()) {
            List<String> able = shard.replicas().stream()
                    .filter(replica -> replica.voter() && isUp(replica.node()))
                    .map(ReplicaState::node)
                    .toList();
            boolean quorum = able.size() * 2
                    > shard.replicas().stream().filter(ReplicaState::voter).count();
            put(led(shard, quorum ? able.get(random.nextInt(able.size())) : null, shard.preferredLeader()));
        }
    }

    private List<ShardState> leaderless() {
        return shards.values().stream()
                .filter(shard -> shard.leader() == null || !isUp(shard.leader()))
                .toList();
    }

    private void start(Operation operation) {
        started++;
        counts.merge(operation.getClass().getSimpleName(), 1, Integer::sum);
        long takes = 100L + random.nextInt(800);
        String to = PlanChecker.targetOf(operation);
        if (to != null) {
            long size = shards.get(((Operation.OfShard) operation).shard()).sizeBytes();
            takes += 1000 * size / bytesPerSecond;
            bytesMoved += size;
            ShardState shard = shards.get(((Operation.OfShard) operation).shard());
            if (shard.replicaOn(to) == null) {
                put(replicas(shard, null, new ReplicaState(to, false, false)));
            }
        }
        boolean fails = random.nextDouble() < failures;
        RunningOperation running = new RunningOperation(nextOperation++, operation, now);
        pending.add(new Pending(running, now + takes * 2 / 3, now + takes, fails));
    }

    private void progress(Pending one) {
        Operation operation = one.running.operation();
        if (operation instanceof Operation.ReleaseNode release) {
            if (now >= one.end) {
                nodes.remove(release.node());
                pending.remove(one);
            }
            return;
        }
        ShardState shard = shards.get(((Operation.OfShard) operation).shard());
        String to = PlanChecker.targetOf(operation);
        boolean impossible = shard.leader() == null || (to != null && !isUp(to));
        if (to != null && !one.added && now >= one.halfway && !impossible && !one.fails) {
            put(replicas(shard, to, ReplicaState.voter(to)));
            one.added = true;
            shard = shards.get(shard.id());
        }
        if (now < one.end) {
            return;
        }
        pending.remove(one);
        boolean failsLate = one.fails && to == null;
        if (impossible || failsLate || (to != null && !one.added) || !finish(shard, operation)) {
            put(stamped(shards.get(shard.id()), shard.stamps().failed(now)));
        }
        checkReplicas(shards.get(shard.id()));
    }

    /** The last step of an operation; false if a driver would refuse it. */
    private boolean finish(ShardState shard, Operation operation) {
        if (operation instanceof Operation.MoveReplica move) {
            if (move.from().equals(shard.leader())) {
                shard = led(shard, move.to(), move.to());
            }
            return remove(shard, move.from());
        } else if (operation instanceof Operation.ReplaceDeadReplica replace) {
            return remove(shard, replace.dead());
        } else if (operation instanceof Operation.RemoveReplica gone) {
            return remove(shard, gone.node());
        } else if (operation instanceof Operation.TransferLeader transfer) {
            if (!isUp(transfer.to())) {
                return false;
            }
            put(stamped(led(shard, transfer.to(), transfer.to()), shard.stamps().transferred(now)));
        } else if (operation instanceof Operation.SplitShard split) {
            split(shard, split);
        } else if (operation instanceof Operation.MergeShards merge) {
            merge(shard, merge);
        }
        return true;
    }

    private boolean remove(ShardState shard, String node) {
        long voters = shard.replicas().stream().filter(ReplicaState::voter).count();
        long healthy = shard.replicas().stream()
                .filter(replica -> replica.voter() && isUp(replica.node()))
                .count();
        ReplicaState replica = shard.replicaOn(node);
        if (replica != null && replica.voter()) {
            healthy -= isUp(node) ? 1 : 0;
            if (node.equals(shard.leader()) || healthy * 2 <= voters - 1) {
                return false;
            }
        }
        put(stamped(replicas(shard, node, null), shard.stamps().moved(now)));
        return true;
    }

    private void split(ShardState shard, Operation.SplitShard split) {
        boolean[] child = new boolean[LAYER];
        split.childSlots().forEach(range -> Arrays.fill(child, range.first(), range.last() + 1, true));
        List<SlotRange> rest = new ArrayList<>();
        for (SlotRange range : shard.slots()) {
            for (int slot = range.first(); slot <= range.last(); slot++) {
                if (!child[slot]) {
                    int first = slot;
                    while (slot + 1 <= range.last() && !child[slot + 1]) {
                        slot++;
                    }
                    rest.add(new SlotRange(first, slot));
                }
            }
        }
        long half = shard.sizeBytes() / 2;
        String leader = split.childLeader() != null && isUp(split.childLeader()) ? split.childLeader() : shard.leader();
        ShardStamps stamps = shard.stamps().split(now);
        put(copy(
                shard,
                shard.epoch() + 1,
                rest,
                shard.replicas(),
                shard.leader(),
                shard.preferredLeader(),
                half,
                stamps));
        int id = nextShard++;
        layers.computeIfAbsent(id, unused -> layers.get(shard.id()));
        shards.put(
                id,
                new ShardState(id, 1, split.childSlots(), shard.replicas(), leader, leader, half, List.of(), stamps));
    }

    private void merge(ShardState shard, Operation.MergeShards merge) {
        ShardState right = shards.remove(merge.right());
        boolean[] owned = new boolean[slotOps.length + 1];
        shard.slots().forEach(range -> Arrays.fill(owned, range.first(), range.last() + 1, true));
        right.slots().forEach(range -> Arrays.fill(owned, range.first(), range.last() + 1, true));
        List<SlotRange> all = new ArrayList<>();
        for (int slot = 0; slot < slotOps.length; slot++) {
            if (owned[slot]) {
                int first = slot;
                while (owned[slot + 1]) {
                    slot++;
                }
                all.add(new SlotRange(first, slot));
            }
        }
        put(copy(
                shard,
                shard.epoch() + 1,
                all,
                shard.replicas(),
                shard.leader(),
                shard.preferredLeader(),
                shard.sizeBytes() + right.sizeBytes(),
                shard.stamps().merged(now)));
    }

    void put(ShardState shard) {
        shards.put(shard.id(), shard);
    }

    private static void checkReplicas(ShardState shard) {
        HashSet<String> names = new HashSet<>();
        for (ReplicaState replica : shard.replicas()) {
            assertThat(names.add(replica.node()))
                    .as("two replicas on one node: " + shard)
                    .isTrue();
        }
    }

    /** Without the replica on a node, or with another one. */
    static ShardState replicas(ShardState shard, String without, ReplicaState with) {
        List<ReplicaState> replicas = new ArrayList<>(shard.replicas());
        replicas.removeIf(replica -> replica.node().equals(without));
        if (with != null) {
            replicas.add(with);
        }
        return copy(
                shard,
                shard.epoch() + 1,
                shard.slots(),
                replicas,
                shard.leader(),
                shard.preferredLeader(),
                shard.sizeBytes(),
                shard.stamps());
    }

    static ShardState led(ShardState shard, String leader, String preferred) {
        return copy(
                shard,
                shard.epoch(),
                shard.slots(),
                shard.replicas(),
                leader,
                preferred,
                shard.sizeBytes(),
                shard.stamps());
    }

    static ShardState stamped(ShardState shard, ShardStamps stamps) {
        return copy(
                shard,
                shard.epoch(),
                shard.slots(),
                shard.replicas(),
                shard.leader(),
                shard.preferredLeader(),
                shard.sizeBytes(),
                stamps);
    }

    private static ShardState copy(
            ShardState shard,
            long epoch,
            List<SlotRange> slots,
            List<ReplicaState> replicas,
            String leader,
            String preferred,
            long bytes,
            ShardStamps stamps) {
        return new ShardState(shard.id(), epoch, slots, replicas, leader, preferred, bytes, shard.relieved(), stamps);
    }

    /** What each active node carries of the offered load, in terms of the mean. */
    Map<String, Double> shares() {
        Map<String, Double> load = new TreeMap<>();
        nodes.values().stream()
                .filter(node -> node.lifecycle() == NodeState.Lifecycle.ACTIVE && isUp(node.name()))
                .forEach(node -> load.put(node.name(), 0.0));
        for (ShardState shard : shards.values()) {
            double ops = 0;
            for (SlotRange range : shard.slots()) {
                for (int slot = range.first(); slot <= range.last(); slot++) {
                    ops += slotOps[layers.getOrDefault(shard.id(), 0) + slot];
                }
            }
            ShardLoad cost = new ShardLoad(
                    ops, ops, 0, ops * writeShare * WRITE_NANOS, SlotLoads.UNKNOWN, List.of(), ShardLoad.NOT_COLD);
            for (ReplicaState replica : shard.replicas()) {
                load.computeIfPresent(
                        replica.node(), (n, v) -> v + settings.costs().replica(cost));
            }
            if (shard.leader() != null) {
                load.computeIfPresent(
                        shard.leader(), (n, v) -> v + settings.costs().lead(cost));
            }
        }
        double mean = load.values().stream().mapToDouble(v -> v).sum() / load.size();
        load.replaceAll((n, v) -> v / mean);
        return load;
    }
}
