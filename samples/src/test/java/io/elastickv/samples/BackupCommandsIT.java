package io.elastickv.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The two commands as their user runs them: from a cluster of three into an empty one of a single node. */
@Timeout(300)
class BackupCommandsIT {

    @TempDir
    private Path directory;

    private record Outcome(int code, String out, String err) {}

    private Outcome client(String seeds, String input, String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--seeds=" + seeds);
        try (JarProcess client = JarProcess.client(directory, input, all.toArray(new String[0]))) {
            return new Outcome(client.awaitExit(), client.out(), client.err());
        }
    }

    @Test
    void aClusterMovesIntoAnotherByTwoCommands() throws Exception {
        Path backup = directory.resolve("all.backup");
        int port = FreePorts.row(3);
        int redis = FreePorts.row(3);
        String seeds = "127.0.0.1:" + port + ",127.0.0.1:" + (port + 1) + ",127.0.0.1:" + (port + 2);
        try (JarProcess demo = JarProcess.demo(directory, "--port", "" + port, "--redis-port", "" + redis)) {
            demo.awaitReady();
            for (int i = 0; i < 100; i++) {
                RespConnection.once(redis + i % 3, "SET", "key" + i, "value" + i);
            }
            RespConnection.once(redis, "SET", "mortal", "value", "PX", "3600000");

            Outcome exported = client(seeds, "", "export", backup.toString());
            assertThat(exported.code()).as(exported.err()).isEqualTo(ExitCode.OK);
            assertThat(exported.out()).startsWith("exported 101 entries of 8 shards, " + Files.size(backup) + " bytes");

            Outcome again = client(seeds, "", "export", backup.toString());
            assertThat(again.code()).isEqualTo(ExitCode.USAGE);
            assertThat(again.err()).contains("exists already");
            Outcome nowhere = client(
                    seeds, "", "export", directory.resolve("no/directory").toString());
            assertThat(nowhere.code()).isEqualTo(ExitCode.NOT_APPLIED);
            assertThat(nowhere.err()).contains("directory is missing").doesNotContain("\tat ");
            Outcome full = client(seeds, "", "import", backup.toString());
            assertThat(full.code()).isEqualTo(ExitCode.USAGE);
            assertThat(full.err()).contains("the cluster has keys already");
        }
        int alone = FreePorts.row(1);
        int aloneRedis = FreePorts.row(1);
        try (JarProcess demo =
                JarProcess.demo(directory, "--node", "n1", "--port", "" + alone, "--redis-port", "" + aloneRedis)) {
            demo.awaitReady();
            byte[] bytes = Files.readAllBytes(backup);
            bytes[bytes.length / 2] ^= 1;
            Path damaged = Files.write(directory.resolve("damaged.backup"), bytes);
            String seed = "127.0.0.1:" + alone;
            Outcome refused = client(seed, "", "import", damaged.toString());
            assertThat(refused.code()).isEqualTo(ExitCode.USAGE);
            assertThat(refused.err()).contains("damaged.backup at offset ");
            assertThat(RespConnection.once(aloneRedis, "DBSIZE")).isEqualTo("0");

            Outcome imported = client(seed, "import '" + backup + "'\nimport --over-existing '" + backup + "'\n");
            assertThat(imported.code()).as(imported.err()).isEqualTo(ExitCode.OK);
            assertThat(imported.out().lines()).hasSize(2).allMatch(line -> line.startsWith("imported 101 entries"));
            assertThat(RespConnection.once(aloneRedis, "DBSIZE")).isEqualTo("101");
            for (int i = 0; i < 100; i++) {
                assertThat(RespConnection.once(aloneRedis, "GET", "key" + i)).isEqualTo("value" + i);
            }
            assertThat(Long.parseLong(RespConnection.once(aloneRedis, "TTL", "mortal")))
                    .isBetween(3000L, 3600L);
        }
    }
}
