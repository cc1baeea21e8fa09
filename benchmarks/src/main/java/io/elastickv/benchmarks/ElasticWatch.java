package io.elastickv.benchmarks;

import io.elastickv.api.ClusterLoads;
import io.elastickv.api.ClusterView;
import io.elastickv.api.NodeLoadInfo;
import io.elastickv.api.OperationInfo;
import io.elastickv.api.ShardInfo;
import io.elastickv.api.UnavailableException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.HdrHistogram.Histogram;

/** Looks at a cluster under load, ten times a second, and says what becomes of it. Not thread-safe. */
final class ElasticWatch {

    private final ClusterView view;
    private final ClosedLoop loop;
    private final long startNanos = System.nanoTime();
    private final long firstOperation;

    /** Begins; operations that began before do not count. */
    ElasticWatch(ClusterView view, ClosedLoop loop) {
        this.view = view;
        this.loop = loop;
        this.firstOperation =
                view.operations().stream().mapToLong(OperationInfo::id).max().orElse(0) + 1;
    }

    /** Seconds since the beginning. */
    double seconds() {
        return (System.nanoTime() - startNanos) / 1e9;
    }

    /** The operations since the beginning. */
    List<OperationInfo> operations() {
        return view.operations().stream()
                .filter(operation -> operation.id() >= firstOperation)
                .toList();
    }

    /** How many times the mean the most loaded node carries; infinite if that is not known. */
    double hottest() {
        try {
            ClusterLoads loads = view.loads(Duration.ofSeconds(1));
            double most = 0;
            double sum = 0;
            for (NodeLoadInfo node : loads.nodes()) {
                most = Math.max(most, node.load());
                sum += node.load();
            }
            return sum == 0 ? Double.POSITIVE_INFINITY : most * loads.nodes().size() / sum;
        } catch (UnavailableException e) {
            return Double.POSITIVE_INFINITY;
        }
    }

    /** How many shards each node leads. */
    Map<String, Integer> leaders() {
        Map<String, Integer> leaders = new HashMap<>();
        for (ShardInfo shard : view.shards()) {
            shard.leader().ifPresent(leader -> leaders.merge(leader, 1, Integer::sum));
        }
        return leaders;
    }

    /** Throughput and latencies for a while. */
    Phase measure(String name, Duration duration) throws InterruptedException {
        loop.takeLatencyMicros();
        long before = loop.succeeded();
        long beganNanos = System.nanoTime();
        Thread.sleep(duration.toMillis());
        Phase phase = new Phase(
                name, (loop.succeeded() - before) * 1e9 / (System.nanoTime() - beganNanos), loop.takeLatencyMicros());
        System.out.println(phase);
        return phase;
    }

    /** What was measured. */
    record Phase(String name, double perSecond, Histogram micros) {
        double millis(double percentile) {
            return micros.getValueAtPercentile(percentile) / 1e3;
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%-28s %8.0f/s  p50 %6.2f  p99 %6.2f  p99.9 %6.2f  longest %7.1f ms",
                    name,
                    perSecond,
                    millis(50),
                    millis(99),
                    millis(99.9),
                    micros.getMaxValue() / 1e3);
        }
    }
}
