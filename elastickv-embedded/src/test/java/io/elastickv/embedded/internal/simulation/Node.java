package io.elastickv.embedded.internal.simulation;

import static io.elastickv.embedded.internal.simulation.VirtualTime.MICRO;
import static io.elastickv.embedded.internal.simulation.VirtualTime.MILLI;
import static io.elastickv.embedded.internal.simulation.VirtualTime.SECOND;

import io.elastickv.embedded.internal.raft.EventLoop;
import io.elastickv.embedded.internal.raft.SteppedLoop;
import io.elastickv.embedded.internal.raft.log.LogException;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import io.elastickv.embedded.internal.raft.log.NodeLogOptions;
import io.elastickv.embedded.internal.simulation.SimulatedDisk.Unsynced;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** A machine with a disk and clocks, and the process that runs on it: one loop, one log, a replica of each group. */
final class Node {

    private static final long BASE_WALL_MILLIS = 1_700_000_000_000L;
    private static final long MAX_IDLE_NANOS = 100 * MILLI;
    private static final int MAX_ITERATIONS = 10_000;

    enum State {
        DOWN,
        UP,
        /** The process refused to start on this disk. */
        REFUSED
    }

    final Simulation simulation;
    final int number;
    final String name;
    final SimulatedDisk disk;
    final List<Replica> replicas = new ArrayList<>();
    private final Path logDirectory;
    private final SplittableRandom random;

    State state = State.DOWN;
    boolean paused;
    long wallOffsetMillis;
    long maxSyncNanos;

    /** The disk was damaged behind the process's back. */
    boolean damaged;

    private boolean applyFails;
    private boolean failureExpected;
    private boolean failureReported;

    // Of this incarnation.
    private int incarnation;
    private long nanosOffset;
    private @Nullable SteppedLoop loop;
    private @Nullable NodeLog log;
    private final List<Runnable> held = new ArrayList<>();
    private boolean runPlanned;
    private boolean stepPlanned;
    private long tickAtNanos;
    private long nextLoopTickNanos;

    Node(Simulation simulation, int number, SplittableRandom random) {
        this.simulation = simulation;
        this.number = number;
        this.name = "n" + (number + 1);
        this.random = random;
        this.disk = new SimulatedDisk(random.split());
        this.disk.lie = simulation.mutation.lie();
        this.disk.setShortWrites(simulation.scenario.shortWrites);
        this.logDirectory = Path.of("/" + name + "/log");
        this.disk.makeDirectory(logDirectory);
        this.maxSyncNanos = simulation.scenario.maxSyncNanos;
        this.wallOffsetMillis = random.nextLong(-500, 500);
    }

    // ---- clocks

    long nanos() {
        return simulation.time.now() + nanosOffset;
    }

    long wallMillis() {
        return BASE_WALL_MILLIS + wallOffsetMillis + simulation.time.now() / MILLI;
    }

    // ---- life and death

    void start() {
        if (state == State.UP) {
            return;
        }
        incarnation++;
        paused = false;
        held.clear();
        replicas.clear();
        runPlanned = false;
        stepPlanned = false;
        failureReported = false;
        failureExpected = false;
        tickAtNanos = Long.MAX_VALUE;
        nanosOffset = random.nextLong(-(1L << 40), 1L << 40);
        nextLoopTickNanos = simulation.time.now();
        NodeLog opened;
        try {
            opened = NodeLog.open(NodeLogOptions.of(logDirectory, name)
                    .withFiles(disk)
                    .withSalts(random::nextLong)
                    .withSegmentBytes(simulation.scenario.segmentBytes)
                    .withPreallocateBytes(4096)
                    .withStepping());
        } catch (LogException e) {
            refused(e);
            return;
        }
        log = opened;
        state = State.UP;
        SteppedLoop fresh = new SteppedLoop(name, opened, this::nanos, this::wallMillis);
        loop = fresh;
        for (int group = 0; group < simulation.scenario.groups; group++) {
            Replica replica = new Replica(this, group, opened.group(group));
            replicas.add(replica);
            fresh.loop().execute(replica.group::start);
            if (simulation.time.now() == 0 && name.equals(simulation.preferredLeader(group)) && random.nextBoolean()) {
                fresh.loop().execute(replica.group::campaign);
            }
        }
        wake();
    }

    private void refused(LogException e) {
        if (disk.hasCrashed()) {
            disk.kill();
            simulation.time.after(random.nextLong(SECOND), this::start);
            return;
        }
        String message = e.getMessage();
        if (message == null || !message.contains(logDirectory.toString())) {
            simulation.oracle.violated("clear messages", name + " refuses to start without naming the file: " + message);
        }
        if (disk.faultMet != null) {
            disk.forgetFault();
            simulation.time.after(random.nextLong(SECOND), this::start);
        } else if (damaged) {
            state = State.REFUSED;
            simulation.refusals++;
        } else {
            simulation.oracle.violated("recovery", name + " refuses to start on a sound disk: " + e);
        }
    }

    /** The process is no more. */
    void kill() {
        if (state == State.UP) {
            state = State.DOWN;
            disk.kill();
            forget();
        }
    }

