package io.elastickv.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.elastickv.redis.fake.FakeCluster;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.KeyValue;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.api.sync.RedisAdvancedClusterCommands;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import io.lettuce.core.protocol.ProtocolVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.ClusterPipeline;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.Response;
import redis.clients.jedis.params.ScanParams;
import redis.clients.jedis.params.SetParams;
import redis.clients.jedis.resps.ScanResult;

/** Clients as applications use them, plain and in cluster mode, against three nodes. */
@Timeout(120)
class RedisClientsIT {

    private final FakeCluster cluster = new FakeCluster(3, 6, InstantSource.system());
    private final List<RedisAdapter> adapters = new ArrayList<>();

    @BeforeEach
    void start() {
        for (int i = 0; i < 3; i++) {
            adapters.add(
                    RedisAdapter.builder(cluster.node(i)).bind("127.0.0.1", 0).start());
        }
    }

    @AfterEach
    void stop() {
        adapters.forEach(RedisAdapter::close);
        cluster.close();
    }

    private int port(int index) {
        return adapters.get(index).address().getPort();
    }

    private HostAndPort jedisAddress(int index) {
        return new HostAndPort("127.0.0.1", port(index));
    }

    @Test
    void jedisPlain() {
        for (RedisProtocol protocol : new RedisProtocol[] {RedisProtocol.RESP2, RedisProtocol.RESP3}) {
            try (RedisClient jedis = RedisClient.builder()
                    .hostAndPort(jedisAddress(0))
                    .clientConfig(DefaultJedisClientConfig.builder()
                            .protocol(protocol)
                            .clientName("test")
                            .build())
                    .build()) {
                jedis.flushAll();
                assertThat(jedis.set("a", "1")).isEqualTo("OK");
                assertThat(jedis.set("a", "2", SetParams.setParams().nx())).isNull();
                assertThat(jedis.set("b", "2", SetParams.setParams().ex(100))).isEqualTo("OK");
                assertThat(jedis.ttl("b")).isBetween(99L, 100L);
                assertThat(jedis.mget("a", "b", "c")).containsExactly("1", "2", null);
                assertThat(jedis.incrBy("a", 41)).isEqualTo(42);
                assertThat(jedis.incrByFloat("f", 0.5)).isEqualTo(0.5);
                assertThat(jedis.del("a", "b", "c")).isEqualTo(2);
                assertThat(jedis.info("server")).contains("redis_version:7.");
                try (Pipeline pipeline = jedis.pipelined()) {
                    List<Response<Long>> responses = new ArrayList<>();
                    for (int i = 0; i < 1000; i++) {
                        responses.add(pipeline.incr("n" + i % 10));
                    }
                    pipeline.sync();
                    for (int i = 0; i < 1000; i++) {
                        assertThat(responses.get(i).get()).isEqualTo(i / 10 + 1);
                    }
                }
                Set<String> keys = new TreeSet<>();
                String cursor = ScanParams.SCAN_POINTER_START;
                do {
                    ScanResult<String> page =
                            jedis.scan(cursor, new ScanParams().match("n*").count(3));
                    keys.addAll(page.getResult());
                    cursor = page.getCursor();
                } while (!cursor.equals(ScanParams.SCAN_POINTER_START));
                assertThat(keys).hasSize(10);
                assertThat(jedis.keys("n*")).isEqualTo(keys);
                assertThat(jedis.get("bin\u0000".getBytes(UTF_8))).isNull();
            }
        }
    }

    @Test
    void jedisCluster() {
        try (RedisClusterClient jedis = RedisClusterClient.create(jedisAddress(1))) {
            assertThat(jedis.getClusterNodes().keySet())
                    .isEqualTo(adapters.stream()
                            .map(adapter -> "127.0.0.1:" + adapter.address().getPort())
                            .collect(Collectors.toSet()));
            for (int i = 0; i < 300; i++) {
                assertThat(jedis.set("k" + i, "v" + i)).isEqualTo("OK");
            }
            for (int i = 0; i < 300; i++) {
                assertThat(jedis.get("k" + i)).isEqualTo("v" + i);
            }
            assertThat(jedis.mset("{t}a", "1", "{t}b", "2")).isEqualTo("OK");
            assertThat(jedis.mget("{t}a", "{t}b")).containsExactly("1", "2");
            assertThat(jedis.rename("{t}a", "{t}c")).isEqualTo("OK");
            try (ClusterPipeline pipeline = jedis.pipelined()) {
                List<Response<String>> responses = new ArrayList<>();
                for (int i = 0; i < 300; i++) {
                    responses.add(pipeline.get("k" + i));
                }
                pipeline.sync();
                for (int i = 0; i < 300; i++) {
                    assertThat(responses.get(i).get()).isEqualTo("v" + i);
                }
            }
        }
    }

