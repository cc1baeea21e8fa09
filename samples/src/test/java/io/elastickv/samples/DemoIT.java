package io.elastickv.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The demo as its user runs it: the jar, a process, signals. */
@Timeout(300)
class DemoIT {

    private static final int SIGTERM_EXIT = 143;

    @TempDir
    private Path directory;

    @Test
    void threeNodesInOneProcessServeTheSessionOfTheReadmeAndLeaveInTime() throws Exception {
        int port = FreePorts.row(3);
        int redis = FreePorts.row(3);
        try (JarProcess demo = JarProcess.demo(directory, "--port", "" + port, "--redis-port", "" + redis)) {
            assertThat(demo.awaitReady())
                    .isEqualTo("ready redis=127.0.0.1:%d,127.0.0.1:%d,127.0.0.1:%d", redis, redis + 1, redis + 2);
            assertThat(RespConnection.once(redis, "SET", "key", "value")).isEqualTo("OK");
            assertThat(RespConnection.once(redis, "GET", "key")).isEqualTo("value");
            assertThat(RespConnection.once(redis + 1, "GET", "key")).isEqualTo("value");
            assertThat(RespConnection.once(redis + 1, "SET", "bbbb", "1234")).isEqualTo("OK");
            assertThat(RespConnection.once(redis + 2, "GET", "bbbb")).isEqualTo("1234");
            assertThat(RespConnection.once(redis + 1, "GET", "bbbb")).isEqualTo("1234");
            assertThat(RespConnection.once(redis, "GET", "bbbb")).isEqualTo("1234");
            assertThat(temporaryData()).hasSize(3);

            assertThat(demo.terminate()).isLessThan(Duration.ofSeconds(5));

            assertThat(demo.awaitExit()).isEqualTo(SIGTERM_EXIT);
            assertThat(temporaryData()).isEmpty();
            assertThat(demo.out().lines()).hasSize(1);
            assertThat(demo.err()).doesNotContain("\tat ").doesNotContain("gave up");
        }
    }

    private List<Path> temporaryData() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.getFileName().toString().startsWith("elastickv-demo-"))
                    .toList();
        }
    }

    @Test
    void aKilledProcessComesBackOnItsData() throws Exception {
        int port = FreePorts.row(3);
        int redis = FreePorts.row(3);
        List<JarProcess> demos = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                demos.add(node(port, redis, i));
            }
            for (int i = 0; i < 3; i++) {
                assertThat(demos.get(i).awaitReady()).isEqualTo("ready redis=127.0.0.1:" + (redis + i));
            }
            for (int i = 0; i < 30; i++) {
                assertThat(RespConnection.once(redis + i % 3, "INCR", "count" + i % 10))
                        .isEqualTo("" + (i / 10 + 1));
            }

            demos.get(2).kill();

            // A command under way towards the killed leader may fail; each is bounded, and they soon go through again.
            await().atMost(Duration.ofSeconds(30))
                    .ignoreExceptions()
                    .until(() ->
                            RespConnection.once(redis, "SET", "during", "1").equals("OK"));
            for (int i = 0; i < 10; i++) {
                int key = i;
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> RespConnection.once(redis, "SET", "while-away" + key, "v" + key)
                                .equals("OK"));
                assertThat(RespConnection.once(redis + 1, "GET", "count" + i)).isEqualTo("3");
            }

            try (JarProcess again = node(port, redis, 2)) {
                assertThat(again.awaitReady()).isEqualTo("ready redis=127.0.0.1:" + (redis + 2));
                for (int i = 0; i < 10; i++) {
                    assertThat(RespConnection.once(redis + 2, "GET", "while-away" + i))
                            .isEqualTo("v" + i);
                    assertThat(RespConnection.once(redis + 2, "INCR", "count" + i))
                            .isEqualTo("4");
                }
                assertThat(again.terminate()).isLessThan(Duration.ofSeconds(5));
            }
        } finally {
            for (JarProcess demo : demos) {
                demo.close();
            }
        }
    }

    private JarProcess node(int port, int redis, int index) throws IOException {
        String seeds = "127.0.0.1:" + port + ",127.0.0.1:" + (port + 1) + ",127.0.0.1:" + (port + 2);
        return JarProcess.demo(
                directory,
                "--node",
                "node-" + index,
                "--port",
                "" + (port + index),
                "--seeds",
                seeds,
                "--redis-port",
                "" + (redis + index),
                "--data",
                directory.resolve("data-" + index).toString());
    }

    @Test
    void aSignalDuringTheStartLeavesNothingBehind() throws Exception {
        int port = FreePorts.row(2);
        String seeds = "127.0.0.1:" + port + ",127.0.0.1:" + (port + 1);
        try (JarProcess demo = JarProcess.demo(
                directory, "--node", "n1", "--port", "" + port, "--seeds", seeds, "--redis-port", "0")) {
            await().atMost(Duration.ofMinutes(1)).until(() -> demo.err().contains("a temporary directory"));

            assertThat(demo.terminate()).isLessThan(Duration.ofSeconds(5));

            assertThat(demo.awaitExit()).isEqualTo(SIGTERM_EXIT);
            assertThat(demo.out()).isEmpty();
            assertThat(temporaryData()).isEmpty();
        }
    }

    @Test
    void aPortInUseIsOneClearLine() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int port = FreePorts.row(1);
            String inUse = "" + taken.getLocalPort();
            try (JarProcess demo =
                    JarProcess.demo(directory, "--node", "n1", "--port", "" + port, "--redis-port", inUse)) {
                assertThat(demo.awaitExit()).isEqualTo(ExitCode.FAILED);
                assertFailedWith(demo, inUse, "--redis-port");
            }
            try (JarProcess demo = JarProcess.demo(directory, "--node", "n1", "--port", inUse, "--redis-port", "0")) {
                assertThat(demo.awaitExit()).isEqualTo(ExitCode.FAILED);
                assertFailedWith(demo, inUse, "port");
            }
            assertThat(temporaryData()).isEmpty();
        }
    }

    @Test
    void anUnusableDirectoryIsOneClearLine() throws Exception {
        Path file = Files.createFile(directory.resolve("file"));
        try (JarProcess demo = JarProcess.demo(
                directory, "--node", "n1", "--port", "" + FreePorts.row(1), "--data", file.toString())) {
            assertThat(demo.awaitExit()).isEqualTo(ExitCode.FAILED);
            assertFailedWith(demo, file.toString(), "directory");
        }
    }

    @Test
    void wrongOptionsAreOneClearLineAndHelpIsThere() throws Exception {
        try (JarProcess demo = JarProcess.demo(directory, "--sedes", "a:1")) {
            assertThat(demo.awaitExit()).isEqualTo(ExitCode.USAGE);
            assertFailedWith(demo, "--sedes", "--help");
            assertThat(demo.err().lines()).hasSize(1);
        }
        try (JarProcess demo = JarProcess.demo(directory, "--help")) {
            assertThat(demo.awaitExit()).isEqualTo(ExitCode.OK);
            assertThat(demo.out()).contains("--node", "--seeds", "--redis-port", "--data");
        }
    }

    private static void assertFailedWith(JarProcess demo, String... parts) {
        assertThat(demo.out()).isEmpty();
        List<String> lines = demo.err().lines().toList();
        assertThat(lines.get(lines.size() - 1)).startsWith("elastickv-demo: ").contains(parts);
        assertThat(lines).noneMatch(line -> line.startsWith("\tat "));
    }
}
