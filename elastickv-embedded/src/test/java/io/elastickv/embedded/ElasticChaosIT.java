package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * As {@link ProcessChaosIT}, with five processes whose shards split, merge and move all the time: the leader of the catalog is
 * killed and paused in the middle of these as well.
 */
final class ElasticChaosIT {

    private static final long EPOCH_NANOS = 15_000_000_000L;

    @Test
    @Tag("soak")
    void nothingIsLostOrReadWrongWhileShardsSplitMergeAndMove(@TempDir Path directory) {
        long seed = Long.getLong("elastickv.chaos.seed", System.nanoTime());
        long endNanos = System.nanoTime() + Integer.getInteger("elastickv.chaos.seconds", 600) * 1_000_000_000L;
        System.out.println("seed " + seed + ": decides on faults and operations, not on when they meet");
        Map<String, String> settings =
                Map.of("storage", "OFF_HEAP", "electionMillis", "1000", "checkpointBytes", "200000");
        try (ProcessCluster cluster = new ProcessCluster(directory, "192m", settings, 5);
                PlacementNemesis placement =
                        new PlacementNemesis(cluster.client().cluster(), seed);
                CounterLoad increments =
                        new CounterLoad(() -> List.of(cluster.client()), seed, 4, 6, Duration.ofSeconds(4));
                PutLoad puts = new PutLoad(cluster.client().store(), 4)) {
            ProcessHistories histories = new ProcessHistories(cluster, seed, 2, 8);
            ProcessNemesis nemesis = new ProcessNemesis(cluster, histories, seed);
            while (System.nanoTime() - endNanos < 0) {
                histories.begin();
                String faults = nemesis.run(Math.min(EPOCH_NANOS, endNanos - System.nanoTime()));
                increments.awaitProgress(20);
                histories.endAndCheck(faults + "; " + placement);
                puts.verifyNew();
            }
            placement.close();
            increments.stopAndVerify("kills, pauses and moving shards, seed " + seed);
            puts.stopAndVerify();
            System.out.println(nemesis.kills() + " kills and " + nemesis.pauses() + " pauses; " + placement + "; "
                    + histories + "; all " + puts.acknowledged() + " acknowledged puts are there");
            assertThat(histories.succeeded()).isGreaterThan(1_000);
        }
    }
}
