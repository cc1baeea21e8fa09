package io.elastickv.embedded.internal.node;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import io.elastickv.embedded.LocalCluster;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.node.ReplicaProtocol.Changed;
import io.elastickv.embedded.internal.node.ReplicaProtocol.State;
import io.elastickv.embedded.internal.raft.core.Role;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Shards that are split on real nodes, under load, over crashes, and with members that were away. */
final class SplitIT {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static List<EmbeddedNode> nodes(LocalCluster cluster) {
        List<EmbeddedNode> nodes = new ArrayList<>();
        cluster.running().forEach(node -> nodes.add((EmbeddedNode) node));
        return nodes;
    }

    private static EmbeddedNode node(LocalCluster cluster, int i) {
        return (EmbeddedNode) cluster.node(i);
    }

    private static EmbeddedNode leader(LocalCluster cluster, int shard) {
        return Awaitility.await("a leader of shard " + shard)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .until(
                        () -> nodes(cluster).stream()
                                .filter(node -> {
                                    ShardHost host = node.hosts().get(shard);
                                    return host != null && host.group().status().role() == Role.LEADER;
                                })
                                .findFirst()
                                .orElse(null),
                        found -> found != null);
    }

    private static long deadline() {
        return System.nanoTime() + 1_000_000_000L;
    }

    /** Asks until it is done. */
    private static void split(LocalCluster cluster, int shard, long epoch, int firstSlot, int child) {
        Awaitility.await("shard " + shard + " is split")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> {
                    EmbeddedNode leader = leader(cluster, shard);
                    Changed changed = leader.control()
                            .split(leader.name(), shard, epoch, epoch + 1, firstSlot, child, epoch + 1, deadline());
                    assertThat(changed == null ? State.UNDER_WAY : changed.state())
                            .as("%s", changed)
                            .isNotEqualTo(State.IMPOSSIBLE);
                    return changed != null && changed.state() == State.DONE;
                });
    }

    /** Waits until every node has a replica of each shard that is part of its group and safe by itself. */
    private static void awaitSafe(LocalCluster cluster, int... shards) {
        for (EmbeddedNode node : nodes(cluster)) {
            for (int shard : shards) {
                Awaitility.await("shard " + shard + " on " + node.name())
                        .atMost(PATIENCE)
                        .pollInterval(Duration.ofMillis(10))
                        .untilAsserted(() -> {
                            ShardHost host = node.hosts().get(shard);
                            assertThat(host).isNotNull();
                            assertThat(host.group().status().failed()).isFalse();
                            assertThat(host.group().status().leader()).isNotNull();
                            assertThat(host.group().status().stateLost()).isFalse();
                            assertThat(host.stateMachine().unsafeChildren()).isEmpty();
                            if (host.birth().isSplitOff()) {
                                assertThat(host.checkpoints().isSound()).isTrue();
                            }
                        });
            }
        }
    }

    /** Each replica of the owner of each key has counted it so often. */
    private static void assertCounts(LocalCluster cluster, Map<String, AtomicLong> counts) {
        counts.forEach((key, count) -> {
            byte[] bytes = key.getBytes(UTF_8);
            for (EmbeddedNode node : nodes(cluster)) {
                Awaitility.await(key + " on " + node.name())
                        .atMost(PATIENCE)
                        .pollInterval(Duration.ofMillis(10))
                        .untilAsserted(() -> assertThat(count(node, bytes)).isEqualTo(count.get()));
            }
        });
    }

    private static long count(EmbeddedNode node, byte[] key) {
        int slot = KeySlot.of(key);
        for (ShardHost host : node.hosts().values()) {
            if (host.group().groupId() < 1 << 30
                    && host.stateMachine().ownership().slots().contains(slot)) {
                QueryResult result = host.stateMachine().queryLocal(new Query.Get(key), 0);
                if (result instanceof QueryResult.Value value && value.value() != null) {
                    return Long.parseLong(new String(value.value().value(), UTF_8));
                }
            }
        }
        return 0;
    }

    @Test
    void aShardIsSplitAgainAndAgainUnderLoad() {
        try (LocalCluster cluster = LocalCluster.builder().shards(1).startAndAwaitReady();
                SplitLoad load = new SplitLoad(() -> nodes(cluster), 6)) {
            load.awaitProgress(200);
            load.takeLongestMillis();
            split(cluster, 0, 1, 8192, 1);
            load.awaitProgress(500);
            split(cluster, 1, 2, 12288, 2);
            split(cluster, 0, 2, 100, 3);
            split(cluster, 2, 3, 16383, 4);
            load.awaitProgress(500);
            System.out.println("the longest pause: " + load.takeLongestMillis() + " ms");
            Map<String, AtomicLong> counts = load.stop();
            awaitSafe(cluster, 0, 1, 2, 3, 4);
            assertCounts(cluster, counts);
            EmbeddedNode leader = leader(cluster, 2);
            assertThat(node(cluster, 0).control().ownership(leader.name(), 2, deadline()))
                    .isEqualTo(new OwnershipProtocol.Owned(4, List.of(new SlotRange(12288, 16382))));
            for (int i = 0; i < 3; i++) {
                cluster.crash(i);
            }
            for (int i = 0; i < 3; i++) {
                cluster.restart(i);
            }
            awaitSafe(cluster, 0, 1, 2, 3, 4);
            assertCounts(cluster, counts);
        }
    }

    @Test
    void allNodesCrashRightAfterASplit() {
        try (LocalCluster cluster = LocalCluster.builder().shards(1).startAndAwaitReady()) {
            SplitLoad load = new SplitLoad(() -> nodes(cluster), 4);
            load.awaitProgress(200);
            Map<String, AtomicLong> counts = load.stop();
            for (int round = 0; round < 4; round++) {
                split(cluster, 0, 1 + round, 8192 >> round, 1 + round);
                for (int i = 0; i < 3; i++) {
                    cluster.crash(i);
                }
                for (int i = 0; i < 3; i++) {
                    cluster.restart(i);
                }
            }
            awaitSafe(cluster, 0, 1, 2, 3, 4);
            assertCounts(cluster, counts);
        }
    }

    @Test
    void aMemberThatWasAwayComesToHaveTheNewShard() {
        try (LocalCluster cluster = LocalCluster.builder().shards(1).startAndAwaitReady()) {
            SplitLoad load = new SplitLoad(() -> nodes(cluster), 4);
            load.awaitProgress(100);
            int away = (LocalCluster.numberOf(leader(cluster, 0).name()) + 1) % 3;
            cluster.crash(away);
            load.awaitProgress(100);
            split(cluster, 0, 1, 5000, 1);
            load.awaitProgress(300);
            Map<String, AtomicLong> counts = load.stop();
            cluster.restart(away);
            awaitSafe(cluster, 0, 1);
            assertCounts(cluster, counts);
        }
    }
}
