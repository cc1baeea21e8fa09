package io.elastickv.benchmarks;

import io.elastickv.api.Automation;
import io.elastickv.api.Bytes;
import io.elastickv.api.ClusterView;
import io.elastickv.api.OperationInfo;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** One key takes nine of ten reads: it is not split but relieved. */
final class HotKeyRun {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final int KEYS = 20_000;

    private final int outstanding;
    private final Duration window;
    private final int mostSeconds;

    HotKeyRun(int outstanding, Duration window, int mostSeconds) {
        this.outstanding = outstanding;
        this.window = window;
        this.mostSeconds = mostSeconds;
    }

    /** Returns how many operations failed. */
    long run(Path directory) throws InterruptedException {
        try (ElasticProcesses cluster = new ElasticProcesses(directory, 5, Map.of())) {
            ClusterView view = cluster.client().cluster();
            view.setAutomation(Automation.OFF, TIMEOUT);
            Bytes[] keys = ElasticLoad.keysIn(slot -> true, KEYS);
            ElasticLoad load = new ElasticLoad(cluster.client(), keys, ElasticLoad.oneHot(KEYS, 0.9), 95);
            long failed = load.fill();
            ClosedLoop loop = new ClosedLoop(load::start, outstanding, Long.MAX_VALUE);
            Thread.sleep(5_000);
            loop.measure();
            ElasticWatch watch = new ElasticWatch(view, loop);
            ElasticWatch.Phase before = watch.measure("one key, before", window);
            view.setAutomation(Automation.ALL, TIMEOUT);
            ElasticWatch acting = new ElasticWatch(view, loop);
            double relieved = Double.NaN;
            while (acting.seconds() < mostSeconds && Double.isNaN(relieved)) {
                Thread.sleep(50);
                boolean done = acting.operations().stream()
                        .anyMatch(one -> one.kind() == OperationInfo.Kind.RELIEVE_KEY
                                && one.outcome() == OperationInfo.Outcome.DONE);
                if (done) {
                    relieved = acting.seconds();
                }
            }
            Thread.sleep(4_000);
            ElasticWatch.Phase after = acting.measure("one key, relieved", window);
            loop.stop();
            failed += loop.failed() + (loop.awaitEnd(60, TimeUnit.SECONDS) ? 0 : 1);
            long splits = acting.operations().stream()
                    .filter(one -> one.kind() == OperationInfo.Kind.SPLIT_SHARD)
                    .count();
            System.out.printf(
                    Locale.ROOT,
                    "relieved after %.1f s, %d splits, throughput %.2f times that before, failed %d%n",
                    relieved,
                    splits,
                    after.perSecond() / before.perSecond(),
                    failed);
            view.loads(TIMEOUT)
                    .nodes()
                    .forEach(node -> System.out.printf(
                            Locale.ROOT,
                            "  %s: %.0f reads/s, %.0f writes/s%n",
                            node.node(),
                            node.readsPerSecond(),
                            node.writesPerSecond()));
            return failed;
        }
    }
}
