package io.elastickv.embedded.internal.raft.core;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;

/**
 * A cluster of {@link RaftCore}s in one thread on virtual time, with everything that can go wrong chosen by one seed:
 * messages lost, delayed, duplicated, reordered, links cut in one or both directions, processes paused, crashed and
 * restarted, slow disks, torn writes, lies of the failure detector, transfers of leadership. {@link SimOracle} checks
 * every step; after the faults stop the cluster must work again.
 */
final class SimCluster {

    static final long MILLI = 1_000_000;
    static final long TICK_NANOS = 10 * MILLI;
    private static final long FAULTY_NANOS = 1_500 * MILLI;
    private static final long RECOVERY_NANOS = 3_000 * MILLI;

    /** Far more than any seed needs. */
    private static final long MAX_EVENTS = 100_000;

    /** What a seed is about; faults of all kinds happen in each. */
    enum Profile {
        ANYTHING,
        /** Whoever wins an election is killed or cut off within milliseconds (Ongaro, figure 3.7). */
        LEADERS_DIE_YOUNG,
        /** Several campaign at once while voters crash and come back at once. */
        CONTESTED_ELECTIONS,
        /** Messages come again long after they were sent, and leaders that were cut off are asked to read. */
        ECHOES
    }

    private record Event(long atNanos, long order, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(atNanos, other.atNanos);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    final long seed;
    final SimMutation mutation;
    final SplittableRandom random;
    final List<SimNode> nodes = new ArrayList<>();
    final SimOracle oracle;
    final Configuration initial;
    long nowNanos = 1_000_000_000_000L;

    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final List<ArrayDeque<Runnable>> held = new ArrayList<>();
    private long order;
    private final long endOfFaultsNanos = nowNanos + FAULTY_NANOS;

    boolean faulty = true;
    long pausedRecentlyNanos;
    private final boolean[][] cut;
    private double dropRate;
    private double duplicateRate;
    private long maxDelayNanos = 2 * MILLI;
    private long maxFsyncNanos = MILLI;
    private final Profile profile;
    private long nextId;
    private long nextRead;

    int acknowledged;
    int readsDone;
    int readsFailed;
    long eventsRun;

    SimCluster(long seed, SimMutation mutation) {
        this.seed = seed;
        this.mutation = mutation;
        random = new SplittableRandom(seed);
        int[] sizes = {1, 2, 3, 3, 3, 3, 3, 4, 5, 5};
        int size = sizes[random.nextInt(sizes.length)];
        List<String> names = new ArrayList<>();
        for (int i = 1; i <= size; i++) {
            names.add("n" + i);
        }
        Profile[] profiles = Profile.values();
        Profile drawn = profiles[random.nextInt(profiles.length)];
        profile = mutation.profile() != null ? mutation.profile() : drawn;
        boolean oneByOne = random.nextInt(3) == 0 ^ profile == Profile.LEADERS_DIE_YOUNG;
        String preferred = random.nextBoolean() ? null : names.get(random.nextInt(size));
        initial = Configuration.of(names);
        for (String name : names) {
            nodes.add(new SimNode(this, name, config(name, preferred, oneByOne)));
            held.add(new ArrayDeque<>());
        }
        cut = new boolean[size][size];
        oracle = new SimOracle(size / 2 + 1, (index, term) -> {
            int copies = 0;
            for (SimNode node : nodes) {
                if (node.hasDurable(index, term)) {
                    copies++;
                }
            }
            return copies;
        });
    }

    private RaftConfig config(String name, String preferred, boolean oneByOne) {
        return new RaftConfig(
                name,
                100 * MILLI,
                20 * MILLI,
                oneByOne ? 1 : 1 + random.nextInt(8),
                64 + random.nextInt(1_000),
                oneByOne ? 1 : 1 + random.nextInt(4),
                64 + random.nextInt(2_000),
                8 + random.nextInt(32),
                500 + random.nextInt(4_000),
                1 + random.nextInt(2_000),
                preferred);
    }

    /** Runs the whole story of this seed. */
    void run() {
        nodes.forEach(SimNode::start);
        after(0, this::client);
        after(random.nextLong(100 * MILLI), this::trouble);
        runUntil(endOfFaultsNanos);
        heal();
        checkRecovery();
    }

    private void runUntil(long endNanos) {
        while (!events.isEmpty() && events.peek().atNanos <= endNanos) {
            Event event = events.poll();
            nowNanos = event.atNanos;
            if (++eventsRun > MAX_EVENTS) {
                throw new SimOracle.Violation("no end of messages: " + nodes);
            }
            event.action.run();
        }
        nowNanos = endNanos;
    }

    void after(long delayNanos, Runnable action) {
        events.add(new Event(nowNanos + delayNanos, order++, action));
    }

    long wallMillis() {
        return nowNanos / MILLI;
    }

    long fsyncNanos() {
        return 1 + random.nextLong(maxFsyncNanos);
    }

    // ---------------------------------------------------------------------------------------------- network

    void send(SimNode from, String to, RaftMessage message) {
        RaftMessage sent = mutation.sent(this, from, to, message);
        if (sent != null) {
            transmit(from.name, to, sent);
        }
    }

    void transmit(String from, String to, RaftMessage message) {
        int source = indexOf(from);
        int target = indexOf(to);
        if (cut[source][target] || random.nextDouble() < dropRate) {
            return;
        }
        RaftMessage received = random.nextInt(16) == 0 ? throughBytes(message) : message;
        after(random.nextLong(maxDelayNanos), () -> deliver(from, target, received));
        if (random.nextDouble() < duplicateRate) {
            after(random.nextLong(10 * maxDelayNanos), () -> deliver(from, target, received));
        }
    }

    private static RaftMessage throughBytes(RaftMessage message) {
        ByteBuffer buffer = ByteBuffer.allocate(RaftMessageCodec.encodedSize(message));
        RaftMessageCodec.encode(message, buffer);
        return RaftMessageCodec.decode(buffer.flip());
    }

    private void deliver(String from, int target, RaftMessage message) {
        SimNode node = nodes.get(target);
        if (node.up()) {
            whenRunning(node, () -> node.receive(from, message));
        }
    }

    /** Does it now, or when the node's process runs again. */
    void whenRunning(SimNode node, Runnable action) {
        if (node.paused) {
            held.get(indexOf(node.name)).add(action);
        } else {
            action.run();
        }
    }

    SimNode node(String name) {
        return nodes.get(indexOf(name));
    }

    private static int indexOf(String name) {
        return name.charAt(1) - '1';
    }

    // ---------------------------------------------------------------------------------------------- clients

    private void client() {
        if (faulty) {
            after(random.nextLong(4 * MILLI), this::client);
        }
        SimNode node = nodes.get(random.nextInt(nodes.size()));
        if (!node.up() || node.paused) {
            return;
        }
        boolean read = random.nextInt(3) == 0;
        if (node.core().role() != Role.LEADER && random.nextInt(8) >= (read ? 4 : 1)) {
            for (SimNode other : nodes) {
                if (other.up()
                        && !other.paused
                        && other.core().role() == Role.LEADER
                        && (node.core().role() != Role.LEADER || random.nextBoolean())) {
                    node = other;
                }
            }
        }
        if (read) {
            node.read(nextRead++);
            return;
        }
        int count = 1 + random.nextInt(4);
        List<byte[]> payloads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            payloads.add(payload());
        }
        node.propose(payloads);
    }

