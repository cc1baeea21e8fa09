package io.elastickv.benchmarks;

import io.elastickv.api.Bytes;
import io.elastickv.api.ShardInfo;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;

/**
 * Writes entries, closes all nodes and starts all of them: how long until every shard has taken a write and answered a read.
 * Without the start of JVMs, since the nodes are in this one.
 *
 * @param entries how many
 * @param valueBytes the size of values
 * @param rounds how often
 */
record RestartRun(int entries, int valueBytes, int rounds) {

    private static final Duration PATIENCE = Duration.ofMinutes(5);

    /** Runs it and prints the results; returns how many operations failed. */
    long run(BenchmarkCluster.Settings settings, Path directory) throws IOException, InterruptedException {
        try (BenchmarkCluster cluster = BenchmarkCluster.start(settings, directory)) {
            PutLoad load = new PutLoad(cluster, entries, valueBytes);
            long failed = load.fill();
            List<Double> seconds = new ArrayList<>();
            for (int round = 0; round < rounds; round++) {
                for (int i = 0; i < cluster.size(); i++) {
                    cluster.closeNode(i);
                }
                long startNanos = System.nanoTime();
                startAllAtOnce(cluster);
                double started = (System.nanoTime() - startNanos) / 1e9;
                writeAndReadEachShard(cluster);
                seconds.add((System.nanoTime() - startNanos) / 1e9);
                System.out.printf(
                        Locale.ROOT,
                        "nodes started after %.2f s, every shard written and read after %.2f s%n",
                        started,
                        seconds.get(round));
                long size = cluster.store(0).blocking().size();
                if (size < entries) {
                    System.out.printf("FAILED: %d of %d entries are there%n", size, entries);
                    failed += entries - size;
                }
            }
            List<Double> sorted = seconds.stream().sorted().toList();
            System.out.printf(
                    Locale.ROOT,
                    "%d entries, %d restarts of all nodes, s until every shard serves, min/median/max: %.2f/%.2f/%.2f%n",
                    entries,
                    rounds,
                    sorted.get(0),
                    sorted.get(sorted.size() / 2),
                    sorted.get(sorted.size() - 1));
            return failed;
        }
    }

    /** As processes of their own would. */
    private static void startAllAtOnce(BenchmarkCluster cluster) {
        List<CompletableFuture<Void>> starts = new ArrayList<>();
        for (int i = 0; i < cluster.size(); i++) {
            int node = i;
            starts.add(CompletableFuture.runAsync(
                    () -> cluster.startNode(node), task -> new Thread(task, "start-" + node).start()));
        }
        starts.forEach(CompletableFuture::join);
    }

    private static void writeAndReadEachShard(BenchmarkCluster cluster) {
        cluster.node(0).awaitReady(PATIENCE);
        var store = cluster.store(0).withTimeout(PATIENCE);
        List<CompletableFuture<?>> ends = new ArrayList<>();
        for (ShardInfo shard : cluster.node(0).cluster().shards()) {
            Bytes key = keyOf(cluster, shard.id());
            ends.add(store.put(key, key).thenCompose(version -> store.get(key)).thenAccept(found -> {
                if (found.isEmpty()) {
                    throw new IllegalStateException("a key that was written is not there");
                }
            }));
        }
        ends.forEach(CompletableFuture::join);
    }

    private static Bytes keyOf(BenchmarkCluster cluster, int shard) {
        for (int i = 0; ; i++) {
            Bytes key = Bytes.utf8("serves-" + i);
            if (cluster.node(0).cluster().explain(key).shard() == shard) {
                return key;
            }
        }
    }
}
