package io.elastickv.embedded.internal.simulation;

import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.core.RaftConfig;
import io.elastickv.embedded.internal.raft.core.RaftCore;
import io.elastickv.embedded.internal.raft.core.RestoredState;
import java.util.random.RandomGenerator;

/** A mistake that a simulated cluster makes on purpose, to show that the simulation notices. By default none. */
class Mutation {

    static final Mutation NONE = new Mutation();

    /** What the disks do wrong. */
    SimulatedDisk.Lie lie() {
        return SimulatedDisk.Lie.NONE;
    }

    RaftCore core(RaftConfig config, RestoredState restored, long nowNanos, long wallMillis, RandomGenerator random) {
        return new RaftCore(config, restored, nowNanos, wallMillis, random);
    }

    /** What is left of term and vote after a restart. */
    HardState restoredHardState(HardState durable) {
        return durable;
    }

    /** What the state machine makes of a command. */
    Object apply(Replica replica, long index, byte[] payload) {
        return replica.machine.apply(index, payload);
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