    private byte[] payload() {
        return ByteBuffer.allocate(8 + random.nextInt(60)).putLong(nextId++).array();
    }

    // ---------------------------------------------------------------------------------------------- faults

    private void trouble() {
        if (!faulty) {
            return;
        }
        after(random.nextLong((profile == Profile.LEADERS_DIE_YOUNG ? 300 : 60) * MILLI), this::trouble);
        if (profile == Profile.CONTESTED_ELECTIONS && random.nextBoolean()) {
            contest();
            return;
        }
        if (profile == Profile.ECHOES && random.nextBoolean()) {
            duplicateRate = 0.5;
            maxDelayNanos = (1 + random.nextInt(20)) * MILLI;
            nodes.stream()
                    .filter(n -> n.up() && n.core().role() == Role.LEADER)
                    .findAny()
                    .ifPresent(n -> isolate(indexOf(n.name), true));
            after(random.nextLong(120 * MILLI), this::reconnect);
            return;
        }
        SimNode node = nodes.get(random.nextInt(nodes.size()));
        switch (random.nextInt(14)) {
            case 0, 1 -> {
                if (node.up()) {
                    resume(node);
                    node.crash();
                    after(random.nextLong(200 * MILLI), () -> restart(node));
                }
            }
            case 2 -> { // a power cut
                for (SimNode each : nodes) {
                    if (each.up()) {
                        resume(each);
                        each.crash();
                        after(random.nextLong(50 * MILLI), () -> restart(each));
                    }
                }
            }
            case 3 -> {
                if (node.up() && !node.paused) {
                    node.paused = true;
                    pausedRecentlyNanos = 400 * MILLI;
                    after(random.nextLong(300 * MILLI), () -> resume(node));
                }
            }
            case 4 -> { // two halves
                reconnect();
                boolean[] side = new boolean[nodes.size()];
                for (int i = 0; i < side.length; i++) {
                    side[i] = random.nextBoolean();
                }
                for (int i = 0; i < side.length; i++) {
                    for (int j = 0; j < side.length; j++) {
                        cut[i][j] = side[i] != side[j];
                    }
                }
            }
            case 5 -> { // one member alone, the leader if there is one
                int alone = indexOf(node.name);
                for (SimNode each : nodes) {
                    if (each.up() && each.core().role() == Role.LEADER) {
                        alone = indexOf(each.name);
                    }
                }
                isolate(alone, random.nextBoolean());
            }
            case 6 -> cut[random.nextInt(nodes.size())][random.nextInt(nodes.size())] = true;
            case 7, 8 -> reconnect();
            case 9 -> {
                dropRate = random.nextInt(3) == 0 ? random.nextDouble() * 0.3 : 0;
                duplicateRate = random.nextInt(3) == 0 ? random.nextDouble() * 0.3 : 0;
                maxDelayNanos = (random.nextInt(4) == 0 ? 60 : 1 + random.nextInt(5)) * MILLI;
            }
            case 10 -> maxFsyncNanos = (random.nextInt(4) == 0 ? 80 : 1 + random.nextInt(4)) * MILLI;
            case 11 -> {
                for (SimNode each : nodes) {
                    if (each.up() && !each.paused && each.core().role() == Role.LEADER) {
                        each.core().transferLeadership(node.name);
                        each.drainSometimes();
                    }
                }
            }
            case 12 -> contest();
            default -> {
                if (node.up() && !node.paused) {
                    SimNode about = nodes.get(random.nextInt(nodes.size()));
                    node.core().peerReachable(about.name, random.nextBoolean());
                    node.drainSometimes();
                }
            }
        }
    }

