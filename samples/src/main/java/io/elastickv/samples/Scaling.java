package io.elastickv.samples;

import io.elastickv.api.ClusterLoads;
import io.elastickv.api.ClusterView;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.NodeLoadInfo;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Adds nodes when each has too much to do, and drains and stops some when all have too little; on a thread of its own. */
final class Scaling implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final Duration DRAIN_PATIENCE = Duration.ofSeconds(60);
    /** After a node has come or gone: until then its load has not settled. */
    private static final int COOLDOWN_SECONDS = 6;

    private final LocalNodes nodes;
    private final ClusterView cluster;
    private final double opsPerNode;
    private final Consumer<String> news;
    private final Thread thread = new Thread(this::run, "scaling-demo-nodes");

    Scaling(LocalNodes nodes, ClusterView cluster, double opsPerNode, Consumer<String> news) {
        this.nodes = nodes;
        this.cluster = cluster;
        this.opsPerNode = opsPerNode;
        this.news = news;
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    private void run() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                TimeUnit.SECONDS.sleep(1);
                try {
                    if (look()) {
                        TimeUnit.SECONDS.sleep(COOLDOWN_SECONDS);
                    }
                } catch (ElastickvException | IllegalStateException e) {
                    news.accept("scaling: " + CommandLines.firstLine(e));
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean look() {
        ClusterLoads loads = cluster.loads(PATIENCE);
        double total =
                loads.nodes().stream().mapToDouble(NodeLoadInfo::opsPerSecond).sum();
        List<String> present = nodes.names();
        int wanted = ScalingDemo.wantedNodes(total, opsPerNode, present.size());
        if (wanted > present.size()) {
            String name = nodes.add();
            news.accept(name + " joined: " + Figures.count(total) + " operations/s, " + Figures.count(opsPerNode)
                    + " for each node");
            return true;
        }
        if (wanted < present.size()) {
            String name = present.get(present.size() - 1);
            cluster.drainNode(name, DRAIN_PATIENCE);
            nodes.remove(name);
            news.accept(name + " was drained and stopped: " + Figures.count(total) + " operations/s");
            return true;
        }
        return false;
    }

    /** Lets the present step end, for a while. */
    @Override
    public void close() throws InterruptedException {
        thread.interrupt();
        if (thread.isAlive()) {
            thread.join(5_000);
        }
    }
}
