package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.NodeInfo;
import io.elastickv.api.ShardInfo;
import io.elastickv.api.UnavailableException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Forming a cluster, ending and restarting its nodes, and what is refused at the start. */
final class LifecycleIT {

    private static Bytes b(String text) {
        return Bytes.utf8(text);
    }

    private static void assertSpread(LocalCluster cluster, int least, int most) {
        Map<String, Integer> led = new HashMap<>();
        for (ShardInfo shard : cluster.node(0).cluster().shards()) {
            led.merge(shard.leader().orElse("none"), 1, Integer::sum);
        }
        assertThat(led).hasSize(cluster.size()).doesNotContainKey("none");
        assertThat(led.values()).allSatisfy(count -> assertThat(count).isBetween(least, most));
    }

    @Test
    void leadersSpreadEvenlyAfterTheStartAndAgainAfterARestart() {
        try (LocalCluster cluster = LocalCluster.builder().shards(8).startAndAwaitReady()) {
            Awaitility.await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> assertSpread(cluster, 2, 3));
            cluster.crash(1);
            Awaitility.await()
                    .until(() -> cluster.node(0).cluster().shards().stream()
                            .noneMatch(shard -> shard.leader().equals(Optional.of("n1"))
                                    || shard.leader().isEmpty()));
            cluster.restart(1);
            Awaitility.await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> assertSpread(cluster, 2, 3));
            for (int i = 0; i < 3; i++) {
                assertThat(cluster.node(i).cluster().clusterId())
                        .matches("[0-9a-f]{32}")
                        .isEqualTo(cluster.node(0).cluster().clusterId());
                assertThat(cluster.node(i).cluster().nodes())
                        .extracting(NodeInfo::name)
                        .containsExactly("n0", "n1", "n2");
            }
        }
    }

    @Test
    void nothingIsLostWhenAllNodesRestart() {
        try (LocalCluster cluster = LocalCluster.builder().shards(3).startAndAwaitReady()) {
            for (int round = 1; round <= 3; round++) {
                for (int i = 0; i < 60; i++) {
                    cluster.store(i % 3).put(b("k" + i), b("v" + round));
                    cluster.store(i % 3).increment(b("counter" + i % 7), 1);
                }
                cluster.store(0).delete(b("k" + round));
                for (int i = 0; i < 3; i++) {
                    if (round == 2) {
                        cluster.stop(i);
                    } else {
                        cluster.crash(i);
                    }
                }
                for (int i = 0; i < 3; i++) {
                    cluster.restart((i + round) % 3);
                }
                cluster.awaitReady();
                assertThat(cluster.store(round % 3).size()).isEqualTo(60 - 1 + 7);
                for (int i = 0; i < 60; i++) {
                    Optional<String> value = cluster.store((i + 1) % 3)
                            .get(b("k" + i))
                            .map(v -> v.value().toUtf8());
                    assertThat(value).isEqualTo(i == round ? Optional.empty() : Optional.of("v" + round));
                }
                for (int i = 0; i < 7; i++) {
                    int added = i < 60 % 7 ? 9 : 8;
                    assertThat(cluster.store(0).increment(b("counter" + i), 0)).isEqualTo((long) added * round);
                }
            }
        }
    }

    @Test
    void aNodeThatMissedMuchCatchesUp() {
        try (LocalCluster cluster = LocalCluster.builder().shards(2).startAndAwaitReady()) {
            cluster.crash(2);
            Map<Bytes, Bytes> entries = new HashMap<>();
            for (int i = 0; i < 3_000; i++) {
                entries.put(b("k" + i), b("v" + i));
            }
            cluster.store(0).putAll(entries);
            for (int i = 0; i < 50; i++) {
                cluster.store(0).put(b("large" + i), Bytes.copyOf(new byte[200_000]));
            }
            ElastickvNode back = cluster.restart(2);
            Awaitility.await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
                for (int shard = 0; shard < 2; shard++) {
                    assertThat(cluster.node(0).cluster().replication(shard, Duration.ofSeconds(2)))
                            .allSatisfy(replica -> assertThat(replica.lag()).isZero());
                }
            });
            cluster.crash(0);
            for (int i = 0; i < 3_000; i += 100) {
                assertThat(back.store().get(b("k" + i)).orElseThrow().value()).isEqualTo(b("v" + i));
            }
            assertThat(back.store().size()).isEqualTo(3_050);
        }
    }

    @Test
    void oneNodeWithoutSeedsIsAWholeCluster(@TempDir Path directory) {
        Elastickv builder = Elastickv.builder()
                .name("alone")
                .address("127.0.0.1", FreePorts.choose())
                .storage(StorageEngine.HEAP)
                .dataDirectory(directory.resolve("data"));
        try (ElastickvNode node = builder.start()) {
            node.awaitReady(Duration.ofSeconds(10));
            assertThat(node.store().increment(b("n"), 41)).isEqualTo(41);
            assertThat(node.cluster().nodes()).extracting(NodeInfo::name).containsExactly("alone");
        }
        // Alone it may come back elsewhere.
        try (ElastickvNode node =
                builder.address("127.0.0.1", FreePorts.choose()).start()) {
            assertThat(node.store().increment(b("n"), 1)).isEqualTo(42);
        }
    }

    @Test
    void refusesADirectoryInUseOrOfAnotherNode(@TempDir Path directory) {
        Elastickv first = Elastickv.builder()
                .name("first")
                .address("127.0.0.1", FreePorts.choose())
                .storage(StorageEngine.HEAP)
                .dataDirectory(directory);
        Elastickv second = Elastickv.builder()
                .name("first")
                .address("127.0.0.1", FreePorts.choose())
                .storage(StorageEngine.HEAP)
                .dataDirectory(directory);
        try (ElastickvNode node = first.start()) {
            assertThatThrownBy(second::start)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(directory.toString())
                    .hasMessageContaining("in use");
            node.store().put(b("k"), b("v"));
        }
        assertThatThrownBy(() -> second.name("second").start())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("first")
                .hasMessageContaining("second");
        try (ElastickvNode node = second.name("first").start()) {
            assertThat(node.store().get(b("k"))).isPresent();
        }
    }

    @Test
    void refusesAPortInUse(@TempDir Path directory) throws IOException {
        int port = FreePorts.choose();
        try (ServerSocket other = new ServerSocket()) {
            other.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            Elastickv builder = Elastickv.builder()
                    .name("n")
                    .address("127.0.0.1", port)
                    .storage(StorageEngine.HEAP)
                    .dataDirectory(directory);
            assertThatThrownBy(builder::start)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("" + port)
                    .hasMessageContaining("in use");
            other.close();
            // Nothing of the failed start is left in the way.
            try (ElastickvNode node = builder.start()) {
                node.store().put(b("k"), b("v"));
            }
        }
    }

    @Test
    void refusesMembersThatDisagreeOnTheNumberOfShards() {
        try (LocalCluster cluster = LocalCluster.builder()
                .customize((i, builder) -> builder.shards(i == 1 ? 5 : 4))
                .start()) {
            assertThatThrownBy(() -> cluster.node(1).awaitReady(Duration.ofSeconds(10)))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("shards = 5")
                    .hasMessageContaining("shards = 4");
        }
    }

    @Test
    void refusesAStrangerToAFormedCluster() {
        try (LocalCluster cluster = LocalCluster.builder().nodes(2).start()) {
            // Both know each other; a third says that there are three.
            cluster.awaitReady();
            List<String> seeds =
                    List.of(cluster.seeds().get(0), cluster.seeds().get(1), "127.0.0.1:" + FreePorts.choose());
            Elastickv stranger = Elastickv.builder()
                    .name("stranger")
                    .address("127.0.0.1", Integer.parseInt(seeds.get(2).substring(10)))
                    .storage(StorageEngine.HEAP)
                    .shards(4)
                    .seeds(seeds)
                    .dataDirectory(cluster.directoryOf(0).resolveSibling("stranger"));
            try (ElastickvNode node = stranger.start()) {
                assertThatThrownBy(() -> node.awaitReady(Duration.ofSeconds(10)))
                        .isInstanceOf(UnavailableException.class)
                        .hasMessageContaining("stranger");
            }
            cluster.store(0).put(b("k"), b("v"));
        }
    }

    @Test
    void operationsWaitForTheClusterToFormUntilTheirDeadline() {
        try (LocalCluster cluster = LocalCluster.builder().start()) {
            var early =
                    cluster.store(0).withTimeout(Duration.ofSeconds(20)).async().put(b("k"), b("v"));
            assertThat(Failures.of(early)).isNull();
            assertThat(cluster.store(2).get(b("k"))).isPresent();
        }
    }

    @Test
    void refusesMembersThatDisagreeOnTheSeeds(@TempDir Path directory) {
        List<Integer> ports = FreePorts.choose(3);
        String one = "127.0.0.1:" + ports.get(0);
        String two = "127.0.0.1:" + ports.get(1);
        String three = "127.0.0.1:" + ports.get(2);
        try (ElastickvNode first = Elastickv.builder()
                        .name("first")
                        .address("127.0.0.1", ports.get(0))
                        .seeds(one, two)
                        .storage(StorageEngine.HEAP)
                        .dataDirectory(directory.resolve("first"))
                        .start();
                ElastickvNode second = Elastickv.builder()
                        .name("second")
                        .address("127.0.0.1", ports.get(1))
                        .seeds(one, two, three)
                        .storage(StorageEngine.HEAP)
                        .dataDirectory(directory.resolve("second"))
                        .start()) {
            for (ElastickvNode node : List.of(first, second)) {
                assertThatThrownBy(() -> node.awaitReady(Duration.ofSeconds(10)))
                        .isInstanceOf(UnavailableException.class)
                        .hasMessageContaining("same list");
            }
        }
    }
}
