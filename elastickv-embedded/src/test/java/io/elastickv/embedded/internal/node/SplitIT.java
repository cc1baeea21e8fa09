package io.elastickv.embedded.internal.node;

import static io.elastickv.embedded.internal.node.SplitCluster.assertCounts;
import static io.elastickv.embedded.internal.node.SplitCluster.awaitSafe;
import static io.elastickv.embedded.internal.node.SplitCluster.deadline;
import static io.elastickv.embedded.internal.node.SplitCluster.leader;
import static io.elastickv.embedded.internal.node.SplitCluster.node;
import static io.elastickv.embedded.internal.node.SplitCluster.nodes;
import static io.elastickv.embedded.internal.node.SplitCluster.split;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.LocalCluster;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Shards that are split on real nodes, under load, over crashes, and with members that were away. */
final class SplitIT {

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
                    .isEqualTo(new OwnershipProtocol.Owned(4, List.of(new SlotRange(12288, 16382)), null));
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

    /** The others have let their logs go: it gets the parent's state of after the split, and never comes by the split. */
    @Test
    void aMemberThatMissedTheSplitIsGivenTheNewShard() {
        try (LocalCluster cluster = LocalCluster.builder()
                .shards(1)
                .customize((i, builder) -> builder.checkpoints(64 << 10, 1 << 20))
                .startAndAwaitReady()) {
            SplitLoad load = new SplitLoad(() -> nodes(cluster), 4);
            load.awaitProgress(100);
            int away = (LocalCluster.numberOf(leader(cluster, 0).name()) + 1) % 3;
            cluster.crash(away);
            load.awaitProgress(100);
            split(cluster, 0, 1, 5000, 1);
            for (EmbeddedNode node : nodes(cluster)) {
                awaitCheckpointAfter(load, node, 0);
            }
            Map<String, AtomicLong> counts = load.stop();
            cluster.restart(away);
            awaitSafe(cluster, 0, 1);
            assertCounts(cluster, counts);
            assertThat(node(cluster, away).checkpointCounts().installed()).isGreaterThanOrEqualTo(2);
            for (int i = 0; i < 3; i++) {
                cluster.crash(i);
            }
            for (int i = 0; i < 3; i++) {
                cluster.restart(i);
            }
            awaitSafe(cluster, 0, 1);
            assertCounts(cluster, counts);
        }
    }

    /** Waits until the log of a shard begins after where it ends now: whoever fetched a state before may need it 30 s. */
    private static void awaitCheckpointAfter(SplitLoad load, EmbeddedNode node, int shard) {
        long end = node.hosts().get(shard).group().status().lastIndex();
        Awaitility.await("the log of shard " + shard + " on " + node.name())
                .atMost(Duration.ofSeconds(50))
                .pollInterval(Duration.ofMillis(20))
                .untilAsserted(() -> {
                    ShardHost host = node.hosts().get(shard);
                    node.checkpoints().require(shard);
                    load.awaitProgress(20);
                    assertThat(host.group().status().firstIndex())
                            .as(
                                    "%s, unsafe: %s",
                                    host.group().status(), host.stateMachine().unsafeChildren())
                            .isGreaterThan(end);
                });
    }
}
