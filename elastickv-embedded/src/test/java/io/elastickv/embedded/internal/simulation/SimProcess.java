package io.elastickv.embedded.internal.simulation;

import static io.elastickv.embedded.internal.simulation.VirtualTime.MICRO;
import static io.elastickv.embedded.internal.simulation.VirtualTime.MILLI;
import static io.elastickv.embedded.internal.simulation.VirtualTime.SECOND;

import io.elastickv.embedded.internal.node.CheckpointFigures;
import io.elastickv.embedded.internal.node.Checkpointer;
import io.elastickv.embedded.internal.node.SnapshotFetcher;
import io.elastickv.embedded.internal.node.SnapshotServer;
import io.elastickv.embedded.internal.node.WorkPace;
import io.elastickv.embedded.internal.raft.EventLoop;
import io.elastickv.embedded.internal.raft.SteppedLoop;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.log.LogBatch;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import io.elastickv.embedded.internal.simulation.SimulatedDisk.Unsynced;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.transport.RpcHandler;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A process on a {@link Node}, from its start to its end: one loop, one log, the replicas, and what makes, serves and fetches
 * checkpoints. What real nodes do on threads of their own happens here in events of their own.
 */
final class SimProcess {

    private static final long MAX_IDLE_NANOS = 100 * MILLI;
    private static final long POLL_NANOS = 100 * MILLI;
    private static final int MAX_ITERATIONS = 10_000;

    final Node node;
    final Simulation simulation;
    final TreeMap<Integer, Replica> replicas = new TreeMap<>();
    final Map<Integer, RpcHandler> handlers = new HashMap<>();
    final WorkPace pace;
    final CheckpointFigures figures = new CheckpointFigures();
    final SnapshotFetcher fetcher;
    final SnapshotServer server;
    final Checkpointer checkpointer;
    final NodeLog log;
    private final SteppedLoop loop;
    private final SplittableRandom random;
    private final long nanosOffset;
    private final List<Runnable> held = new ArrayList<>();

    boolean paused;
    private boolean ended;
    private final boolean connectionsBreak;
    private boolean applyFails;
    private boolean failureExpected;
    boolean failureReported;
    private boolean running;
    private boolean runPlanned;
    private boolean stepPlanned;
    private boolean readPlanned;
    private long tickAtNanos = Long.MAX_VALUE;
    private long nextLoopTickNanos;

    SimProcess(Node node, NodeLog log, long nanosOffset, SplittableRandom random) {
        this.node = node;
        this.simulation = node.simulation;
        this.log = log;
        this.nanosOffset = nanosOffset;
        this.random = random;
        this.connectionsBreak = random.nextBoolean();
        this.nextLoopTickNanos = simulation.time.now();
        loop = new SteppedLoop(node.name, log, this::nanos, node::wallMillis);
        fetcher = new SnapshotFetcher(
                (peer, method, payload, timeout, callback) ->
                        Rpc.call(this, simulation.node(peer), method, payload, timeout, callback),
                this::after,
                this::nanos);
        pace = new WorkPace(this::nanos, unused -> {});
        checkpointer = new Checkpointer(
                log,
                () -> replicas.values().stream().map(replica -> replica.group).toList(),
                simulation.scenario.checkpoints,
                pace,
                this::background,
                () -> after(MILLI, this::pollNow),
                this::nanos);
        server = new SnapshotServer(
                group -> {
                    Replica replica = replicas.get(group);
                    return replica == null ? null : replica.checkpoints;
                },
                checkpointer::request,
                this::background,
                this::after,
                this::nanos,
                1 << 20,
                figures);
        server.register(handlers::put);
    }

    long nanos() {
        return simulation.time.now() + nanosOffset;
    }

    EventLoop loop() {
        return loop.loop();
    }

    boolean isRunning() {
        return !ended && !paused;
    }

    // ---- replicas

    /** Makes the replica with what is known of it; {@code initial}: the members at the beginning of its log. */
    void recover(int group, String member, Configuration initial) throws IOException {
        CheckpointDirectory directory;
        try {
            directory = CheckpointDirectory.open(node.disk, node.checkpoints(group), group);
        } catch (IOException e) {
            // As the node's own factory says it.
            throw new IOException("the checkpoints in " + node.checkpoints(group) + " cannot be read", e);
        }
        Replica replica = new Replica(this, group, member, initial, directory);
        replicas.put(group, replica);
        loop.loop().execute(replica.group::start);
    }

    /** The replica is no member any more. */
    void drop(int group) {
        Replica replica = replicas.remove(group);
        if (replica != null) {
            onLoop(replica.group::close);
        }
    }

    /** Removes what a replica that was dropped has left in the log and beside it. */
    void clearAway(int group, Runnable gone) {
        onLoop(() -> log.submit(new LogBatch(new LogBatch.Completion() {
                    @Override
                    public void durable() {
                        background(() -> {
                            try {
                                CheckpointDirectory.open(node.disk, node.checkpoints(group), group)
                                        .delete();
                                gone.run();
                            } catch (IOException e) {
                                after(SECOND, () -> clearAway(group, gone));
                            }
                        });
                    }

                    @Override
                    public void failed(Throwable cause) {
                        reportFailure();
                    }
                })
                .addRemoved(group)));
    }

    void start() {
        wake();
        poll();
    }

    private void poll() {
        after(POLL_NANOS + random.nextLong(POLL_NANOS), () -> {
            pollNow();
            server.expireLeases();
            poll();
        });
    }

    private void pollNow() {
        checkpointer.poll();
        wake();
    }

    // ---- faults

    /** Nothing happens here any more. */
    void end() {
        ended = true;
        held.clear();
        replicas.values().forEach(Replica::count);
        simulation.checkpoints += figures.counts().written();
        simulation.installed += figures.counts().installed();
    }

