package io.elastickv.embedded.internal.raft.core;

import io.elastickv.embedded.internal.raft.core.SimDisk.Checkpoint;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A cluster of {@link RaftCore}s in one thread on virtual time, with everything that can go wrong chosen by one seed:
 * messages lost, delayed, duplicated, reordered, links cut in one or both directions, processes paused, crashed and
 * restarted, slow disks, torn writes, lost memories, damaged checkpoints, wiped nodes, snapshots that come late or twice,
 * lies of the failure detector, transfers of leadership, changes of the members. {@link SimFaults} makes the trouble, {@link
 * SimAdmin} changes the members, {@link SimOracle} checks every step; after the faults stop the cluster must work again.
 */
final class SimCluster {

    static final long MILLI = 1_000_000;
    static final long TICK_NANOS = 10 * MILLI;
    private static final long FAULTY_NANOS = 1_500 * MILLI;
    private static final long RECOVERY_NANOS = 15_000 * MILLI;

    /** Far more than any seed needs. */
    private static final long MAX_EVENTS = 200_000;

    /** What a seed is about; faults of all kinds happen in each. */
    enum Profile {
        ANYTHING,
        /** Whoever wins an election is killed or cut off within milliseconds (Ongaro, figure 3.7). */
        LEADERS_DIE_YOUNG,
        /** Several campaign at once while voters crash and come back at once. */
        CONTESTED_ELECTIONS,
        /** Messages come again long after they were sent, and leaders that were cut off are asked to read. */
        ECHOES,
        /** The members change all the time, and whoever changes them is cut off in the middle of it. */
        MEMBERSHIP,
        /** Logs are short, so whoever was away needs a snapshot; disks forget. */
        SNAPSHOTS
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
    /** The disks of replicas that are gone for good. */
    final Map<String, SimDisk> lost = new HashMap<>();

    final Configuration initial;
    final Profile profile;
    final SimOracle oracle;
    final SimFaults faults;
    final SimAdmin admin;
    static final long START_NANOS = 1_000_000_000_000L;
    long nowNanos = START_NANOS;

    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final List<ArrayDeque<Runnable>> held = new ArrayList<>();
    private long order;
    private final boolean oneByOne;
    private final @Nullable String preferred;

    boolean faulty = true;
    long pausedRecentlyNanos;
    final boolean[][] cut;
    double dropRate;
    double duplicateRate;
    long maxDelayNanos = 2 * MILLI;
    long maxFsyncNanos = MILLI;
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
        int drawnSize = sizes[random.nextInt(sizes.length)];
        Profile[] profiles = Profile.values();
        Profile drawn = profiles[random.nextInt(profiles.length)];
        profile = mutation.profile() != null ? mutation.profile() : drawn;
        List<String> names = new ArrayList<>();
        // Majorities of even sizes are those that a step in each direction can part.
        int size = profile == Profile.MEMBERSHIP && random.nextBoolean() ? 2 + 2 * random.nextInt(2) : drawnSize;
        for (int i = 1; i <= size; i++) {
            names.add("n" + i);
        }
        oneByOne = random.nextInt(3) == 0 ^ profile == Profile.LEADERS_DIE_YOUNG;
        preferred = random.nextBoolean() ? null : names.get(random.nextInt(size));
        initial = Configuration.of(names);
        admin = new SimAdmin(this);
        int places = size + admin.spares();
        for (int i = 0; i < places; i++) {
            nodes.add(new SimNode(this, i, i < size ? initial : Configuration.EMPTY));
            held.add(new ArrayDeque<>());
        }
        cut = new boolean[places][places];
        faults = new SimFaults(this);
        oracle = new SimOracle(initial, (member, index, term) -> {
            SimDisk gone = lost.get(member);
            SimNode node = find(member);
            return (gone != null && gone.hasHad(index, term)) || (node != null && node.disk.hasHad(index, term));
        });
    }

    RaftConfig config(String name) {
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
        faults.begin();
        admin.begin();
        runUntil(nowNanos + FAULTY_NANOS);
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
        int source = place(from);
        int target = place(to);
        if (cut[source][target] || random.nextDouble() < dropRate) {
            return;
        }
        RaftMessage received = random.nextInt(16) == 0 ? throughBytes(message) : message;
        after(random.nextLong(maxDelayNanos), () -> deliver(from, to, received));
        if (random.nextDouble() < duplicateRate) {
            after(random.nextLong(10 * maxDelayNanos), () -> deliver(from, to, received));
        }
    }

    private static RaftMessage throughBytes(RaftMessage message) {
        ByteBuffer buffer = ByteBuffer.allocate(RaftMessageCodec.encodedSize(message));
        RaftMessageCodec.encode(message, buffer);
        return RaftMessageCodec.decode(buffer.flip());
    }

    private void deliver(String from, String to, RaftMessage message) {
        SimNode node = find(to);
        if (node != null && node.up()) {
            whenRunning(node, () -> node.receive(from, message));
        }
    }

    /**
     * Fetches a snapshot, which takes its time and may fail. Any replica's will do, not only the leader's; some come
     * twice.
     */
    void fetch(SimNode node, Effects.FetchSnapshot wanted, Consumer<@Nullable Checkpoint> arrival) {
        after(random.nextLong((random.nextInt(4) == 0 ? 300 : 10) * MILLI), () -> {
            SimNode source =
                    faulty && random.nextInt(3) == 0 ? nodes.get(random.nextInt(nodes.size())) : find(wanted.from());
            Checkpoint found = source == null || source == node ? null : offered(source, node, wanted.leastIndex());
            arrival.accept(found);
            if (faulty && random.nextInt(4) == 0) {
                after(random.nextLong(200 * MILLI), () -> arrival.accept(found));
            }
        });
    }

