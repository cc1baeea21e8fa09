package io.elastickv.redis.internal.server;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.UnsafeBytes;
import io.elastickv.redis.internal.command.ClientState;
import io.elastickv.redis.internal.command.CommandTable;
import io.elastickv.redis.internal.command.Commands;
import io.elastickv.redis.internal.command.Server;
import io.elastickv.redis.internal.command.Statistics;
import io.elastickv.redis.internal.resp.RequestParser;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Collections;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Listens for clients. Thread-safe. */
public final class RedisServer implements Server, AutoCloseable {

    /** What the adapter's builder collected; checked there. */
    public record Config(
            String host,
            int port,
            @Nullable String advertisedHost,
            @Nullable Bytes password,
            Duration timeout,
            int maxClients,
            int threads,
            int maxCallsPerClient,
            long maxBytesPerClient,
            RequestParser.Limits limits,
            InstantSource clock) {}

    private static final Logger LOG = LoggerFactory.getLogger(RedisServer.class);
    private static final WriteBufferWaterMark OUTPUT_LIMIT = new WriteBufferWaterMark(256 * 1024, 1024 * 1024);
    private static final int BACKLOG = 511;

    private final ElastickvNode node;
    private final Config config;
    private final AsyncKeyValueStore store;
    private final Statistics statistics = new Statistics();
    private final CommandTable table;
    private final AtomicLong clientIds = new AtomicLong();
    private final AtomicInteger clientCount = new AtomicInteger();
    private final ConcurrentNavigableMap<Long, ClientState> clients = new ConcurrentSkipListMap<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final EventLoopGroup loops;
    private final ChannelGroup channels = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
    private final Channel listener;
    private final InetSocketAddress address;
    private final String advertisedHost;

    /**
     * Binds and tells the cluster.
     *
     * @throws UncheckedIOException if the address can't be bound
     */
    public RedisServer(ElastickvNode node, Config config) {
        this.node = node;
        this.config = config;
        this.store = node.asyncStore().withTimeout(config.timeout());
        this.table = Commands.table(this);
        this.loops = new NioEventLoopGroup(config.threads(), new AdapterThreads(node.name()));
        try {
            this.listener = bind();
        } catch (RuntimeException e) {
            loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
            throw e;
        }
        this.address = (InetSocketAddress) listener.localAddress();
        this.advertisedHost = AdvertisedHost.choose(config.advertisedHost(), address, node);
        try {
            node.cluster().setAttribute(ADDRESS_ATTRIBUTE, advertisedHost + ":" + address.getPort());
        } catch (RuntimeException e) {
            close();
            throw e;
        }
        LOG.info(
                "Redis adapter of node {} listens on {}, known as {}:{}",
                node.name(),
                address,
                advertisedHost,
                address.getPort());
    }

    private Channel bind() {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, OUTPUT_LIMIT)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channels.add(channel);
                        channel.pipeline().addLast(new ClientConnection(RedisServer.this));
                    }
                });
        ChannelFuture future = bootstrap.bind(config.host(), config.port()).awaitUninterruptibly();
        if (!future.isSuccess()) {
            String where = "bind = " + config.host() + ":" + config.port();
            Throwable cause = future.cause();
            throw new UncheckedIOException(
                    where + ": " + cause.getMessage(),
                    cause instanceof IOException io ? io : new IOException(where, cause));
        }
        return future.channel();
    }

    /** Where the adapter listens. */
    public InetSocketAddress address() {
        return address;
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        listener.close().awaitUninterruptibly();
        channels.close().awaitUninterruptibly();
        loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    boolean admit(Session client) {
        if (clientCount.incrementAndGet() > config.maxClients()) {
            clientCount.decrementAndGet();
            return false;
        }
        clients.put(client.id(), client);
        return true;
    }

    void remove(Session client) {
        if (clients.remove(client.id()) != null) {
            clientCount.decrementAndGet();
        }
    }

    long nextClientId() {
        return clientIds.incrementAndGet();
    }

    CommandTable table() {
        return table;
    }

    RequestParser.Limits parserLimits() {
        return config.limits();
    }

    int maxCallsPerClient() {
        return config.maxCallsPerClient();
    }

    long maxBytesPerClient() {
        return config.maxBytesPerClient();
    }

    @Override
    public ElastickvNode node() {
        return node;
    }

    @Override
    public AsyncKeyValueStore store() {
        return store;
    }

    @Override
    public Duration timeout() {
        return config.timeout();
    }

    @Override
    public InstantSource clock() {
        return config.clock();
    }

    @Override
    public String advertisedHost() {
        return advertisedHost;
    }

    @Override
    public int port() {
        return address.getPort();
    }

    @Override
    public byte @Nullable [] password() {
        Bytes password = config.password();
        return password == null ? null : UnsafeBytes.array(password);
    }

    @Override
    public int maxClients() {
        return config.maxClients();
    }

    @Override
    public int maxStringBytes() {
        return config.limits().maxStringBytes();
    }

    @Override
    public Collection<ClientState> clients() {
        return Collections.unmodifiableCollection(clients.values());
    }

    @Override
    public Statistics statistics() {
        return statistics;
    }
}
