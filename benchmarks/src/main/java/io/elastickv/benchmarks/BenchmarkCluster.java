package io.elastickv.benchmarks;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvNode;
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
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Three nodes in this process. */
final class BenchmarkCluster implements AutoCloseable {

    private static final int NODES = 3;
    private static final int FIRST_PORT = 10_000;
    private static final int LAST_PORT = 32_000;
    private static final int MAX_PORT_ATTEMPTS = 1_000;

    /**
     * How the nodes are built.
     *
     * @param loops event loops per node; null for the node's default
     */
    record Settings(
            int shards,
            Durability durability,
            StorageEngine storage,
            @Nullable Integer loops) {}

    private final List<ElastickvNode> nodes = new ArrayList<>();
    private final List<AsyncKeyValueStore> stores = new ArrayList<>();

    private BenchmarkCluster() {}

    /** Starts the nodes on free ports, with directories in {@code data}, and waits until they serve. */
    static BenchmarkCluster start(Settings settings, Path data) throws IOException {
        BenchmarkCluster cluster = new BenchmarkCluster();
        try {
            cluster.startNodes(settings, data);
            return cluster;
        } catch (RuntimeException | IOException e) {
            cluster.close();
            throw e;
        }
    }

    private void startNodes(Settings settings, Path data) throws IOException {
        List<Integer> ports = freePorts();
        List<String> seeds = ports.stream().map(port -> "127.0.0.1:" + port).toList();
        for (int i = 0; i < NODES; i++) {
            String name = "n" + (i + 1);
            Elastickv builder = Elastickv.builder()
                    .name(name)
                    .address("127.0.0.1", ports.get(i))
                    .seeds(seeds)
                    .dataDirectory(data.resolve(name))
                    .shards(settings.shards())
                    .durability(settings.durability())
                    .storage(settings.storage());
            Integer loops = settings.loops();
            if (loops != null) {
                builder.eventLoops(loops);
            }
            nodes.add(builder.start());
        }
        for (ElastickvNode node : nodes) {
            node.awaitReady(Duration.ofMinutes(1));
            stores.add(node.asyncStore());
        }
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

    /** The store of each node. */
    List<AsyncKeyValueStore> stores() {
        return stores;
    }

    /** For each key the position in {@link #stores} of the node that leads its shard now. */
    int[] leaders(Bytes[] keys) {
        ElastickvNode first = nodes.get(0);
        first.awaitReady(Duration.ofMinutes(1));
        int[] positions = new int[keys.length];
        for (int i = 0; i < keys.length; i++) {
            String leader = first.cluster().explain(keys[i]).leader().orElse("");
            for (int n = 0; n < nodes.size(); n++) {
                if (nodes.get(n).name().equals(leader)) {
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
        nodes.forEach(ElastickvNode::close);
    }
}
