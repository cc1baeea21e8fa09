package io.elastickv.benchmarks;

import io.elastickv.api.NodeMetrics;
import io.elastickv.benchmarks.PhaseWatch.Phase;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * Puts as fast as they go, while the nodes checkpoint their shards: what the puts notice. Time in which some node writes a
 * checkpoint is compared with time in which none does.
 *
 * @param entries how many are there before
 * @param valueBytes the size of values
 * @param outstanding how many puts are under way
 * @param window how long there must have been of each
 */
record CheckpointRun(int entries, int valueBytes, int outstanding, Duration window) {

    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final String WITHOUT = "no checkpoint";
    private static final String DURING = "during checkpoints";

    /** Runs it and prints the results; returns how many operations failed. */
    long run(BenchmarkCluster.Settings settings, Path directory) throws IOException, InterruptedException {
        try (BenchmarkCluster cluster = BenchmarkCluster.start(settings, directory)) {
            PutLoad load = new PutLoad(cluster, entries, valueBytes);
            long failed = load.fill();
            ClosedLoop loop = load.begin(outstanding, -1);
            TimeUnit.SECONDS.sleep(2);
            long earlier = checkpoints(cluster);
            long earlierBytes =
                    cluster.metrics().mapToLong(NodeMetrics::checkpointBytes).sum();
            try (PhaseWatch watch = new PhaseWatch(loop, () -> isRunning(cluster) ? DURING : WITHOUT)) {
                boolean enough = awaitBoth(cluster);
                failed += load.end(loop);
                long written = checkpoints(cluster) - earlier;
                System.out.printf(
                        Locale.ROOT,
                        "%d checkpoints of shards, %.1f MB, %d failed%n",
                        written,
                        (cluster.metrics()
                                                .mapToLong(NodeMetrics::checkpointBytes)
                                                .sum()
                                        - earlierBytes)
                                / 1e6,
                        cluster.metrics()
                                .mapToLong(NodeMetrics::checkpointsFailed)
                                .sum());
                print(watch);
                if (!enough) {
                    System.out.println("FAILED: not enough time with and without checkpoints within " + LIMIT);
                    failed++;
                }
            }
            return failed;
        }
    }

    private static long checkpoints(BenchmarkCluster cluster) {
        return cluster.metrics().mapToLong(NodeMetrics::checkpointsWritten).sum();
    }

    private static boolean isRunning(BenchmarkCluster cluster) {
        return cluster.metrics().anyMatch(metrics -> metrics.checkpointsRunning() > 0);
    }

    private boolean awaitBoth(BenchmarkCluster cluster) throws InterruptedException {
        long endNanos = System.nanoTime() + LIMIT.toNanos();
        long without = 0;
        long during = 0;
        long stepNanos = TimeUnit.MILLISECONDS.toNanos(10);
        while (System.nanoTime() - endNanos < 0) {
            TimeUnit.NANOSECONDS.sleep(stepNanos);
            if (isRunning(cluster)) {
                during += stepNanos;
            } else {
                without += stepNanos;
            }
            if (without >= window.toNanos() && during >= window.toNanos()) {
                return true;
            }
        }
        return false;
    }

    private static void print(PhaseWatch watch) {
        Phase without = watch.phase(WITHOUT);
        Phase during = watch.phase(DURING);
        System.out.println(PhaseWatch.HEADER);
        if (without != null) {
            System.out.println(without.line(WITHOUT));
        }
        if (during != null) {
            System.out.println(during.line(DURING));
        }
        System.out.println(watch.whole().line("whole run"));
        if (without != null && during != null) {
            System.out.printf(
                    Locale.ROOT,
                    "during of without: puts/s %.2f, p99 %.2f%n",
                    during.perSecond() / without.perSecond(),
                    during.micros(99) / without.micros(99));
        }
    }
}
