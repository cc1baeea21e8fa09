package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.Bytes;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.ShardInfo;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whole processes stopped with SIGSTOP and continued with SIGCONT: what a long collection of garbage, a virtual machine that is
 * moved, or a laptop that sleeps do. The paused member believes that no time has passed.
 */
final class ProcessPauseIT {

    private static final Map<String, String> SETTINGS = Map.of("electionMillis", "600");

    private static void hold(long millis) {
        LockSupport.parkNanos(millis * 1_000_000);
    }

    @Test
    void aPausedLeaderIsReplacedAndAnswersNothingStaleWhenItGoesOn(@TempDir Path directory) {
        long seed = System.nanoTime();
        try (ProcessCluster cluster = new ProcessCluster(directory, "192m", SETTINGS);
                CounterLoad increments =
                        new CounterLoad(() -> List.of(cluster.client()), seed, 3, 6, Duration.ofSeconds(8))) {
            ProcessHistories histories = new ProcessHistories(cluster, seed, 3, 6);
            KeyValueStore store = cluster.client().store().withTimeout(Duration.ofSeconds(10));
            Bytes key = Bytes.utf8("witness");
            store.put(key, Bytes.utf8("0"));
            for (int round = 1; round <= 2; round++) {
                increments.awaitProgress(100);
                histories.begin();
                hold(500);
                int shard = cluster.client().cluster().explain(key).shard();
                String old = awaitLeader(cluster, shard);
                int paused = ProcessCluster.numberOf(old);
                cluster.pause(paused);
                long start = System.nanoTime();
                store.put(key, Bytes.utf8("" + round));
                long tookMillis = (System.nanoTime() - start) / 1_000_000;
                String leader = awaitLeader(cluster, shard);
                assertThat(leader).isNotEqualTo(old);
                hold(Math.max(0, 3_000 - (System.nanoTime() - start) / 1_000_000));
                cluster.resume(paused);
                // Its own threads ask it from the first moment on; what they see is in the history.
                assertThat(store.get(key).map(v -> v.value().toUtf8())).contains("" + round);
                hold(1_500);
                histories.endAndCheck(old + " paused for 3 s, " + leader + " led after " + tookMillis + " ms");
                assertThat(tookMillis).isLessThan(5_000);
            }
            increments.stopAndVerify("pauses of leaders, seed " + seed);
            assertThat(histories.succeeded()).isGreaterThan(500);
            assertThat(histories.undecided()).isZero();
        }
    }

    private static String awaitLeader(ProcessCluster cluster, int shard) {
        return Awaitility.await()
                .atMost(Duration.ofSeconds(10))
                .pollInterval(Duration.ofMillis(5))
                .until(
                        () -> cluster.client().cluster().shards().stream()
                                .filter(info -> info.id() == shard)
                                .findFirst()
                                .flatMap(ShardInfo::leader),
                        Optional::isPresent)
                .orElseThrow();
    }

    /** One is paused, another killed: nothing can be served, nothing may be lost, and it goes on when the paused one does. */
    @Test
    void aPauseAndAKillTogetherOnlyDelay(@TempDir Path directory) {
        long seed = System.nanoTime();
        try (ProcessCluster cluster = new ProcessCluster(directory, "192m", SETTINGS);
                CounterLoad increments =
                        new CounterLoad(() -> List.of(cluster.client()), seed, 3, 6, Duration.ofSeconds(4))) {
            ProcessHistories histories = new ProcessHistories(cluster, seed, 3, 6);
            histories.begin();
            for (int round = 0; round < 2; round++) {
                int paused = round;
                int killed = (round + 1) % cluster.size();
                increments.awaitProgress(50);
                cluster.pause(paused);
                cluster.kill(killed);
                hold(700);
                cluster.resume(paused);
                increments.awaitProgress(50);
                cluster.start(killed);
                cluster.awaitServing();
                histories.join(killed);
                // Killed while it is paused.
                cluster.pause(killed);
                hold(200);
                cluster.kill(killed);
                increments.awaitProgress(20);
                cluster.start(killed);
                cluster.awaitServing();
                histories.join(killed);
            }
            hold(300);
            histories.endAndCheck("pauses and kills, seed " + seed);
            increments.stopAndVerify("pauses and kills, seed " + seed);
            assertThat(histories.succeeded()).isGreaterThan(300);
        }
    }
}
