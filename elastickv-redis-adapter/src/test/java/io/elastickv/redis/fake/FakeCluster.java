package io.elastickv.redis.fake;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.Automation;
import io.elastickv.api.Backups;
import io.elastickv.api.ClusterEvents;
import io.elastickv.api.ClusterLoads;
import io.elastickv.api.ClusterView;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.NodeInfo;
import io.elastickv.api.NodeMetrics;
import io.elastickv.api.OperationInfo;
import io.elastickv.api.PlanInfo;
import io.elastickv.api.ReplicaInfo;
import io.elastickv.api.ShardInfo;
import io.elastickv.api.SlotRange;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/** Nodes {@code n1}, {@code n2}... that share one store in memory and lead equal parts of the slots. */
public final class FakeCluster implements AutoCloseable {

    private final FakeData data;
    private final List<FakeNode> nodes = new ArrayList<>();
    private final List<ShardInfo> shards = new ArrayList<>();
    private final Map<String, Map<String, String>> attributes = new ConcurrentHashMap<>();
    private final ExecutorService executor = Executors.newFixedThreadPool(2, task -> daemon(task, "fake-store"));
    private final ScheduledExecutorService delayed =
            Executors.newScheduledThreadPool(2, task -> daemon(task, "fake-store-delayed"));
    private final AtomicLong operations = new AtomicLong();
    private volatile long maxDelayMicros;
    private volatile Supplier<? extends RuntimeException> failure;

    /** A cluster of {@code nodeCount} nodes and {@code shardCount} shards with a replica on every node. */
    public FakeCluster(int nodeCount, int shardCount, InstantSource clock) {
        data = new FakeData(clock);
        List<String> names = new ArrayList<>();
        for (int i = 1; i <= nodeCount; i++) {
            names.add("n" + i);
            nodes.add(new FakeNode("n" + i));
        }
        for (int i = 0; i < shardCount; i++) {
            SlotRange range = new SlotRange(16384 * i / shardCount, 16384 * (i + 1) / shardCount - 1);
            shards.add(new ShardInfo(
                    i,
                    List.of(range),
                    1,
                    names,
                    Optional.of(names.get(i % nodeCount)),
                    i + 1,
                    ShardInfo.State.SERVING));
        }
    }

    /** One node, one shard, the system's clock. */
    public static FakeCluster single() {
        return new FakeCluster(1, 1, InstantSource.system());
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    /** The node with this index, from 0. */
    public ElastickvNode node(int index) {
        return nodes.get(index);
    }

    /** Replaces what is known of the shards. */
    public synchronized void shards(List<ShardInfo> value) {
        shards.clear();
        shards.addAll(value);
    }

    /** What is known of the shards. */
    public synchronized List<ShardInfo> shards() {
        return List.copyOf(shards);
    }

    /** Operations take up to this long, each another time. */
    public void maxDelayMicros(long value) {
        maxDelayMicros = value;
    }

    /** All operations fail so; null for none. */
    public void failure(Supplier<? extends RuntimeException> value) {
        failure = value;
    }

    /** The number of operations so far. */
    public long operations() {
        return operations.get();
    }

    FakeData data() {
        return data;
    }

    <T> CompletableFuture<T> run(Supplier<T> operation) {
        operations.incrementAndGet();
        CompletableFuture<T> future = new CompletableFuture<>();
        Runnable task = () -> {
            try {
                Supplier<? extends RuntimeException> fails = failure;
                if (fails != null) {
                    throw fails.get();
                }
                future.complete(operation.get());
            } catch (RuntimeException e) {
                future.completeExceptionally(e);
            }
        };
        long delay = maxDelayMicros;
        if (delay > 0) {
            var unused = delayed.schedule(task, ThreadLocalRandom.current().nextLong(delay), TimeUnit.MICROSECONDS);
        } else {
            executor.execute(task);
        }
        return future;
    }

    @Override
    public void close() {
        executor.shutdownNow();
        delayed.shutdownNow();
    }

    private final class FakeNode implements ElastickvNode, ClusterView {

        private final String name;
        private final FakeStore store = new FakeStore(FakeCluster.this);

        FakeNode(String name) {
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public KeyValueStore store() {
            throw new UnsupportedOperationException("the adapter must not block");
        }

        @Override
        public AsyncKeyValueStore asyncStore() {
            return store;
        }

        @Override
        public NodeMetrics metrics() {
            return NodeMetrics.NONE;
        }

        @Override
        public ClusterView cluster() {
            return this;
        }

        @Override
        public Backups backups() {
            throw new UnsupportedOperationException("the adapter makes no backups");
        }

        @Override
        public void awaitReady(Duration timeout) {}

        @Override
        public void close() {}

        @Override
        public String clusterId() {
            return "00112233445566778899aabbccddeeff";
        }

        @Override
        public String localNode() {
            return name;
        }

        @Override
        public List<NodeInfo> nodes() {
            return FakeCluster.this.nodes.stream()
                    .map(node -> new NodeInfo(
                            node.name,
                            "127.0.0.1:7800",
                            true,
                            NodeInfo.State.UP,
                            Map.copyOf(attributes.getOrDefault(node.name, Map.of()))))
                    .toList();
        }

        @Override
        public List<ShardInfo> shards() {
            return FakeCluster.this.shards();
        }

        @Override
        public ShardInfo shardOfSlot(int slot) {
            return shards().stream()
                    .filter(shard -> shard.owns(slot))
                    .findFirst()
                    .orElseThrow();
        }

        @Override
        public List<ReplicaInfo> replication(int shardId, Duration timeout) {
            throw new UnsupportedOperationException("the adapter must not block");
        }

        @Override
        public void transferLeadership(int shardId, String node, Duration timeout) {
            throw new UnsupportedOperationException("the adapter must not block");
        }

        @Override
        public void addReplica(int shardId, String node, Duration timeout) {
            throw new UnsupportedOperationException("the adapter must not block");
        }

        @Override
        public void removeReplica(int shardId, String node, Duration timeout) {
            throw new UnsupportedOperationException("the adapter must not block");
        }

        @Override
        public ClusterLoads loads(Duration timeout) {
            throw new UnsupportedOperationException();
        }

        @Override
        public double[] slotLoads(Duration timeout) {
            throw new UnsupportedOperationException();
        }

        @Override
        public List<OperationInfo> operations() {
            return List.of();
        }

        @Override
        public PlanInfo plan(Duration timeout) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Automation automation() {
            return Automation.OFF;
        }

        @Override
        public void setAutomation(Automation automation, Duration timeout) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int replicationFactor() {
            return 0;
        }

        @Override
        public void setReplicationFactor(int replicas, Duration timeout) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void drainNode(String target, Duration timeout) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int splitShard(int shardId, int firstSlot, Duration timeout) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void mergeShards(int leftShardId, Duration timeout) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void moveReplica(int shardId, String from, String to, Duration timeout) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void setAttribute(String attribute, String value) {
            attributes.computeIfAbsent(name, key -> new ConcurrentHashMap<>()).put(attribute, value);
        }

        @Override
        public void addListener(ClusterEvents listener) {}

        @Override
        public void removeListener(ClusterEvents listener) {}
    }
}
