package io.elastickv.benchmarks;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.Bytes;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * Puts and gets, each with several numbers of outstanding operations, how often each node synced its log meanwhile and how
 * many writes shared a sync, and what this machine needs for a synced append and a loopback round trip, to compare with.
 *
 * @param kinds which operations
 * @param outstanding how many operations are under way at a time
 * @param vias which node is asked
 * @param warmup how long each measurement runs before it counts
 * @param window how long it counts
 * @param keyCount how many different keys
 * @param valueBytes the size of values
 */
record ThroughputRun(
        List<Kind> kinds,
        List<Integer> outstanding,
        List<Via> vias,
        Duration warmup,
        Duration window,
        int keyCount,
        int valueBytes) {

    private static final Duration BASELINE = Duration.ofSeconds(2);
    private static final long DRAIN_SECONDS = 30;
    private static final long FILL_SECONDS = 600;
    private static final int FILL_OUTSTANDING = 256;
    private static final int VALUES = 256;

    /** An operation. */
    enum Kind {
        PUT,
        GET
    }

    /** Which node is asked. */
    enum Via {
        /** The one that leads the key's shard. */
        LEADER,
        /** Any, at random. */
        RANDOM
    }

    /** Runs everything and prints the results; returns how many operations failed. */
    long run(BenchmarkCluster.Settings settings, Path directory) throws IOException, InterruptedException {
        long syncNanos = Baselines.appendAndSync(directory, BASELINE).getValueAtPercentile(50);
        Histogram loopback = Baselines.pingPong(BASELINE);
        long loopbackNanos = loopback.getValueAtPercentile(50);
        System.out.printf(
                Locale.ROOT,
                "baselines: append 100 B + fdatasync p50 %.0f us, loopback round trip of 100 B p50 %.0f us%n",
                syncNanos / 1e3,
                loopbackNanos / 1e3);
        Bytes[] keys = Workload.keys(keyCount);
        Bytes[] values = new Bytes[VALUES];
        for (int i = 0; i < VALUES; i++) {
            values[i] = Workload.value(i, valueBytes);
        }
        long failed = 0;
        try (BenchmarkCluster cluster = BenchmarkCluster.start(settings, directory)) {
            System.out.println("leaders: " + cluster.leadership());
            failed += fill(cluster, keys, values);
            System.out.println(
                    "op   via      outstanding     ops/s   p50 us   p99 us p99.9 us  CPU us/op  failed  fsyncs/s"
                            + " writes/fsync  of baseline");
            for (Kind kind : kinds) {
                for (Via via : vias) {
                    for (int count : outstanding) {
                        failed += measure(cluster, kind, via, count, keys, values, syncNanos + loopbackNanos);
                    }
                }
            }
            System.out.println("leaders: " + cluster.leadership());
        }
        return failed;
    }

    /** Writes each key once, so that gets find values and puts overwrite. */
    private static long fill(BenchmarkCluster cluster, Bytes[] keys, Bytes[] values) throws InterruptedException {
        AsyncKeyValueStore store = cluster.stores().get(0);
        ClosedLoop loop = new ClosedLoop(
                i -> store.put(keys[(int) i], values[(int) (i % VALUES)]), FILL_OUTSTANDING, keys.length);
        boolean ended = loop.awaitEnd(FILL_SECONDS, TimeUnit.SECONDS);
        loop.stop();
        return report(loop, ended);
    }

    private long measure(
            BenchmarkCluster cluster, Kind kind, Via via, int count, Bytes[] keys, Bytes[] values, long baselineNanos)
            throws InterruptedException {
        int[] leaders = cluster.leaders(keys);
        List<AsyncKeyValueStore> stores = cluster.stores();
        ClosedLoop loop = new ClosedLoop(
                index -> {
                    long random = Workload.mix(index);
                    int key = (int) Long.remainderUnsigned(random, keys.length);
                    int position = via == Via.LEADER ? leaders[key] : (int) ((random >>> 32) % stores.size());
                    return start(stores.get(position), kind, keys[key], values[(int) (index % VALUES)]);
                },
                count,
                Long.MAX_VALUE);
        TimeUnit.NANOSECONDS.sleep(warmup.toNanos());
        loop.measure();
        long startNanos = System.nanoTime();
        long startCpu = ProcessUsage.cpuNanos();
        long startSyncs = cluster.logSyncs();
        long startCount = loop.succeeded() + loop.failed();
        TimeUnit.NANOSECONDS.sleep(window.toNanos());
        long operations = loop.succeeded() + loop.failed() - startCount;
        long cpuNanos = ProcessUsage.cpuNanos() - startCpu;
        // Every write is in the log of every node: per node both numbers are about the same.
        double syncs = (double) (cluster.logSyncs() - startSyncs) / cluster.size();
        long nanos = System.nanoTime() - startNanos;
        loop.stop();
        boolean ended = loop.awaitEnd(DRAIN_SECONDS, TimeUnit.SECONDS);
        Histogram micros = loop.takeLatencyMicros();
        boolean comparable = kind == Kind.PUT && count == 1;
        System.out.printf(
                Locale.ROOT,
                "%-4s %-8s %10d %9.0f %8d %8d %9d %10.1f %7d %9.0f %12.1f  %s%n",
                kind.name().toLowerCase(Locale.ROOT),
                via.name().toLowerCase(Locale.ROOT),
                count,
                operations * 1e9 / nanos,
                micros.getValueAtPercentile(50),
                micros.getValueAtPercentile(99),
                micros.getValueAtPercentile(99.9),
                operations == 0 ? Double.NaN : cpuNanos / 1e3 / operations,
                loop.failed(),
                syncs * 1e9 / nanos,
                kind == Kind.PUT && syncs > 0 ? operations / syncs : Double.NaN,
                comparable
                        ? String.format(Locale.ROOT, "%.1f x", micros.getValueAtPercentile(50) * 1e3 / baselineNanos)
                        : "");
        return report(loop, ended);
    }

    private static CompletableFuture<?> start(AsyncKeyValueStore store, Kind kind, Bytes key, Bytes value) {
        if (kind == Kind.PUT) {
            return store.put(key, value);
        }
        return store.get(key).thenApply(found -> {
            if (found.isEmpty()) {
                throw new IllegalStateException("a key that was written is not there");
            }
            return found;
        });
    }

    /** Prints what went wrong, if anything; returns how much. */
    private static long report(ClosedLoop loop, boolean ended) {
        if (loop.failed() > 0) {
            System.out.println("FAILED operations, by error: " + loop.failures());
        }
        if (!ended) {
            System.out.println("FAILED: some operations never ended");
        }
        return loop.failed() + (ended ? 0 : 1);
    }
}
