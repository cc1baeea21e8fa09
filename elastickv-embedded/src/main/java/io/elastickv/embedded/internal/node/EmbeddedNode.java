package io.elastickv.embedded.internal.node;

import io.elastickv.api.Backups;
import io.elastickv.api.ClusterView;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.NodeInfo;
import io.elastickv.api.NodeMetrics;
import io.elastickv.api.ShardInfo;
import io.elastickv.api.UnavailableException;
import io.elastickv.embedded.internal.backup.BackupService;
import io.elastickv.embedded.internal.placement.Catalog;
import io.elastickv.embedded.internal.placement.CatalogState;
import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.DriverSettings;
import io.elastickv.embedded.internal.placement.LoadBook;
import io.elastickv.embedded.internal.placement.LoadReporter;
import io.elastickv.embedded.internal.placement.Member;
import io.elastickv.embedded.internal.placement.PlacementDriver;
import io.elastickv.embedded.internal.placement.ScalingRunner;
import io.elastickv.embedded.internal.placement.ShardPlacement;
import io.elastickv.embedded.internal.placement.plan.PlanSettings;
import io.elastickv.embedded.internal.raft.EventLoop;
import io.elastickv.embedded.internal.raft.GroupListener;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.MalformedMessageException;
import io.elastickv.embedded.internal.raft.core.RaftMessage;
import io.elastickv.embedded.internal.raft.core.RaftMessageCodec;
import io.elastickv.embedded.internal.raft.core.Role;
import io.elastickv.embedded.internal.raft.log.LogException;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import io.elastickv.embedded.internal.raft.log.NodeLogOptions;
import io.elastickv.embedded.internal.raft.log.NodeLogStats;
import io.elastickv.embedded.internal.routing.CallbackBatcher;
import io.elastickv.embedded.internal.routing.Claim;
import io.elastickv.embedded.internal.routing.RouteTable;
import io.elastickv.embedded.internal.routing.Router;
import io.elastickv.embedded.internal.routing.ShardRoute;
import io.elastickv.embedded.internal.routing.Store;
import io.elastickv.embedded.internal.transport.ChannelConfig;
import io.elastickv.embedded.internal.transport.ClusterChannel;
import io.elastickv.embedded.internal.transport.ClusterListener;
import io.elastickv.embedded.internal.transport.PeerAddress;
import io.elastickv.embedded.internal.transport.TransportException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node: owns everything and brings it up and down in order. Thread-safe.
 *
 * <p>States: STARTING (network up, waiting for the cluster to form) to OPEN; either to FAILED (a disk error, or refused
 * by the cluster: answers everything with the reason) and to CLOSED.
 */
