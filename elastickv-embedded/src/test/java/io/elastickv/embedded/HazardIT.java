package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.UnavailableException;
import io.elastickv.api.VersionedValue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What the stock protocol got wrong, as far as it can be seen through operations over real channels. The letters are those of
 * the list of hazards; the others are tested on the consensus core.
 */
final class HazardIT {

    private static final Bytes KEY = Bytes.utf8("key");

    private static LocalCluster cluster;

    @BeforeAll
    static void start() {
        cluster = LocalCluster.builder().shards(1).startAndAwaitReady();
    }

    @AfterEach
    void repair() {
        cluster.heal();
        for (int i = 0; i < 3; i++) {
            if (!cluster.isRunning(i)) {
                cluster.restart(i);
            }
        }
        cluster.awaitReady();
        cluster.store(0).clear();
    }

    @AfterAll
    static void close() {
        cluster.close();
    }

    private static Bytes number(int i) {
        return Bytes.utf8("" + i);
    }

    /** B1: a read on an isolated leader answered, and acknowledged what was not replicated. */
    @Test
    void readsOnAnIsolatedLeaderNeitherAnswerNorAcknowledge() {
        for (int round = 0; round < 2; round++) {
            cluster.store(0).put(KEY, Bytes.utf8("base" + round));
            int leader = cluster.awaitLeaderOf(0);
            cluster.isolate(leader);
            var store = cluster.store(leader).withTimeout(Duration.ofSeconds(2)).async();
            List<CompletableFuture<?>> calls = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                calls.add(store.put(KEY, Bytes.utf8("isolated" + i)));
                calls.add(store.get(KEY));
                calls.add(store.increment(Bytes.utf8("n"), 1));
            }
            for (CompletableFuture<?> call : calls) {
                assertThat(Failures.of(call)).isInstanceOf(ElastickvException.class);
            }
            cluster.heal();
            cluster.awaitReady();
        }
    }

    /** B2, B3: acks from before the read, or two of one follower, confirmed it. A leader that hears only one way is not heard. */
    @Test
    void aLeaderThatOnlyHearsAnswersNothing() {
        cluster.store(0).put(KEY, KEY);
        int leader = cluster.awaitLeaderOf(0);
        cluster.cutOneWay(leader, (leader + 1) % 3);
        cluster.cutOneWay(leader, (leader + 2) % 3);
        assertThatThrownBy(() -> cluster.store(leader)
                        .withTimeout(Duration.ofMillis(700))
                        .get(KEY))
                .isInstanceOf(UnavailableException.class);
        cluster.store((leader + 1) % 3).put(KEY, number(1));
        cluster.heal();
        assertThat(cluster.store(leader).get(KEY).map(VersionedValue::value)).contains(number(1));
    }

    /** B4: a new leader served reads that missed acknowledged writes. */
    @Test
    void aNewLeaderNeverMissesWhatTheOldOneAcknowledged() throws InterruptedException {
        for (int i = 0; i < 12; i++) {
            int leader = cluster.awaitLeaderOf(0);
            int next = (leader + 1 + i % 2) % 3;
            cluster.store(leader).put(KEY, number(i));
            // The reads are asked of the next leader while it is becoming that.
            boolean byTransfer = i % 4 != 3;
            Thread change = new Thread(() -> {
                if (byTransfer) {
                    transferQuietly(next);
                } else {
                    cluster.isolate(leader);
                }
            });
            change.start();
            for (int read = 0; read < 20; read++) {
                Optional<VersionedValue> seen = cluster.store(next).get(KEY);
                assertThat(seen.map(v -> v.value().toUtf8())).contains("" + i);
            }
            change.join();
            cluster.heal();
        }
    }

    private static void transferQuietly(int to) {
        try {
            cluster.node(to).cluster().transferLeadership(0, LocalCluster.nameOf(to), Duration.ofSeconds(2));
        } catch (ElastickvException e) {
            // The test is about reads, whoever leads.
        }
    }

    /** K: retries across a change of leader counted twice. Every increment must return another number. */
    @Test
    void retriesAcrossChangesOfLeaderTakeEffectOnce() {
        long seed = System.nanoTime();
        try (CounterLoad load = new CounterLoad(cluster::running, seed, 6, 1, Duration.ofSeconds(10))) {
            for (int i = 0; i < 15; i++) {
                load.awaitProgress(40);
                transferQuietly((cluster.awaitLeaderOf(0) + 1) % 3);
            }
            load.stopAndVerify("15 transfers, seed " + seed);
            assertThat(load.unknown())
                    .as("nothing was lost, so nothing is unknown")
                    .isZero();
        }
    }

    /** X2: a lagging survivor was caught up only when the group was idle, so a leader's crash stalled all writes. */
    @Test
    void aLaggingSurvivorCatchesUpUnderLoad() {
        long seed = System.nanoTime();
        int leader = cluster.awaitLeaderOf(0);
        int lagging = (leader + 1) % 3;
        int good = (leader + 2) % 3;
        cluster.isolate(lagging);
        for (int i = 0; i < 200; i++) {
            cluster.store(good).put(Bytes.utf8("fill" + i % 10), Bytes.copyOf(new byte[100_000]));
        }
        try (CounterLoad load =
                new CounterLoad(() -> List.of(cluster.node(good)), seed, 6, 3, Duration.ofSeconds(10))) {
            load.awaitProgress(50);
            cluster.heal();
            cluster.crash(leader);
            Duration pause = load.awaitProgress(50);
            System.out.println(
                    "a leader crashed while a follower lacked 20 MB: writes went on after " + pause.toMillis() + " ms");
            assertThat(pause).isLessThan(Duration.ofSeconds(5));
            load.stopAndVerify("lagging survivor, seed " + seed);
        }
    }
}
