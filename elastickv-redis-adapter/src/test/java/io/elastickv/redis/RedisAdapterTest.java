package io.elastickv.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.api.OverloadedException;
import io.elastickv.api.UnavailableException;
import io.elastickv.redis.fake.FakeCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class RedisAdapterTest {

    private final FakeCluster cluster = FakeCluster.single();
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
        cluster.close();
    }

    private RedisAdapter.Builder builder() {
        return RedisAdapter.builder(cluster.node(0)).bind("127.0.0.1", 0);
    }

    private RedisAdapter start(RedisAdapter.Builder builder) {
        RedisAdapter adapter = builder.start();
        opened.add(adapter);
        return adapter;
    }

    private RawClient connect(RedisAdapter adapter) throws IOException {
        RawClient client = new RawClient(adapter.address());
        opened.add(client);
        return client;
    }

    @Test
    void settingsAreCheckedByName() {
        assertThatThrownBy(() -> builder().bind("127.0.0.1", 65536))
                .hasMessage("port = 65536: must be from 0 to 65535");
        assertThatThrownBy(() -> builder().bind(" ", 1)).hasMessage("host = \" \": must not be empty");
        assertThatThrownBy(() -> builder().password("")).hasMessage("password = \"\": must not be empty");
        assertThatThrownBy(() -> builder().maxClients(0)).hasMessage("maxClients = 0: must be positive");
        assertThatThrownBy(() -> builder().threads(-1)).hasMessage("threads = -1: must be positive");
        assertThatThrownBy(() -> builder().timeout(Duration.ZERO)).hasMessage("timeout = PT0S: must be at least 1 ms");
        assertThatThrownBy(() -> builder().advertisedHost("")).hasMessage("advertisedHost = \"\": must not be empty");
    }

    @Test
    void aPortInUseIsNamed() {
        RedisAdapter first = start(builder());
        int port = first.address().getPort();
        assertThatThrownBy(() -> builder().bind("127.0.0.1", port).start())
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("bind = 127.0.0.1:" + port)
                .hasMessageContaining("in use");
    }

    @Test
    void theAddressIsPublished() {
        RedisAdapter adapter = start(builder());
        assertThat(cluster.node(0).cluster().attribute("n1", "redis.address"))
                .contains("127.0.0.1:" + adapter.address().getPort());
    }

    @Test
    void closingEndsConnectionsAndThreadsAndFreesThePort() throws IOException {
        RedisAdapter adapter = start(builder());
        RawClient client = connect(adapter);
        assertThat(client.command("PING")).isEqualTo("+PONG\r\n");
        adapter.close();
        adapter.close();
        assertThat(client.rest()).isEmpty();
        await().untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.getName().startsWith("elastickv-n1-redis-")));
        start(builder().bind("127.0.0.1", adapter.address().getPort()));
    }

    @Test
    void tooManyClientsAreToldSo() throws IOException {
        RedisAdapter adapter = start(builder().maxClients(2));
        RawClient first = connect(adapter);
        assertThat(first.command("PING")).isEqualTo("+PONG\r\n");
        assertThat(connect(adapter).command("PING")).isEqualTo("+PONG\r\n");
        assertThat(connect(adapter).rest()).isEqualTo("-ERR max number of clients reached\r\n");
        first.close();
        await().until(() -> connect(adapter).command("PING").equals("+PONG\r\n"));
    }

    @Test
    void theStoresErrorsHaveCodesThatClientsKnow() throws IOException {
        RedisAdapter adapter = start(builder());
        RawClient client = connect(adapter);
        cluster.failure(() -> new UnavailableException("slot 1: no leader"));
        assertThat(client.command("GET", "a"))
                .isEqualTo("-CLUSTERDOWN The cluster is down: not applied: slot 1: no leader\r\n");
        assertThat(client.command("APPEND", "a", "b")).startsWith("-CLUSTERDOWN ");
        assertThat(client.command("INFO", "keyspace")).isEqualTo("$12\r\n# Keyspace\r\n\r\n");
        cluster.failure(() -> new OverloadedException("queue full", Duration.ofMillis(5)));
        assertThat(client.command("SET", "a", "b"))
                .isEqualTo("-TRYAGAIN Overloaded: not applied, try again in 5 ms: queue full\r\n");
        cluster.failure(() -> new OutcomeUnknownException("leader lost"));
        assertThat(client.command("INCR", "a"))
                .isEqualTo("-ERR outcome unknown: the command may or may not have taken effect: leader lost\r\n");
        cluster.failure(() -> new IllegalStateException("secret"));
        assertThat(client.command("INCR", "a")).isEqualTo("-ERR internal error: IllegalStateException\r\n");
    }

    @Test
    void keysAndValuesHaveLimits() throws IOException {
        RawClient client = connect(start(builder()));
        assertThat(client.command("GET", "")).isEqualTo("-ERR invalid key: length = 0 bytes: must be 1 to 65536\r\n");
        assertThat(client.command("SET", "k".repeat(65536), "v")).isEqualTo("+OK\r\n");
        assertThat(client.command("SET", "k".repeat(65537), "v"))
                .isEqualTo("-ERR invalid key: length = 65537 bytes: must be 1 to 65536\r\n");
        String largest = "v".repeat(16 << 20);
        assertThat(client.command("SET", "a", largest)).isEqualTo("+OK\r\n");
        assertThat(client.command("GET", "a")).isEqualTo("$16777216\r\n" + largest + "\r\n");
        assertThat(client.command("APPEND", "a", "v"))
                .isEqualTo("-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n");
        assertThat(client.command("SET", "a", largest + "v"))
                .isEqualTo("-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n");
        client.send("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$536870912\r\n");
        assertThat(client.rest()).isEqualTo("-ERR Protocol error: invalid bulk length\r\n");
    }

    @Test
    void aPasswordIsAskedFor() throws IOException {
        RedisAdapter adapter = start(builder().password("secret"));
        RawClient client = connect(adapter);
        assertThat(client.command("GET", "a")).isEqualTo("-NOAUTH Authentication required.\r\n");
        assertThat(client.command("FOO")).startsWith("-ERR unknown command 'FOO'");
        assertThat(client.command("AUTH", "bad"))
                .isEqualTo("-WRONGPASS invalid username-password pair or user is disabled.\r\n");
        assertThat(client.command("HELLO", "3")).startsWith("-NOAUTH HELLO must be called");
        assertThat(client.command("AUTH", "secret")).isEqualTo("+OK\r\n");
        assertThat(client.command("GET", "a")).isEqualTo("$-1\r\n");
        assertThat(client.command("RESET")).isEqualTo("+RESET\r\n");
        assertThat(client.command("GET", "a")).isEqualTo("-NOAUTH Authentication required.\r\n");
        assertThat(client.command("HELLO", "3", "AUTH", "default", "secret", "SETNAME", "me"))
                .startsWith("%7\r\n");
        assertThat(client.command("GET", "a")).isEqualTo("_\r\n");
        assertThat(client.command("CLIENT", "GETNAME")).isEqualTo("$2\r\nme\r\n");
        RawClient other = connect(adapter);
        other.send("*11\r\n");
        assertThat(other.rest()).isEqualTo("-ERR Protocol error: unauthenticated multibulk length\r\n");
    }

    @Test
    void pipelinedRepliesAreThoseOfOneAfterTheOther() throws IOException {
        long seed = Long.getLong("elastickv.seed", System.nanoTime());
        Random random = new Random(seed);
        String[] keys = {"{t}a", "{t}b", "{t}c", "x", "y"};
        List<String[]> commands = new ArrayList<>();
        for (int i = 0; i < 5000; i++) {
            String a = keys[random.nextInt(keys.length)];
            String b = keys[random.nextInt(keys.length)];
            String v = Integer.toString(i);
            commands.add(
                    switch (random.nextInt(18)) {
                        case 0, 1, 2 -> new String[] {"SET", a, v};
                        case 3, 4, 5 -> new String[] {"GET", a};
                        case 6, 7, 8 -> new String[] {"INCR", a};
                        case 9 -> new String[] {"DECR", a};
                        case 10 -> new String[] {"MGET", a, b};
                        case 11 -> new String[] {"APPEND", a, "1"};
                        case 12 -> new String[] {"RENAME", keys[i % 3], keys[(i + 1) % 3]};
                        case 13 -> new String[] {"DEL", a, b};
                        case 14 -> new String[] {"MSET", keys[i % 3], v, keys[(i + 1) % 3], v};
                        case 15 -> new String[] {i % 10 == 0 ? "DBSIZE" : "PING"};
                        case 16 -> new String[] {"STRLEN", a};
                        default -> new String[] {i % 50 == 0 ? "FLUSHALL" : "GETDEL", i % 50 == 0 ? "SYNC" : a};
                    });
        }
        List<String> expected = new ArrayList<>();
        RawClient single = connect(start(builder()));
        for (String[] command : commands) {
            expected.add(single.command(command));
        }
        single.command("FLUSHALL");

        cluster.maxDelayMicros(1000);
        RawClient pipelined = connect(start(builder()));
        StringBuilder batch = new StringBuilder();
        commands.forEach(command -> batch.append(RawClient.array(command)));
        Thread sender = new Thread(() -> {
            try {
                pipelined.send(batch.toString());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        sender.start();
        for (int i = 0; i < commands.size(); i++) {
            assertThat(pipelined.reply())
                    .as("seed %d, command %d: %s", seed, i, String.join(" ", commands.get(i)))
                    .isEqualTo(expected.get(i));
        }
    }

    @Test
    void neighboursOnOneKeyBecomeOneOperation() throws IOException {
        RawClient client = connect(start(builder()));
        long before = cluster.operations();
        client.send(RawClient.array("INCR", "n").repeat(100)
                + RawClient.array("GET", "n").repeat(100));
        for (int i = 1; i <= 100; i++) {
            assertThat(client.reply()).isEqualTo(":" + i + "\r\n");
        }
        for (int i = 1; i <= 100; i++) {
            assertThat(client.reply()).isEqualTo("$3\r\n100\r\n");
        }
        assertThat(cluster.operations() - before).isLessThan(50);
    }

    @Test
    void mergedAdditionsOverflowOneByOne() throws IOException {
        RawClient client = connect(start(builder()));
        client.command("SET", "n", Long.toString(Long.MAX_VALUE - 3));
        client.send(RawClient.array("INCR", "n").repeat(5));
        for (int i = 2; i >= 0; i--) {
            assertThat(client.reply()).isEqualTo(":" + (Long.MAX_VALUE - i) + "\r\n");
        }
        assertThat(client.reply()).isEqualTo("-ERR increment or decrement would overflow\r\n");
        assertThat(client.reply()).isEqualTo("-ERR increment or decrement would overflow\r\n");
    }

    @Test
    void aClientThatDoesNotReadIsNotReadFromEither() throws IOException {
        RawClient client = connect(start(builder()));
        String value = "v".repeat(1 << 20);
        client.command("SET", "a", value);
        client.command("GET", "a");
        long before = cluster.operations();
        int requests = 2000;
        for (int i = 0; i < requests; i++) {
            // Different keys in between keep the reads from becoming one.
            client.send(RawClient.array("MGET", "a", "k" + i));
        }
        AtomicLong seen = new AtomicLong(-1);
        await().during(Duration.ofSeconds(1)).until(() -> seen.getAndSet(cluster.operations()) == seen.get());
        assertThat(cluster.operations() - before).isLessThan(300);
        for (int i = 0; i < requests; i++) {
            assertThat(client.reply().length()).isGreaterThan(1 << 20);
        }
        assertThat(cluster.operations() - before).isEqualTo(requests);
    }

    @Test
    void whatWasSentCountsAlthoughTheClientIsGone() throws IOException {
        cluster.maxDelayMicros(500);
        RedisAdapter adapter = start(builder().maxPipeline(8));
        try (RawClient client = new RawClient(adapter.address())) {
            StringBuilder batch = new StringBuilder(RawClient.array("CLIENT", "REPLY", "OFF"));
            for (int i = 0; i < 300; i++) {
                batch.append(RawClient.array("INCR", "n")).append(RawClient.array("APPEND", "m", "x"));
            }
            client.send(batch.toString());
        }
        RawClient other = connect(adapter);
        await().untilAsserted(() -> {
            assertThat(other.command("GET", "n")).isEqualTo("$3\r\n300\r\n");
            assertThat(other.command("STRLEN", "m")).isEqualTo(":300\r\n");
        });
    }

    @Test
    void concurrentAppendsLoseNothing() throws Exception {
        cluster.maxDelayMicros(300);
        RedisAdapter first = start(builder());
        RedisAdapter second = start(builder());
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 8; t++) {
            RawClient client = connect(t % 2 == 0 ? first : second);
            Thread thread = new Thread(() -> {
                for (int i = 0; i < 25; i++) {
                    try {
                        assertThat(client.command("APPEND", "a", "x")).startsWith(":");
                        assertThat(client.command("INCRBYFLOAT", "f", "0.5")).startsWith("$");
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        RawClient client = connect(first);
        assertThat(client.command("STRLEN", "a")).isEqualTo(":200\r\n");
        assertThat(client.command("GET", "f")).isEqualTo("$3\r\n100\r\n");
    }

    @Test
    void clientsCanBeListedAndKilled() throws IOException {
        RedisAdapter adapter = start(builder());
        RawClient client = connect(adapter);
        RawClient victim = connect(adapter);
        String id = victim.command("CLIENT", "ID").substring(1).trim();
        victim.command("CLIENT", "SETNAME", "victim");
        victim.command("CLIENT", "SETINFO", "lib-name", "lib");
        assertThat(victim.command("CLIENT", "SETINFO", "lib-ver", "1 2"))
                .isEqualTo("-ERR lib-ver cannot contain spaces, newlines or special characters.\r\n");
        assertThat(victim.command("CLIENT", "SETINFO", "foo", "1")).isEqualTo("-ERR Unrecognized option 'foo'\r\n");
        assertThat(client.command("CLIENT", "LIST", "ID", id))
                .contains("id=" + id + " addr=127.0.0.1:")
                .contains(" name=victim ")
                .contains(" cmd=client|setinfo user=default redir=-1 resp=2 lib-name=lib lib-ver=");
        assertThat(client.command("CLIENT", "KILL", "ID", id)).isEqualTo(":1\r\n");
        assertThat(victim.rest()).isEmpty();
        await().untilAsserted(() -> assertThat(client.command("CLIENT", "LIST")).doesNotContain("name=victim"));
        client.send(RawClient.array("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no") + RawClient.array("PING"));
        assertThat(client.rest()).isEqualTo(":1\r\n");
    }

    @Test
    void repliesCanBeSwitchedOff() throws IOException {
        RawClient client = connect(start(builder()));
        client.send(
                "CLIENT REPLY OFF\r\nPING\r\nSET a 1\r\nCLIENT REPLY ON\r\nCLIENT REPLY SKIP\r\nGET a\r\nECHO x\r\n");
        assertThat(client.reply()).isEqualTo("+OK\r\n");
        assertThat(client.reply()).isEqualTo("$1\r\nx\r\n");
    }

    @Test
    void quitEndsTheConnectionAfterItsReply() throws IOException {
        RawClient client = connect(start(builder()));
        client.send("SET a 1\r\nGET a\r\nQUIT\r\nPING\r\n");
        assertThat(client.rest()).isEqualTo("+OK\r\n$1\r\n1\r\n+OK\r\n");
    }

    @Test
    void httpIsCutOff() throws IOException {
        RawClient client = connect(start(builder()));
        client.send("POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET a 1\r\n");
        assertThat(client.rest()).isEmpty();
    }

    @Test
    void waitTellsHowManyReplicasAreSure() throws IOException {
        try (FakeCluster three = new FakeCluster(3, 2, java.time.InstantSource.system());
                RedisAdapter adapter =
                        RedisAdapter.builder(three.node(0)).bind("127.0.0.1", 0).start();
                RawClient client = new RawClient(adapter.address())) {
            assertThat(client.command("WAIT", "2", "1000")).isEqualTo(":1\r\n");
        }
    }
}
