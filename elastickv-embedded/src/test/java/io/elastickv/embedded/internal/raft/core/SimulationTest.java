package io.elastickv.embedded.internal.raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Many seeds of {@link SimCluster}. A failing seed says how to run it alone: {@code -Dsim.seed=N}. {@code
 * -Dsim.seeds=N} runs more of them, {@code -Dsim.first=N} others.
 */
@Tag("simulation")
@Tag("slow")
class SimulationTest {

    private static final long SEEDS = Long.getLong("sim.seeds", 1_500);
    private static final long FIRST = Long.getLong("sim.first", 1);

    @Test
    void raftHoldsItsPromisesUnderFaults() {
        Long only = Long.getLong("sim.seed");
        long from = only != null ? only : FIRST;
        long to = only != null ? only : FIRST + SEEDS - 1;
        long acknowledged = 0;
        long reads = 0;
        long leaders = 0;
        long logReads = 0;
        long events = 0;
        long changes = 0;
        long snapshots = 0;
        long wiped = 0;
        long memories = 0;
        long states = 0;
        long simulatedNanos = 0;
        long startNanos = System.nanoTime();
        for (long seed = from; seed <= to; seed++) {
            SimCluster cluster = new SimCluster(seed, SimMutation.NONE);
            try {
                cluster.run();
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("replay with -Dsim.seed=" + seed + ": " + e.getMessage(), e);
            }
            acknowledged += cluster.acknowledged;
            reads += cluster.readsDone;
            leaders += cluster.oracle.leaderChanges;
            events += cluster.eventsRun;
            changes += cluster.oracle.changesCommitted;
            wiped += cluster.faults.wiped;
            memories += cluster.faults.memoriesLost;
            states += cluster.faults.statesLost;
            simulatedNanos += cluster.nowNanos - SimCluster.START_NANOS;
            for (SimNode node : cluster.nodes) {
                logReads += node.logReads;
                snapshots += node.snapshotsInstalled;
            }
        }
        long seeds = to - from + 1;
        double seconds = (System.nanoTime() - startNanos) / 1e9;
        System.out.printf(
                "%d seeds: %d events, %d writes acknowledged, %d reads served, %d leaders, %d log reads%n",
                seeds, events, acknowledged, reads, leaders, logReads);
        System.out.printf(
                "%d changes of members, %d snapshots installed, %d nodes wiped, %d memories and %d states lost%n",
                changes, snapshots, wiped, memories, states);
        System.out.printf(
                "%.0f seeds/s, %.0f simulated seconds per second%n", seeds / seconds, simulatedNanos / 1e9 / seconds);
        // The faults must leave something to check.
        assertThat(acknowledged).isGreaterThan(seeds * 20);
        assertThat(reads).isGreaterThan(seeds * 10);
        assertThat(leaders).isGreaterThan(seeds);
        if (only == null) {
            assertThat(logReads).isPositive();
            assertThat(changes).isGreaterThan(seeds / 2);
            assertThat(snapshots).isGreaterThan(seeds / 2);
            assertThat(wiped).isPositive();
            assertThat(memories).isPositive();
            assertThat(states).isPositive();
        }
    }
}
