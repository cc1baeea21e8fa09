package io.elastickv.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The client as its user runs it, against a cluster in another process. */
@Timeout(300)
class ClientIT {

    @TempDir
    private static Path directory;

    private static JarProcess demo;
    private static int port;
    private static int redis;

    @BeforeAll
    static void startCluster() throws IOException {
        port = FreePorts.row(3);
        redis = FreePorts.row(3);
        demo = JarProcess.demo(directory, "--port", "" + port, "--redis-port", "" + redis);
        demo.awaitReady();
    }

    @AfterAll
    static void stopCluster() throws InterruptedException {
        if (demo != null) {
            demo.close();
        }
    }

    private record Outcome(int code, String out, String err) {
        String lastError() {
            List<String> lines = err.lines().toList();
            return lines.isEmpty() ? "" : lines.get(lines.size() - 1);
        }
    }

    private static Outcome client(String input, String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--seeds=127.0.0.1:" + port + ",127.0.0.1:" + (port + 1) + ",127.0.0.1:" + (port + 2));
        try (JarProcess client = JarProcess.client(directory, input, all.toArray(new String[0]))) {
            return new Outcome(client.awaitExit(), client.out(), client.err());
        }
    }

    @Test
    void singleCommandsAnswerOnStandardOutputAndByTheirExitCode() throws Exception {
        Outcome put = client("", "put", "greeting", "hello world", "--ttl", "1h");
        assertThat(put.code()).as(put.err()).isEqualTo(ExitCode.OK);
        assertThat(put.out()).startsWith("version ");
        assertThat(RespConnection.once(redis, "GET", "greeting")).isEqualTo("hello world");
        assertThat(Long.parseLong(RespConnection.once(redis, "TTL", "greeting")))
                .isBetween(3000L, 3600L);

        Outcome get = client("", "get", "greeting");
        assertThat(get.code()).as(get.err()).isEqualTo(ExitCode.OK);
        assertThat(get.out().strip()).isEqualTo("hello world");

        Outcome missing = client("", "get", "no-such-key");
        assertThat(missing.code()).as(missing.err()).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(missing.out()).isEmpty();
        assertThat(missing.err()).contains("not found");

        Outcome invalid = client("", "put", "", "value");
        assertThat(invalid.code()).as(invalid.err()).isEqualTo(ExitCode.USAGE);
        assertThat(invalid.err()).contains("invalid: ");
    }

    @Test
    void commandsComeFromAPipe() throws Exception {
        Outcome outcome = client("""
                # a comment
                put piped-1 'one value'
                put piped-2 two

                get piped-1
                get piped-1 --consistency local
                get piped-1 --consistency stale=1s
                scan --prefix piped- --limit 10
                explain piped-1
                status
                frobnicate
                delete piped-1
                delete piped-1
                exit
                put piped-3 never
                """);
        assertThat(outcome.code()).as(outcome.err()).isEqualTo(ExitCode.NOT_FOUND);
        List<String> lines = outcome.out().lines().toList();
        assertThat(lines.get(0)).startsWith("version ");
        assertThat(lines.get(1)).startsWith("version ");
        assertThat(lines.subList(2, 5)).containsOnly("one value");
        assertThat(lines.subList(5, 7)).containsExactlyInAnyOrder("piped-1", "piped-2");
        assertThat(lines.get(7))
                .contains("slot " + RespConnection.once(redis, "CLUSTER", "KEYSLOT", "piped-1"), "leader n");
        assertThat(lines.get(8)).startsWith("cluster ");
        assertThat(lines)
                .anyMatch(line -> line.matches("n1 +127\\.0\\.0\\.1:" + port + " +member +up +- +active .*:" + redis));
        assertThat(lines).anyMatch(line -> line.matches("0 +0-2047 +\\d+ +serving +n\\d +n1 n2 n3 .*"));
        assertThat(lines).filteredOn("deleted"::equals).hasSize(1);
        assertThat(outcome.err()).contains("frobnicate");
        assertThat(RespConnection.once(redis, "EXISTS", "piped-3")).isEqualTo("0");
    }

    @Test
    void anUnreachableClusterIsNotApplied() throws Exception {
        try (JarProcess client = JarProcess.client(
                directory, "", "get", "key", "--seeds=127.0.0.1:" + FreePorts.row(1), "--timeout=1s")) {
            assertThat(client.awaitExit()).as(client.err()).isEqualTo(ExitCode.NOT_APPLIED);
            assertThat(client.err()).contains("not applied: ");
            assertThat(client.out()).isEmpty();
        }
    }

    @Test
    void aWrongCommandLineIsOneLine() throws Exception {
        Outcome outcome = client("", "get", "key", "--consistency", "eventual");
        assertThat(outcome.code()).isEqualTo(ExitCode.USAGE);
        assertThat(outcome.err().lines()).hasSize(1);
        assertThat(outcome.lastError()).contains("eventual", "linearizable");
    }
}
