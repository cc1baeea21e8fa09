package io.elastickv.embedded.internal.transport;

import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.jgroups.JChannel;
import org.jgroups.PhysicalAddress;
import org.jgroups.fork.ForkChannel;
import org.jgroups.stack.IpAddress;
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
    private static final long CLOSE_DRAIN_NANOS = 200_000_000L;

    private final ChannelConfig config;
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
    private final SendScopes sends = new SendScopes();
    private final FrameReceiver receiver;
    private final ViewTracker views;
    private final SeedLinks seedLinks = new SeedLinks(context, links);
    private final Map<String, ShardRaft> shards = new ConcurrentHashMap<>();
    private final Object lifecycle = new Object();
    private final RateLimit callbackWarnings = new RateLimit();

    private volatile byte[] header;
    private volatile boolean started;
    private volatile boolean closed;
    private @Nullable JChannel channel;

    /** Does not open anything yet: see {@link #start}. */
    public ClusterChannel(ChannelConfig config, ClusterListener listener) {
        this.config = config;
        this.nameBytes = Frames.nameBytes(config.nodeName());
        this.headerBytes = Frames.headerBytes(nameBytes.length);
        this.header = Frames.encodeHeader(
                new byte[Frames.CLUSTER_ID_BYTES], nameBytes, config.incarnation(), config.storageless());
        this.threads = new NodeThreads(config.nodeName());
        ChannelConfig.Timeouts timeouts = config.timeouts();
        this.monitor = new LinkMonitor(
                context,
                links,
                listener,
                timeouts.pingIntervalMillis() * 1_000_000L,
                timeouts.unreachableAfterMillis() * 1_000_000L);
        this.views = new ViewTracker(context, links, listener);
        this.receiver = new FrameReceiver(config, listener, context, links, monitor, rpc, sends);
        this.tcp = new NodeTcp(receiver, config.diagnostics());
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
            List<PhysicalAddress> seeds = seedLinks.resolve(config.seeds());
            JChannel created = null;
            try {
                InetAddress bind = InetAddress.getByName(config.bindAddress().host());
                created = ChannelStack.create(config, tcp, bind, seeds, threads);
                created.setReceiver(views);
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
                throw TransportException.ofStart(config, e);
            }
            monitor.start();
            config.linkFilter().nodeStarted(config.nodeName(), localAddress());
            seedLinks.connect(created, seeds);
            log.debug(
                    "{}: listens on {} with {} seeds, incarnation {}",
                    nodeName(),
                    localAddress(),
                    config.seeds().size(),
                    config.incarnation());
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
        receiver.setClusterId(id);
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
            sends.later(link);
        } else {
            stats.messagesDropped.increment();
            link.signal();
        }
    }

    /** Hands what this thread has added to the senders. Call it at the end of an iteration of a loop. */
    public void flush() {
        sends.flush();
    }

    /**
     * Calls and answers made by this thread wait for its next {@link #flush} from now on, so that they leave together. For
     * event loops, which flush at the end of each iteration. (The transport's own threads flush after each frame.)
     */
    public void batchSendsOfThisThread() {
        sends.batch();
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
        return views.names();
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
        IpAddress ip = SeedLinks.ipOf(address);
        Link link = ip == null ? null : links.to(ip);
        if (link != null) {
            links.learn(name, link);
            link.greet();
            JChannel main = channel;
            if (main != null && ip != null) {
                SeedLinks.addToDiscovery(main, ip);
            }
        }
    }

    /** This node is not connected to for its own sake any more, such as after it was removed from the catalog. */
    public void forgetPeer(String name) {
        Link link = links.named(name);
        if (link != null) {
            link.learned = false;
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
            seedLinks.stop();
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
            log.debug("{}: closed its channel", nodeName());
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
        IpAddress ip = closed ? null : SeedLinks.ipOf(address);
        return ip == null ? null : links.to(ip);
    }

    /** Wakes the sender of a link, or leaves that to the thread's flush. */
    void send(Link link) {
        sends.send(link);
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
        if (callbackWarnings.pass(nanos())) {
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
        public boolean mayHear(Link link) {
            return config.linkFilter().allows(link.peerAddress, localAddress());
        }

        @Override
        public void callbackFailed(Throwable e) {
            ClusterChannel.this.callbackFailed(e);
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
}
