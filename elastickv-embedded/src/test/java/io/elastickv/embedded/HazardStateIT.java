package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.Bytes;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.ShardInfo;
import io.elastickv.embedded.internal.node.CheckpointFigures;
import io.elastickv.embedded.internal.node.EmbeddedNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What the stock protocol got wrong with snapshots, as far as it can be seen through operations over real channels; see
 * {@link HazardIT} for the rest.
 */
@Timeout(180)
final class HazardStateIT {

    private static final Bytes KEY = Bytes.utf8("key");

    private static Bytes number(int i) {
        return Bytes.utf8("" + i);
    }

    /** A cluster whose log goes on without whoever is away, because checkpoints are made all the time. */
    private static LocalCluster withCheckpoints() {
        return LocalCluster.builder()
                .shards(1)
                .customize(
                        (i, builder) -> builder.checkpoints(16 << 10, 512 << 10).segmentBytes(128 << 10))
                .startAndAwaitReady();
    }

    private static CheckpointFigures.Counts counts(LocalCluster cluster, int member) {
        return ((EmbeddedNode) cluster.node(member)).checkpointCounts();
    }

    /** Writes until the others have checkpoints, and their logs begin later, than {@code away} knows. */
    private static void leaveBehind(LocalCluster cluster, int away) {
        int present = (away + 1) % 3;
        long before = counts(cluster, present).written();
        Awaitility.await("checkpoints").atMost(Duration.ofSeconds(30)).until(() -> {
            for (int i = 0; i < 50; i++) {
                cluster.store(present).put(Bytes.utf8("fill" + i), Bytes.copyOf(new byte[2000]));
            }
            return counts(cluster, present).written() >= before + 4
                    && counts(cluster, (away + 2) % 3).written() >= before + 4;
        });
    }

    private static void awaitInstalled(LocalCluster cluster, int member) {
        Awaitility.await("the state of another replica")
                .atMost(Duration.ofSeconds(30))
                .until(() -> counts(cluster, member).installed() > 0);
    }

    private static long localCounter(LocalCluster cluster, int member) {
        return cluster.store(member)
                .get(KEY, ReadConsistency.local())
                .map(value -> Long.parseLong(value.value().toUtf8()))
                .orElse(0L);
    }

    /** H1: a late or second snapshot rolled a follower back behind entries that it had acknowledged. */
    @Test
    void aFollowerNeverGoesBackWhileItGetsStates() {
        try (LocalCluster cluster = withCheckpoints()) {
            int away = (cluster.awaitLeaderOf(0) + 1) % 3;
            int present = (away + 1) % 3;
            AtomicBoolean stop = new AtomicBoolean();
            AtomicReference<String> wentBack = new AtomicReference<>();
            Thread watcher = new Thread(() -> {
                long seen = 0;
                while (!stop.get()) {
                    long now = localCounter(cluster, away);
                    if (now < seen) {
                        wentBack.set("from " + seen + " to " + now);
                    }
                    seen = now;
                }
            });
            watcher.start();
            for (int round = 0; round < 3; round++) {
                for (int i = 0; i < 20; i++) {
                    cluster.store(present).increment(KEY, 1);
                }
                cluster.isolate(away);
                leaveBehind(cluster, away);
                cluster.heal();
                long last = cluster.store(present).increment(KEY, 1);
                Awaitility.await("n" + away + " has " + last)
                        .atMost(Duration.ofSeconds(30))
                        .until(() -> localCounter(cluster, away) >= last);
            }
            stop.set(true);
            join(watcher);
            assertThat(wentBack.get()).isNull();
            assertThat(counts(cluster, away).installed()).isPositive();
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** H2: an install that failed left the new snapshot, the old log and a state machine without anything. */
    @Test
    void aStateThatCannotBeStoredLeavesTheOldOneServing() throws IOException {
        try (LocalCluster cluster = withCheckpoints()) {
            int away = (cluster.awaitLeaderOf(0) + 1) % 3;
            int present = (away + 1) % 3;
            cluster.store(present).put(KEY, number(7));
            Awaitility.await().until(() -> localCounter(cluster, away) == 7);
            cluster.isolate(away);
            leaveBehind(cluster, away);
            Path checkpoints = cluster.directoryOf(away).resolve("checkpoints").resolve("0");
            Path aside = checkpoints.resolveSibling("aside");
            Files.move(checkpoints, aside);
            Files.createFile(checkpoints); // nothing can be stored below a file
            cluster.heal();
            cluster.store(present).put(KEY, number(8));
            Awaitility.await("somebody reads its state")
                    .until(() -> counts(cluster, present).served()
                                    + counts(cluster, (away + 2) % 3).served()
                            > 0);
            assertThat(localCounter(cluster, away)).isEqualTo(7);
            assertThat(cluster.node(away).cluster().shards().get(0).state()).isEqualTo(ShardInfo.State.SERVING);
            Files.delete(checkpoints);
            Files.move(aside, checkpoints);
            awaitInstalled(cluster, away);
            Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> localCounter(cluster, away) == 8);
        }
    }

    /** J1: a crash between writing a snapshot and truncating the log replayed entries on top of it. */
    @Test
    void entriesInACheckpointAreNotAppliedAgainAfterARestart() {
        try (LocalCluster cluster = withCheckpoints()) {
            long expected = 0;
            for (int round = 0; round < 4; round++) {
                for (int i = 0; i < 200; i++) {
                    expected = cluster.store(i % 3).increment(KEY, 1);
                }
                assertThat(expected).isEqualTo((round + 1) * 200L);
                for (int i = 0; i < 3; i++) {
                    cluster.crash(i);
                }
                for (int i = 0; i < 3; i++) {
                    cluster.restart(i);
                }
                cluster.awaitReady();
                long value = expected;
                for (int i = 0; i < 3; i++) {
                    int member = i;
                    assertThat(cluster.store(i).get(KEY).map(v -> v.value().toUtf8()))
                            .contains("" + value);
                    Awaitility.await().until(() -> localCounter(cluster, member) == value);
                }
            }
            assertThat(counts(cluster, 0).failed()).isZero();
        }
    }

    /** X2: a survivor that lags so far that the log does not suffice was never caught up under load. */
    @Test
    void aSurvivorThatNeedsAWholeStateCatchesUpUnderLoad() {
        long seed = System.nanoTime();
        try (LocalCluster cluster = withCheckpoints()) {
            int leader = cluster.awaitLeaderOf(0);
            int lagging = (leader + 1) % 3;
            int good = (leader + 2) % 3;
            cluster.isolate(lagging);
            leaveBehind(cluster, lagging);
            try (CounterLoad load =
                    new CounterLoad(() -> List.of(cluster.node(good)), seed, 6, 3, Duration.ofSeconds(20))) {
                load.awaitProgress(50);
                cluster.heal();
                cluster.crash(leader);
                Duration pause = load.awaitProgress(50);
                System.out.println("a leader crashed while a follower lacked the whole state: writes went on after "
                        + pause.toMillis() + " ms");
                assertThat(pause).isLessThan(Duration.ofSeconds(10));
                load.stopAndVerify("survivor without state, seed " + seed);
                awaitInstalled(cluster, lagging);
            }
        }
    }
}
