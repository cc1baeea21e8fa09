package io.elastickv.benchmarks;

import io.elastickv.api.Automation;
import io.elastickv.api.Bytes;
import io.elastickv.api.ClusterView;
import io.elastickv.api.ShardInfo;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A shard with many entries is split under light load: how long writes wait. */
final class SplitRun {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final int entries;
    private final int rounds;
    private final Duration window;

    SplitRun(int entries, int rounds, Duration window) {
        this.entries = entries;
        this.rounds = rounds;
        this.window = window;
    }

    /** Returns how many operations failed. */
    long run(Path directory) throws InterruptedException {
        try (ElasticProcesses cluster = new ElasticProcesses(directory, 3, Map.of("shards", "1"))) {
            ClusterView view = cluster.client().cluster();
            view.setAutomation(Automation.OFF, TIMEOUT);
            Bytes[] keys = Workload.keys(entries);
            ElasticLoad load = new ElasticLoad(cluster.client(), keys, ElasticLoad.uniform(entries), 0);
            long failed = load.fill();
            ClosedLoop loop = new ClosedLoop(load::start, 8, Long.MAX_VALUE);
            Thread.sleep(3_000);
            loop.measure();
            ElasticWatch watch = new ElasticWatch(view, loop);
            watch.measure("without splits", window);
            for (int round = 0; round < rounds; round++) {
                ShardInfo largest = view.shards().get(0);
                int slots = largest.slots().get(0).size();
                int first = largest.slots().get(0).first() + slots / 2;
                loop.takeLatencyMicros();
                long startNanos = System.nanoTime();
                int child = view.splitShard(largest.id(), first, TIMEOUT);
                double millis = (System.nanoTime() - startNanos) / 1e6;
                Thread.sleep(1_000);
                System.out.printf(
                        Locale.ROOT,
                        "split %d of about %d entries: shard %d, asked for and done in %.1f ms; longest write %.1f ms%n",
                        round + 1,
                        entries / (1 << round),
                        child,
                        millis,
                        loop.takeLatencyMicros().getMaxValue() / 1e3);
            }
            watch.measure("after the splits", window);
            loop.stop();
            return failed + loop.failed() + (loop.awaitEnd(60, TimeUnit.SECONDS) ? 0 : 1);
        }
    }
}
