package io.elastickv.benchmarks;

import io.elastickv.api.Bytes;
import io.elastickv.api.ClusterView;
import io.elastickv.api.OperationInfo;
import io.elastickv.api.OperationInfo.Kind;
import io.elastickv.api.ShardInfo;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Under load: three processes become five, two of them leave in good order, and one is killed for good. */
final class ScaleRun {

    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int KEYS = 100_000;
    private static final int SHARDS = 16;

    private final int outstanding;
    private final Duration window;

    private Map<Integer, List<String>> placed = Map.of();

    ScaleRun(int outstanding, Duration window) {
        this.outstanding = outstanding;
        this.window = window;
    }

    /** Returns how many operations failed. */
    long run(Path directory) throws InterruptedException {
        Map<String, String> settings = Map.of("shards", "" + SHARDS, "replaceAfterMillis", "10000");
        try (ElasticProcesses cluster = new ElasticProcesses(directory, 3, settings)) {
            ClusterView view = cluster.client().cluster();
            Bytes[] keys = ElasticLoad.keysIn(slot -> true, KEYS);
            ElasticLoad load = new ElasticLoad(cluster.client(), keys, ElasticLoad.uniform(KEYS), 50);
            long failed = load.fill();
            ClosedLoop loop = new ClosedLoop(load::start, outstanding, Long.MAX_VALUE);
            Thread.sleep(5_000);
            loop.measure();
            ElasticWatch watch = new ElasticWatch(view, loop);
            ElasticWatch.Phase before = watch.measure("3 nodes", window);
            placed = placement(view);

            phase(view, loop, before, "3 to 5 nodes", 2.0 / 5 * SHARDS * 3, () -> {
                String one = cluster.add();
                String two = cluster.add();
                await(
                        "even",
                        () -> even(view, 5)
                                && view.nodes().stream().anyMatch(n -> n.name().equals(one))
                                && view.nodes().stream().anyMatch(n -> n.name().equals(two)));
            });
            List<String> leaving = cluster.running().subList(3, 5);
            double held = leaving.stream()
                    .mapToLong(name -> placed.values().stream()
                            .filter(nodes -> nodes.contains(name))
                            .count())
                    .sum();
            phase(view, loop, before, "5 to 3 nodes, drained", held, () -> {
                for (String name : leaving) {
                    view.drainNode(name, PATIENCE);
                    cluster.close(name);
                }
                await("even", () -> even(view, 3));
            });
            String spare = cluster.add();
            await("even with " + spare, () -> even(view, 4));
            placed = placement(view);
            String victim = cluster.running().get(1);
            double lost = placed.values().stream()
                    .filter(nodes -> nodes.contains(victim))
                    .count();
            phase(view, loop, before, "one of 4 killed for good", lost, () -> {
                cluster.kill(victim);
                await(
                        "replication 3 without " + victim,
                        () -> view.shards().stream()
                                .allMatch(shard -> shard.replicas().size() == 3
                                        && !shard.replicas().contains(victim)
                                        && shard.leader().isPresent()));
            });
            await("even", () -> even(view, 3));
            watch.measure("3 nodes again", window);
            System.out.printf("leaders at the end: %s%n", watch.leaders());
            loop.stop();
            failed += loop.failed() + (loop.awaitEnd(60, TimeUnit.SECONDS) ? 0 : 1);
            System.out.printf("failed operations: %d%n", failed);
            return failed;
        }
    }

    private interface Act {
        void run() throws InterruptedException;
    }

    private void phase(ClusterView view, ClosedLoop loop, ElasticWatch.Phase before, String name, double least, Act act)
            throws InterruptedException {
        ElasticWatch watch = new ElasticWatch(view, loop);
        loop.takeLatencyMicros();
        long succeeded = loop.succeeded();
        long failedBefore = loop.failed();
        act.run();
        double seconds = watch.seconds();
        ElasticWatch.Phase during =
                new ElasticWatch.Phase(name, (loop.succeeded() - succeeded) / seconds, loop.takeLatencyMicros());
        System.out.println(during);
        long moved = 0;
        Map<Kind, Integer> kinds = new HashMap<>();
        for (OperationInfo operation : watch.operations()) {
            kinds.merge(operation.kind(), 1, Integer::sum);
            boolean moves = operation.kind() == Kind.ADD_REPLICA
                    || operation.kind() == Kind.MOVE_REPLICA
                    || operation.kind() == Kind.REPLACE_REPLICA;
            // Shards are of equal size here, so that replicas can be counted instead of bytes. The catalog is none.
            if (moves && operation.shard().orElse(1 << 30) < 1 << 30) {
                moved++;
            }
        }
        System.out.printf(
                Locale.ROOT,
                "%s: %.1f s, %d replicas moved, %.2f of the least possible %.1f; p99 %.2f times, throughput %.2f times that"
                        + " before; failed %d; leaders %s; operations %s%n",
                name,
                seconds,
                moved,
                moved / least,
                least,
                during.millis(99) / before.millis(99),
                during.perSecond() / before.perSecond(),
                loop.failed() - failedBefore,
                watch.leaders(),
                kinds);
        placed = placement(view);
    }

    private static Map<Integer, List<String>> placement(ClusterView view) {
        Map<Integer, List<String>> placement = new HashMap<>();
        view.shards().forEach(shard -> placement.put(shard.id(), shard.replicas()));
        return placement;
    }

    /** Whether replicas and leaders are spread over so many nodes, leaders to within ten percent of the mean or one. */
    private static boolean even(ClusterView view, int nodes) {
        Map<String, Integer> leaders = new HashMap<>();
        Map<String, Integer> replicas = new HashMap<>();
        List<ShardInfo> shards = view.shards();
        for (ShardInfo shard : shards) {
            shard.leader().ifPresent(leader -> leaders.merge(leader, 1, Integer::sum));
            shard.replicas().forEach(node -> replicas.merge(node, 1, Integer::sum));
            if (shard.replicas().size() != 3) {
                return false;
            }
        }
        double meanLeaders = (double) shards.size() / nodes;
        double meanReplicas = shards.size() * 3.0 / nodes;
        boolean quiet = view.operations().stream().noneMatch(OperationInfo::isRunning);
        return quiet
                && leaders.size() == nodes
                && replicas.size() == nodes
                && leaders.values().stream()
                        .allMatch(count -> Math.abs(count - meanLeaders) <= Math.max(1, 0.1 * meanLeaders))
                && replicas.values().stream()
                        .allMatch(count -> Math.abs(count - meanReplicas) <= Math.max(2, 0.25 * meanReplicas));
    }

    private interface Condition {
        boolean holds();
    }

    private static void await(String what, Condition condition) throws InterruptedException {
        long deadlineNanos = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() - deadlineNanos > 0) {
                System.out.println("NOT REACHED within " + PATIENCE + ": " + what);
                return;
            }
            Thread.sleep(50);
        }
    }
}
