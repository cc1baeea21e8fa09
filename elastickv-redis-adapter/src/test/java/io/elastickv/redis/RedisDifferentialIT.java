package io.elastickv.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.elastickv.embedded.FreePorts;
import io.elastickv.redis.fake.FakeCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sends the same random commands to a Redis server, where one is installed, and to the adapter. */
class RedisDifferentialIT {

    private static final Path SERVER = Path.of("/usr/bin/redis-server");
    private static final int COMMANDS = 20_000;

    private static final Map<String, String[]> PLACEHOLDERS = Map.of(
            "K", new String[] {"{t}a", "{t}b", "{t}c", "{t}d"},
            "V", new String[] {"v", "", "1", "-7", "12.5", "9223372036854775807", "foo bar", "10"},
            "N", new String[] {"0", "1", "-1", "5", "-3", "100", "9223372036854775807", "-9223372036854775808", "x"},
            "F", new String[] {"0.1", "1.5", "-2", "3e2", "abc", "100"},
            "T", new String[] {"1000", "2000", "3000", "-1", "0", "x"},
            "A", new String[] {"33177117420", "33177117421", "1", "-5", "0"},
            "C", new String[] {"NX", "XX", "GT", "LT"},
            "X", new String[] {"NX", "XX", "GET", "KEEPTTL", "EX", "1000"});

    private static final String[] COMMANDS_WITH_PLACES = {
        "GET K",
        "SET K V",
        "SET K V X",
        "SET K V X X",
        "SET K V X X X",
        "SET K V EX T",
        "SET K V EXAT A",
        "GETDEL K",
        "GETEX K",
        "GETEX K EX T",
        "GETEX K PERSIST",
        "GETEX K EXAT A",
        "GETSET K V",
        "SETNX K V",
        "SETEX K T V",
        "MGET K K K",
        "MSET K V K V",
        "MSETNX K V K V",
        "APPEND K V",
        "STRLEN K",
        "SETRANGE K N V",
        "GETRANGE K N N",
        "INCR K",
        "DECR K",
        "INCRBY K N",
        "DECRBY K N",
        "INCRBYFLOAT K F",
        "DEL K K",
        "UNLINK K",
        "EXISTS K K",
        "TYPE K",
        "TOUCH K K",
        "EXPIRE K T",
        "EXPIRE K R C",
        "EXPIRE K R C C",
        "EXPIREAT K A",
        "EXPIREAT K A C",
        "TTL K",
        "EXPIRETIME K",
        "PERSIST K",
        "RENAME K K",
        "RENAMENX K K",
        "COPY K K",
        "COPY K K REPLACE",
        "STRLEN K",
        "FLUSHALL"
    };

    @TempDir
    private Path directory;

    @Test
    void randomCommandsGetTheSameReplies() throws Exception {
        assumeTrue(Files.isExecutable(SERVER), "no redis-server installed");
        long seed = Long.getLong("elastickv.seed", System.nanoTime());
        Random random = new Random(seed);
        int port = FreePorts.choose();
        Process redis = startRedis(port);
        try (FakeCluster cluster = FakeCluster.single();
                RedisAdapter adapter = RedisAdapter.builder(cluster.node(0))
                        .bind("127.0.0.1", 0)
                        .start();
                RawClient expected = connect(port);
                RawClient actual = new RawClient(adapter.address())) {
            List<String> last = new ArrayList<>();
            for (int i = 0; i < COMMANDS; i++) {
                String[] command = fill(
                        COMMANDS_WITH_PLACES[random.nextInt(COMMANDS_WITH_PLACES.length - (i % 50 == 0 ? 0 : 1))],
                        random);
                last.add(String.join(" ", command));
                if (last.size() > 12) {
                    last.remove(0);
                }
                String want = expected.command(command);
                String got = actual.command(command);
                assertThat(same(command, want, got))
                        .as("seed %d, command %d: %s%nredis   %s%nadapter %s", seed, i, last, want, got)
                        .isTrue();
            }
        } finally {
            redis.destroy();
            redis.waitFor();
        }
    }

    @Test
    void theRecordedRepliesAreThoseOfRedis() throws Exception {
        assumeTrue(Files.isExecutable(SERVER), "no redis-server installed");
        int port = FreePorts.choose();
        Process redis =
                startRedis(port, "--cluster-enabled", "yes", "--cluster-port", Integer.toString(FreePorts.choose()));
        try (RawClient admin = connect(port)) {
            assumeTrue(admin.inline("INFO server").contains("redis_version:7.0."), "not Redis 7.0");
            admin.inline("CLUSTER ADDSLOTSRANGE 0 16383");
            await().until(() -> admin.inline("CLUSTER INFO").contains("cluster_state:ok"));
            for (RecordedReplies.Block block : RecordedReplies.blocks()) {
                if (block.name().equals("several keys, no cluster")) {
                    continue;
                }
                admin.inline("FLUSHALL");
                try (RawClient client = new RawClient(port)) {
                    for (RecordedReplies.Exchange exchange : block.exchanges()) {
                        assertThat(exchange.comparable(client.inline(exchange.command())))
                                .as(block.name() + ": " + exchange.command())
                                .isEqualTo(exchange.reply());
                    }
                }
            }
        } finally {
            redis.destroy();
            redis.waitFor();
        }
    }

    private Process startRedis(int port, String... more) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(SERVER.toString(), "--port", Integer.toString(port), "--save", "", "--bind", "127.0.0.1"));
        command.addAll(List.of(more));
        return new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectOutput(directory.resolve("redis-" + port + ".log").toFile())
                .redirectErrorStream(true)
                .start();
    }

    /** Seconds may pass between the two. */
    private static boolean same(String[] command, String want, String got) {
        if (want.equals(got)) {
            return true;
        }
        boolean time = command[0].equals("TTL") || (command[0].equals("EXPIRETIME") && want.startsWith(":"));
        return time
                && Math.abs(Long.parseLong(want.substring(1).trim())
                                - Long.parseLong(got.substring(1).trim()))
                        <= 1;
    }

    private static String[] fill(String template, Random random) {
        String[] words = template.split(" ");
        for (int i = 0; i < words.length; i++) {
            if (words[i].equals("R")) {
                // Never the same twice: which of two equal times is later depends on the millisecond.
                words[i] = Integer.toString(5000 + random.nextInt(1_000_000_000));
            }
            String[] choices = PLACEHOLDERS.get(words[i]);
            if (choices != null) {
                words[i] = choices[random.nextInt(choices.length)];
            }
        }
        return words;
    }

    private static RawClient connect(int port) throws Exception {
        return await().ignoreException(java.net.ConnectException.class)
                .until(() -> new RawClient(port), client -> true);
    }
}
