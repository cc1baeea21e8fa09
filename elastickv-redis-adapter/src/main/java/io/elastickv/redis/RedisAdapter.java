package io.elastickv.redis;

import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.Limits;
import io.elastickv.redis.internal.resp.RequestParser;
import io.elastickv.redis.internal.server.RedisServer;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Serves a node's store to Redis clients, in RESP2 and RESP3: plain clients and those that know Redis Cluster. Any
 * adapter takes any command, whichever node leads the key's shard. Thread-safe.
 *
 * <p>Adapters of different nodes know each other through the cluster; each publishes its address as the node's attribute
 * {@code redis.address}. Closing an adapter ends its connections; the node stays. Close the adapter before its node.
 */
public final class RedisAdapter implements AutoCloseable {

    private final RedisServer server;

    private RedisAdapter(RedisServer server) {
        this.server = server;
    }

    /** A builder with the defaults that its methods name. */
    public static Builder builder(ElastickvNode node) {
        return new Builder(node);
    }

    /** Where the adapter listens; the port is the real one even if port 0 was asked for. */
    public InetSocketAddress address() {
        return server.address();
    }

    /** Ends all connections and releases the port and the threads; idempotent. */
    @Override
    public void close() {
        server.close();
    }

    /** Collects the settings. Not thread-safe. */
    public static final class Builder {

        private static final int MAX_STRING_BYTES = Limits.MAX_VALUE_BYTES + 64 * 1024;
        private static final int MAX_ARGUMENTS = 1024 * 1024;
        private static final long MAX_REQUEST_BYTES = 64L * 1024 * 1024;

        private final ElastickvNode node;
        private String host = "127.0.0.1";
        private int port = 6379;
        private @Nullable String advertisedHost;
        private @Nullable Bytes password;
        private Duration timeout = Duration.ofSeconds(5);
        private int maxClients = 10_000;
        private int threads = Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors()));
        private int maxPipeline = 512;
        private InstantSource clock = InstantSource.system();

        private Builder(ElastickvNode node) {
            this.node = Objects.requireNonNull(node, "node");
        }

        /**
         * Where to listen; 127.0.0.1 and 6379 by default. Port 0 takes a free one.
         *
         * @throws IllegalArgumentException if {@code bindPort} is not from 0 to 65535, or {@code bindHost} is empty
         */
        public Builder bind(String bindHost, int bindPort) {
            if (Objects.requireNonNull(bindHost, "host").isBlank()) {
                throw new IllegalArgumentException("host = \"" + bindHost + "\": must not be empty");
            }
            if (bindPort < 0 || bindPort > 65535) {
                throw new IllegalArgumentException("port = " + bindPort + ": must be from 0 to 65535");
            }
            host = bindHost;
            port = bindPort;
            return this;
        }

        /**
         * Under which host clients are told to reach this adapter. By default the host it is bound to, and if that stands
         * for all interfaces, the host of the node's cluster address.
         *
         * @throws IllegalArgumentException if {@code value} is empty
         */
        public Builder advertisedHost(String value) {
            if (Objects.requireNonNull(value, "advertisedHost").isBlank()) {
                throw new IllegalArgumentException("advertisedHost = \"" + value + "\": must not be empty");
            }
            advertisedHost = value;
            return this;
        }

        /**
         * The password that clients must give; none by default.
         *
         * @throws IllegalArgumentException if {@code value} is empty
         */
        public Builder password(String value) {
            if (Objects.requireNonNull(value, "password").isEmpty()) {
                throw new IllegalArgumentException("password = \"\": must not be empty");
            }
            password = Bytes.utf8(value);
            return this;
        }

        /**
         * The longest time that a command may take; 5 s by default.
         *
         * @throws IllegalArgumentException if {@code value} is below 1 ms
         */
        public Builder timeout(Duration value) {
            if (Objects.requireNonNull(value, "timeout").compareTo(Duration.ofMillis(1)) < 0) {
                throw new IllegalArgumentException("timeout = " + value + ": must be at least 1 ms");
            }
            timeout = value;
            return this;
        }

        /**
         * The most clients at a time; further ones get an error. 10,000 by default.
         *
         * @throws IllegalArgumentException if {@code value} is not positive
         */
        public Builder maxClients(int value) {
            maxClients = positive("maxClients", value);
            return this;
        }

        /**
         * The number of threads for connections; the number of cores, but at most 4, by default.
         *
         * @throws IllegalArgumentException if {@code value} is not positive
         */
        public Builder threads(int value) {
            threads = positive("threads", value);
            return this;
        }

        /**
         * The most commands of one client that are under way at a time; more are left unread until some have ended. 512
         * by default.
         *
         * @throws IllegalArgumentException if {@code value} is not positive
         */
        public Builder maxPipeline(int value) {
            maxPipeline = positive("maxPipeline", value);
            return this;
        }

        /** The wall clock; the system's by default. */
        public Builder clock(InstantSource value) {
            clock = Objects.requireNonNull(value, "clock");
            return this;
        }

        /**
         * Binds and begins to serve.
         *
         * @throws java.io.UncheckedIOException if the address can't be bound, for example because the port is in use
         */
        public RedisAdapter start() {
            return new RedisAdapter(new RedisServer(
                    node,
                    new RedisServer.Config(
                            host,
                            port,
                            advertisedHost,
                            password,
                            timeout,
                            maxClients,
                            threads,
                            maxPipeline,
                            MAX_REQUEST_BYTES / 2,
                            new RequestParser.Limits(MAX_STRING_BYTES, MAX_ARGUMENTS, MAX_REQUEST_BYTES),
                            clock)));
        }

        private static int positive(String name, int value) {
            if (value < 1) {
                throw new IllegalArgumentException(name + " = " + value + ": must be positive");
            }
            return value;
        }
    }
}