public final class EmbeddedNode implements ElastickvNode, ClusterListener, GroupListener {

    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedNode.class);
    private static final long FORMATION_POLL_MILLIS = 100;
    private static final long STATUS_MILLIS = 1000;
    private static final long EVICTION_MILLIS = 100;
    private static final long CATALOG_SAVE_MILLIS = 5000;
    private static final long REPAIR_MILLIS = 200;
    private static final long HAND_OVER_NANOS = 2_000_000_000L;

    private enum State {
        STARTING,
        OPEN,
        FAILED,
        CLOSED
    }

    private final NodeConfig config;
    private final @Nullable NodeDirectory directory;
    private final @Nullable NodeLog log;
    private final ClusterChannel channel;
    private final Router router;
    private final Store store;
    private final LocalClusterView view;
    private final EventDispatcher events;
    private final NodeThreads threads;
    private final Peers peers;
    private final List<EventLoop> loops = new ArrayList<>();
    private final Map<Integer, ShardHost> shards = new ConcurrentHashMap<>();
    private final Membership membership;
    private final ControlProtocol control;
    private final CatalogMirror catalog;
    private final CatalogFollower follower;
    private final Reports reports;
    private final LoadBook loads;
    private final PlacementView placement;
    private final DriverHost driver;
    private final Gossip gossip;
    private final BackupService backups;
    private final @Nullable NodeCheckpoints checkpoints;
    private final @Nullable SplitOffs splitOffs;
    private final AtomicReference<State> state = new AtomicReference<>(State.STARTING);
    private final CountDownLatch settled = new CountDownLatch(1);
    private volatile @Nullable Formation formation;
    private volatile @Nullable Joining joining;
    private volatile @Nullable String failure;

    private EmbeddedNode(NodeConfig config, @Nullable NodeDirectory directory, @Nullable NodeLog log) {
        this.config = config;
        this.directory = directory;
        this.log = log;
        this.threads = new NodeThreads(config.name());
        Executor callbacks = config.callbackExecutor() != null ? config.callbackExecutor() : threads.callbacks();
        ClusterLayout known = directory == null ? null : directory.layout();
        long incarnation = directory == null ? System.currentTimeMillis() : directory.incarnation();
        this.channel = new ClusterChannel(
                ChannelConfig.builder("elastickv", config.name(), config.address(), incarnation)
                        .seeds(
                                known != null
                                        ? addresses(known)
                                        : config.join().isEmpty() ? config.seeds() : config.join())
                        .storageless(config.storageless())
                        .linkFilter(config.linkFilter())
                        .build(),
                this);
        this.router = new Router(config.name(), channel.rpc(), config.maxOperations(), config.maxOperationBytes());
        this.store = new Store(router, new CallbackBatcher(callbacks), config.requestTimeout());
        this.events = new EventDispatcher(callbacks);
        this.peers = new Peers(config.name(), config.wallMillis());
        this.view = new LocalClusterView(this);
        this.backups = new BackupService(new BackupService.Node(
                config.name(),
                channel.rpc(),
                router::table,
                this::clusterId,
                store.async(),
                shard -> {
                    ShardHost host = shards.get(shard);
                    return host == null ? null : host.exportable();
                },
                config.dataDirectory(),
                config.wallMillis()));
        for (int i = 0; i < config.eventLoops(); i++) {
            loops.add(new EventLoop(
                    "elastickv-" + config.name() + "-loop-" + i,
                    log,
                    config.wallMillis(),
                    channel::batchSendsOfThisThread,
                    channel::flush));
        }
        ShardMembers members = new ShardMembers();
        LocalReplicas replicas = null;
        if (log == null || directory == null) {
            this.checkpoints = null;
            this.splitOffs = null;
        } else {
            this.splitOffs = new SplitOffs();
            splitOffs.onSplit(new SplitListener() {
                @Override
                public void onShardBorn(Owner child, Owner parent) {
                    router.learn(List.of(claim(child), claim(parent)));
                }

                @Override
                public void onOwnerChanged(Owner owner) {
                    router.learn(List.of(claim(owner)));
                }
            });
            this.checkpoints = new NodeCheckpoints(config, log, channel, threads, shards);
            replicas = new LocalReplicas(
                    config.name(),
                    directory,
                    log,
                    shards,
                    members,
                    router,
                    new ShardFactory(config, directory, log, channel, loops, this, threads, checkpoints, splitOffs),
                    checkpoints,
                    splitOffs,
                    host -> channel.openShard(
                            host.group().groupId(), "shard-" + host.group().groupId(), host),
                    threads.readers(),
                    threads.births(),
                    peers::others);
        }
        this.membership = new Membership(
                config,
                directory,
                replicas,
                members,
                shards,
                peers,
                router,
                channel.rpc(),
                threads,
                () -> state.get() == State.OPEN,
                this::tellStatus,
                this::refuse);
        this.loads = new LoadBook();
        this.reports = new Reports(
                config.name(),
                router,
                channel.rpc(),
                config.wallMillis(),
                directory == null
                        ? null
                        : new LoadReporter(
                                config.name(), () -> Reports.metered(shards), directory::freeBytes, System::nanoTime),
                loads);
        this.control =
                new ControlProtocol(config.name(), channel.rpc(), shards, membership.changes(), threads.readers());
        this.catalog = new CatalogMirror(config.name(), channel.rpc(), threads::control);
        this.follower =
                new CatalogFollower(config.name(), membership, router, channel, peers, shards, events, this::released);
        ClusterSight sight = new ClusterSight(config, membership, router, peers, reports);
        NodeConfig.Scaling scaling = config.scaling();
        this.driver = new DriverHost(
                config,
                shards,
                new PlacementDriver(
                        new GroupCatalogStore(router),
                        sight,
                        new ClusterActions(router, control),
                        new DecisionLog(config.name()),
                        () -> CatalogState.initial(Objects.requireNonNull(membership.layout())),
                        DriverSettings.DEFAULT.with(PlanSettings.DEFAULT.withGraceMillis(config.graceMillis())),
                        threads.acting()),
                sight,
                scaling == null ? null : new ScalingRunner(scaling.policy(), scaling.provisioner(), callbacks),
                catalog,
                reports,
                channel.rpc(),
                threads.placement(),
                () -> threads.control(this::tellStatus));
        AdminClient admin = new AdminClient(config.name(), router, channel.rpc(), driver::answer);
        this.placement = new PlacementView(admin, catalog::state, config.wallMillis());
        JoinServer joins = new JoinServer(admin, catalog, membership, threads.callbacks());
        channel.rpc()
                .register(
                        JoinProtocol.METHOD_JOIN,
                        (from, payload, responder) -> joins.answer(
                                JoinProtocol.Join.decode(payload), answer -> responder.reply(answer.encode())));
        this.gossip = new Gossip(
                config,
                directory == null ? "" : directory.nodeId(),
                channel,
                peers,
                membership,
                shards,
                router,
                catalog,
                this::fireLeader);
    }

    /**
     * Starts a node. Returns as soon as its network is up; the cluster may form later.
     *
     * @throws IllegalStateException if the directory or the port can't be used, or its data can't be read
     */
    public static EmbeddedNode start(NodeConfig config) {
        if (!config.storageless()) {
            ShardHosts.checkStorage(config.storage());
        }
        NodeDirectory directory = null;
        NodeLog log = null;
        EmbeddedNode node;
        try {
            if (config.dataDirectory() != null) {
                directory = NodeDirectory.open(config.dataDirectory(), config.name());
                ClusterLayout layout = directory.layout();
                if (layout != null) {
                    checkAddress(config, layout);
                }
                log = NodeLog.open(NodeLogOptions.of(directory.wal(), config.name())
                        .withDurability(ShardHosts.durability(config.durability()))
                        .withSegmentBytes(config.segmentBytes()));
            }
            node = new EmbeddedNode(config, directory, log);
        } catch (RuntimeException e) {
            closeQuietly(log);
            closeQuietly(directory);
            // Callers are promised one kind of exception for all that is wrong with the directory.
            throw e instanceof LogException ? new IllegalStateException(e.getMessage(), e) : e;
        }
        try {
            node.begin();
            return node;
        } catch (RuntimeException e) {
            node.close();
            throw e;
        }
    }

    private static void checkAddress(NodeConfig config, ClusterLayout layout) {
        Member self = layout.member(config.name()).orElseThrow();
        boolean alone = layout.members().size() == 1;
        if (!alone && !self.address().equals(config.address().toString())) {
            throw new IllegalStateException("address = " + config.address() + ": the cluster knows node " + self.name()
                    + " at " + self.address() + ", and the address of a member cannot be changed yet");
        }
    }

    private static List<PeerAddress> addresses(ClusterLayout layout) {
        return layout.members().stream()
                .map(member -> new PeerAddress(member.host(), member.port()))
                .toList();
    }

    private void begin() {
        loops.forEach(EventLoop::start);
        channel.rpc().register(Formation.METHOD_HELLO, (from, payload, responder) -> {
            Hello hello = Hello.decode(payload);
            Formation forming = formation;
            if (forming != null && config.seeds().contains(hello.address())) {
                forming.heard(hello.address(), hello);
            }
            membership.greet(hello, () -> responder.reply(hello().encode()));
        });
        channel.rpc().register(ControlProtocol.METHOD_STATUS, (from, payload, responder) -> {
            NodeStatus status = NodeStatus.decode(payload);
            responder.reply(gossip.answer(status));
            gossip.heard(from, status);
        });
        ClusterLayout known = directory == null ? null : directory.layout();
        if (known != null) {
            channel.setClusterId(known.clusterId());
        }
        LocalReplicas replicas = membership.replicas();
        // While the network comes up, which takes as long.
        CompletableFuture<List<ShardHost>> recovering = known == null || replicas == null
                ? CompletableFuture.completedFuture(List.of())
                : CompletableFuture.supplyAsync(
                        () -> replicas.recover(known, true),
                        task -> new Thread(task, "elastickv-" + name() + "-recovery").start());
        try {
            channel.start();
        } catch (TransportException e) {
            CompletableFuture<Void> unused = recovering.thenAccept(EmbeddedNode::closeAll);
            throw new IllegalStateException(e.getMessage(), e);
        }
        LOG.info(
                "node {} listens at {}{}",
                name(),
                channel.localAddress(),
                config.storageless() ? ", without storage" : ", data in " + config.dataDirectory());
        if (known != null) {
            open(known, false, recovered(recovering));
        } else if (!config.join().isEmpty()) {
            join();
        } else if (config.seeds().isEmpty() && directory != null) {
            PeerAddress self = channel.localAddress();
            open(
                    new ClusterLayout(
                            List.of(new Member(name(), self.host(), self.port(), directory.nodeId())),
                            config.shards(),
                            config.replicationFactor()),
                    true,
                    null);
        } else {
            Formation forming = new Formation(
                    hello(),
                    config.seeds(),
                    channel.rpc()::call,
                    formed -> threads.control(() -> open(formed, true, null)),
                    this::refuse);
            formation = forming;
            threads.every(FORMATION_POLL_MILLIS, forming::poll);
        }
        threads.every(STATUS_MILLIS, this::tellStatus);
        threads.every(EVICTION_MILLIS, this::evictExpired);
        threads.every(STATUS_MILLIS, reports::report);
        threads.every(CATALOG_SAVE_MILLIS, () -> follower.save(catalog.state()));
        threads.every(REPAIR_MILLIS, () -> shards.values().forEach(host -> follower.applyTo(host, catalog.state())));
        threads.every(STATUS_MILLIS, backups::expire);
        threads.every(REPAIR_MILLIS, membership::repair);
        threads.every(FORMATION_POLL_MILLIS, () -> router.expireWaiting(System.nanoTime()));
        if (checkpoints != null) {
            checkpoints.spare(backups::claims);
            threads.every(NodeCheckpoints.POLL_MILLIS, checkpoints::poll);
            if (replicas != null) {
                threads.every(NodeCheckpoints.POLL_MILLIS, replicas::lookAfterSplits);
            }
        }
    }

    private void join() {
        Joining way = new Joining(
                new JoinProtocol.Join(
                        name(), Objects.requireNonNull(directory).nodeId(), channel.localAddress(), config.zone()),
                config.join(),
                channel.rpc()::call,
                joined -> threads.control(() -> open(joined, true, null)),
                this::refuse);
        joining = way;
        threads.every(FORMATION_POLL_MILLIS, way::poll);
    }

    private EventLoop loopOf(int group) {
        return loops.get(group % loops.size());
    }

    private static List<ShardHost> recovered(CompletableFuture<List<ShardHost>> recovering) {
        try {
            return recovering.join();
        } catch (CompletionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw cause instanceof IllegalStateException refused
                    ? refused
                    : new IllegalStateException(String.valueOf(cause.getMessage()), cause);
        }
    }

    private static void closeAll(@Nullable List<ShardHost> hosts) {
        if (hosts != null) {
            hosts.forEach(ShardHost::close);
        }
    }

    private Hello hello() {
        return new Hello(
                name(),
                directory == null ? "" : directory.nodeId(),
                config.storageless(),
                channel.localAddress(),
                config.shards(),
                config.replicationFactor(),
                Formation.ordered(config.seeds()),
                membership.layout());
    }

    /** The catalog as far as it is known before others are heard. */
    private CatalogState catalogAtTheStart(ClusterLayout formed) {
        CatalogState known = CatalogState.initial(formed);
        if (directory != null) {
            CatalogFile file = new CatalogFile(directory.path(), formed.clusterIdText());
            follower.saveTo(file);
            CatalogState saved = file.load();
            if (saved != null && saved.revision() > known.revision()) {
                return saved;
            }
        }
        return known;
    }

    private List<Claim> ownClaims(ShardHost host) {
        if (host.group().groupId() == Catalog.GROUP) {
            return List.of();
        }
        SplitListener.Owner owner =
                host.owner(membership.members().of(host.group().groupId()));
        return owner.slots().isEmpty() ? List.of() : List.of(claim(owner));
    }

    /** The node has given away all that it had and is a member no more: it only brings operations to the members. */
    private void released() {
        LOG.info("node {} has left the cluster, it can be closed; its data directory is of no use any more", name());
    }

    private void refuse(String reason) {
        threads.control(() -> failNode("refused: " + reason));
    }

    /** The cluster has formed, or this node comes back to it. */
    private synchronized void open(ClusterLayout formed, boolean first, @Nullable List<ShardHost> recovered) {
        if (state.get() != State.STARTING) {
            closeAll(recovered);
            return;
        }
        List<ShardHost> hosts = recovered;
        try {
            LocalReplicas replicas = membership.replicas();
            membership.checkIdentity(formed);
            hosts = recovered != null || replicas == null ? recovered : replicas.recover(formed, false);
            if (first && directory != null) {
                directory.saveLayout(formed);
            }
            membership.identities().formed(formed);
            channel.setClusterId(formed.clusterId());
            for (Member member : formed.members()) {
                if (!member.name().equals(name())) {
                    channel.learnPeer(member.name(), new PeerAddress(member.host(), member.port()));
                }
            }
            peers.layout(formed);
            CatalogState known = catalogAtTheStart(formed);
            ShardPlacement catalogPlacement = Catalog.placement(formed);
            router.addShard(claim(catalogPlacement), loopOf(catalogPlacement.id()));
            router.onChange(table -> membership.members().tellRoutes());
            membership.members().open(formed, router::route);
            List<Claim> claims = new ArrayList<>(CatalogFollower.claims(known, membership.members()));
            if (hosts != null) {
                // Splits that the log has and the catalog's copy has not.
                hosts.forEach(host -> claims.addAll(ownClaims(host)));
            }
            router.open(claims, this::loopOf);
            membership.members().tellRoutes();
            if (replicas != null && hosts != null) {
                for (ShardHost host : hosts) {
                    follower.applyTo(host, known);
                    boolean preferred = name().equals(host.preferredLeader());
                    replicas.start(host, group -> {
                        if (preferred && first) {
                            group.campaign();
                        } else if (preferred) {
                            group.campaignSoon();
                        }
                    });
                }
            }
            state.compareAndSet(State.STARTING, State.OPEN);
            catalog.adopt(known);
            catalog.onChange(follower);
            driver.start();
            LOG.info(
                    "node {} is part of cluster {}: members {}, {} shards, {} replicas here",
                    name(),
                    formed.clusterIdText(),
                    formed.members().stream().map(Member::name).toList(),
                    formed.shards(),
                    shards.size());
            settled.countDown();
            tellStatus();
        } catch (RuntimeException e) {
            LOG.error("node {} cannot take part", name(), e);
            if (hosts != null) {
                // The others are closed with the node.
                closeAll(hosts.stream()
                        .filter(host -> shards.get(host.group().groupId()) != host)
                        .toList());
            }
            failNode(String.valueOf(e.getMessage()));
        }
    }

    private static Claim claim(SplitListener.Owner owner) {
        return new Claim(owner.shard(), owner.epoch(), owner.slots(), owner.replicas());
    }

    private static Claim claim(ShardPlacement placement) {
        return new Claim(placement.id(), placement.epoch(), placement.slots(), placement.replicas());
    }

    // ---- what the network says

    @Override
    public void groupMessage(String from, int groupId, ByteBuffer payload) {
        ShardHost host = shards.get(groupId);
        if (host == null) {
            return; // not open yet: Raft repeats what matters
        }
        String sender;
        RaftMessage message;
        try {
            sender = host.frames().sender(from, payload);
            if (sender == null) {
                return; // for a replica that was here before, or is not here yet
            }
            message = RaftMessageCodec.decode(payload);
        } catch (MalformedMessageException e) {
            LOG.warn(
                    "node {}: a message of node {} for group {} cannot be read: {}",
                    name(),
                    from,
                    groupId,
                    e.getMessage());
            return;
        }
        if (state.get() == State.CLOSED) {
            return; // what still arrives meanwhile is as good as lost
        }
        onLoop(host, () -> host.group().receive(sender, message));
    }

    private static void onLoop(ShardHost host, Runnable task) {
        try {
            host.loop().execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("a loop has ended already", e);
        }
    }

    @Override
    public void viewChanged(Set<String> joined, Set<String> left, Set<String> members) {
        LOG.debug("node {}: view {}", name(), members);
    }

    @Override
    public void peerReachable(String peer, boolean reachable) {
        if (!peers.reachable(peer, reachable) || state.get() == State.CLOSED) {
            return;
        }
        LOG.info("node {}: node {} is {}", name(), peer, reachable ? "reachable" : "not reachable");
        for (ShardHost host : shards.values()) {
            onLoop(host, () -> host.group().peerReachable(peer, reachable));
        }
        if (reachable) {
            threads.control(this::tellStatus);
            events.fire(listener -> listener.nodeJoined(peer));
        } else {
            RouteTable table = router.table();
            if (table != null) {
                for (ShardRoute route : table.shards()) {
                    if (!shards.containsKey(route.id()) && route.forget(peer)) {
                        fireLeader(route.id(), route.term(), null);
                    }
                }
            }
            events.fire(listener -> listener.nodeLeft(peer));
        }
    }

    private void tellStatus() {
        if (state.get() == State.OPEN) {
            gossip.tell();
        }
    }

    private void evictExpired() {
        if (state.get() == State.OPEN) {
            long now = config.wallMillis().getAsLong();
            for (ShardHost host : shards.values()) {
                threads.readers().execute(() -> host.evictExpired(now));
            }
        }
    }

    // ---- what the groups say

    @Override
    public void leaderChanged(int groupId, long term, @Nullable String leader) {
        ShardRoute route = router.route(groupId);
        if (route == null || !(leader == null ? route.lost(term) : route.learn(term, leader))) {
            return;
        }
        if (leader == null) {
            LOG.debug("node {}: {} has no leader in term {}", name(), words(groupId), term);
        } else {
            LOG.info("node {}: {} is led by {} in term {}", name(), words(groupId), leader, term);
        }
        fireLeader(groupId, term, leader);
        if (name().equals(leader)) {
            threads.control(this::tellStatus);
        }
    }

    @Override
    public void configurationChanged(int groupId, Configuration committed) {
        membership.committed(groupId, committed);
    }

    private static String words(int groupId) {
        return groupId == Catalog.GROUP ? "the catalog" : "shard " + groupId;
    }

    private void fireLeader(int shard, long term, @Nullable String leader) {
        if (shard == Catalog.GROUP) {
            return; // no shard, and nothing that applications wait for
        }
        events.fire(listener -> {
            listener.leaderChanged(shard, term, leader);
            listener.shardStateChanged(shard, leader == null ? ShardInfo.State.NO_LEADER : ShardInfo.State.SERVING);
        });
    }

    @Override
    public void failed(int groupId, String reason, Throwable cause) {
        router.localGone(groupId);
        events.fire(listener -> listener.shardStateChanged(groupId, ShardInfo.State.FAILED));
        if (log != null && log.isPoisoned()) {
            Throwable origin = log.failure();
            threads.control(() -> failNode(
                    "the write-ahead log failed: " + (origin == null ? cause.getMessage() : origin.getMessage())));
        }
    }

    private void stopForming() {
        Formation forming = formation;
        if (forming != null) {
            forming.stop();
        }
        Joining way = joining;
        if (way != null) {
            way.stop();
        }
    }

    /** The node serves no more, and says why to everybody who asks. */
    private void failNode(String reason) {
        State before = state.get();
        if (before == State.CLOSED || before == State.FAILED || !state.compareAndSet(before, State.FAILED)) {
            return;
        }
        failure = reason;
        LOG.error("node {} has stopped serving: {}", name(), reason);
        stopForming();
        router.shutDown("this node has stopped serving: " + reason);
        for (ShardHost host : shards.values()) {
            onLoop(host, host.group()::close);
        }
        events.fire(listener -> listener.nodeFailed(reason));
        settled.countDown();
    }

    // ---- what callers ask

    @Override
    public String name() {
        return config.name();
    }

    @Override
    public KeyValueStore store() {
        return store.blocking();
    }

    @Override
    public ClusterView cluster() {
        return view;
    }

    @Override
    public NodeMetrics metrics() {
        CheckpointFigures.Counts counts = checkpointCounts();
        if (log == null || counts == null) {
            return NodeMetrics.NONE;
        }
        NodeLogStats stats = log.stats();
        return new NodeMetrics(
                stats.fsyncs(),
                stats.frames(),
                stats.records(),
                stats.bytes(),
                counts.written(),
                counts.writtenBytes(),
                counts.failed(),
                counts.running(),
                counts.installed(),
                counts.installedBytes(),
                counts.served(),
                counts.servedBytes());
    }

    @Override
    public void awaitReady(Duration timeout) {
        long deadlineNanos = System.nanoTime() + timeout.toNanos();
        Joining way = joining;
        String problem = way == null
                ? "the cluster has not formed: not all initial members were reached"
                : "it has not joined its cluster: " + way.problem();
        try {
            if (settled.await(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
                while (true) {
                    if (state.get() == State.CLOSED) {
                        throw new UnavailableException("node " + name() + " is closed");
                    }
                    String failed = failure;
                    if (failed != null) {
                        throw new UnavailableException("node " + name() + " has stopped serving: " + failed);
                    }
                    List<Integer> leaderless = view.shards().stream()
                            .filter(shard -> shard.leader().isEmpty())
                            .map(ShardInfo::id)
                            .toList();
                    if (leaderless.isEmpty()) {
                        return;
                    }
                    problem = "no leader is known for shards " + leaderless + membership.troubles(leaderless);
                    if (System.nanoTime() - deadlineNanos >= 0) {
                        break;
                    }
                    TimeUnit.MILLISECONDS.sleep(10);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            problem = "the waiting thread was interrupted";
        }
        throw new UnavailableException("node " + name() + " is not ready after " + timeout + ": " + problem);
    }

    String clusterId() {
        ClusterLayout formed = membership.layout();
        return formed == null ? "" : formed.clusterIdText();
    }

    List<NodeInfo> nodes() {
        return peers.nodes(gossip.own());
    }

    @Nullable
    RouteTable routes() {
        return router.table();
    }

    boolean localReplicaFailed(int shard) {
        ShardHost host = shards.get(shard);
        return host != null && host.group().status().failed();
    }

    @Override
    public Backups backups() {
        return backups;
    }

    /** What the node's checkpoints and state transfers did; null if it keeps no data. */
    public CheckpointFigures.@Nullable Counts checkpointCounts() {
        return checkpoints == null ? null : checkpoints.figures().counts();
    }

    /** The replicas that are open here, by shard. */
    Map<Integer, ShardHost> hosts() {
        return shards;
    }

    /** What splits hand over; null if the node keeps no data. */
    @Nullable
    SplitOffs splitOffs() {
        return splitOffs;
    }

    /** What is done about checkpoints; null if the node keeps no data. */
    @Nullable
    NodeCheckpoints checkpoints() {
        return checkpoints;
    }

    /** The placement as applications see it. */
    PlacementView placement() {
        return placement;
    }

    /** Whether the placement is driven. */
    boolean drives() {
        return config.drives();
    }

    ControlProtocol control() {
        return control;
    }

    EventDispatcher events() {
        return events;
    }

    /** Why the node has stopped serving; null if it has not. */
    @Nullable
    String failure() {
        return failure;
    }

    void setAttribute(String attribute, String value, int most) {
        gossip.setAttribute(attribute, value, most);
        if (state.get() != State.CLOSED) {
            threads.control(this::tellStatus);
        }
    }

    // ---- the end

    @Override
    public void close() {
        State before = state.getAndSet(State.CLOSED);
        if (before == State.CLOSED) {
            return;
        }
        stopForming();
        backups.close();
        driver.close();
        if (before == State.OPEN) {
            handLeadershipsOver();
        }
        router.shutDown("the node is closed");
        if (checkpoints != null) {
            checkpoints.close();
        }
        for (ShardHost host : shards.values()) {
            onLoop(host, host.group()::close);
        }
        threads.close();
        if (before == State.OPEN) {
            follower.save(catalog.state());
        }
        loops.forEach(EventLoop::close);
        backups.awaitEnd();
        closeQuietly(channel);
        closeQuietly(log);
        shards.values().forEach(ShardHost::close);
        closeQuietly(splitOffs);
        closeQuietly(directory);
        LOG.info("node {} is closed", name());
        settled.countDown();
    }

    /** So that nobody has to wait for an election because this node leaves in good order. */
    private void handLeadershipsOver() {
        long deadlineNanos = System.nanoTime() + HAND_OVER_NANOS;
        List<String> others = peers.others();
        boolean waiting = true;
        while (waiting && !others.isEmpty() && System.nanoTime() - deadlineNanos < 0) {
            waiting = false;
            for (ShardHost host : shards.values()) {
                if (host.group().status().role() == Role.LEADER && host.hasReplicaOn(others)) {
                    waiting = true;
                    onLoop(host, host.group()::handOver);
                }
            }
            try {
                TimeUnit.MILLISECONDS.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private static void closeQuietly(@Nullable AutoCloseable resource) {
        if (resource == null) {
            return;
        }
        try {
            resource.close();
        } catch (Exception e) {
            LOG.warn("{} did not close", resource.getClass().getSimpleName(), e);
        }
    }
}
