package io.elastickv.benchmarks;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.Bytes;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * Writes many keys, reads all of them back through any node and compares, and tells what memory an entry needs on each
 * replica, on the heap and outside.
 *
 * @param count how many keys
 * @param valueBytes the size of values
 */
record FillRun(int count, int valueBytes) {

    private static final int OUTSTANDING = 256;
    private static final int REPLICAS = 3;
    private static final Duration LIMIT = Duration.ofMinutes(30);

    /** Runs it and prints the results; returns how many operations failed. */
    long run(BenchmarkCluster.Settings settings, Path directory) throws IOException, InterruptedException {
        try (BenchmarkCluster cluster = BenchmarkCluster.start(settings, directory)) {
            List<AsyncKeyValueStore> stores = cluster.stores();
            warmUp(stores);
            ProcessUsage.Memory before = ProcessUsage.Memory.now();
            long failed = phase(
                    "written", index -> any(stores, index).put(Workload.key(index), Workload.value(index, valueBytes)));
            ProcessUsage.Memory written = ProcessUsage.Memory.now();
            print(before, written);
            failed += phase("read and compared", index -> {
                Bytes expected = Workload.value(index, valueBytes);
                return any(stores, index + 1).get(Workload.key(index)).thenApply(found -> {
                    if (found.isEmpty()) {
                        throw new IllegalStateException("key " + index + " is not there");
                    }
                    if (!found.get().value().equals(expected)) {
                        throw new IllegalStateException("key " + index + " has another value than was written");
                    }
                    return found;
                });
            });
            System.out.println("after reading everything:");
            print(before, ProcessUsage.Memory.now());
            return failed;
        }
    }

    /** So that what is there once, classes and buffers, is not counted as the entries'. */
    private void warmUp(List<AsyncKeyValueStore> stores) throws InterruptedException {
        Bytes key = Bytes.utf8("warm-up");
        ClosedLoop puts = new ClosedLoop(
                index -> any(stores, index).put(key, Workload.value(index, valueBytes)), OUTSTANDING, 20_000);
        puts.awaitEnd(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }

    private static AsyncKeyValueStore any(List<AsyncKeyValueStore> stores, long index) {
        return stores.get((int) (index % stores.size()));
    }

    private long phase(String done, ClosedLoop.Operation operation) throws InterruptedException {
        long startNanos = System.nanoTime();
        long startCpu = ProcessUsage.cpuNanos();
        ClosedLoop loop = new ClosedLoop(operation, OUTSTANDING, count);
        boolean ended = loop.awaitEnd(LIMIT.toSeconds(), TimeUnit.SECONDS);
        loop.stop();
        double seconds = (System.nanoTime() - startNanos) / 1e9;
        double cpuMicros = (ProcessUsage.cpuNanos() - startCpu) / 1e3;
        System.out.printf(
                Locale.ROOT,
                "%d of %d %s in %.1f s, %.0f/s, %.1f CPU us each, %d failed %s%n",
                loop.succeeded(),
                count,
                done,
                seconds,
                loop.succeeded() / seconds,
                cpuMicros / Math.max(1, loop.succeeded()),
                loop.failed(),
                loop.failed() == 0 ? "" : loop.failures().toString());
        long missing = count - loop.succeeded();
        if (!ended || missing > 0) {
            System.out.println("FAILED: " + missing + " operations did not succeed");
        }
        return missing;
    }

    private void print(ProcessUsage.Memory before, ProcessUsage.Memory after) {
        double entries = (double) count * REPLICAS;
        double heap = (after.heapUsed() - before.heapUsed()) / entries;
        System.out.printf(
                Locale.ROOT,
                "heap after collection: %.1f MB, was %.1f MB: %.1f bytes per entry and replica%n",
                after.heapUsed() / 1e6,
                before.heapUsed() / 1e6,
                heap);
        if (before.anonymous() < 0 || after.anonymous() < 0) {
            System.out.println("off heap: this system does not say");
            return;
        }
        long growth = after.anonymous() - before.anonymous();
        System.out.printf(
                Locale.ROOT,
                "resident: %.1f MB, of it not files %.1f MB, was %.1f MB; committed heap %.1f MB, was %.1f MB%n",
                after.resident() / 1e6,
                after.anonymous() / 1e6,
                before.anonymous() / 1e6,
                after.heapCommitted() / 1e6,
                before.heapCommitted() / 1e6);
        if (ProcessUsage.heapIsResident() && after.heapCommitted() == before.heapCommitted()) {
            System.out.printf(Locale.ROOT, "off heap: %.1f bytes per entry and replica%n", growth / entries);
            return;
        }
        // How much of the heap's growth became resident is not known: between nothing and all that was committed.
        long least = growth - Math.max(0, after.heapCommitted() - before.heapCommitted());
        System.out.printf(
                Locale.ROOT,
                "off heap: %.1f to %.1f bytes per entry and replica (exact with -Xms and -Xmx equal and "
                        + "-XX:+AlwaysPreTouch)%n",
                least / entries,
                growth / entries);
    }
}
