package io.elastickv.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.Bytes;
import io.elastickv.api.ClusterEvents;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.UnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Disks that fill up: small file systems in memory, which only root may mount. Skipped, and said so, for others. */
final class DiskFullIT {

    private static final Bytes FILLER = Bytes.copyOf(new byte[100_000]);

    @TempDir
    private Path directory;

    private final List<Path> mounted = new ArrayList<>();

    private void mount(int member, String options) {
        Path path = directory.resolve(LocalCluster.nameOf(member));
        try {
            Files.createDirectories(path);
            run("mount", "-t", "tmpfs", "-o", options, "elastickv-test", path.toString());
            if (!options.startsWith("remount")) {
                mounted.add(path);
            }
        } catch (IOException | IllegalStateException e) {
            System.out.println(
                    "SKIPPED: DiskFullIT needs to mount a tmpfs, which this process may not: " + e.getMessage());
            Assumptions.abort("cannot mount a tmpfs: " + e.getMessage());
        }
    }

    private static void run(String... command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), UTF_8);
            if (!process.waitFor(10, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IllegalStateException(String.join(" ", command) + ": " + output.strip());
            }
        } catch (IOException e) {
            throw new IllegalStateException(String.join(" ", command) + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @AfterEach
    void unmount() {
        for (Path path : mounted) {
            run("umount", path.toString());
        }
    }

    @Test
    void aNodeWhoseDiskIsFullStopsAndTheOthersGoOn() {
        mount(1, "size=14m");
        try (LocalCluster cluster =
                LocalCluster.builder().shards(3).directory(directory).startAndAwaitReady()) {
            Queue<String> failed = new ConcurrentLinkedQueue<>();
            cluster.node(1).cluster().addListener(new ClusterEvents() {
                @Override
                public void nodeFailed(String reason) {
                    failed.add(reason);
                }
            });
            int written = 0;
            while (failed.isEmpty()) {
                assertThat(written).as("the disk must be full some time").isLessThan(400);
                cluster.store(0).put(Bytes.utf8("k" + written++), FILLER);
            }
            System.out.println("after " + written + " puts: " + failed);
            assertThat(failed.peek()).contains("write-ahead log");
            assertThatThrownBy(() -> cluster.store(1).get(Bytes.utf8("k0")))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("stopped serving");
            assertThatThrownBy(() -> cluster.node(1).awaitReady(Duration.ofSeconds(1)))
                    .isInstanceOf(UnavailableException.class);
            for (int i = 0; i < 20; i++) {
                cluster.store(2).put(Bytes.utf8("k" + written++), FILLER);
            }

            cluster.stop(1);
            mount(1, "remount,size=200m");
            cluster.restart(1);
            cluster.awaitReady();
            Awaitility.await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
                for (int shard = 0; shard < 3; shard++) {
                    assertThat(cluster.node(0).cluster().replication(shard, Duration.ofSeconds(2)))
                            .allSatisfy(replica -> assertThat(replica.lag()).isZero());
                }
            });
            cluster.crash(0);
            for (int i = 0; i < written; i++) {
                assertThat(cluster.store(1).get(Bytes.utf8("k" + i)))
                        .as("k%d", i)
                        .isPresent();
            }
        }
    }

    @Test
    void whatWasAcknowledgedBeforeAllDisksWereFullIsThereWhenSpaceReturns() {
        for (int i = 0; i < 3; i++) {
            mount(i, "size=14m");
        }
        try (LocalCluster cluster =
                LocalCluster.builder().shards(2).directory(directory).startAndAwaitReady()) {
            List<Bytes> acknowledged = new ArrayList<>();
            boolean refused = false;
            for (int i = 0; i < 400 && !refused; i++) {
                Bytes key = Bytes.utf8("k" + i);
                try {
                    cluster.store(i % 3).withTimeout(Duration.ofSeconds(2)).put(key, FILLER);
                    acknowledged.add(key);
                } catch (ElastickvException e) {
                    refused = true;
                }
            }
            assertThat(refused).isTrue();
            assertThat(acknowledged).hasSizeGreaterThan(20);
            for (int i = 0; i < 3; i++) {
                cluster.stop(i);
                mount(i, "remount,size=200m");
            }
            for (int i = 0; i < 3; i++) {
                cluster.restart(i);
            }
            cluster.awaitReady();
            for (Bytes key : acknowledged) {
                assertThat(cluster.store(1).get(key)).isPresent();
            }
            cluster.store(2).put(Bytes.utf8("after"), FILLER);
            System.out.println(acknowledged.size() + " acknowledged puts are there after all disks were full");
        }
    }
}
