package io.elastickv.embedded.internal.simulation;

import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.raft.GroupSnapshots;
import io.elastickv.embedded.internal.raft.core.BrokenCores;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.core.RaftConfig;
import io.elastickv.embedded.internal.raft.core.RaftCore;
import io.elastickv.embedded.internal.raft.core.RestoredState;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/** The mistakes that the simulation must find; the letters are the rows of the hazards they stand for. */
enum PlantedBug {
    /** C, D4: nothing is synced before it is acknowledged. */
    NOTHING_IS_SYNCED(new Lying(SimulatedDisk.Lie.NO_SYNC)),

    /** C, D4: what is written is acknowledged a little before it is synced. */
    ACKNOWLEDGED_BEFORE_THE_SYNC(new Lying(SimulatedDisk.Lie.LATE_SYNC) {
        @Override
        Set<Fault.Kind> faults() {
            return EnumSet.of(Fault.Kind.POWER_CUT, Fault.Kind.POWER_CUT_OF_ALL, Fault.Kind.CRASH_WHILE_WRITING);
        }
    }),

    /** D1: an append that failed is acknowledged. */
    FAILED_APPENDS_ARE_ACKNOWLEDGED(new Lying(SimulatedDisk.Lie.ERRORS_SWALLOWED) {
        @Override
        boolean watchesFailStop() {
            return false;
        }
    }),

    /** C: the vote is forgotten in a restart. */
    VOTES_ARE_FORGOTTEN(new Mutation() {
        @Override
        Set<Fault.Kind> faults() {
            return EnumSet.of(Fault.Kind.CAMPAIGN, Fault.Kind.KILL, Fault.Kind.POWER_CUT_OF_ALL);
        }

        @Override
        RestoredState restored(Replica replica, RestoredState found, Configuration initial) {
            return with(found, new HardState(found.hardState().term(), null));
        }
    }),

    /** C: the term is forgotten in a restart. */
    TERMS_ARE_FORGOTTEN(new Mutation() {
        @Override
        RestoredState restored(Replica replica, RestoredState found, Configuration initial) {
            return with(found, HardState.INITIAL);
        }
    }),

    /** B1. */
    READS_WITHOUT_A_ROUND(
            new Broken(BrokenCores.Rule.READ_QUORUM, Fault.Kind.CUT_LEADER_OFF, Fault.Kind.PAUSE, Fault.Kind.CAMPAIGN)),

    /** B1, at a replica that does not lead. */
    READS_OF_THE_LOCAL_STATE(new Mutation() {
        @Override
        boolean readsAreConfirmed() {
            return false;
        }
    }),

    /** B4. */
    READS_BEFORE_THE_NOOP(
            new Broken(BrokenCores.Rule.READ_AFTER_NOOP, Fault.Kind.KILL, Fault.Kind.SLOW_DISK, Fault.Kind.TRANSFER)),

    /** F. */
    FOLLOWERS_COMMIT_WHAT_IS_NOT_VERIFIED(new Broken(BrokenCores.Rule.COMMIT_VERIFIED)),

    /** What is committed is read from the log although it has not been written over a deposed leader's entries yet. */
    THE_LOG_IS_READ_BEFORE_IT_IS_WRITTEN(new Broken(
            BrokenCores.Rule.READ_BACK_DURABLE, Fault.Kind.CUT_LEADER_OFF, Fault.Kind.SLOW_DISK, Fault.Kind.CAMPAIGN)),

    /** K: retries are not recognised. */
    SESSIONS_ARE_IGNORED(new Mutation() {
        @Override
        Object apply(Replica replica, long index, byte[] payload) {
            Envelope envelope = CommandCodec.decode(payload);
            return replica.machine.apply(
                    index, CommandCodec.encode(new Envelope(0, 0, 0, envelope.timeMillis(), envelope.command())));
        }
    }),

    /** K: "not applied" is said of what may still be committed. */
    UNKNOWN_IS_CALLED_NOT_APPLIED(new Mutation() {
        @Override
        boolean unknownIsNotApplied() {
            return true;
        }
    }),

    /** The slot of a command is checked by who sends it only. */
    SLOTS_ARE_NOT_CHECKED_AT_APPLY(new Mutation() {
        @Override
        boolean checksSlots() {
            return false;
        }
    }),

    /** X1. */
    FAILURES_OF_APPLY_ARE_SWALLOWED(new Mutation() {
        @Override
        Object applyFailed(RuntimeException failure) {
            return new CommandResult.Done();
        }

        @Override
        boolean watchesFailStop() {
            return false;
        }
    }),