    /** Cuts a member off; where the failure detectors work, the others are told. */
    private void isolate(int alone, boolean detected) {
        for (int i = 0; i < nodes.size(); i++) {
            cut[i][alone] = true;
            cut[alone][i] = true;
            SimNode node = nodes.get(i);
            if (detected && i != alone && node.up() && !node.paused) {
                node.core().peerReachable(nodes.get(alone).name, false);
                node.drainSometimes();
            }
        }
    }

    /** The leader is restarted, everybody campaigns almost together, and some crash and come back right after. */
    private void contest() {
        for (SimNode node : nodes) {
            if (!node.up()) {
                continue;
            }
            if (node.core().role() == Role.LEADER) {
                crashBriefly(node);
                for (SimNode other : nodes) {
                    if (other.up() && !other.paused) {
                        other.core().peerReachable(node.name, false);
                        other.drainSometimes();
                    }
                }
            }
            after(random.nextLong(3 * MILLI), () -> campaign(node));
            if (random.nextBoolean()) {
                after(MILLI + random.nextLong(8 * MILLI), () -> crashBriefly(node));
            }
        }
    }

    private void crashBriefly(SimNode node) {
        if (faulty && node.up()) {
            resume(node);
            node.crash();
            after(random.nextLong(MILLI), () -> restart(node));
        }
    }

