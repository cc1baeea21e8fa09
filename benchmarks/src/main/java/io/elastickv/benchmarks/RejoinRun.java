package io.elastickv.benchmarks;

import io.elastickv.api.ClusterEvents;
import io.elastickv.api.ClusterView;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.NodeMetrics;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.ReplicaInfo;
import io.elastickv.api.ShardInfo;
import io.elastickv.benchmarks.PhaseWatch.Phase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Writes entries; then, under a load of puts to shards that other nodes lead, a node loses its directory and is started again
 * without it: how fast it gets its replicas back, and what the puts notice.
 *
 * @param entries how many
 * @param valueBytes the size of values
 * @param outstanding how many puts are under way
 * @param window how long the phases last that are compared with
 */
record RejoinRun(int entries, int valueBytes, int outstanding, Duration window) {

    private static final int WIPED = 2;
    private static final int CHECKED = 1_000;
    private static final Duration LIMIT = Duration.ofMinutes(15);
    private static final String BEFORE = "before, three nodes";
    private static final String WITHOUT = "without the node";
    private static final String REJOIN = "while it catches up";
    private static final String AFTER = "after";

    /** Runs it and prints the results; returns how many operations failed. */
    long run(BenchmarkCluster.Settings settings, Path directory) throws IOException, InterruptedException {
        try (BenchmarkCluster cluster = BenchmarkCluster.start(settings, directory)) {
            PutLoad load = new PutLoad(cluster, entries, valueBytes);
            long failed = load.fill();
            AtomicReference<String> phase = new AtomicReference<>("warm-up");
            ClosedLoop loop = load.begin(outstanding, WIPED);
            try (PhaseWatch watch = new PhaseWatch(loop, phase::get)) {
                TimeUnit.SECONDS.sleep(2);
                hold(phase, BEFORE);
                cluster.closeNode(WIPED);
                remove(cluster.directoryOf(WIPED));
                hold(phase, WITHOUT);
                phase.set(REJOIN);
                long startNanos = System.nanoTime();
                cluster.startNode(WIPED);
                AtomicReference<String> refused = new AtomicReference<>();
                cluster.node(WIPED).cluster().addListener(new ClusterEvents() {
                    @Override
                    public void nodeFailed(String reason) {
                        refused.set(reason);
                    }
                });
                awaitReplicas(cluster, refused);
                long nanos = System.nanoTime() - startNanos;
                NodeMetrics metrics = cluster.node(WIPED).metrics();
                hold(phase, AFTER);
                failed += load.end(loop);
                print(nanos, metrics);
                print(watch);
            } catch (TimeoutException | RuntimeException e) {
                System.out.println("FAILED: " + e.getMessage());
                load.end(loop);
                return failed + 1;
            }
            return failed + missing(cluster, load);
        }
    }

    private void hold(AtomicReference<String> phase, String name) throws InterruptedException {
        phase.set(name);
        TimeUnit.NANOSECONDS.sleep(window.toNanos());
        phase.set("");
    }

    /** Waits until the node has replicas of all shards again that are as far as the load lets them be. */
    private void awaitReplicas(BenchmarkCluster cluster, AtomicReference<String> refused)
            throws InterruptedException, TimeoutException {
        ClusterView view = cluster.node(0).cluster();
        Set<Integer> missing = new HashSet<>();
        view.shards().forEach(shard -> missing.add(shard.id()));
        long endNanos = System.nanoTime() + LIMIT.toNanos();
        while (!missing.isEmpty()) {
            if (refused.get() != null) {
                throw new IllegalStateException(refused.get());
            }
            if (System.nanoTime() - endNanos > 0) {
                throw new TimeoutException("after " + LIMIT + " the node still lacks replicas of shards " + missing);
            }
            missing.removeIf(shard -> isBack(view, shard));
            TimeUnit.MILLISECONDS.sleep(20);
        }
        cluster.node(WIPED).awaitReady(Duration.ofMinutes(1));
    }

    private boolean isBack(ClusterView view, int shard) {
        try {
            List<ReplicaInfo> replicas = view.replication(shard, Duration.ofSeconds(2));
            return replicas.stream()
                    .anyMatch(replica -> replica.node().equals(BenchmarkCluster.nameOf(WIPED))
                            && replica.matchIndex() > 0
                            && replica.lag() <= 2L * outstanding);
        } catch (ElastickvException e) {
            return false; // asked again
        }
    }

    private void print(long nanos, NodeMetrics metrics) {
        double seconds = nanos / 1e9;
        double megabytes = metrics.snapshotBytesInstalled() / 1e6;
        System.out.printf(
                Locale.ROOT,
                "rejoined in %.2f s from the start of the node until all replicas had caught up: %d states of %.1f MB,"
                        + " %.1f MB/s, %.0f entries/s%n",
                seconds,
                metrics.snapshotsInstalled(),
                megabytes,
                megabytes / seconds,
                entries / seconds);
    }

    private static void print(PhaseWatch watch) {
        System.out.println(PhaseWatch.HEADER);
        Phase before = watch.phase(BEFORE);
        for (String name : List.of(BEFORE, WITHOUT, REJOIN, AFTER)) {
            Phase phase = watch.phase(name);
            if (phase != null) {
                System.out.println(phase.line(name) + ratios(phase, before));
            }
        }
    }

    private static String ratios(Phase phase, @Nullable Phase before) {
        if (before == null || phase == before) {
            return "";
        }
        return String.format(
                Locale.ROOT,
                "  of before: puts/s %.2f, p99 %.2f",
                phase.perSecond() / before.perSecond(),
                phase.micros(99) / before.micros(99));
    }

    /** Of some keys, how many the node does not have itself. */
    private static long missing(BenchmarkCluster cluster, PutLoad load) {
        long missing = 0;
        for (int i = 0; i < CHECKED; i++) {
            if (cluster.store(WIPED)
                    .blocking()
                    .get(load.key(i * 997), ReadConsistency.local())
                    .isEmpty()) {
                missing++;
            }
        }
        List<ShardInfo> shards = cluster.node(WIPED).cluster().shards();
        System.out.printf(
                Locale.ROOT,
                "%d of %d sampled keys are on the node; %d shards serve%n",
                CHECKED - missing,
                CHECKED,
                shards.stream()
                        .filter(shard -> shard.state() == ShardInfo.State.SERVING)
                        .count());
        return missing;
    }

    private static void remove(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