    /** Whether it has ended, and its connections with it: what was on the way did not arrive. */
    boolean tookItsMessagesAlong() {
        return ended && connectionsBreak;
    }

    void pause() {
        paused = true;
    }

    void resume() {
        if (!paused) {
            return;
        }
        paused = false;
        List<Runnable> waiting = List.copyOf(held);
        held.clear();
        waiting.forEach(this::now);
        wake();
    }

    void failToApply() {
        applyFails = true;
    }

    void failToApplyIfAsked() {
        if (applyFails) {
            applyFails = false;
            failureExpected = true;
            expectFailure("applying failed");
            throw new IllegalStateException("injected: no memory");
        }
    }

    void replicaFailed(Replica replica, String reason, Throwable cause) {
        if (ended || node.disk.hasCrashed()) {
            return; // the last thoughts of a dead process
        }
        if (node.disk.faultMet == null && !failureExpected && !node.damaged) {
            simulation.oracle.violated(
                    "no needless failure", node.name + ", group " + replica.groupId + ": " + reason + ": " + cause);
            return;
        }
        reportFailure();
    }

    private void reportFailure() {
        if (!failureReported && !ended) {
            failureReported = true;
            simulation.failures++;
            // Whoever runs the node sees the message, and starts it again.
            after(random.nextLong(2 * SECOND), node::restartAfterFault);
        }
    }

    /** Whoever met a fault must say so before long. */
    private void expectFailure(String fault) {
        after(2 * SECOND, () -> {
            if (!failureReported && simulation.mutation.watchesFailStop()) {
                simulation.oracle.violated("fail-stop", node.name + " went on though " + fault);
            }
        });
    }

    // ---- work

    /** Does it in this process or, if that has ended, never; if it stands still, when it goes on. */
    private void now(Runnable task) {
        if (ended) {
            return;
        }
        if (paused) {
            held.add(() -> now(task));
            return;
        }
        task.run();
    }

    void after(long nanos, Runnable task) {
        simulation.time.after(nanos, () -> now(task));
    }

    /** Does what may block, and takes a while. */
    void background(Runnable task) {
        long most = random.nextInt(8) == 0 ? 200 * MILLI : 2 * MILLI;
        after(20 * MICRO + random.nextLong(most), () -> {
            boolean sound = node.disk.faultMet == null;
            task.run();
            if (!diesWithTheDisk() && sound) {
                // A checkpoint that cannot be written is no reason to stop.
                node.disk.forgetFault();
            }
            wake();
        });
    }

    private boolean diesWithTheDisk() {
        if (!node.disk.hasCrashed()) {
            return false;
        }
        if (simulation.scenario.memory || random.nextBoolean()) {
            node.kill();
        } else {
            node.powerCut(Unsynced.SOME);
        }
        simulation.crashesWhileWriting++;
        simulation.time.after(random.nextLong(SECOND), node::start);
        return true;
    }

    /** Does {@code task} on the loop, or never if the process is not there. */
    void onLoop(Runnable task) {
        now(() -> {
            loop.loop().execute(task);
            wake();
        });
    }

    /** Lets the loop run: mostly at once; or in a moment, so that more can come together. */
    private void wake() {
        if (runPlanned || ended || running) {
            return;
        }
        if (!paused && random.nextInt(4) > 0) {
            run();
        } else {
            runPlanned = true;
            after(MICRO + random.nextLong(20 * MICRO), () -> {
                runPlanned = false;
                run();
            });
        }
    }

    private void run() {
        long now = simulation.time.now();
        if (now >= nextLoopTickNanos) {
            nextLoopTickNanos = now + SteppedLoop.TICK_NANOS;
        }
        int iterations = 0;
        running = true;
        while (loop.iterate()) {
            if (++iterations > MAX_ITERATIONS) {
                simulation.oracle.violated("liveness", node.name + " spins");
                break;
            }
        }
        running = false;
        planStep();
        planTick(now);
    }

    private void planTick(long now) {
        long due = now + MAX_IDLE_NANOS;
        for (Replica replica : replicas.values()) {
            due = Math.min(due, replica.core.nextDeadlineNanos() - nanosOffset);
        }
        due = Math.max(due, nextLoopTickNanos);
        if (tickAtNanos <= due && tickAtNanos > now) {
            return;
        }
        tickAtNanos = due;
        long mine = due;
        after(due - now, () -> {
            if (tickAtNanos == mine) {
                run();
            }
        });
    }

    private void planStep() {
        if (!stepPlanned && !ended && log.hasWrites()) {
            stepPlanned = true;
            after(20 * MICRO + random.nextLong(node.maxSyncNanos), this::write);
        }
        // Another thread: what is read may be older than what is being written.
        if (!readPlanned && !ended && log.hasReads()) {
            readPlanned = true;
            after(10 * MICRO + random.nextLong(MILLI), this::read);
        }
    }

    /** What the log's writer does. */
    private void write() {
        stepPlanned = false;
        withLog(log::stepWrites);
        if (node.disk.lie == SimulatedDisk.Lie.LATE_SYNC) {
            simulation.time.after(random.nextLong(10 * MILLI), node.disk::catchUp);
        }
    }

    private void read() {
        readPlanned = false;
        withLog(log::stepReads);
    }

    private void withLog(Runnable step) {
        boolean sound = node.disk.faultMet == null;
        step.run();
        if (diesWithTheDisk()) {
            return;
        }
        String fault = node.disk.faultMet;
        if (sound && fault != null) {
            expectFailure(fault);
        }
        planStep();
        wake();
    }

    @Nullable
    Replica replica(int group) {
        return replicas.get(group);
    }

    @Override
    public String toString() {
        return (paused ? "paused " : "") + replicas.values();
    }
}
