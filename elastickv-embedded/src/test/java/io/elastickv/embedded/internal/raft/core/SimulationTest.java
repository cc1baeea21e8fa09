package io.elastickv.embedded.internal.raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/**
 * Many seeds of {@link SimCluster}. A failing seed says how to run it alone: {@code -Dsim.seed=N}. {@code
 * -Dsim.seeds=N} runs more of them, {@code -Dsim.first=N} others.
 */
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
            for (SimNode node : cluster.nodes) {
                logReads += node.logReads;
            }
        }
        long seeds = to - from + 1;
        System.out.printf(
                "%d seeds: %d events, %d writes acknowledged, %d reads served, %d leaders, %d log reads%n",
                seeds, events, acknowledged, reads, leaders, logReads);
        // The faults must leave something to check.
        assertThat(acknowledged).isGreaterThan(seeds * 20);
        assertThat(reads).isGreaterThan(seeds * 10);
        assertThat(leaders).isGreaterThan(seeds);
        if (only == null) {
            assertThat(logReads).isPositive();
        }
    }
}
