package io.elastickv.embedded.internal.transport;

import java.net.BindException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.jgroups.Address;
import org.jgroups.JChannel;
import org.jgroups.PhysicalAddress;
import org.jgroups.Receiver;
import org.jgroups.View;
import org.jgroups.blocks.cs.Connection;
import org.jgroups.fork.ForkChannel;
import org.jgroups.protocols.TCPPING;
import org.jgroups.protocols.raft.RAFT;
import org.jgroups.stack.IpAddress;
import org.jgroups.util.ExtendedUUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The network of one node: one JGroups channel, and over its connections the frames that carry group messages and calls.
 *
 * <p>Membership, views, and the fork of each shard are JGroups'. What the groups say to one another does not pass through
 * JGroups' protocols: consensus tolerates loss, so it needs no second layer of sequence numbers and retransmission, and
 * all that waits for one peer, of whatever group, leaves in one frame (docs/adr/0010). Frames need no common view: a peer is
 * reachable as soon as its process is.
 *
 * <p>Thread-safe. No method blocks except {@link #start}, {@link #openShard} and {@link #close}.
 */
public final class ClusterChannel implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ClusterChannel.class);
    private static final long WARN_INTERVAL_NANOS = 10_000_000_000L;
    private static final long RESOLVE_INTERVAL_MILLIS = 5_000;
    private static final long CLOSE_DRAIN_NANOS = 200_000_000L;

    private final ChannelConfig config;
    private final ClusterListener listener;
    private final byte[] nameBytes;
    private final int headerBytes;
    private final long origin = System.nanoTime() - 1_000_000_000L;
    private final NodeThreads threads;
    private final TransportStats stats = new TransportStats();
    private final NodeTcp tcp;
    private final Context context = new Context();
    private final LinkTable links = new LinkTable(context);
    private final LinkMonitor monitor;
    private final NodeRpc rpc = new NodeRpc(this);
    private final ThreadLocal<SendScope> scopes = ThreadLocal.withInitial(SendScope::new);
    private final ConcurrentHashMap<PeerAddress, IpAddress> resolved = new ConcurrentHashMap<>();
    private final Map<String, ShardRaft> shards = new ConcurrentHashMap<>();
    private final Object lifecycle = new Object();
    private final RateLimit strangerWarnings = new RateLimit();
    private final RateLimit malformedWarnings = new RateLimit();
    private final RateLimit callbackWarnings = new RateLimit();

    private volatile byte[] header;
    private volatile ClusterId clusterId = ClusterId.NONE;
    private volatile Set<String> view = Set.of();
    private volatile boolean started;
    private volatile boolean closed;
    private @Nullable JChannel channel;
    private @Nullable View lastView;

    private record ClusterId(long high, long low) {
        static final ClusterId NONE = new ClusterId(0, 0);

        /** Nodes that are forming a cluster have no id yet and may talk to anyone. */
        boolean accepts(long otherHigh, long otherLow) {
            return (high == otherHigh && low == otherLow)
                    || (otherHigh == 0 && otherLow == 0)
                    || (high == 0 && low == 0);
        }
    }

    /** What one thread has added to outboxes without waking their senders. */
    private static final class SendScope {
        boolean batching;
        Link[] dirty = new Link[8];
        int count;

        void add(Link link) {
            for (int i = count - 1; i >= 0; i--) {
                if (dirty[i] == link) {
                    return;
                }
            }
            if (count == dirty.length) {
                dirty = Arrays.copyOf(dirty, 2 * count);
            }
            dirty[count++] = link;
        }

        void flush() {
            for (int i = 0; i < count; i++) {
                dirty[i].signal();
            }
            count = 0;
        }
    }

    private final class RateLimit {
        private long lastNanos = -WARN_INTERVAL_NANOS;

        synchronized boolean pass() {
            long now = nanos();
            if (now - lastNanos < WARN_INTERVAL_NANOS) {
                return false;
            }
            lastNanos = now;
            return true;
        }
    }

    /** Does not open anything yet: see {@link #start}. */
    public ClusterChannel(ChannelConfig config, ClusterListener listener) {
        this.config = config;
        this.listener = listener;
        this.nameBytes = Frames.nameBytes(config.nodeName());
        this.headerBytes = Frames.headerBytes(nameBytes.length);
        this.header = Frames.encodeHeader(
                new byte[Frames.CLUSTER_ID_BYTES], nameBytes, config.incarnation(), config.storageless());
        this.threads = new NodeThreads(config.nodeName());
        this.tcp = new NodeTcp(new Wire(), config.diagnostics());
        ChannelConfig.Timeouts timeouts = config.timeouts();
        this.monitor = new LinkMonitor(
                context,
                links,
                listener,
                timeouts.pingIntervalMillis() * 1_000_000L,
                timeouts.unreachableAfterMillis() * 1_000_000L);
    }

    /**
     * Listens, looks for the seeds and installs the first view; the node may be alone in it.
     *
     * @throws TransportException if the address cannot be used
     */
    public void start() throws TransportException {
        synchronized (lifecycle) {
            if (started || closed) {
                throw new IllegalStateException("the channel of " + config.nodeName() + " was started before");
            }
            started = true;
            InetAddress bind;
            try {
                bind = InetAddress.getByName(config.bindAddress().host());
            } catch (UnknownHostException e) {
                closed = true;
                throw new TransportException(
                        "cannot listen on " + config.bindAddress() + ": the host name is not known to this machine."
                                + " Set the node's address to a name or IP address of one of its interfaces",
                        e);
            }
            List<PeerAddress> unresolved = new ArrayList<>();
            List<PhysicalAddress> seeds = resolveSeeds(config.seeds(), unresolved);
            JChannel created = null;
            try {
                created = ChannelStack.create(config, tcp, bind, seeds, threads);
                created.setReceiver(new ViewReceiver());
                channel = created;
                // Listens from here on; frames may arrive before connect() returns.
                created.connect(config.clusterName());
            } catch (Exception e) {
                closed = true;
                links.close();
                if (created != null) {
                    created.close();
                }
                stopLinks();
                throw startFailure(e);
            }
            monitor.start();
            config.linkFilter().nodeStarted(config.nodeName(), localAddress());
            for (PhysicalAddress seed : seeds) {
                pin((IpAddress) seed);
            }
            if (!unresolved.isEmpty()) {
                threads.thread("resolve", () -> resolveLater(unresolved)).start();
            }
            log.info(
                    "{}: listens on {} with {} seeds, incarnation {}",
                    nodeName(),
                    localAddress(),
                    config.seeds().size(),
                    config.incarnation());
        }
    }

    private TransportException startFailure(Exception e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof BindException) {
                String message = String.valueOf(cause.getMessage());
                return message.contains("not a valid interface")
                        ? new TransportException(
                                "cannot listen on " + config.bindAddress() + ": this machine has no such address. Set"
                                        + " the node's address to one of this machine's interfaces",
                                e)
                        : new TransportException(
                                "cannot listen on " + config.bindAddress() + ": the port is in use, or may not be used."
                                        + " Stop the process that has it (is a node still running?) or choose another"
                                        + " port",
                                e);
            }
        }
        return new TransportException(
                "cannot start the network of " + nodeName() + " on " + config.bindAddress() + ": " + e.getMessage(), e);
    }

    private List<PhysicalAddress> resolveSeeds(List<PeerAddress> addresses, List<PeerAddress> unresolved) {
        Set<PhysicalAddress> found = new LinkedHashSet<>();
        for (PeerAddress address : addresses) {
            IpAddress ip = resolve(address);
            if (ip == null) {
                unresolved.add(address);
                log.warn(
                        "{}: the seed {} has a host name that is not known now: tried again every {} s",
                        nodeName(),
                        address,
                        RESOLVE_INTERVAL_MILLIS / 1000);
            } else {
                found.add(ip);
            }
        }
        return new ArrayList<>(found);
    }

    private void resolveLater(List<PeerAddress> unresolved) {
        List<PeerAddress> left = unresolved;
        while (!closed && !left.isEmpty()) {
            LockSupport.parkNanos(RESOLVE_INTERVAL_MILLIS * 1_000_000L);
            List<PeerAddress> still = new ArrayList<>();
            for (PeerAddress address : left) {
                IpAddress ip = resolve(address);
                if (ip == null) {
                    still.add(address);
                } else {
                    pin(ip);
                    addSeed(ip);
                    log.info("{}: the seed {} is {}", nodeName(), address, ip);
                }
            }
            left = still;
        }
    }

    private void addSeed(IpAddress seed) {
        JChannel main = channel;
        TCPPING discovery = main == null ? null : main.getProtocolStack().findProtocol(TCPPING.class);
        if (discovery != null) {
            List<PhysicalAddress> seeds = new ArrayList<>(discovery.getInitialHosts());
            seeds.add(seed);
            discovery.setInitialHosts2(seeds);
        }
    }

    private @Nullable IpAddress resolve(PeerAddress address) {
        IpAddress known = resolved.get(address);
        if (known != null) {
            return known;
        }
        try {
            IpAddress ip = new IpAddress(InetAddress.getByName(address.host()), address.port());
            resolved.put(address, ip);
            return ip;
        } catch (UnknownHostException e) {
            return null;
        }
    }

    private void pin(IpAddress address) {
        if (tcp.isSelf(address)) {
            return;
        }
        Link link = links.to(address);
        if (link != null) {
            link.pinned = true;
            link.outbox.addStamp(Frames.PING, nanos());
            link.signal();
        }
    }

    /** Where this node can be reached: the configured address, with the actual port. */
    public PeerAddress localAddress() {
        PhysicalAddress physical = tcp.localPhysicalAddress();
        int port = physical instanceof IpAddress ip
                ? ip.getPort()
                : config.bindAddress().port();
        return new PeerAddress(config.bindAddress().host(), port);
    }

    /**
     * From now on frames of other clusters are dropped. All zero means "forming": then, and from those who are forming,
     * everything is accepted.
     */
    public void setClusterId(byte[] id) {
        if (id.length != Frames.CLUSTER_ID_BYTES) {
            throw new IllegalArgumentException(
                    "a cluster id has " + Frames.CLUSTER_ID_BYTES + " bytes, not " + id.length);
        }
        ByteBuffer in = ByteBuffer.wrap(id);
        clusterId = new ClusterId(in.getLong(), in.getLong());
        header = Frames.encodeHeader(id, nameBytes, config.incarnation(), config.storageless());
    }

    /**
     * Puts a message into the outbox of a peer; it leaves with the next {@link #flush} of this thread, or earlier. Dropped,
     * and counted, if the peer is not known or not connected, or if its outbox is full. The message is encoded before
     * this returns, on this thread.
     *
     * @throws IllegalArgumentException if it is larger than the channel takes
     */
    public void sendGroup(String peer, int groupId, EncodedMessage message) {
        Link link = links.named(peer);
        if (link == null || !link.isOpen()) {
            stats.messagesDropped.increment();
            return;
        }
        if (message.size() > config.maxMessageBytes()) {
            throw new IllegalArgumentException("a message of group " + groupId + " has " + message.size()
                    + " bytes; the channel takes at most " + config.maxMessageBytes());
        }
        if (link.outbox.addGroup(groupId, message)) {
            scopes.get().add(link);
        } else {
            stats.messagesDropped.increment();
            link.signal();
        }
    }

    /** Hands what this thread has added to the senders. Call it at the end of an iteration of a loop. */
    public void flush() {
        scopes.get().flush();
    }

    /**
     * Calls and answers made by this thread wait for its next {@link #flush} from now on, so that they leave together. For
     * event loops, which flush at the end of each iteration. (The transport's own threads flush after each frame.)
     */
    public void batchSendsOfThisThread() {
        scopes.get().batching = true;
    }

    public NodeRpc rpc() {
        return rpc;
    }

    /** Whether a frame came from this peer within the timeout. True for this node itself. */
    public boolean isConnected(String peer) {
        Link link = links.named(peer);
        return peer.equals(config.nodeName()) ? !closed : link != null && link.reachable;
    }

    /** The names in JGroups' present view, this node's and those of storage-less members included. */
    public Set<String> view() {
        return view;
    }

    /** Whether this peer said that it keeps no data; false if it is not known. */
    public boolean isStorageless(String peer) {
        Link link = links.named(peer);
        return link != null && link.storageless;
    }

    /** The address of a peer, if it is known. */
    public @Nullable PeerAddress addressOf(String peer) {
        if (peer.equals(config.nodeName())) {
            return localAddress();
        }
        Link link = links.named(peer);
        return link == null ? null : link.peerAddress;
    }

    /** The incarnation that a peer told last, or {@link Long#MIN_VALUE} if it was not heard. */
    public long incarnationOf(String peer) {
        Link link = links.named(peer);
        return link == null ? Long.MIN_VALUE : link.incarnation;
    }

    /** The last measured round trip to a peer, in nanoseconds; -1 if there is none. */
    public long roundTripNanos(String peer) {
        Link link = links.named(peer);
        return link == null ? -1 : link.roundTripNanos;
    }

    /**
     * Tells the channel where a node is found, such as from the catalog. It is connected to and pinged from now on. Blocks
     * while a new host name is being resolved.
     */
    public void learnPeer(String name, PeerAddress address) {
        if (name.equals(config.nodeName())) {
            return;
        }
        IpAddress ip = resolve(address);
        Link link = ip == null ? null : links.to(ip);
        if (link != null) {
            links.suggest(name, link);
            pin(link.address);
        }
    }

    /** This node is not connected to for its own sake any more, such as after it was removed from the catalog. */
    public void forgetPeer(String name) {
        Link link = links.named(name);
        if (link != null) {
            link.pinned = false;
        }
    }

    public TransportStats.Snapshot stats() {
        return stats.snapshot();
    }

    /** Bytes that wait for a peer. */
    public int outboxBytes(String peer) {
        Link link = links.named(peer);
        return link == null ? 0 : link.outbox.waitingBytes();
    }

    /**
     * Creates the fork channel of a shard replica with a {@link ShardRaft} in it. Closed with the channel, or by {@link
     * ShardRaft#close}.
     *
     * @param groupName unique among this node's open shards
     * @throws IllegalStateException if the channel is not open or the name is taken
     */
    public ShardRaft openShard(int groupId, String groupName, ShardPort port) {
        synchronized (lifecycle) {
            JChannel main = channel;
            if (!started || closed || main == null) {
                throw new IllegalStateException("the channel of " + nodeName() + " is not open");
            }
            if (shards.containsKey(groupName)) {
                throw new IllegalStateException("the shard " + groupName + " is open already on " + nodeName());
            }
            ShardRaft raft = new ShardRaft(groupId, groupName, nodeName(), port, threads);
            try {
                ForkChannel fork = new ForkChannel(main, groupName, "elastickv", raft);
                raft.attach(fork, () -> shards.remove(groupName));
                fork.connect(groupName);
            } catch (Exception e) {
                raft.close();
                throw new IllegalStateException("cannot open the fork channel of the shard " + groupName, e);
            }
            shards.put(groupName, raft);
            return raft;
        }
    }

    /** The main JGroups channel, for tests of this package; null before the start. */
    @Nullable
    JChannel jgroups() {
        return channel;
    }

    NodeTcp transport() {
        return tcp;
    }

    /** Closes the forks, says goodbye, leaves the view and ends every call that waits. Idempotent. */
    @Override
    public void close() {
        synchronized (lifecycle) {
            if (closed) {
                return;
            }
            if (!started) {
                closed = true;
                return;
            }
            for (ShardRaft shard : List.copyOf(shards.values())) {
                shard.close();
            }
            sayGoodbye();
            closed = true;
            JChannel main = channel;
            if (main != null) {
                main.close();
            }
            links.close();
            stopLinks();
            try {
                monitor.stop();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            for (Link link : links.all()) {
                link.failAll();
            }
            log.info("{}: closed its channel", nodeName());
        }
    }

    private void sayGoodbye() {
        for (Link link : links.all()) {
            if (!link.self && link.reachable) {
                link.outbox.addGoodbye();
                link.signal();
            }
        }
        long until = nanos() + CLOSE_DRAIN_NANOS;
        for (Link link : links.all()) {
            while (link.reachable && !link.isDrained() && nanos() < until) {
                LockSupport.parkNanos(500_000);
            }
        }
    }

    private void stopLinks() {
        for (Link link : links.all()) {
            link.stop();
        }
        for (Link link : links.all()) {
            try {
                link.join(2_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    // For NodeRpc.

    ChannelConfig config() {
        return config;
    }

    String nodeName() {
        return config.nodeName();
    }

    TransportStats counters() {
        return stats;
    }

    LinkMonitor monitor() {
        return monitor;
    }

    long nanos() {
        return System.nanoTime() - origin;
    }

    boolean isClosed() {
        return closed;
    }

    @Nullable
    Link linkTo(String peer) {
        Link link = links.named(peer);
        if (link == null && peer.equals(config.nodeName()) && tcp.localPhysicalAddress() instanceof IpAddress own) {
            return closed ? null : links.to(own);
        }
        return closed ? null : link;
    }

    @Nullable
    Link linkTo(PeerAddress address) {
        IpAddress ip = closed ? null : resolve(address);
        return ip == null ? null : links.to(ip);
    }

    /** Wakes the sender of a link, or leaves that to the thread's flush. */
    void send(Link link) {
        SendScope scope = scopes.get();
        if (scope.batching) {
            scope.add(link);
        } else {
            link.signal();
        }
    }

    void finishLater(RpcCallback callback, RpcFailure failure) {
        if (closed || !started) {
            finish(callback, failure);
        } else {
            monitor.execute(() -> finish(callback, failure));
        }
    }

    void finish(RpcCallback callback, RpcFailure failure) {
        try {
            callback.failure(failure);
        } catch (RuntimeException | Error e) {
            callbackFailed(e);
        }
    }

    void callbackFailed(Throwable e) {
        stats.callbackFailures.increment();
        if (callbackWarnings.pass()) {
            log.warn("{}: a callback of the network failed", nodeName(), e);
        }
    }

    int pendingCalls() {
        int sum = 0;
        for (Link link : links.all()) {
            sum += link.pending.size();
        }
        return sum;
    }

    private final class Context implements LinkContext {
        @Override
        public String nodeName() {
            return config.nodeName();
        }

        @Override
        public NodeTcp tcp() {
            return tcp;
        }

        @Override
        public byte[] header() {
            return header;
        }

        @Override
        public int headerBytes() {
            return headerBytes;
        }

        @Override
        public int maxOutboxBytes() {
            return config.maxOutboxBytesPerPeer() + Frames.MAX_ITEM_HEADER_BYTES;
        }

        @Override
        public int maxItemBytes() {
            return config.maxMessageBytes() + Frames.MAX_ITEM_HEADER_BYTES;
        }

        @Override
        public long reconnectDelayNanos() {
            return config.timeouts().reconnectDelayMillis() * 1_000_000L;
        }

        @Override
        public long nanos() {
            return ClusterChannel.this.nanos();
        }

        @Override
        public TransportStats stats() {
            return stats;
        }

        @Override
        public boolean mayReach(Link link) {
            LinkFilter filter = config.linkFilter();
            return filter == LinkFilter.OPEN || link.self || filter.allows(localAddress(), link.peerAddress);
        }

        @Override
        public void wakeMonitor() {
            monitor.wake();
        }

        @Override
        public void finish(RpcCallback callback, RpcFailure failure) {
            ClusterChannel.this.finish(callback, failure);
        }

        @Override
        public Thread thread(String role, Runnable body) {
            return threads.thread(role, body);
        }
    }

    private final class Wire implements NodeTcp.Wire {
        @Override
        public boolean accepts(IpAddress from) {
            LinkFilter filter = config.linkFilter();
            if (filter == LinkFilter.OPEN || tcp.isSelf(from)) {
                return true;
            }
            Link link = links.to(from);
            return link == null || filter.allows(link.peerAddress, localAddress());
        }

        @Override
        public void sendJGroups(IpAddress to, byte[] data, int offset, int length) {
            Link link = links.to(to);
            if (link == null) {
                return;
            }
            if (link.outbox.addJGroups(data, offset, length)) {
                link.signal();
            } else {
                stats.messagesDropped.increment();
            }
        }

        @Override
        public void connectionClosed(IpAddress peer, Connection connection) {
            for (Link link : links.all()) {
                if (link.address.equals(peer)) {
                    link.connectionClosed(connection);
                }
            }
        }

        @Override
        public void frame(IpAddress from, byte[] bytes, int length) {
            try {
                take(from, bytes, length);
            } catch (RuntimeException | Error e) {
                callbackFailed(e); // the reader thread of the connection goes on
            }
        }

        private void take(IpAddress from, byte[] bytes, int length) {
            Link link = links.to(from);
            if (link == null) {
                return;
            }
            stats.framesReceived.increment();
            stats.bytesReceived.add(length);
            ByteBuffer in = ByteBuffer.wrap(bytes, 0, length).asReadOnlyBuffer();
            Frames.Header received = Frames.readHeader(in);
            if (received == null) {
                malformed(from);
                return;
            }
            if (!clusterId.accepts(received.clusterHigh(), received.clusterLow())) {
                stats.framesOfStrangers.increment();
                if (strangerWarnings.pass()) {
                    log.warn(
                            "{}: drops what {} at {} sends: it belongs to the cluster {}, this node to {}. Is its list"
                                    + " of seeds right?",
                            nodeName(),
                            received.name(bytes),
                            from,
                            clusterIdText(received.clusterHigh(), received.clusterLow()),
                            clusterIdText(clusterId.high(), clusterId.low()));
                }
                return;
            }
            LinkTable.Sender sender = links.identify(link, received, bytes);
            if (sender == LinkTable.Sender.STALE) {
                stats.framesStale.increment();
                return;
            }
            if (sender == LinkTable.Sender.NEW) {
                link.failAll();
                link.assembly.clear();
            }
            boolean news = !link.reachable;
            link.heardNanos = nanos();
            if (news) {
                monitor.wake();
            }
            SendScope scope = scopes.get();
            boolean batching = scope.batching;
            scope.batching = true;
            try {
                if (!Frames.readItems(in, new Items(link))) {
                    malformed(from);
                }
            } finally {
                scope.batching = batching;
                scope.flush();
            }
        }

        private void malformed(IpAddress from) {
            stats.framesMalformed.increment();
            if (malformedWarnings.pass()) {
                log.warn(
                        "{}: a frame from {} is malformed or of another version; such frames are dropped",
                        nodeName(),
                        from);
            }
        }
    }

    private static String clusterIdText(long high, long low) {
        return String.format("%016x%016x", high, low);
    }

    /** Takes the items of one frame. */
    private final class Items implements Frames.Items {
        private final Link link;
        private boolean insideChunks;

        Items(Link link) {
            this.link = link;
        }

        private String from() {
            String name = link.name;
            return name == null ? "" : name;
        }

        @Override
        public void group(int groupId, ByteBuffer payload) {
            try {
                listener.groupMessage(from(), groupId, payload);
            } catch (RuntimeException | Error e) {
                callbackFailed(e);
            }
        }

        @Override
        public void request(long id, int method, ByteBuffer payload) {
            rpc.request(link, from(), id, method, payload);
        }

        @Override
        public void response(long id, long incarnation, byte status, ByteBuffer payload) {
            if (incarnation == config.incarnation()) {
                rpc.response(link, id, status, payload);
            } else {
                stats.framesStale.increment();
            }
        }

        @Override
        public void ping(long stamp) {
            link.outbox.addStamp(Frames.PONG, stamp);
            send(link);
        }

        @Override
        public void pong(long stamp) {
            link.roundTripNanos = Math.max(0, nanos() - stamp);
        }

        @Override
        public void chunk(int transfer, int total, int offset, ByteBuffer part) {
            if (insideChunks) {
                stats.framesMalformed.increment();
                return;
            }
            ByteBuffer item = link.assembly.add(transfer, total, offset, part);
            if (item != null) {
                insideChunks = true;
                if (!Frames.readItems(item, this)) {
                    stats.framesMalformed.increment();
                }
                insideChunks = false;
            }
        }

        @Override
        public void goodbye() {
            link.markSilent();
        }
    }

    private final class ViewReceiver implements Receiver {
        @Override
        public void viewAccepted(View newView) {
            View before = lastView;
            lastView = newView;
            Set<Address> oldMembers = before == null ? Set.of() : Set.copyOf(before.getMembers());
            Set<String> members = new LinkedHashSet<>();
            Set<String> joined = new LinkedHashSet<>();
            Set<String> left = new LinkedHashSet<>();
            for (Address address : newView.getMembers()) {
                members.add(nameOf(address));
                if (!oldMembers.contains(address)) {
                    joined.add(nameOf(address));
                }
            }
            for (Address address : oldMembers) {
                if (!newView.containsMember(address)) {
                    left.add(nameOf(address));
                }
            }
            view = Set.copyOf(members);
            linkMembers(newView);
            for (String name : left) {
                Link link = links.named(name);
                if (link != null && !link.self) {
                    link.failAll();
                }
            }
            log.info(
                    "{}: view {} has {}, joined {}, left {}",
                    nodeName(),
                    newView.getViewId().getId(),
                    members,
                    joined,
                    left);
            try {
                listener.viewChanged(Set.copyOf(joined), Set.copyOf(left), view);
            } catch (RuntimeException | Error e) {
                callbackFailed(e);
            }
        }

        private void linkMembers(View newView) {
            Set<Link> present = new HashSet<>();
            for (Address address : newView.getMembers()) {
                if (tcp.getPhysicalAddressFromCache(address) instanceof IpAddress ip && !tcp.isSelf(ip)) {
                    Link link = links.to(ip);
                    if (link != null) {
                        if (address instanceof ExtendedUUID uuid && uuid.get(ChannelStack.STORAGELESS_KEY) != null) {
                            link.storageless = true;
                        }
                        link.inView = true;
                        present.add(link);
                        links.suggest(nameOf(address), link);
                    }
                }
            }
            for (Link link : links.all()) {
                if (link.inView && !present.contains(link)) {
                    link.inView = false;
                }
            }
        }
    }

    static String nameOf(Address address) {
        if (address instanceof ExtendedUUID uuid) {
            byte[] name = uuid.get(RAFT.raft_id_key);
            if (name != null) {
                return new String(name, java.nio.charset.StandardCharsets.UTF_8);
            }
        }
        return String.valueOf(address);
    }
}