    /** Each replica lets keys expire by its own clock. */
    EXPIRY_BY_THE_LOCAL_CLOCK(new Mutation() {
        @Override
        Object apply(Replica replica, long index, byte[] payload) {
            byte[] stamped = payload.clone();
            CommandCodec.stampTime(stamped, replica.process.node.wallMillis());
            return replica.machine.apply(index, stamped);
        }
    }),

    /** H1, H2: a checkpoint is of another moment than it says. */
    CHECKPOINTS_WITHOUT_COPY_ON_WRITE(new Mutation() {
        @Override
        GroupSnapshots snapshots(Replica replica, GroupSnapshots real) {
            return new BadSnapshots(BadSnapshots.Mistake.NOT_HELD, replica, real);
        }
    }),

    /** K: a checkpoint has no sessions, so a retry that comes after a restart is applied again. */
    SESSIONS_DO_NOT_SURVIVE_A_CHECKPOINT(new Mutation() {
        @Override
        GroupSnapshots snapshots(Replica replica, GroupSnapshots real) {
            return new BadSnapshots(BadSnapshots.Mistake.WITHOUT_SESSIONS, replica, real);
        }
    }),

    /** J1: the last entry that is in the checkpoint is applied again. */
    REPLAY_FROM_THE_CHECKPOINTS_INDEX(new Mutation() {
        @Override
        RestoredState restored(Replica replica, RestoredState found, Configuration initial) {
            boolean possible = found.appliedIndex() >= found.firstIndex() && found.appliedIndex() > 0;
            return possible ? applied(found, found.appliedIndex() - 1) : found;
        }
    }),

    /** A node without its disk votes as if it remembered. */
    WIPED_NODES_COME_BACK_AS_THEMSELVES(new Mutation() {
        @Override
        Set<Fault.Kind> faults() {
            return EnumSet.of(Fault.Kind.WIPE, Fault.Kind.CUT_LEADER_OFF, Fault.Kind.SLOW_DISK, Fault.Kind.CAMPAIGN);
        }

        @Override
        boolean wipedNodesAreNew() {
            return false;
        }
    }),

    /** The log's time follows the leader's clock backwards. */
    TIME_RUNS_BACKWARDS(new Mutation() {
        @Override
        Set<Fault.Kind> faults() {
            return EnumSet.of(Fault.Kind.CLOCK_JUMP, Fault.Kind.TRANSFER, Fault.Kind.KILL);
        }

        @Override
        Object apply(Replica replica, long index, byte[] payload) {
            replica.store.advanceTime(0);
            return replica.machine.apply(index, payload);
        }
    });

    @SuppressWarnings("ImmutableEnumChecker") // mutations hold no state
    final Mutation mutation;

    PlantedBug(Mutation mutation) {
        this.mutation = mutation;
    }

    private static RestoredState with(RestoredState found, HardState hardState) {
        return restored(found, hardState, found.appliedIndex(), found.configuration(), found.configurationEntries());
    }

    private static RestoredState applied(RestoredState found, long appliedIndex) {
        return restored(found, found.hardState(), appliedIndex, found.configuration(), found.configurationEntries());
    }

    private static RestoredState restored(
            RestoredState found,
            HardState hardState,
            long appliedIndex,
            Configuration configuration,
            List<LogEntry> configurationEntries) {
        return new RestoredState(
                hardState,
                found.firstIndex(),
                found.lastIndex(),
                found.commitIndex(),
                appliedIndex,
                found.termRuns(),
                found.cachedTail(),
                configuration,
                configurationEntries,
                found.memoryLost());
    }

    private static class Lying extends Mutation {

        private final SimulatedDisk.Lie lie;

        Lying(SimulatedDisk.Lie lie) {
            this.lie = lie;
        }

        @Override
        SimulatedDisk.Lie lie() {
            return lie;
        }
    }

    private static class Broken extends Mutation {

        private final BrokenCores.Rule rule;
        private final Set<Fault.Kind> faults = EnumSet.noneOf(Fault.Kind.class);

        Broken(BrokenCores.Rule rule, Fault.Kind... faults) {
            this.rule = rule;
            this.faults.addAll(List.of(faults));
        }

        @Override
        Set<Fault.Kind> faults() {
            return faults;
        }

        @Override
        RaftCore core(RaftConfig config, RestoredState restored, long now, long wall, RandomGenerator random) {
            return BrokenCores.create(rule, config, restored, now, wall, random);
        }
    }
}
