package io.elastickv.embedded.internal.simulation;

import static io.elastickv.embedded.internal.simulation.VirtualTime.MILLI;
import static io.elastickv.embedded.internal.simulation.VirtualTime.SECOND;

import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.log.Durability;
import io.elastickv.embedded.internal.raft.log.LogException;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import io.elastickv.embedded.internal.raft.log.NodeLogOptions;
import io.elastickv.embedded.internal.simulation.SimulatedDisk.Unsynced;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A machine: a disk, a clock, which replicas are here, and the process, if it runs. */
final class Node {

    private static final long BASE_WALL_MILLIS = 1_700_000_000_000L;

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

    /** The replicas that belong here, by group: what a node's directory says, durably. */
    final TreeMap<Integer, String> holds = new TreeMap<>();

    /** Groups whose replica was removed from here and has not been cleared away yet, durably too. */
    private final TreeSet<Integer> leavings = new TreeSet<>();

    private final Path directory;
    private final SplittableRandom random;

    State state = State.DOWN;
    private @Nullable SimProcess process;
    long wallOffsetMillis;
    long maxSyncNanos;

    /** The disk was damaged behind the process's back. */
    boolean damaged;

    private int boots;

    Node(Simulation simulation, int number, SplittableRandom random) {
        this.simulation = simulation;
        this.number = number;
        this.name = "n" + (number + 1);
        this.random = random;
        this.disk = new SimulatedDisk(random.split());
        this.disk.lie = simulation.mutation.lie();
        this.disk.setShortWrites(simulation.scenario.shortWrites);
        this.directory = Path.of("/" + name);
        makeDirectories();
        this.maxSyncNanos = simulation.scenario.maxSyncNanos;
        this.wallOffsetMillis = random.nextLong(-500, 500);
    }

    private void makeDirectories() {
        disk.makeDirectory(logDirectory());
        disk.makeDirectory(directory.resolve("checkpoints"));
    }

    Path logDirectory() {
        return directory.resolve("log");
    }

    Path checkpoints(int group) {
        return directory.resolve("checkpoints").resolve(String.valueOf(group));
    }

    long wallMillis() {
        return BASE_WALL_MILLIS + wallOffsetMillis + simulation.time.now() / MILLI;
    }

    @Nullable
    SimProcess process() {
        return process;
    }

    @Nullable
    Replica replica(int group) {
        return process == null ? null : process.replica(group);
    }

    boolean isRunning() {
        return process != null && process.isRunning();
    }

    // ---- life and death

    void start() {
        if (state != State.DOWN) {
            return;
        }
        String bootId = name + "-" + boots;
        try {
            NodeLog log = NodeLog.open(NodeLogOptions.of(logDirectory(), name)
                    .withFiles(disk)
                    .withSalts(random::nextLong)
                    .withBootId(() -> bootId)
                    .withDurability(simulation.scenario.memory ? Durability.MEMORY : Durability.FSYNC)
                    .withSegmentBytes(simulation.scenario.segmentBytes)
                    .withPreallocateBytes(4096)
                    .withStepping());
            SimProcess started = new SimProcess(this, log, random.nextLong(-(1L << 40), 1L << 40), random.split());
            for (Map.Entry<Integer, String> replica : holds.entrySet()) {
                started.recover(
                        replica.getKey(),
                        replica.getValue(),
                        simulation.membersAtFirst(replica.getKey(), replica.getValue()));
            }
            process = started;
            state = State.UP;
            damaged &= !simulation.scenario.memory; // opening has read all of the log
            started.start();
            for (int group : leavings) {
                started.clearAway(group, () -> leavings.remove(group));
            }
        } catch (LogException | IOException | IllegalStateException e) {
            refused(e);
        }
    }

    private void refused(Exception e) {
        if (disk.hasCrashed()) {
            disk.kill();
            simulation.time.after(random.nextLong(SECOND), this::start);
            return;
        }
        String message = e.getMessage();
        if (message == null || !message.contains(directory.toString())) {
            simulation.oracle.violated("clear messages", name + " refuses to start without naming the file: " + e);
        }
        if (disk.faultMet != null) {
            disk.forgetFault();
            simulation.time.after(random.nextLong(SECOND), this::start);
        } else if (damaged) {
            state = State.REFUSED;
            simulation.refusals++;
            // Whoever runs it puts an empty disk in its place.
            simulation.time.after(random.nextLong(5 * SECOND), () -> {
                if (state == State.REFUSED) {
                    wipe();
                }
            });
        } else {
            simulation.oracle.violated("recovery", name + " refuses to start on a sound disk: " + e);
        }
    }

    /** The process is no more. */
    void kill() {
        if (state == State.UP) {
            disk.kill();
            end();
        }
    }

    void powerCut(Unsynced unsynced) {
        boots++;
        damaged |= simulation.scenario.memory;
        disk.powerCut(unsynced);
        end();
    }

    private void end() {
        if (process != null) {
            process.end();
            process = null;
        }
        if (state == State.UP) {
            state = State.DOWN;
        }
    }

    /** Begins anew with an empty disk: all that this node ever stored, voted and acknowledged is gone. */
    void wipe() {
        end();
        disk.wipe();
        makeDirectories();
        if (simulation.mutation.wipedNodesAreNew()) {
            holds.clear();
        }
        leavings.clear();
        damaged = false;
        state = State.DOWN;
        simulation.wipes++;
        start();
    }

    void restartAfterFault() {
        kill();
        disk.setFull(false);
        disk.forgetFault();
        start();
    }

    // ---- replicas

    /** Makes a replica that knows nothing; false if that is not possible now. */
    boolean create(int group, String member) {
        if (process == null || !process.isRunning() || holds.containsKey(group) || leavings.contains(group)) {
            return false;
        }
        holds.put(group, member);
        try {
            process.recover(group, member, Configuration.EMPTY);
        } catch (LogException | IOException | IllegalStateException e) {
            // As if the process had ended in the middle: the restart sees what to make of it.
            restartAfterFault();
        }
        return true;
    }

    /** Removes the replica, which is no member any more. */
    void drop(int group) {
        if (process != null && process.isRunning()) {
            holds.remove(group);
            leavings.add(group);
            process.drop(group);
            process.clearAway(group, () -> leavings.remove(group));
        }
    }

    /** Does {@code action} with each replica, on the loop; not if the process is not there. */
    void withReplicas(Consumer<Replica> action) {
        if (process != null) {
            SimProcess running = process;
            for (Replica replica : running.replicas.values()) {
                running.onLoop(() -> action.accept(replica));
            }
        }
    }

    @Override
    public String toString() {
        return name + " " + state + (process == null ? "" : " " + process);
    }
}
