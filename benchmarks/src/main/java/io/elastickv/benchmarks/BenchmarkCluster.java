package io.elastickv.benchmarks;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.NodeMetrics;
import io.elastickv.embedded.Durability;
import io.elastickv.embedded.Elastickv;
import io.elastickv.embedded.StorageEngine;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Three nodes in this process. */
final class BenchmarkCluster implements AutoCloseable {

    private static final int NODES = 3;
    private static final int FIRST_PORT = 10_000;
    private static final int LAST_PORT = 32_000;
    private static final int MAX_PORT_ATTEMPTS = 1_000;
    private static final long LOG_LIMIT_BYTES = 512L << 20;
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    /**
     * How the nodes are built.
     *
     * @param loops event loops per node; null for the node's default
     * @param checkpointBytes how much log of a shard makes a checkpoint due, at least; null for the node's default
     */
    record Settings(
            int shards,
            Durability durability,
            StorageEngine storage,
            @Nullable Integer loops,
            @Nullable Long checkpointBytes) {}

    private final Settings settings;
    private final Path data;
    private final List<Integer> ports;
    private final @Nullable ElastickvNode[] nodes = new ElastickvNode[NODES];

    private BenchmarkCluster(Settings settings, Path data) throws IOException {
        this.settings = settings;
        this.data = data;
        this.ports = freePorts();
    }

    /** Starts the nodes on free ports, with directories in {@code data}, and waits until they serve. */
    static BenchmarkCluster start(Settings settings, Path data) throws IOException {
        BenchmarkCluster cluster = new BenchmarkCluster(settings, data);
        try {
            cluster.startAll();
            cluster.awaitReady();
            return cluster;
        } catch (RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    /** Starts the nodes that do not run, without waiting for anything. */
    void startAll() {
        for (int i = 0; i < NODES; i++) {
            if (nodes[i] == null) {
                startNode(i);
            }
        }
    }

    /** Waits until all nodes that run know a leader of every shard. */
    void awaitReady() {
        for (ElastickvNode node : nodes) {
            if (node != null) {
                node.awaitReady(PATIENCE);
            }
        }
    }

    /** Starts node {@code i} on what is in its directory, without waiting for anything. */
    void startNode(int i) {
        List<String> seeds = ports.stream().map(port -> "127.0.0.1:" + port).toList();
        Elastickv builder = Elastickv.builder()
                .name(nameOf(i))
                .address("127.0.0.1", ports.get(i))
                .seeds(seeds)
                .dataDirectory(directoryOf(i))
                .shards(settings.shards())
                .durability(settings.durability())
                .storage(settings.storage());
        Integer loops = settings.loops();
        if (loops != null) {
            builder.eventLoops(loops);
        }
        Long checkpointBytes = settings.checkpointBytes();
        if (checkpointBytes != null) {
            builder.checkpoints(checkpointBytes, LOG_LIMIT_BYTES);
        }
        nodes[i] = builder.start();
    }

    /** Closes node {@code i} in good order. */
    void closeNode(int i) {
        ElastickvNode node = node(i);
        nodes[i] = null;
        node.close();
    }

    /** Free ports, below those that the system gives to outgoing connections: one of these would take them at once. */
    private static List<Integer> freePorts() throws IOException {
        List<ServerSocket> held = new ArrayList<>();
        try {
            List<Integer> ports = new ArrayList<>();
            for (int attempts = 0; ports.size() < NODES; attempts++) {
                int port = ThreadLocalRandom.current().nextInt(FIRST_PORT, LAST_PORT);
                try {
                    held.add(new ServerSocket(port, 1, InetAddress.getLoopbackAddress()));
                    ports.add(port);
                } catch (BindException e) {
                    if (attempts > MAX_PORT_ATTEMPTS) {
                        throw new IOException("no free ports between " + FIRST_PORT + " and " + LAST_PORT, e);
                    }
                }
            }
            return ports;
        } finally {
            for (ServerSocket socket : held) {
                socket.close();
            }
        }
    }

    /** How many nodes there are, running or not. */
    int size() {
        return NODES;
    }

    /** The name of node {@code i}. */
    static String nameOf(int i) {
        return "n" + (i + 1);
    }

    /** Where node {@code i} has its files. */
    Path directoryOf(int i) {
        return data.resolve(nameOf(i));
    }

    /** Node {@code i}, which must be running. */
    ElastickvNode node(int i) {
        ElastickvNode node = nodes[i];
        if (node == null) {
            throw new IllegalStateException(nameOf(i) + " does not run");
        }
        return node;
    }

    /** The store of node {@code i}, which must be running. */
    AsyncKeyValueStore store(int i) {
        return node(i).asyncStore();
    }

    /** The store of each node, all of which must be running. */
    List<AsyncKeyValueStore> stores() {
        List<AsyncKeyValueStore> stores = new ArrayList<>();
        for (int i = 0; i < NODES; i++) {
            stores.add(store(i));
        }
        return stores;
    }

    /** How often all running nodes together have synced their logs. */
    long logSyncs() {
        return metrics().mapToLong(NodeMetrics::logSyncs).sum();
    }

    /** The figures of all running nodes. */
    Stream<NodeMetrics> metrics() {
        return Arrays.stream(nodes).filter(Objects::nonNull).map(ElastickvNode::metrics);
    }

    /** For each key the number of the node that leads its shard now; some running node if none does. */
    int[] leaders(Bytes[] keys) {
        int some = 0;
        while (nodes[some] == null) {
            some++;
        }
        ElastickvNode asked = node(some);
        asked.awaitReady(PATIENCE);
        int[] positions = new int[keys.length];
        for (int i = 0; i < keys.length; i++) {
            String leader = asked.cluster().explain(keys[i]).leader().orElse("");
            positions[i] = some;
            for (int n = 0; n < NODES; n++) {
                if (nodes[n] != null && nameOf(n).equals(leader)) {
                    positions[i] = n;
                }
            }
        }
        return positions;
    }

    /** How many shards each node leads, in words. */
    String leadership() {
        StringBuilder text = new StringBuilder();
        for (ElastickvNode node : nodes) {
            if (node == null) {
                continue;
            }
            long leads = node.cluster().shards().stream()
                    .filter(shard -> shard.leader().filter(node.name()::equals).isPresent())
                    .count();
            text.append(text.isEmpty() ? "" : ", ")
                    .append(node.name())
                    .append(" leads ")
                    .append(leads);
        }
        return text.toString();
    }

    @Override
    public void close() {
        for (int i = 0; i < NODES; i++) {
            if (nodes[i] != null) {
                closeNode(i);
            }
        }
    }
}
