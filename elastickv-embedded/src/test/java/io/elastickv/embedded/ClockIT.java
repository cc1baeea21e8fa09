package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.Bytes;
import io.elastickv.api.PutOptions;
import java.time.Duration;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Nodes whose clocks are hours apart. */
final class ClockIT {

    private static final Bytes KEY = Bytes.utf8("key");

    @Test
    void aKeySeenExpiredNeverComesBackWhateverTheClocksSay() {
        try (LocalCluster cluster = LocalCluster.builder().shards(2).startAndAwaitReady()) {
            int shard = cluster.shardOf(KEY);
            for (int fast = 0; fast < 3; fast++) {
                int slow = (fast + 1) % 3;
                int slower = (fast + 2) % 3;
                cluster.setClockOffset(fast, Duration.ofHours(fast + 1));
                cluster.setClockOffset(slow, Duration.ZERO);
                cluster.setClockOffset(slower, Duration.ofHours(-1));
                transfer(cluster, shard, fast);
                cluster.store(slow).put(KEY, KEY, PutOptions.defaults().expireAfter(Duration.ofMillis(150)));
                assertThat(cluster.store(slower).get(KEY)).isPresent();
                // Asked of a node whose own clock says that there is an hour left, and more.
                Awaitility.await()
                        .pollInterval(Duration.ofMillis(5))
                        .until(() -> cluster.store(slower).get(KEY).isEmpty());
                for (int leader : new int[] {slower, slow, fast, slow}) {
                    transfer(cluster, shard, leader);
                    for (int i = 0; i < 3; i++) {
                        assertThat(cluster.store(i).get(KEY))
                                .as("through %d, led by %d, written under %d", i, leader, fast)
                                .isEmpty();
                        assertThat(cluster.store(i).describe(KEY)).isEmpty();
                    }
                    assertThat(cluster.store(leader)
                                    .compareAndSet(KEY, KEY, KEY)
                                    .applied())
                            .isFalse();
                    assertThat(cluster.store(leader).expire(KEY, Duration.ofHours(9)))
                            .isFalse();
                }
            }
        }
    }

    private static void transfer(LocalCluster cluster, int shard, int to) {
        String name = LocalCluster.nameOf(to);
        cluster.node(0).cluster().transferLeadership(shard, name, Duration.ofSeconds(10));
        Awaitility.await()
                .pollInterval(Duration.ofMillis(5))
                .until(() -> cluster.leaderOf(shard).equals(Optional.of(name)));
    }
}
