package io.elastickv.embedded;

import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.KeySlot;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.ShardInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * A cluster for tests: several nodes in this JVM, on free ports of the loopback interface, with real files, whose network
 * can be cut, whose nodes can be crashed and restarted, and whose clocks can be set. Members are numbered from 0 and named
 * {@code n0}, {@code n1} and so on.
 *
 * <p>What one JVM cannot show: a process that pauses (threads of one node cannot be stopped without the others'), and the
 * loss of what the operating system had not yet written. Those need processes of their own.
 *
 * <p>{@link #close()} fails if a thread of a node is left over. Thread-safe, but for start and restart of the same node.
 */
public final class LocalCluster implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Builder settings;
    private final Path directory;
    private final boolean ownsDirectory;
    private final SimulatedNetwork network = new SimulatedNetwork();
    private final Set<Thread> earlierThreads = elastickvThreads();
    private final Map<String, AtomicLong> clockOffsets = new ConcurrentHashMap<>();
    private final List<ElastickvNode> clients = new ArrayList<>();
    private final @Nullable ElastickvNode[] nodes;
    private final CompletableFuture<?>[] crashes;
    private List<Integer> ports;

    private LocalCluster(Builder settings) {
        this.settings = settings;
        this.ownsDirectory = settings.directory == null;
        this.directory = settings.directory == null ? temporaryDirectory() : settings.directory;
        this.ports = FreePorts.choose(settings.nodes);
        this.nodes = new ElastickvNode[settings.nodes];
        this.crashes = new CompletableFuture<?>[settings.nodes];
        Arrays.fill(crashes, CompletableFuture.completedFuture(null));
    }

    /** How the cluster shall be. */
    public static final class Builder {

        private int nodes = 3;
        private int shards = 4;
        private StorageEngine storage = StorageEngine.HEAP;
        private Durability durability = Durability.FSYNC;
        private Duration requestTimeout = Duration.ofSeconds(5);
        private Duration electionTimeout = Duration.ofMillis(500);
        private @Nullable Path directory;
        private BiConsumer<Integer, Elastickv> customization = (node, builder) -> {};

        private boolean drivesPlacement;

        private Builder() {}

        /** How many members. Default: 3. */
        public Builder nodes(int count) {
            this.nodes = count;
            return this;
        }

        /** Whether replicas and leaders are placed by the cluster itself. Default: no, the test does it. */
        public Builder drivesPlacement() {
            this.drivesPlacement = true;
            return this;
        }

        /** How many shards. Default: 4. */
        public Builder shards(int count) {
            this.shards = count;
            return this;
        }

        /** Where values are kept. Default: the heap. */
        public Builder storage(StorageEngine engine) {
            this.storage = engine;
            return this;
        }

        /** What acknowledgements wait for. Default: fsync. */
        public Builder durability(Durability choice) {
            this.durability = choice;
            return this;
        }

        /** The default deadline of operations. Default: 5 s. */
        public Builder requestTimeout(Duration timeout) {
            this.requestTimeout = timeout;
            return this;
        }

        /** See {@link Elastickv#electionTimeout}. Default here: 500 ms. */
        public Builder electionTimeout(Duration timeout) {
            this.electionTimeout = timeout;
            return this;
        }

        /** Where the nodes' directories are, kept after the end. Default: a temporary directory, deleted at the end. */
        public Builder directory(Path path) {
            this.directory = path;
            return this;
        }

        /** Changes the builder of each member, given by number, before each of its starts. */
        public Builder customize(BiConsumer<Integer, Elastickv> change) {
            this.customization = change;
            return this;
        }

        /** Starts all members, without waiting for anything. */
        public LocalCluster start() {
            for (int attempt = 1; ; attempt++) {
                LocalCluster cluster = new LocalCluster(this);
                try {
                    cluster.startAll();
                    return cluster;
                } catch (RuntimeException e) {
                    cluster.closeAfterFailure(e);
                    boolean portTaken = String.valueOf(e.getMessage()).contains("in use")
                            && !String.valueOf(e.getMessage()).contains("dataDirectory");
                    if (!portTaken || attempt == 5) {
                        throw e;
                    }
                }
            }
        }

        /** Starts all members and waits until all of them are ready. */
        public LocalCluster startAndAwaitReady() {
            LocalCluster cluster = start();
            try {
                cluster.awaitReady();
                return cluster;
            } catch (RuntimeException e) {
                cluster.closeAfterFailure(e);
                throw e;
            }
        }
    }

    /** A cluster of three nodes unless said otherwise. */
    public static Builder builder() {
        return new Builder();
    }

    private static Path temporaryDirectory() {
        try {
            return Files.createTempDirectory("elastickv-test-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void startAll() {
        for (int i = 0; i < nodes.length; i++) {
            nodes[i] = builderOf(i).start();
        }
    }

    /** A builder for member {@code i} as this cluster starts it, to be changed and started by the test itself. */
    public Elastickv builderOf(int i) {
        Elastickv builder = base(nameOf(i))
                .address("127.0.0.1", ports.get(i))
                .seeds(seeds())
                .shards(settings.shards)
                .durability(settings.durability)
                .storage(settings.storage)
                .dataDirectory(directoryOf(i));
        if (!settings.drivesPlacement) {
            builder.withoutPlacementDriver();
        }
        settings.customization.accept(i, builder);
        return builder;
    }

    private Elastickv base(String name) {
        AtomicLong offset = clockOffsets.computeIfAbsent(name, any -> new AtomicLong());
        return Elastickv.builder()
                .name(name)
                .requestTimeout(settings.requestTimeout)
                .electionTimeout(settings.electionTimeout)
                .faults(network, () -> System.currentTimeMillis() + offset.get());
    }

    /** The addresses of all members. */
    public List<String> seeds() {
        return ports.stream().map(port -> "127.0.0.1:" + port).toList();
    }

    /** The number of members, running or not. */
    public int size() {
        return nodes.length;
    }

    /** The name of member {@code i}. */
    public static String nameOf(int i) {
        return "n" + i;
    }

    /** The number of the member of this name. */
    public static int numberOf(String name) {
        return Integer.parseInt(name.substring(1));
    }

    /** The data directory of member {@code i}. */
    public Path directoryOf(int i) {
        return directory.resolve(nameOf(i));
    }

    /** The cluster port of member {@code i}. */
    public int portOf(int i) {
        return ports.get(i);
    }

    /** Member {@code i}, which must be running. */
    public ElastickvNode node(int i) {
        ElastickvNode node = nodes[i];
        if (node == null) {
            throw new IllegalStateException(nameOf(i) + " is not running");
        }
        return node;
    }

    /** The store through member {@code i}. */
    public KeyValueStore store(int i) {
        return node(i).store();
    }

    /** Whether member {@code i} is running, as far as the test has seen to it. */
    public boolean isRunning(int i) {
        return nodes[i] != null;
    }

    /** The members that run. */
    public List<ElastickvNode> running() {
        return Arrays.stream(nodes).filter(node -> node != null).toList();
    }

    /** Starts a node without storage beside the members; closed with the cluster. */
    public ElastickvNode startClient(String name) {
        ElastickvNode client = base(name).storageless().seeds(seeds()).start();
        synchronized (clients) {
            clients.add(client);
        }
        return client;
    }

    // ---- waiting

    /** Waits until all running members know a leader of every shard. */
    public void awaitReady() {
        awaitReady(PATIENCE);
    }

    /** Waits until all running members know a leader of every shard. */
    public void awaitReady(Duration timeout) {
        long deadlineNanos = System.nanoTime() + timeout.toNanos();
        for (ElastickvNode node : running()) {
            node.awaitReady(Duration.ofNanos(Math.max(1, deadlineNanos - System.nanoTime())));
        }
    }

    /** The leader of a shard, by the highest term that a running member knows of. */
    public Optional<String> leaderOf(int shard) {
        ShardInfo newest = null;
        for (ElastickvNode node : running()) {
            for (ShardInfo info : node.cluster().shards()) {
                if (info.id() == shard
                        && info.leader().isPresent()
                        && (newest == null || info.term() > newest.term())) {
                    newest = info;
                }
            }
        }
        return newest == null ? Optional.empty() : newest.leader();
    }

    /** The shard of a key. */
    public int shardOf(Bytes key) {
        return running().get(0).cluster().shardOfSlot(KeySlot.of(key)).id();
    }

    /** Waits until a running member leads the key's shard; its number. */
    public int awaitLeaderOf(Bytes key) {
        return awaitLeaderOf(shardOf(key));
    }

    /** Waits until a running member leads the shard; its number. */
    public int awaitLeaderOf(int shard) {
        return Awaitility.await("a leader of shard " + shard)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(10))
                .until(
                        () -> leaderOf(shard)
                                .map(LocalCluster::numberOf)
                                .filter(this::isRunning)
                                .orElse(-1),
                        number -> number >= 0);
    }

    /** Waits until one of {@code members} leads the shard, in the eyes of all of {@code members}; its number. */
    public int awaitLeaderAmong(int shard, Set<Integer> members) {
        return Awaitility.await("a leader of shard " + shard + " among " + members)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(10))
                .until(
                        () -> {
                            Set<Integer> leaders = members.stream()
                                    .map(i -> node(i).cluster()
                                            .shards()
                                            .get(shard)
                                            .leader())
                                    .map(leader ->
                                            leader.map(LocalCluster::numberOf).orElse(-1))
                                    .collect(Collectors.toSet());
                            return leaders.size() == 1 ? leaders.iterator().next() : -1;
                        },
                        leader -> members.contains(leader));
    }

    // ---- the network

    /** Only members of one group hear each other; those in no group form one of their own. Replaces earlier partitions. */
    @SafeVarargs
    public final void partition(Set<Integer>... groups) {
        List<Set<String>> named = new ArrayList<>();
        Set<String> rest = IntStream.range(0, nodes.length)
                .mapToObj(LocalCluster::nameOf)
                .collect(Collectors.toCollection(HashSet::new));
        for (Set<Integer> group : groups) {
            Set<String> names = group.stream().map(LocalCluster::nameOf).collect(Collectors.toSet());
            rest.removeAll(names);
            named.add(names);
        }
        named.add(rest);
        network.partition(named);
    }

    /** Cuts member {@code i} off from all other members. Replaces earlier partitions. */
    public void isolate(int i) {
        partition(Set.of(i));
    }

    /** Nothing gets from one member to the other any more, while the way back stays open. Adds to earlier cuts. */
    public void cutOneWay(int from, int to) {
        network.cutOneWay(nameOf(from), nameOf(to));
    }

    /** Undoes all partitions and cuts. */
    public void heal() {
        network.heal();
    }

    // ---- clocks

    /** Sets how far the wall clock of member {@code i} is ahead of the machine's; negative for behind. */
    public void setClockOffset(int i, Duration offset) {
        clockOffsets.computeIfAbsent(nameOf(i), any -> new AtomicLong()).set(offset.toMillis());
    }

    /** Lets the wall clocks of all members jump ahead. */
    public void advanceClocks(Duration by) {
        for (int i = 0; i < nodes.length; i++) {
            clockOffsets.computeIfAbsent(nameOf(i), any -> new AtomicLong()).addAndGet(by.toMillis());
        }
    }

    // ---- life and death

    /**
     * Crashes member {@code i}, as hard as one JVM allows: from one moment to the next nobody hears of it any more, so it can
     * neither acknowledge nor hand anything over; then it is taken down, in the background. It is not SIGKILL: the other nodes
     * see silence and not the end of connections, and what it had written without syncing survives.
     */
    public void crash(int i) {
        ElastickvNode node = node(i);
        nodes[i] = null;
        network.kill(nameOf(i));
        Thread thread = new Thread(node::close, "crash-of-" + nameOf(i));
        CompletableFuture<Void> done = new CompletableFuture<>();
        thread.setUncaughtExceptionHandler((t, e) -> done.completeExceptionally(e));
        Thread waiter = new Thread(
                () -> {
                    try {
                        thread.join();
                        done.complete(null);
                    } catch (InterruptedException e) {
                        done.completeExceptionally(e);
                    }
                },
                "end-of-" + nameOf(i));
        waiter.setDaemon(true);
        crashes[i] = done;
        thread.start();
        waiter.start();
    }

    /** Stops member {@code i} in good order. */
    public void stop(int i) {
        ElastickvNode node = node(i);
        nodes[i] = null;
        node.close();
    }

    /** Starts member {@code i} on the data that it left. */
    public ElastickvNode restart(int i) {
        if (nodes[i] != null) {
            throw new IllegalStateException(nameOf(i) + " is running");
        }
        awaitCrash(i);
        network.revive(nameOf(i));
        ElastickvNode node = builderOf(i).start();
        nodes[i] = node;
        return node;
    }

    /** Takes away all data of member {@code i}, which must not be running, as the loss of its disk would. */
    public void wipe(int i) {
        moveData(i, null);
    }

    /** Puts the data of member {@code i}, which must not be running, elsewhere; deletes it if that is null. */
    public void moveData(int i, @Nullable Path target) {
        if (nodes[i] != null) {
            throw new IllegalStateException(nameOf(i) + " is running");
        }
        awaitCrash(i);
        try {
            if (target == null) {
                delete(directoryOf(i));
            } else {
                Files.move(directoryOf(i), target);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until a member that was crashed is gone. */
    public void awaitCrash(int i) {
        try {
            crashes[i].get(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException(nameOf(i) + " did not end", e);
        }
    }

    /**
     * Ends everything.
     *
     * @throws AssertionError if a thread of a node is left over
     */
    @Override
    public void close() {
        network.heal();
        List<ElastickvNode> open;
        synchronized (clients) {
            open = new ArrayList<>(clients);
        }
        // At once: members that leave one by one would hand leaderships around.
        open.addAll(running());
        Arrays.fill(nodes, null);
        List<CompletableFuture<Void>> ends = open.stream()
                .map(node -> CompletableFuture.runAsync(node::close, task -> new Thread(task, "close-of-node").start()))
                .toList();
        ends.forEach(end -> end.orTimeout(30, TimeUnit.SECONDS).join());
        for (int i = 0; i < crashes.length; i++) {
            awaitCrash(i);
        }
        if (ownsDirectory) {
            delete(directory);
        }
        assertNoThreadsLeft();
    }

    private void closeAfterFailure(RuntimeException failure) {
        try {
            close();
        } catch (RuntimeException | AssertionError e) {
            failure.addSuppressed(e);
        }
    }

    private void assertNoThreadsLeft() {
        long deadlineNanos = System.nanoTime() + 15_000_000_000L;
        Set<Thread> left = newThreads();
        while (!left.isEmpty() && System.nanoTime() - deadlineNanos < 0) {
            try {
                left.iterator().next().join(100);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
            left = newThreads();
        }
        if (!left.isEmpty()) {
            throw new AssertionError("threads are left over after all nodes were closed:\n"
                    + left.stream()
                            .map(thread -> thread.getName() + "\n    at "
                                    + Arrays.stream(thread.getStackTrace())
                                            .map(StackTraceElement::toString)
                                            .collect(Collectors.joining("\n    at ")))
                            .collect(Collectors.joining("\n")));
        }
    }

    private Set<Thread> newThreads() {
        Set<Thread> threads = elastickvThreads();
        threads.removeAll(earlierThreads);
        return threads;
    }

    private static Set<Thread> elastickvThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("elastickv-") && thread.isAlive())
                .collect(Collectors.toCollection(HashSet::new));
    }

    private static void delete(Path path) {
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
