package io.elastickv.samples;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.ElastickvNode;
import io.elastickv.embedded.Durability;
import io.elastickv.embedded.Elastickv;
import io.elastickv.embedded.StorageEngine;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;

/** Nodes of one cluster in this process, in a temporary directory; more can join and leave. Thread-safe. */
final class LocalNodes implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String HOST = "127.0.0.1";

    private final int firstPort;
    private final int shards;
    private final StorageEngine storage;
    private final TemporaryDirectory directory = TemporaryDirectory.create("elastickv-sample-");
    private final Map<String, ElastickvNode> nodes = new ConcurrentSkipListMap<>();
    private final Map<String, Integer> ports = new ConcurrentHashMap<>();
    private int made;

    LocalNodes(int firstPort, int shards, StorageEngine storage) {
        this.firstPort = firstPort;
        this.shards = shards;
        this.storage = storage;
    }

    /** Forms a cluster of so many nodes, n1 and so on. */
    synchronized void form(int count) {
        List<String> seeds = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            seeds.add(HOST + ":" + (firstPort + i));
        }
        for (int i = 0; i < count; i++) {
            String name = nextName();
            start(name, builder(name).seeds(seeds));
        }
        nodes.values().forEach(node -> node.awaitReady(PATIENCE));
    }

    /** Starts another node, which joins; returns its name once it takes part. */
    synchronized String add() {
        List<String> known = nodes.keySet().stream()
                .map(name -> HOST + ":" + ports.get(name))
                .toList();
        String name = nextName();
        ElastickvNode node = start(name, builder(name).join(known));
        node.awaitReady(PATIENCE);
        return name;
    }

    /** Stops a node, which has been drained. */
    synchronized void remove(String name) {
        ElastickvNode node = nodes.remove(name);
        if (node != null) {
            node.close();
        }
    }

    /** A node without data that knows the cluster; the caller closes it. */
    synchronized ElastickvNode client() {
        ElastickvNode client = Elastickv.builder()
                .name("client")
                .address(HOST, 0)
                .seeds(nodes.keySet().stream()
                        .map(name -> HOST + ":" + ports.get(name))
                        .toList())
                .storageless()
                .start();
        client.awaitReady(PATIENCE);
        return client;
    }

    private String nextName() {
        made++;
        return "n" + made;
    }

    private Elastickv builder(String name) {
        int port = firstPort + made - 1;
        ports.put(name, port);
        Path data = directory.path().resolve(name);
        return Elastickv.builder()
                .name(name)
                .address(HOST, port)
                .dataDirectory(data)
                .shards(shards)
                .replicationFactor(3)
                .eventLoops(1)
                .storage(storage)
                .durability(Durability.FSYNC);
    }

    private ElastickvNode start(String name, Elastickv builder) {
        ElastickvNode node = builder.start();
        nodes.put(name, node);
        return node;
    }

    /** The names of those that run, in order. */
    List<String> names() {
        return List.copyOf(nodes.keySet());
    }

    /** One that runs. */
    ElastickvNode any() {
        return nodes.values().iterator().next();
    }

    /** The stores of all that run. */
    List<AsyncKeyValueStore> stores() {
        return nodes.values().stream().map(ElastickvNode::asyncStore).toList();
    }

    @Override
    public synchronized void close() {
        nodes.values().forEach(ElastickvNode::close);
        nodes.clear();
        directory.close();
    }
}
