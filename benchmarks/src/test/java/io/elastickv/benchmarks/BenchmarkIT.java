package io.elastickv.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.Durability;
import io.elastickv.embedded.StorageEngine;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** All kinds of run, small: that they work, not how fast. */
@Timeout(240)
class BenchmarkIT {

    private static final BenchmarkCluster.Settings SETTINGS =
            new BenchmarkCluster.Settings(3, Durability.FSYNC, StorageEngine.OFF_HEAP, 1, null);

    private static final BenchmarkCluster.Settings FREQUENT_CHECKPOINTS =
            new BenchmarkCluster.Settings(3, Durability.FSYNC, StorageEngine.HEAP, 1, 100_000L);

    @TempDir
    private Path directory;

    @Test
    void putsAndGetsThroughLeadersAndAnyNode() throws Exception {
        ThroughputRun run = new ThroughputRun(
                List.of(ThroughputRun.Kind.values()),
                List.of(8),
                List.of(ThroughputRun.Via.values()),
                Duration.ZERO,
                Duration.ofSeconds(1),
                1_000,
                100);
        assertThat(run.run(SETTINGS, directory)).isZero();
    }

    @Test
    void allShardsServeAgainAfterARestart() throws Exception {
        assertThat(new RestartRun(2_000, 100, 1).run(SETTINGS, directory)).isZero();
    }

    @Test
    void putsGoOnDuringCheckpoints() throws Exception {
        assertThat(new CheckpointRun(2_000, 100, 64, Duration.ofMillis(100)).run(FREQUENT_CHECKPOINTS, directory))
                .isZero();
    }

    @Test
    void aNodeThatLostItsDirectoryRejoins() throws Exception {
        assertThat(new RejoinRun(2_000, 100, 16, Duration.ofMillis(300)).run(FREQUENT_CHECKPOINTS, directory))
                .isZero();
    }

    @Test
    void fillReadsBackWhatItWrote() throws Exception {
        assertThat(new FillRun(5_000, 100).run(SETTINGS, directory)).isZero();
    }
}
