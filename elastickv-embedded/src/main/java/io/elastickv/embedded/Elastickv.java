package io.elastickv.embedded;

import io.elastickv.api.ElastickvNode;
import io.elastickv.api.KeySlot;
import io.elastickv.api.NodeProvisioner;
import io.elastickv.api.ScalingPolicy;
import io.elastickv.embedded.internal.node.CheckpointPolicy;
import io.elastickv.embedded.internal.node.EmbeddedNode;
import io.elastickv.embedded.internal.node.NodeConfig;
import io.elastickv.embedded.internal.placement.plan.PlanSettings;
import io.elastickv.embedded.internal.raft.log.NodeLogOptions;
import io.elastickv.embedded.internal.transport.LinkFilter;
import io.elastickv.embedded.internal.transport.PeerAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Builds and starts a node in this process. A node needs a name and a data directory; one without seeds is a whole
 * cluster. With seeds, the addresses of all initial members, it forms a cluster with them on the first start, and
 * returns to it on every later one.
 *
 * <pre>{@code
 * try (ElastickvNode node = Elastickv.builder().name("n1").dataDirectory(Path.of("data")).start()) {
 *     node.store().put(Bytes.utf8("hello"), Bytes.utf8("world"));
 * }
 * }</pre>
 *
 * <p>Not thread-safe; each method returns the builder itself.
 */
public final class Elastickv {

    /** The port of a node that was given none. */
    public static final int DEFAULT_PORT = 7801;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    private @Nullable String name;
    private String host = "127.0.0.1";
    private int port = -1;
    private List<PeerAddress> seeds = List.of();
    private List<PeerAddress> join = List.of();
    private String zone = "";
    private @Nullable Path dataDirectory;
    private boolean storageless;
    private int shards = 8;
    private int replicationFactor = 3;
    private Durability durability = Durability.FSYNC;
    private StorageEngine storage = StorageEngine.OFF_HEAP;
    private Duration requestTimeout = Duration.ofSeconds(5);
    private Duration electionTimeout = Duration.ofSeconds(1);
    private int eventLoops = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    private int maxPendingOperations = 65_536;
    private long maxPendingBytes = 256L << 20;
    private @Nullable Executor callbackExecutor;
    private boolean acceptMemoryLoss;
    private long segmentBytes = NodeLogOptions.DEFAULT_SEGMENT_BYTES;
    private CheckpointPolicy checkpoints = CheckpointPolicy.DEFAULT;
    private long snapshotBytesPerSecond = NodeConfig.DEFAULT_SNAPSHOT_BYTES_PER_SECOND;
    private Duration replaceAfter = Duration.ofMillis(PlanSettings.DEFAULT.graceMillis());
    private boolean drives = true;
    private NodeConfig.@Nullable Scaling scaling;
    private LinkFilter linkFilter = LinkFilter.OPEN;
    private LongSupplier wallMillis = System::currentTimeMillis;

    private Elastickv() {}

    /** A builder with the defaults. */
    public static Elastickv builder() {
        return new Elastickv();
    }

    /** The node's name, unique in the cluster and the same at every start: letters, digits, {@code . _ -}, up to 64. */
    public Elastickv name(String nodeName) {
        this.name = nodeName;
        return this;
    }

    /** The host and port at which other nodes reach this one. Default: 127.0.0.1 and {@value #DEFAULT_PORT}. */
    public Elastickv address(String bindHost, int bindPort) {
        this.host = Objects.requireNonNull(bindHost, "host");
        this.port = bindPort;
        return this;
    }

    /** The addresses of all initial members, {@code host:port} each, the node's own among them. Default: none. */
    public Elastickv seeds(String... addresses) {
        return seeds(Arrays.asList(addresses));
    }

    /** The addresses of all initial members, {@code host:port} each, the node's own among them. Default: none. */
    public Elastickv seeds(Collection<String> addresses) {
        this.seeds = parse("seeds", addresses);
        return this;
    }

    /**
     * Joins the cluster that the nodes at these addresses, {@code host:port} each, are in, instead of forming one: any live
     * member will do, so name several. The node stores data there and is given replicas. On later starts it returns to its
     * cluster by what its data directory says. The cluster's number of shards and of replicas stand, not this node's.
     */
    public Elastickv join(String... addresses) {
        return join(Arrays.asList(addresses));
    }

    /** As {@link #join(String...)}. */
    public Elastickv join(Collection<String> addresses) {
        this.join = parse("join", addresses);
        return this;
    }

    private static List<PeerAddress> parse(String field, Collection<String> addresses) {
        List<PeerAddress> parsed = new ArrayList<>();
        for (String address : addresses) {
            try {
                parsed.add(PeerAddress.parse(address));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(field + " = " + addresses + ": " + e.getMessage(), e);
            }
        }
        return List.copyOf(parsed);
    }

    /**
     * What fails together with this node, such as a rack or a data centre: letters, digits, {@code . _ -}, up to 64. The
     * replicas of a shard are put into different zones where there are enough. Default: none, which is a zone of its own.
     */
    public Elastickv zone(String name) {
        this.zone = Objects.requireNonNull(name, "zone");
        return this;
    }

