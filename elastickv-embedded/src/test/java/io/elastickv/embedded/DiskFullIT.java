package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.Bytes;
import io.elastickv.api.ClusterEvents;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.UnavailableException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Disks that fill up: small file systems in memory, which only root may mount. Skipped, and said so, for others. */
final class DiskFullIT {

    private static final Bytes FILLER = Bytes.copyOf(new byte[100_000]);

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
}