    /** A node has just won an election. */
    void elected(SimNode node) {
        if (!faulty || profile != Profile.LEADERS_DIE_YOUNG) {
            return;
        }
        long[] lives = {2 * MILLI, 2 * MILLI, 8 * MILLI, 8 * MILLI, 100 * MILLI};
        after(random.nextLong(lives[random.nextInt(lives.length)]), () -> {
            if (!faulty || !node.up()) {
                return;
            }
            // Either way the others hear of it, so that the next election comes soon.
            isolate(indexOf(node.name), true);
            if (random.nextBoolean()) {
                after(random.nextLong(60 * MILLI), this::reconnect);
            } else {
                resume(node);
                node.crash();
                reconnect();
                after(random.nextLong(60 * MILLI), () -> restart(node));
            }
            for (int i = 0; i < 2; i++) {
                SimNode next = nodes.get(random.nextInt(nodes.size()));
                after(random.nextLong(30 * MILLI), () -> campaign(next));
            }
        });
    }

    private void campaign(SimNode node) {
        if (node.up() && !node.paused) {
            node.core().tick(nowNanos, wallMillis());
            node.core().campaign();
            node.drainSometimes();
        }
    }

    private void reconnect() {
        for (boolean[] row : cut) {
            Arrays.fill(row, false);
        }
    }

    private void restart(SimNode node) {
        if (!node.up()) {
            node.start();
        }
    }

    private void resume(SimNode node) {
        if (!node.paused) {
            return;
        }
        node.paused = false;
        ArrayDeque<Runnable> waiting = held.get(indexOf(node.name));
        if (node.up()) {
            node.core().tick(nowNanos, wallMillis());
            node.drainSometimes();
        }
        for (Runnable action = waiting.poll(); action != null; action = waiting.poll()) {
            action.run();
        }
    }

    // ---------------------------------------------------------------------------------------------- recovery

    private void heal() {
        faulty = false;
        reconnect();
        dropRate = 0;
        duplicateRate = 0;
        maxDelayNanos = 2 * MILLI;
        maxFsyncNanos = MILLI;
        for (SimNode node : nodes) {
            resume(node);
            restart(node);
            for (SimNode other : nodes) {
                node.core().peerReachable(other.name, true);
            }
        }
    }

    /** Liveness: once nothing fails any more, a write is acknowledged, applied everywhere, and everybody can read. */
    private void checkRecovery() {
        long deadline = nowNanos + RECOVERY_NANOS;
        boolean written = false;
        while (!written) {
            advance(deadline, "no leader accepts a proposal");
            for (SimNode node : nodes) {
                if (!written && node.core().role() == Role.LEADER) {
                    int before = acknowledged;
                    if (node.propose(List.of(payload()))) {
                        long patience = Math.min(deadline, nowNanos + 300 * MILLI);
                        while (acknowledged == before && nowNanos < patience) {
                            runUntil(nowNanos + TICK_NANOS);
                        }
                        written = acknowledged > before;
                    }
                }
            }
        }
        while (nodes.stream().anyMatch(n -> n.appliedIndex() < oracle.committedCount())) {
            advance(deadline, "not everybody applies everything");
        }
        for (SimNode node : nodes) {
            int before = readsDone;
            while (readsDone == before) {
                node.read(nextRead++);
                runUntil(nowNanos + 30 * MILLI);
                advance(deadline, "no read on " + node.name);
            }
        }
    }

    private void advance(long deadline, String complaint) {
        if (nowNanos >= deadline) {
            throw new SimOracle.Violation("liveness: " + complaint + " " + RECOVERY_NANOS / MILLI + " ms after the "
                    + "last fault: " + nodes);
        }
        runUntil(nowNanos + TICK_NANOS);
    }
}