    /** Where the node keeps its data; made if it is missing. There is no default: temporary data is chosen by name. */
    public Elastickv dataDirectory(Path directory) {
        this.dataDirectory = directory;
        return this;
    }

    /** The node keeps no data: it only brings operations to the members, which {@link #seeds} name. */
    public Elastickv storageless() {
        this.storageless = true;
        return this;
    }

    /** How many shards the cluster has at first, 1 to 16384; the same on all initial members. Default: 8. */
    public Elastickv shards(int count) {
        this.shards = count;
        return this;
    }

    /**
     * On how many members each shard is, if there are as many; the same on all initial members. Default: 3. Later it is
     * changed by {@link io.elastickv.api.ClusterView#setReplicationFactor}.
     */
    public Elastickv replicationFactor(int count) {
        this.replicationFactor = count;
        return this;
    }

    /** What an acknowledgement waits for. Default: {@link Durability#FSYNC}. */
    public Elastickv durability(Durability choice) {
        this.durability = Objects.requireNonNull(choice, "durability");
        return this;
    }

    /** Where values are kept in memory. Default: {@link StorageEngine#OFF_HEAP}. */
    public Elastickv storage(StorageEngine choice) {
        this.storage = Objects.requireNonNull(choice, "storage");
        return this;
    }

    /** How long an operation may last; {@code withTimeout} changes it per call. Default: 5 s. */
    public Elastickv requestTimeout(Duration timeout) {
        this.requestTimeout = Objects.requireNonNull(timeout, "requestTimeout");
        return this;
    }

    /**
     * After how long without hearing from its leader a shard elects another, at the earliest; a process that ends is
     * noticed sooner. Default: 1 s. Below the longest pause of a JVM it causes needless elections.
     */
    public Elastickv electionTimeout(Duration timeout) {
        this.electionTimeout = Objects.requireNonNull(timeout, "electionTimeout");
        return this;
    }

    /** How many event loops, threads that own the shards' replicas. Default: half as many as processors. */
    public Elastickv eventLoops(int count) {
        this.eventLoops = count;
        return this;
    }

    /** How many operations of this node's callers may be under way before more are refused. Default: 65,536. */
    public Elastickv maxPendingOperations(int count) {
        this.maxPendingOperations = count;
        return this;
    }

    /** How many bytes the pending operations may hold before more are refused. Default: 256 MiB. */
    public Elastickv maxPendingBytes(long bytes) {
        this.maxPendingBytes = bytes;
        return this;
    }

    /** Completes futures and calls listeners; must have threads of its own. Default: daemon threads of the node. */
    public Elastickv callbackExecutor(Executor executor) {
        this.callbackExecutor = Objects.requireNonNull(executor, "callbackExecutor");
        return this;
    }

    /**
     * Goes on although acknowledged writes may be lost. With {@link Durability#MEMORY} a node whose machine lost its
     * memory takes no part in elections before it has got back from its leader what it may have acknowledged. If all
     * machines of a cluster lost power at the same time there is no such leader: then start all of its nodes with this,
     * once. What they had not written to their disks is lost, and the replicas agree on what is left.
     */
    public Elastickv acceptMemoryLoss() {
        this.acceptMemoryLoss = true;
        return this;
    }

    /**
     * When a shard's replica is written to a checkpoint, so that a restart need not replay what came before and the log can
     * let it go: when its log has grown by {@code minimumBytes} and by the size of its last checkpoint, or when it keeps the
     * node's whole log, larger than {@code logLimitBytes}, from letting go. Defaults: 16 MiB and 512 MiB. Smaller ones make
     * restarts faster and cost more writing.
     */
    public Elastickv checkpoints(long minimumBytes, long logLimitBytes) {
        this.checkpoints = new CheckpointPolicy(
                minimumBytes,
                CheckpointPolicy.DEFAULT.stateRatio(),
                logLimitBytes,
                CheckpointPolicy.DEFAULT.retained());
        return this;
    }

    /**
     * After how long of silence the replicas of a node are made anew on others; until then it is expected to come back, and
     * nothing moves. The same on all nodes. Default: 5 minutes, longer than a restart.
     */
    public Elastickv replaceDeadNodesAfter(Duration silence) {
        this.replaceAfter = Objects.requireNonNull(silence, "silence");
        return this;
    }

    /**
     * Lets the cluster say when it needs more or fewer nodes, and the application start and stop them. Given to several nodes, or
     * all, one at a time uses it: the one that leads the catalog. Default: nodes come and go as they are started and drained.
     */
    public Elastickv scaling(ScalingPolicy policy, NodeProvisioner provisioner) {
        this.scaling = new NodeConfig.Scaling(
                Objects.requireNonNull(policy, "policy"), Objects.requireNonNull(provisioner, "provisioner"));
        return this;
    }

    /** For tests that place replicas themselves: the node never does anything to the placement by itself. */
    Elastickv withoutPlacementDriver() {
        this.drives = false;
        return this;
    }

    /** For tests: the size of the log's files in bytes. */
    Elastickv segmentBytes(long bytes) {
        this.segmentBytes = bytes;
        return this;
    }

