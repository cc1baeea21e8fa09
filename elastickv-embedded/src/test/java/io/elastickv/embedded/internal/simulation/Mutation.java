package io.elastickv.embedded.internal.simulation;

import io.elastickv.embedded.internal.raft.GroupSnapshots;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.RaftConfig;
import io.elastickv.embedded.internal.raft.core.RaftCore;
import io.elastickv.embedded.internal.raft.core.RaftMessage;
import io.elastickv.embedded.internal.raft.core.RestoredState;
import java.util.Set;
import java.util.random.RandomGenerator;

/** A mistake that a simulated cluster makes on purpose, to show that the simulation notices. By default none. */
class Mutation {

    static final Mutation NONE = new Mutation();

    /** The kinds of faults that bring the mistake to light; empty for all. */
    Set<Fault.Kind> faults() {
        return Set.of();
    }

    /** Whether it only shows where nothing is synced but terms and votes. */
    boolean needsMemoryMode() {
        return false;
    }

    /** What the disks do wrong. */
    SimulatedDisk.Lie lie() {
        return SimulatedDisk.Lie.NONE;
    }

    RaftCore core(RaftConfig config, RestoredState restored, long nowNanos, long wallMillis, RandomGenerator random) {
        return new RaftCore(config, restored, nowNanos, wallMillis, random);
    }

    /** What a core is told of what was found on the disk. */
    RestoredState restored(Replica replica, RestoredState found, Configuration initial) {
        return found;
    }

    /** How the replica's checkpoints are made and fetched. */
    GroupSnapshots snapshots(Replica replica, GroupSnapshots real) {
        return real;
    }

    /** What the state machine makes of a command. */
    Object apply(Replica replica, long index, byte[] payload) {
        return replica.machine.apply(index, payload);
    }

    /** Whether a node that begins anew with an empty disk is told from what it was before. */
    boolean wipedNodesAreNew() {
        return true;
    }

    /** What a replica sends instead of {@code message}. */
    RaftMessage sent(Replica from, String to, RaftMessage message) {
        return message;
    }

    /** What comes of an entry that cannot be applied. */
    Object applyFailed(RuntimeException failure) {
        throw failure;
    }

    /** Whether a node that meets a fault is watched until it stops: not if a mutation is to be caught by what it leads to. */
    boolean watchesFailStop() {
        return true;
    }

    /** Whether reads are confirmed with the other replicas. */
    boolean readsAreConfirmed() {
        return true;
    }

    /** Whether a command that may have been lost with the leadership is called not applied. */
    boolean unknownIsNotApplied() {
        return false;
    }

    /** Whether commands are checked for the slots of their shard. */
    boolean checksSlots() {
        return true;
    }
}