    @Test
    void lettucePlain() throws Exception {
        for (ProtocolVersion version : ProtocolVersion.values()) {
            io.lettuce.core.RedisClient client = io.lettuce.core.RedisClient.create(RedisURI.builder()
                    .withHost("127.0.0.1")
                    .withPort(port(0))
                    .withClientName("me")
                    .build());
            client.setOptions(ClientOptions.builder().protocolVersion(version).build());
            try (StatefulRedisConnection<String, String> connection = client.connect()) {
                RedisCommands<String, String> redis = connection.sync();
                redis.flushall();
                assertThat(redis.set("a", "1", SetArgs.Builder.ex(100))).isEqualTo("OK");
                assertThat(redis.setGet("a", "2")).isEqualTo("1");
                assertThat(redis.getex("a", io.lettuce.core.GetExArgs.Builder.ex(Duration.ofSeconds(50))))
                        .isEqualTo("2");
                assertThat(redis.clientGetname()).isEqualTo("me");
                assertThat(redis.mget("a", "b")).containsExactly(KeyValue.just("a", "2"), KeyValue.empty("b"));
                assertThat(redis.expire("a", 10)).isTrue();
                assertThat(redis.command()).isNotEmpty();
                assertThat(redis.commandCount()).isGreaterThan(60);
                assertThat(redis.time()).hasSize(2);
            } finally {
                client.shutdown(0, 1, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void lettuceCluster() throws Exception {
        io.lettuce.core.cluster.RedisClusterClient client =
                io.lettuce.core.cluster.RedisClusterClient.create("redis://127.0.0.1:" + port(2));
        try (StatefulRedisClusterConnection<String, String> connection = client.connect()) {
            assertThat(client.getPartitions()).hasSize(3);
            assertThat(client.getPartitions().stream()
                            .mapToInt(node -> node.getSlots().size())
                            .sum())
                    .isEqualTo(16384);
            assertThat(client.getPartitions())
                    .allMatch(node -> node.is(RedisClusterNode.NodeFlag.UPSTREAM) && node.isConnected());
            RedisAdvancedClusterCommands<String, String> redis = connection.sync();
            assertThat(redis.mset(Map.of("{t}a", "1", "{t}b", "2"))).isEqualTo("OK");
            for (int i = 0; i < 100; i++) {
                redis.set("k" + i, "v");
            }
            Set<String> keys = new TreeSet<>();
            KeyScanCursor<String> cursor = redis.scan(ScanArgs.Builder.matches("k*"));
            keys.addAll(cursor.getKeys());
            while (!cursor.isFinished()) {
                cursor = redis.scan(cursor, ScanArgs.Builder.matches("k*"));
                keys.addAll(cursor.getKeys());
            }
            assertThat(keys).hasSize(100);
            List<RedisFuture<Long>> futures = new ArrayList<>();
            for (int i = 0; i < 2000; i++) {
                futures.add(connection.async().incr("n"));
            }
            for (int i = 0; i < 2000; i++) {
                assertThat(futures.get(i).get(10, TimeUnit.SECONDS)).isEqualTo(i + 1);
            }
            assertThat(redis.mget("k1", "k2", "k3")).hasSize(3);
            assertThat(redis.del("k1", "k2", "k3")).isEqualTo(3);
        } finally {
            client.shutdown(0, 1, TimeUnit.SECONDS);
        }
    }

    @Test
    void redisCli() throws Exception {
        assertThat(cli("SET key value\nGET key\n", "-p", port(0))).isEqualTo("OK\nvalue\n");
        assertThat(cli("", "-p", port(1), "GET", "key")).isEqualTo("value\n");
        assertThat(cli("", "-c", "-p", port(2), "SET", "bbbb", "1234")).isEqualTo("OK\n");
        for (int i = 0; i < 3; i++) {
            assertThat(cli("", "-c", "-p", port(i), "GET", "bbbb")).isEqualTo("1234\n");
        }
        assertThat(cli("", "-p", port(0), "--scan").lines()).containsExactlyInAnyOrder("key", "bbbb");
        assertThat(cli("", "-3", "-p", port(0), "HELLO")).contains("proto 3").contains("mode cluster");
        assertThat(cli("", "-p", port(0), "--cluster", "info", "127.0.0.1:" + port(0)))
                .contains("3 masters");
    }

    @Test
    void redisBenchmark() throws Exception {
        String report = run(
                "", "redis-benchmark", "-p", port(0), "-t", "ping,set,get,incr,mset", "-n", "20000", "-P", "16", "-q");
        assertThat(report).doesNotContainIgnoringCase("error").contains("SET: ").contains("MSET (10 keys): ");
        report = run(
                "", "redis-benchmark", "-p", port(0), "--cluster", "-t", "set,get", "-n", "20000", "-r", "1000", "-q");
        assertThat(report).doesNotContainIgnoringCase("error").contains("SET: ");
    }

    private static String cli(String input, Object... arguments) throws Exception {
        Object[] command = new Object[arguments.length + 1];
        command[0] = "redis-cli";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        return run(input, command);
    }

    private static String run(String input, Object... command) throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin", command[0].toString())), command[0] + " is not installed");
        List<String> words = new ArrayList<>();
        for (Object word : command) {
            words.add(word.toString());
        }
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        try {
            process.getOutputStream().write(input.getBytes(UTF_8));
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), UTF_8);
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            return output;
        } finally {
            process.destroyForcibly();
        }
    }
}