    /** For tests: how many bytes per second of its checkpoints the node reads for others. */
    Elastickv snapshotBytesPerSecond(long bytes) {
        this.snapshotBytesPerSecond = bytes;
        return this;
    }

    /** For tests: what may pass between nodes, and what time it is. */
    Elastickv faults(LinkFilter filter, LongSupplier clockMillis) {
        this.linkFilter = filter;
        this.wallMillis = clockMillis;
        return this;
    }

    /**
     * Starts the node. Returns as soon as its network is up: operations wait for the cluster to form, each until its
     * timeout; {@link ElastickvNode#awaitReady} waits for it explicitly.
     *
     * @throws IllegalArgumentException if a field has a value that it cannot have, or two contradict each other; the
     *     message names them
     * @throws IllegalStateException if the port is in use, the directory cannot be used, its data cannot be read, or the
     *     JVM lacks the flags of {@link StorageEngine#OFF_HEAP}; the message says what to do
     */
    public ElastickvNode start() {
        return EmbeddedNode.start(check());
    }

    private NodeConfig check() {
        String nodeName = name;
        if (nodeName == null || !NAME.matcher(nodeName).matches()) {
            throw new IllegalArgumentException("name = " + nodeName
                    + ": must be 1 to 64 letters, digits, '.', '_' or '-', not starting with a sign");
        }
        if (host.isBlank()) {
            throw new IllegalArgumentException("address: the host must not be empty");
        }
        if (port < -1 || port > 65_535) {
            throw new IllegalArgumentException("port = " + port + ": must be within 0-65535");
        }
        if (storageless && dataDirectory != null) {
            throw new IllegalArgumentException("storageless = true and dataDirectory = " + dataDirectory
                    + ": a storage-less node has no data directory; leave one of the two out");
        }
        if (!storageless && dataDirectory == null) {
            throw new IllegalArgumentException(
                    "dataDirectory is not set: say where the node keeps its data, or choose storageless()");
        }
        if (storageless && seeds.isEmpty()) {
            throw new IllegalArgumentException("seeds = []: a storage-less node needs the address of some member");
        }
        int actualPort = port >= 0 ? port : storageless ? 0 : DEFAULT_PORT;
        if (!storageless && actualPort == 0) {
            throw new IllegalArgumentException("port = 0: a node that stores data needs a port that others know");
        }
        PeerAddress address = new PeerAddress(host, actualPort);
        if (new HashSet<>(seeds).size() != seeds.size()) {
            throw new IllegalArgumentException("seeds = " + seeds + ": an address is there twice");
        }
        if (!storageless && !seeds.isEmpty() && !seeds.contains(address)) {
            throw new IllegalArgumentException("seeds = " + seeds + ": lacks the node's own address " + address
                    + ", as other members name it; seeds are the addresses of all initial members");
        }
        if (!join.isEmpty() && (storageless || !seeds.isEmpty())) {
            throw new IllegalArgumentException("join = " + join + " and "
                    + (storageless ? "storageless = true" : "seeds = " + seeds)
                    + ": join is for a node that stores data and is no initial member; a storage-less node names members"
                    + " as its seeds");
        }
        if (join.contains(address)) {
            throw new IllegalArgumentException(
                    "join = " + join + ": names the node's own address; name members of the cluster that it joins");
        }
        if (!zone.isEmpty() && !NAME.matcher(zone).matches()) {
            throw new IllegalArgumentException(
                    "zone = " + zone + ": must be up to 64 letters, digits, '.', '_' or '-', not starting with a sign");
        }
        range("shards", shards, 1, KeySlot.COUNT);
        range("replicationFactor", replicationFactor, 1, 9);
        range("eventLoops", eventLoops, 1, 256);
        range("maxPendingOperations", maxPendingOperations, 1, 10_000_000);
        if (maxPendingBytes < 1) {
            throw new IllegalArgumentException("maxPendingBytes = " + maxPendingBytes + ": must be positive");
        }
        between("requestTimeout", requestTimeout, Duration.ofMillis(1), Duration.ofHours(1));
        between("replaceDeadNodesAfter", replaceAfter, Duration.ofSeconds(1), Duration.ofDays(30));
        between("electionTimeout", electionTimeout, Duration.ofMillis(100), Duration.ofMinutes(1));
        return new NodeConfig(
                nodeName,
                address,
                seeds,
                join,
                zone,
                dataDirectory,
                shards,
                replicationFactor,
                durability,
                storage,
                requestTimeout,
                electionTimeout,
                eventLoops,
                maxPendingOperations,
                maxPendingBytes,
                callbackExecutor,
                acceptMemoryLoss,
                segmentBytes,
                checkpoints,
                snapshotBytesPerSecond,
                replaceAfter.toMillis(),
                drives,
                scaling,
                linkFilter,
                wallMillis);
    }

    private static void range(String field, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(field + " = " + value + ": must be within " + least + "-" + most);
        }
    }

    private static void between(String field, Duration value, Duration least, Duration most) {
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException(field + " = " + value + ": must be between " + least + " and " + most);
        }
    }
}