    private @Nullable Checkpoint offered(SimNode source, SimNode node, long leastIndex) {
        // Over a connection of its own, which may work where the one for messages does not.
        boolean cutOff = cut[source.place][node.place] && random.nextBoolean();
        if (!source.running() || cutOff || (faulty && random.nextInt(6) == 0)) {
            return null;
        }
        List<Checkpoint> kept = source.disk.checkpoints;
        Checkpoint newest = kept.isEmpty() ? null : kept.get(0);
        if ((newest == null || newest.index() < leastIndex)
                && !source.core().stateLost()
                && source.appliedIndex() >= leastIndex) {
            newest = source.checkpointNow(); // made on demand
        }
        return newest != null && newest.index() < leastIndex && random.nextInt(4) != 0 ? null : newest;
    }

    /** Does it now, or when the node's process runs again. */
    void whenRunning(SimNode node, Runnable action) {
        if (node.paused) {
            held.get(node.place).add(action);
        } else {
            action.run();
        }
    }

    void resume(SimNode node) {
        if (!node.paused) {
            return;
        }
        node.paused = false;
        ArrayDeque<Runnable> waiting = held.get(node.place);
        if (node.up()) {
            node.core().tick(nowNanos, wallMillis());
            node.drainSometimes();
        }
        for (Runnable action = waiting.poll(); action != null; action = waiting.poll()) {
            action.run();
        }
    }

    /** The node where a member is, or null if it is gone for good. */
    @Nullable
    SimNode find(String name) {
        SimNode node = nodes.get(place(name));
        return node.name.equals(name) ? node : null;
    }

    /** The node where a member is or was. */
    SimNode successor(String name) {
        return nodes.get(place(name));
    }

    private static int place(String name) {
        return name.charAt(1) - '1';
    }

    // ---------------------------------------------------------------------------------------------- members

    /** Whether a member cannot vote now, or never again. */
    private boolean isAvailable(String member) {
        SimNode node = find(member);
        return node != null && !lost.containsKey(member) && !node.impaired();
    }

    /** Whether each configuration has a majority without {@code except}: otherwise nothing could ever be decided again. */
    boolean survive(Collection<Configuration> configurations, @Nullable String except) {
        for (Configuration c : configurations) {
            long available = c.voters().stream()
                    .filter(m -> !m.equals(except) && isAvailable(m))
                    .count();
            if (available <= c.voters().size() / 2) {
                return false;
            }
        }
        return true;
    }

    boolean isGone(String member) {
        return lost.containsKey(member);
    }

    // ---------------------------------------------------------------------------------------------- clients

    private void client() {
        if (faulty) {
            after(random.nextLong(4 * MILLI), this::client);
        }
        SimNode node = nodes.get(random.nextInt(nodes.size()));
        if (!node.running()) {
            return;
        }
        boolean read = random.nextInt(3) == 0;
        if (node.core().role() != Role.LEADER && random.nextInt(8) >= (read ? 4 : 1)) {
            for (SimNode other : nodes) {
                if (other.leads() && (node.core().role() != Role.LEADER || random.nextBoolean())) {
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

    // ---------------------------------------------------------------------------------------------- recovery

    void reconnect() {
        for (boolean[] row : cut) {
            Arrays.fill(row, false);
        }
    }

    private void heal() {
        faulty = false;
        reconnect();
        dropRate = 0;
        duplicateRate = 0;
        maxDelayNanos = 2 * MILLI;
        maxFsyncNanos = MILLI;
        for (SimNode node : nodes) {
            resume(node);
            if (!node.up()) {
                node.start();
            }
            for (SimNode other : nodes) {
                node.core().peerReachable(other.name, true);
            }
        }
    }

    /**
     * Liveness: once nothing fails any more, a write is acknowledged, what was wiped is replaced, all members apply
     * everything, a node that is wiped now is replaced too, and everybody can read.
     */
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
        waitForHealth(deadline);
        if (faults.lastWipe()) {
            deadline = nowNanos + RECOVERY_NANOS;
            waitForHealth(deadline);
        }
        for (String member : oracle.committedConfiguration().members()) {
            SimNode node = nodes.get(place(member));
            int before = readsDone;
            while (readsDone == before) {
                node.read(nextRead++);
                runUntil(nowNanos + 30 * MILLI);
                advance(deadline, "no read on " + node.name);
            }
        }
    }

    private void waitForHealth(long deadline) {
        while (!admin.repaired()) {
            admin.repair();
            advance(deadline, "the members cannot be changed to those that are there");
        }
        while (oracle.committedConfiguration().members().stream().anyMatch(this::isBehind)) {
            advance(deadline, "not everybody applies everything");
        }
    }

    private boolean isBehind(String member) {
        SimNode node = nodes.get(place(member));
        return node.appliedIndex() < oracle.committedCount() || node.impaired();
    }

    private void advance(long deadline, String complaint) {
        if (nowNanos >= deadline) {
            throw new SimOracle.Violation("liveness: " + complaint + " " + RECOVERY_NANOS / MILLI + " ms after the "
                    + "last fault: " + nodes);
        }
        runUntil(nowNanos + TICK_NANOS);
    }
}
