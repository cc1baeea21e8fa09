package io.elastickv.samples;

import io.elastickv.api.ClusterLoads;
import io.elastickv.api.ClusterView;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.NodeLoadInfo;
import io.elastickv.api.OperationInfo;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Looks at a cluster once a second while a load runs, for a report. For one thread, but for {@link #mark}. */
final class Recorder {

    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    private static final int COLUMNS = 128;

    private final Supplier<ClusterView> cluster;
    private final HeatHistory heat = new HeatHistory(COLUMNS);
    private final HotspotReport report;
    private final Instant begin = Instant.now();
    private final Map<Long, OperationInfo> operations = new TreeMap<>();
    private double hottest = Double.NaN;
    private long nextNanos = System.nanoTime();

    /**
     * A recorder.
     *
     * @param cluster asked each time: the node that was asked before may have gone
     * @param headings of the report's table
     */
    Recorder(Supplier<ClusterView> cluster, String title, String... headings) {
        this.cluster = cluster;
        this.report = new HotspotReport(title, heat, headings);
    }

    /** Waits for the end of the present second and looks at what it was; the load's counts from before it are given. */
    void second(Storm storm, Storm.Counts before) throws InterruptedException {
        nextNanos = Math.max(nextNanos + 1_000_000_000L, System.nanoTime() + 1_000_000L);
        long wait = nextNanos - System.nanoTime();
        TimeUnit.NANOSECONDS.sleep(Math.max(1, wait));
        Instant now = Instant.now();
        Storm.Span span = before.until(storm.counts());
        report.traffic(now, span.opsPerSecond(), span.p99Millis());
        ClusterView view = cluster.get();
        try {
            heat.add(now, view.slotLoads(TIMEOUT));
            ClusterLoads loads = view.loads(TIMEOUT);
            hottest = 0;
            for (NodeLoadInfo node : loads.nodes()) {
                report.node(now, node.node(), node.load());
                hottest = Math.max(hottest, node.load());
            }
        } catch (ElastickvException e) {
            hottest = Double.NaN; // the catalog has no leader just now: this second has no row
        }
        for (OperationInfo operation : view.operations()) {
            if (!operation.started().isBefore(begin)) {
                operations.put(operation.id(), operation);
            }
        }
    }

    /** Something was done that the report shall tell. Any thread. */
    void mark(String text) {
        report.mark(Instant.now(), text);
    }

    /** The load of the node with most to do, in terms of the mean; not a number if nobody knows. */
    double hottest() {
        return hottest;
    }

    /** The operations since the beginning, by number. */
    List<OperationInfo> operations() {
        return List.copyOf(operations.values());
    }

    /** The report, with all that was seen. */
    HotspotReport report() {
        report.operations(operations());
        return report;
    }
}
