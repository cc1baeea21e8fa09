package io.elastickv.benchmarks;

import io.elastickv.api.Automation;
import io.elastickv.api.Bytes;
import io.elastickv.api.ClusterView;
import io.elastickv.api.OperationInfo;
import io.elastickv.api.ShardInfo;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongToIntFunction;

/** All load goes to the slots of one shard of five processes: what the cluster does about it, and when. */
final class HotShardRun {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final int KEYS = 20_000;
    private static final double GOAL = 1.3;

    private final int outstanding;
    private final Duration window;
    private final int mostSeconds;

    HotShardRun(int outstanding, Duration window, int mostSeconds) {
        this.outstanding = outstanding;
        this.window = window;
        this.mostSeconds = mostSeconds;
    }

    /** Returns how many operations failed. */
    long run(Path directory) throws InterruptedException {
        return run(directory.resolve("uniform"), "uniform", ElasticLoad.uniform(KEYS))
                + run(directory.resolve("zipf"), "zipf 0.99", ElasticLoad.zipf(KEYS, 0.99));
    }

    private long run(Path directory, String name, LongToIntFunction choice) throws InterruptedException {
        try (ElasticProcesses cluster = new ElasticProcesses(directory, 5, Map.of())) {
            ClusterView view = cluster.client().cluster();
            view.setAutomation(Automation.OFF, TIMEOUT);
            ShardInfo hot = view.shards().get(0);
            Bytes[] keys = ElasticLoad.keysIn(hot::owns, KEYS);
            ElasticLoad load = new ElasticLoad(cluster.client(), keys, choice, 50);
            long failed = load.fill();
            System.out.printf(
                    Locale.ROOT,
                    "== %s: 5 processes, replication 3, half puts, half gets, %d outstanding, all in shard %d (%d slots)%n",
                    name,
                    outstanding,
                    hot.id(),
                    hot.slots().get(0).size());
            ClosedLoop loop = new ClosedLoop(load::start, outstanding, Long.MAX_VALUE);
            Thread.sleep(5_000); // warm
            loop.measure();
            ElasticWatch watch = new ElasticWatch(view, loop);
            ElasticWatch.Phase before = watch.measure("before", window);
            System.out.printf(Locale.ROOT, "hottest node before: %.2f of the mean%n", watch.hottest());
            view.setAutomation(Automation.ALL, TIMEOUT);
            ElasticWatch acting = new ElasticWatch(view, loop);
            loop.takeLatencyMicros();
            load.takeSlow();
            double detected = Double.NaN;
            double split = Double.NaN;
            double even = Double.NaN;
            while (acting.seconds() < mostSeconds && Double.isNaN(even)) {
                Thread.sleep(50);
                List<OperationInfo> operations = acting.operations();
                if (Double.isNaN(detected) && !operations.isEmpty()) {
                    detected = acting.seconds();
                }
                boolean done = operations.stream()
                        .anyMatch(one -> one.kind() == OperationInfo.Kind.SPLIT_SHARD
                                && one.outcome() == OperationInfo.Outcome.DONE);
                if (Double.isNaN(split) && done) {
                    split = acting.seconds();
                }
                if (acting.hottest() <= GOAL) {
                    even = acting.seconds();
                }
            }
            ElasticWatch.Phase during = new ElasticWatch.Phase("during", Double.NaN, loop.takeLatencyMicros());
            List<String> slow = load.takeSlow();
            System.out.printf(
                    "%d operations took longer than 100 ms meanwhile%s%n",
                    slow.size(), slow.isEmpty() ? "" : ", such as");
            slow.stream().limit(20).forEach(one -> System.out.println("  " + one));
            ElasticWatch.Phase after = acting.measure("after", window);
            loop.stop();
            boolean ended = loop.awaitEnd(60, TimeUnit.SECONDS);
            failed += loop.failed() + (ended ? 0 : 1);
            System.out.printf(
                    Locale.ROOT,
                    "%s: first operation after %.1f s, first split done after %.1f s, hottest node at most %.1f times the"
                            + " mean after %.1f s (now %.2f)%n",
                    name,
                    detected,
                    split,
                    GOAL,
                    even,
                    acting.hottest());
            System.out.printf(
                    Locale.ROOT,
                    "%s: throughput %.2f times that before; longest operation before %.1f, during %.1f, after %.1f ms;"
                            + " failed %d; leaders %s; %d shards; operations %d%n",
                    name,
                    after.perSecond() / before.perSecond(),
                    before.micros().getMaxValue() / 1e3,
                    during.micros().getMaxValue() / 1e3,
                    after.micros().getMaxValue() / 1e3,
                    failed,
                    acting.leaders(),
                    view.shards().size(),
                    acting.operations().size());
            acting.operations()
                    .forEach(one -> System.out.println("  " + one.kind() + " " + one.what() + " [" + one.by() + "] "
                            + one.outcome() + (one.note().isEmpty() ? "" : ": " + one.note())));
            return failed;
        }
    }
}
