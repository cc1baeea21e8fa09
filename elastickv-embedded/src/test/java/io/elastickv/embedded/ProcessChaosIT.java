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
 * Processes killed and paused at random moments under load, for as long as {@code -Delastickv.chaos.seconds} says; the histories
 * of all members are checked, and counters count exactly once.
 */
final class ProcessChaosIT {

    private static final long EPOCH_NANOS = 15_000_000_000L;

    @Test
    @Tag("soak")
    void killsAndPausesAtRandomLoseNothingAndReadNothingWrong(@TempDir Path directory) {
        long seed = Long.getLong("elastickv.chaos.seed", System.nanoTime());
        long endNanos = System.nanoTime() + Integer.getInteger("elastickv.chaos.seconds", 600) * 1_000_000_000L;
        System.out.println("seed " + seed + ": decides on faults and operations, not on when they meet");
        Map<String, String> settings =
                Map.of("storage", "OFF_HEAP", "electionMillis", "700", "checkpointBytes", "200000");
        try (ProcessCluster cluster = new ProcessCluster(directory, "256m", settings);
                CounterLoad increments =
                        new CounterLoad(() -> List.of(cluster.client()), seed, 4, 6, Duration.ofSeconds(4));
                PutLoad puts = new PutLoad(cluster.client().store(), 4)) {
            ProcessHistories histories = new ProcessHistories(cluster, seed, 3, 8);
            ProcessNemesis nemesis = new ProcessNemesis(cluster, histories, seed);
            while (System.nanoTime() - endNanos < 0) {
                histories.begin();
                String faults = nemesis.run(Math.min(EPOCH_NANOS, endNanos - System.nanoTime()));
                increments.awaitProgress(20);
                histories.endAndCheck(faults);
                puts.verifyNew();
            }
            increments.stopAndVerify("kills and pauses, seed " + seed);
            puts.stopAndVerify();
            System.out.println(nemesis.kills() + " kills and " + nemesis.pauses() + " pauses; " + histories + "; all "
                    + puts.acknowledged() + " acknowledged puts are there");
            assertThat(histories.succeeded()).isGreaterThan(1_000);
        }
    }
}
