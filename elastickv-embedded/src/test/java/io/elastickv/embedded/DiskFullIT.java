package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.Bytes;
import io.elastickv.api.ClusterEvents;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.NodeMetrics;
import io.elastickv.api.UnavailableException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Disks that fill up: small file systems in memory, which only root may mount. Skipped, and said so, for others. */
final class DiskFullIT {

    private static final int FILL_BYTES = 64 << 10;

    private static final Bytes FILLER = Bytes.copyOf(new byte[100_000]);

    private static final int KEYS = 5;

    @TempDir
    private Path directory;

    private final TmpfsMounts mounts = new TmpfsMounts(DiskFullIT.class);

    private void mount(int member, String options) {
        mounts.mount(directory.resolve(LocalCluster.nameOf(member)), options);
    }

    private void resize(int member, String size) {
        mounts.remount(directory.resolve(LocalCluster.nameOf(member)), "size=" + size);
    }

    @AfterEach
    void unmount() {
        mounts.close();
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
            resize(1, "200m");
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
                resize(i, "200m");
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

    private static Bytes key(int put) {
        return Bytes.utf8("k" + put % KEYS);
    }

    private static Bytes value(int put) {
        byte[] bytes = new byte[100_000];
        new Random(put).nextBytes(bytes);
        return Bytes.copyOf(bytes);
    }

    private long segments(int member) throws IOException {
        try (Stream<Path> files =
                Files.list(directory.resolve(LocalCluster.nameOf(member)).resolve("wal"))) {
            return files.filter(file -> file.toString().endsWith(".wal")).count();
        }
    }

    /** Writes a file that leaves only so many bytes of a member's disk free. */
    private Path fill(int member, long left) throws IOException {
        Path root = directory.resolve(LocalCluster.nameOf(member));
        Path filler = directory.resolve(LocalCluster.nameOf(member)).resolve("filler");
        // Piece by piece: the node may be writing too, and is to find its space taken, not the test.
        try (OutputStream out = Files.newOutputStream(filler)) {
            long free;
            while ((free = Files.getFileStore(root).getUsableSpace()) > left) {
                out.write(new byte[(int) Math.min(FILL_BYTES, free - left)]);
            }
        }
        return filler;
    }

    /** Enough space for the log, whose files are made in advance, and not enough for a checkpoint. */
    @Test
    void aNodeThatCannotWriteACheckpointGoesOnUntilItCan() throws IOException {
        mount(1, "size=32m");
        try (LocalCluster cluster = LocalCluster.builder()
                .shards(1)
                .directory(directory)
                .customize(
                        (i, builder) -> builder.checkpoints(1 << 20, 64 << 20).segmentBytes(4 << 20))
                .startAndAwaitReady()) {
            int puts = 0;
            while (segments(1) < 2) {
                assertThat(puts).as("a segment must be full some time").isLessThan(200);
                cluster.store(0).put(key(puts), value(puts));
                puts++;
            }
            Path filler = fill(1, 200_000);
            NodeMetrics before = cluster.node(1).metrics();
            int most = puts + 30; // three quarters of a segment: the log needs no further file
            while (cluster.node(1).metrics().checkpointsFailed() == before.checkpointsFailed() && puts < most) {
                cluster.store(0).put(key(puts), value(puts));
                puts++;
            }
            Awaitility.await("a checkpoint that fails")
                    .until(() -> cluster.node(1).metrics().checkpointsFailed() > before.checkpointsFailed());
            // It serves, as a leader too, which needs its log.
            cluster.node(0).cluster().transferLeadership(0, "n1", Duration.ofSeconds(10));
            for (int i = 0; i < 3; i++, puts++) {
                cluster.store(1).put(key(puts), value(puts));
                assertThat(cluster.store(1).get(key(puts)).orElseThrow().value())
                        .isEqualTo(value(puts));
            }
            cluster.node(1).awaitReady(Duration.ofSeconds(5));

            Files.delete(filler);
            Awaitility.await("a checkpoint")
                    .atMost(Duration.ofSeconds(20))
                    .until(() -> cluster.node(1).metrics().checkpointsWritten() > before.checkpointsWritten());
            System.out.println("full during checkpoints: " + cluster.node(1).metrics());
            cluster.crash(1);
            cluster.restart(1);
            cluster.awaitReady();
            cluster.node(0).cluster().transferLeadership(0, "n1", Duration.ofSeconds(10));
            for (int i = puts - KEYS; i < puts; i++) {
                assertThat(cluster.store(1).get(key(i)).orElseThrow().value())
                        .as("put %d", i)
                        .isEqualTo(value(i));
            }
        }
    }
}
