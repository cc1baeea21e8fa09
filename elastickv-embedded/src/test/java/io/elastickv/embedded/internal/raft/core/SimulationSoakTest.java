package io.elastickv.embedded.internal.raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The simulation of {@link SimulationTest} for long, on all processors. */
class SimulationSoakTest {

    private static final long SEEDS = Long.getLong("sim.soak", 120_000);
    private static final long FIRST = Long.getLong("sim.first", 1_000_000);
    private static final int THREADS =
            Integer.getInteger("sim.threads", Runtime.getRuntime().availableProcessors());

    @Test
    @Tag("soak")
    void raftHoldsItsPromisesForLong() throws InterruptedException {
        AtomicLong next = new AtomicLong(FIRST);
        AtomicLong acknowledged = new AtomicLong();
        AtomicReference<@Nullable AssertionError> failed = new AtomicReference<>();
        long startNanos = System.nanoTime();
        Thread[] workers = new Thread[THREADS];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Thread(() -> run(next, acknowledged, failed), "simulation-" + i);
            workers[i].start();
        }
        for (Thread worker : workers) {
            worker.join();
        }
        AssertionError failure = failed.get();
        if (failure != null) {
            throw failure;
        }
        System.out.printf(
                "core, soak: %,d seeds, %,d writes acknowledged, %.0f seeds/s, 0 violations%n",
                SEEDS, acknowledged.get(), SEEDS * 1e9 / (System.nanoTime() - startNanos));
        assertThat(acknowledged.get()).isGreaterThan(SEEDS * 20);
    }

    private static void run(
            AtomicLong next, AtomicLong acknowledged, AtomicReference<@Nullable AssertionError> failed) {
        long seed;
        while (failed.get() == null && (seed = next.getAndIncrement()) < FIRST + SEEDS) {
            SimCluster cluster = new SimCluster(seed, SimMutation.NONE);
            try {
                cluster.run();
            } catch (RuntimeException | AssertionError e) {
                failed.compareAndSet(
                        null,
                        new AssertionError(
                                "replay with -Dtest=SimulationTest -Dsim.seed=" + seed + ": " + e.getMessage(), e));
            }
            acknowledged.addAndGet(cluster.acknowledged);
        }
    }
}
