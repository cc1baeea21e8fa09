package io.elastickv.samples;

import io.elastickv.api.ClusterEvents;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.UnavailableException;
import io.elastickv.redis.RedisAdapter;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The nodes of this process, each with an adapter for Redis clients. {@link #close} may be called from any thread. */
final class DemoCluster implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(DemoCluster.class);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final DemoOptions options;
    private final Resources resources = new Resources();
    private final Resources temporaryFiles = new Resources();
    private final CompletableFuture<String> failure = new CompletableFuture<>();

    DemoCluster(DemoOptions options) {
        this.options = options;
    }

    /**
     * Starts everything and waits until it serves, however long that takes: the other members may be started later.
     *
     * @return where Redis clients find the nodes, {@code host:port} each
     * @throws StartException if it cannot be
     */
    List<String> start(List<NodeSettings> settings) {
        List<ElastickvNode> nodes = new ArrayList<>();
        for (NodeSettings each : settings) {
            nodes.add(startNode(each));
        }
        List<String> redis = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            redis.add(startAdapter(settings.get(i), nodes.get(i)));
        }
        for (ElastickvNode node : nodes) {
            awaitReady(node);
        }
        return redis;
    }

    private Path data(NodeSettings settings) {
        resources.requireOpen();
        Path directory = settings.data();
        if (directory == null) {
            directory = temporaryFiles
                    .add(TemporaryDirectory.create("elastickv-demo-" + settings.name() + "-"))
                    .path();
            LOG.info("node {}: data in {}, a temporary directory that is removed on exit", settings.name(), directory);
        }
        return directory;
    }

    /** Holds the lock so that {@link #close} cannot remove a directory in which a node is just being started. */
    private synchronized ElastickvNode startNode(NodeSettings settings) {
        Path data = data(settings);
        ElastickvNode node;
        try {
            node = options.builder()
                    .name(settings.name())
                    .address(settings.host(), settings.port())
                    .seeds(settings.seeds())
                    .dataDirectory(data)
                    .start();
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new StartException("node " + settings.name() + ": " + e.getMessage(), e);
        }
        resources.add(node);
        node.cluster().addListener(new ClusterEvents() {
            @Override
            public void nodeFailed(String reason) {
                failure.complete("node " + settings.name() + " has stopped serving: " + reason);
            }
        });
        return node;
    }

    private String startAdapter(NodeSettings settings, ElastickvNode node) {
        RedisAdapter.Builder builder = RedisAdapter.builder(node).bind(settings.redisHost(), settings.redisPort());
        String password = options.password();
        if (password != null) {
            builder.password(password);
        }
        InetSocketAddress address;
        try {
            address = resources.add(builder.start()).address();
        } catch (UncheckedIOException e) {
            throw new StartException(
                    "node " + settings.name() + ": Redis clients cannot be served at "
                            + DemoOptions.address(settings.redisHost(), settings.redisPort()) + " ("
                            + rootMessage(e) + "); choose another port with --redis-port or another address with "
                            + "--redis-host",
                    e);
        }
        return DemoOptions.address(settings.redisHost(), address.getPort());
    }

    private void awaitReady(ElastickvNode node) {
        while (true) {
            long startNanos = System.nanoTime();
            try {
                node.awaitReady(PATIENCE);
                return;
            } catch (UnavailableException e) {
                String failed = failure.getNow(null);
                if (failed != null) {
                    throw new StartException(failed, e);
                }
                // A node that failed before it had a listener answers at once, and will not become ready.
                if (System.nanoTime() - startNanos < PATIENCE.toNanos()) {
                    throw new StartException(rootMessage(e), e);
                }
                LOG.info("still waiting: {}", e.getMessage());
            }
        }
    }

    /** Waits until a node has failed, normally for ever, and returns the reason. */
    String awaitFailure() {
        return failure.join();
    }

    private static String rootMessage(Throwable e) {
        @Nullable Throwable cause = e.getCause();
        String message = cause == null ? e.getMessage() : cause.getMessage();
        return message == null ? e.toString() : message;
    }

    @Override
    public void close() {
        resources.close();
        synchronized (this) { // a node that was being started is closed by now, and no other will be started
            temporaryFiles.close();
        }
    }

    /** For an end in which {@link #close} hangs. */
    void removeTemporaryFiles() {
        temporaryFiles.close();
    }
}