    void powerCut(Unsynced unsynced) {
        if (state == State.REFUSED) {
            return;
        }
        state = State.DOWN;
        disk.powerCut(unsynced);
        forget();
    }

    private void forget() {
        incarnation++;
        paused = false;
        held.clear();
        loop = null;
        log = null;
        applyFails = false;
    }

    void pause() {
        paused = state == State.UP;
    }

    void resume() {
        if (paused) {
            paused = false;
            List<Runnable> waiting = List.copyOf(held);
            held.clear();
            int mine = incarnation;
            for (Runnable task : waiting) {
                if (mine == incarnation) {
                    task.run(); // the log's step may be the end of the process
                }
            }
            if (mine == incarnation) {
                wake();
            }
        }
    }

    /** The next entry cannot be applied. */
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
        if (disk.hasCrashed()) {
            return; // the last thoughts of a dead process
        }
        if (disk.faultMet == null && !failureExpected && !damaged) {
            simulation.oracle.violated(
                    "no needless failure", name + ", group " + replica.groupId + ": " + reason + ": " + cause);
            return;
        }
        if (!failureReported) {
            failureReported = true;
            simulation.failures++;
            // Whoever runs the node sees the message, and starts it again.
            int mine = incarnation;
            simulation.time.after(random.nextLong(2 * SECOND), () -> {
                if (mine == incarnation) {
                    kill();
                    disk.setFull(false);
                    disk.forgetFault();
                    start();
                }
            });
        }
    }

    /** Whoever met a fault must say so before long. */
    private void expectFailure(String fault) {
        int mine = incarnation;
        simulation.time.after(2 * SECOND, () -> {
            if (mine == incarnation && !failureReported && !paused && simulation.mutation.watchesFailStop()) {
                simulation.oracle.violated("fail-stop", name + " went on though " + fault);
            }
        });
    }

    // ---- work

    EventLoop loop() {
        return Objects.requireNonNull(loop).loop();
    }

    boolean isRunning() {
        return state == State.UP && !paused;
    }

    @Nullable
    NodeLog log() {
        return log;
    }

    /** Does {@code task} on the loop, or never if the process is not there. */
    void onLoop(Runnable task) {
        if (state != State.UP) {
            return;
        }
        if (paused) {
            held.add(() -> loop().execute(task));
            return;
        }
        loop().execute(task);
        wake();
    }

    private void wake() {
        if (!runPlanned) {
            runPlanned = true;
            int mine = incarnation;
            simulation.time.after(MICRO + random.nextLong(20 * MICRO), () -> {
                if (mine == incarnation) {
                    runPlanned = false;
                    run();
                }
            });
        }
    }

    private void run() {
        if (paused) {
            return;
        }
        long now = simulation.time.now();
        if (now >= nextLoopTickNanos) {
            nextLoopTickNanos = now + SteppedLoop.TICK_NANOS;
        }
        SteppedLoop running = Objects.requireNonNull(loop);
        int iterations = 0;
        while (running.iterate()) {
            if (++iterations > MAX_ITERATIONS) {
                simulation.oracle.violated("liveness", name + " spins");
                return;
            }
        }
        planStep();
        planTick(now);
    }

    private void planTick(long now) {
        long due = now + MAX_IDLE_NANOS;
        for (int i = 0; i < replicas.size(); i++) {
            due = Math.min(due, replicas.get(i).core.nextDeadlineNanos() - nanosOffset);
        }
        due = Math.max(due, nextLoopTickNanos);
        if (tickAtNanos <= due && tickAtNanos > now) {
            return;
        }
        tickAtNanos = due;
        int mine = incarnation;
        simulation.time.at(due, () -> {
            if (mine == incarnation && simulation.time.now() == tickAtNanos) {
                run();
            }
        });
    }

    private void planStep() {
        if (!stepPlanned && Objects.requireNonNull(log).hasWork()) {
            stepPlanned = true;
            int mine = incarnation;
            simulation.time.after(20 * MICRO + random.nextLong(maxSyncNanos), () -> {
                if (mine == incarnation) {
                    step();
                }
            });
        }
    }

    /** What the log's threads do. */
    private void step() {
        if (paused) {
            held.add(this::step);
            return;
        }
        stepPlanned = false;
        NodeLog stepped = Objects.requireNonNull(log);
        boolean sound = disk.faultMet == null;
        stepped.step();
        if (disk.lie == SimulatedDisk.Lie.LATE_SYNC) {
            simulation.time.after(random.nextLong(10 * MILLI), disk::catchUp);
        }
        if (disk.hasCrashed()) {
            if (random.nextBoolean()) {
                kill();
            } else {
                powerCut(Unsynced.SOME);
            }
            simulation.crashesWhileWriting++;
            simulation.time.after(random.nextLong(SECOND), this::start);
            return;
        }
        if (sound && disk.faultMet != null) {
            expectFailure(disk.faultMet);
        }
        planStep();
        wake();
    }

    @Override
    public String toString() {
        return name + " " + state + (paused ? " paused " : " ") + (state == State.UP ? replicas : "");
    }
}
