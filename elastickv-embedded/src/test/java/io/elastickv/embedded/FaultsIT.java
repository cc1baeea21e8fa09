package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.elastickv.api.Bytes;
import io.elastickv.api.ClusterEvents;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.api.PutOptions;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.ShardInfo;
import io.elastickv.api.UnavailableException;
import io.elastickv.api.VersionedValue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What callers are promised while nodes crash and networks fail. One cluster for all tests: each leaves it whole. */
final class FaultsIT {

    private static final int SHARDS = 4;
    private static final Bytes KEY = Bytes.utf8("key");

    private static LocalCluster cluster;

    @BeforeAll
    static void start() {
        cluster = LocalCluster.builder().shards(SHARDS).startAndAwaitReady();
    }

    @AfterEach
    void repair() {
        cluster.heal();
        for (int i = 0; i < cluster.size(); i++) {
            cluster.setClockOffset(i, Duration.ZERO);
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

    private static Bytes b(String text) {
        return Bytes.utf8(text);
    }

    private static String read(KeyValueStore store, Bytes key) {
        return store.get(key).map(v -> v.value().toUtf8()).orElse(null);
    }

    private static int otherThan(int member) {
        return (member + 1) % 3;
    }

    // ---- losing a leader

    @Test
    void crashesOfLeadersUnderLoadLoseNoAcknowledgedWrite() {
        long seed = System.nanoTime();
        try (CounterLoad load = new CounterLoad(cluster::running, seed, 8, 5, Duration.ofSeconds(4))) {
            List<Long> pauses = new ArrayList<>();
            for (int round = 0; round < 3; round++) {
                load.awaitProgress(200);
                int leader = cluster.awaitLeaderOf(CounterLoad.key(round));
                cluster.crash(leader);
                pauses.add(load.awaitProgress(200).toMillis());
                cluster.restart(leader);
                cluster.awaitReady();
            }
            System.out.println("ms until 200 more increments after a leader's crash: " + pauses);
            load.stopAndVerify("crashes of leaders, seed " + seed);
        }
    }

    @Test
    void incrementsCountExactlyOnceAcrossPartitionsAndTransfers() {
        long seed = System.nanoTime();
        try (CounterLoad load = new CounterLoad(cluster::running, seed, 8, 5, Duration.ofSeconds(4))) {
            for (int round = 0; round < 6; round++) {
                load.awaitProgress(100);
                int leader = cluster.awaitLeaderOf(CounterLoad.key(round % 5));
                switch (round % 3) {
                    case 0 -> cluster.isolate(leader);
                    case 1 -> transferQuietly(cluster.shardOf(CounterLoad.key(round % 5)), otherThan(leader));
                    // Hears the others and is not heard: they elect another, whose term it learns.
                    default -> {
                        cluster.cutOneWay(leader, otherThan(leader));
                        cluster.cutOneWay(leader, otherThan(otherThan(leader)));
                    }
                }
                load.awaitProgress(200);
                cluster.heal();
            }
            load.stopAndVerify("partitions and transfers, seed " + seed);
        }
    }

    private static void transferQuietly(int shard, int to) {
        try {
            cluster.node(to).cluster().transferLeadership(shard, LocalCluster.nameOf(to), Duration.ofSeconds(2));
        } catch (UnavailableException e) {
            System.out.println("no transfer: " + e.getMessage());
        }
    }

    @Test
    void aLeaderCutOffAnswersNothingAndAnotherServes() {
        cluster.store(0).put(KEY, b("old"));
        int shard = cluster.shardOf(KEY);
        int leader = cluster.awaitLeaderOf(KEY);
        KeyValueStore cutOff = cluster.store(leader).withTimeout(Duration.ofMillis(1_500));
        cluster.isolate(leader);
        long start = System.nanoTime();
        // At once, while it still believes that it leads.
        CompletableFuture<Optional<VersionedValue>> read = cutOff.async().get(KEY);
        CompletableFuture<Long> write = cutOff.async().put(KEY, b("lost"));
        CompletableFuture<Long> increment = cutOff.async().increment(b("{key}n"), 1);

        int other = otherThan(leader);
        cluster.store(other).put(KEY, b("new"));
        long servedAfter = (System.nanoTime() - start) / 1_000_000;
        System.out.println("ms until another leader served a write: " + servedAfter);
        assertThat(servedAfter).isLessThan(4_000);
        assertThat(cluster.awaitLeaderAmong(shard, Set.of(other, otherThan(other))))
                .isNotEqualTo(leader);

        assertThat(Failures.of(read)).isInstanceOf(UnavailableException.class);
        assertThat(Failures.of(write)).isInstanceOf(ElastickvException.class);
        assertThat(Failures.of(increment)).isInstanceOf(ElastickvException.class);
        assertThatThrownBy(() -> cutOff.get(KEY)).isInstanceOf(UnavailableException.class);
        assertThat(cluster.store(leader)
                        .get(KEY, ReadConsistency.local())
                        .map(v -> v.value().toUtf8()))
                .as("a local read is named as what it is")
                .contains("old");

        cluster.heal();
        assertThat(read(cluster.store(leader), KEY)).isEqualTo("new");
    }

    @Test
    void aMinorityRefusesWithinTheDeadline() {
        for (int i = 0; i < 20; i++) {
            cluster.store(0).put(b("k" + i), b("v"));
        }
        cluster.partition(Set.of(1));
        KeyValueStore minority = cluster.store(1).withTimeout(Duration.ofMillis(700));
        for (int i = 0; i < 3; i++) {
            Bytes key = b("k" + i);
            long start = System.nanoTime();
            assertThatThrownBy(() -> minority.get(key)).isInstanceOf(UnavailableException.class);
            assertThat(catchThrowable(() -> minority.put(key, b("x"))))
                    .isInstanceOfAny(UnavailableException.class, OutcomeUnknownException.class);
            assertThatThrownBy(() -> minority.get(key, ReadConsistency.boundedStale(Duration.ofMillis(1))))
                    .isInstanceOf(UnavailableException.class);
            assertThat(System.nanoTime() - start).isLessThan(3_600_000_000L);
        }
        assertThatThrownBy(minority::size).isInstanceOf(UnavailableException.class);
        assertThat(minority.get(b("k1"), ReadConsistency.local())).isPresent();
        Awaitility.await()
                .untilAsserted(() -> assertThat(cluster.node(1).cluster().shards())
                        .allSatisfy(shard -> assertThat(shard.state()).isEqualTo(ShardInfo.State.NO_LEADER)));
        cluster.store(0).put(b("k1"), b("majority"));
        assertThat(read(cluster.store(2), b("k1"))).isEqualTo("majority");
        cluster.heal();
        assertThat(read(cluster.store(1), b("k1"))).isEqualTo("majority");
    }

    @Test
    void theLastOfThreeRefusesUntilAnotherReturns() {
        cluster.store(0).put(KEY, b("v"));
        cluster.crash(0);
        cluster.crash(2);
        KeyValueStore last = cluster.store(1);
        assertThatThrownBy(() -> last.withTimeout(Duration.ofSeconds(1)).get(KEY))
                .isInstanceOf(UnavailableException.class);
        CompletableFuture<Optional<VersionedValue>> patient =
                last.withTimeout(Duration.ofSeconds(20)).async().get(KEY);
        cluster.restart(0);
        assertThat(patient.orTimeout(20, TimeUnit.SECONDS).join()).isPresent();
        last.put(KEY, b("w"));
        cluster.restart(2);
        cluster.awaitReady();
        assertThat(read(cluster.store(2), KEY)).isEqualTo("w");
    }

    @Test
    void boundedReadsAreNeverOlderThanTheirBound() {
        long boundMillis = 300;
        cluster.store(0).put(KEY, b("0"));
        AtomicBoolean stop = new AtomicBoolean();
        // versions[i] was acknowledged at times[i]
        List<Long> times = new ArrayList<>(List.of(System.nanoTime()));
        int leader = cluster.awaitLeaderOf(KEY);
        int reader = otherThan(leader);
        Queue<String> violations = new ConcurrentLinkedQueue<>();
        List<Integer> answers = new ArrayList<>();
        Thread readers = new Thread(() -> {
            KeyValueStore store = cluster.store(reader).withTimeout(Duration.ofSeconds(1));
            while (!stop.get()) {
                long before = System.nanoTime() - boundMillis * 1_000_000;
                int newestOld;
                synchronized (times) {
                    newestOld = times.size() - 1;
                    while (newestOld > 0 && times.get(newestOld) - before > 0) {
                        newestOld--;
                    }
                }
                try {
                    int seen = store.get(KEY, ReadConsistency.boundedStale(Duration.ofMillis(boundMillis)))
                            .map(v -> Integer.parseInt(v.value().toUtf8()))
                            .orElse(-1);
                    answers.add(seen);
                    if (seen < newestOld) {
                        violations.add("saw " + seen + ", but " + newestOld + " was acknowledged " + boundMillis
                                + " ms before");
                    }
                } catch (UnavailableException e) {
                    // Refusing is allowed.
                }
            }
        });
        readers.start();
        for (int i = 1; i <= 600; i++) {
            if (i == 200) {
                cluster.isolate(reader);
            }
            if (i == 400) {
                cluster.heal();
            }
            cluster.store(leader).put(KEY, b("" + i));
            synchronized (times) {
                times.add(System.nanoTime());
            }
        }
        stop.set(true);
        Awaitility.await().until(() -> !readers.isAlive());
        assertThat(violations).isEmpty();
        assertThat(answers).hasSizeGreaterThan(100);
    }

    // ---- clocks

    private static void transfer(int shard, int to) {
        String name = LocalCluster.nameOf(to);
        cluster.node(0).cluster().transferLeadership(shard, name, Duration.ofSeconds(10));
        Awaitility.await()
                .pollInterval(Duration.ofMillis(5))
                .until(() -> cluster.leaderOf(shard).equals(Optional.of(name)));
    }

    @Test
    void anExpirySurvivesTheCrashOfItsLeader() {
        cluster.store(0).put(KEY, b("v"), PutOptions.defaults().expireAfter(Duration.ofMillis(1_500)));
        cluster.store(0).put(b("{key}2"), b("v"), PutOptions.defaults().expireAfter(Duration.ofHours(1)));
        int leader = cluster.awaitLeaderOf(KEY);
        cluster.crash(leader);
        int other = otherThan(leader);
        assertThat(read(cluster.store(other), b("{key}2"))).isEqualTo("v");
        assertThat(cluster.store(other)
                        .describe(b("{key}2"))
                        .orElseThrow()
                        .timeToLive()
                        .orElseThrow())
                .isBetween(Duration.ofMinutes(59), Duration.ofHours(1));
        Awaitility.await()
                .pollInterval(Duration.ofMillis(10))
                .until(() -> cluster.store(other).get(KEY).isEmpty());
        cluster.restart(leader);
        cluster.awaitReady();
        assertThat(cluster.store(leader).get(KEY)).isEmpty();
    }

    // ---- leadership

    @Test
    void leadershipGoesWhereItIsAskedToAndListenersAreTold() {
        int shard = cluster.shardOf(KEY);
        Queue<String> heard = new ConcurrentLinkedQueue<>();
        ClusterEvents listener = new ClusterEvents() {
            @Override
            public void leaderChanged(int changed, long term, String leader) {
                if (changed == shard) {
                    heard.add("leader " + leader);
                }
            }

            @Override
            public void nodeLeft(String node) {
                heard.add("left " + node);
            }

            @Override
            public void nodeJoined(String node) {
                heard.add("joined " + node);
            }

            @Override
            public void shardStateChanged(int changed, ShardInfo.State state) {
                throw new IllegalStateException("a listener that fails hurts nobody");
            }
        };
        cluster.node(1).cluster().addListener(listener);
        int first = otherThan(cluster.awaitLeaderOf(shard));
        for (int to : List.of(first, otherThan(first), first, 0)) {
            transfer(shard, to);
            assertThat(cluster.node(to).cluster().explain(KEY).leader()).contains(LocalCluster.nameOf(to));
            cluster.store(1).put(KEY, b("led by " + to));
        }
        Awaitility.await().until(() -> heard.contains("leader " + LocalCluster.nameOf(first)));
        cluster.crash(2);
        Awaitility.await().until(() -> heard.contains("left n2"));
        cluster.restart(2);
        Awaitility.await().until(() -> heard.contains("joined n2"));
        cluster.node(1).cluster().removeListener(listener);
        assertThatThrownBy(() -> cluster.node(0).cluster().transferLeadership(shard, "stranger", Duration.ofSeconds(1)))
                .isInstanceOf(InvalidRequestException.class);
        assertThatThrownBy(() -> cluster.node(0).cluster().transferLeadership(99, "n1", Duration.ofSeconds(1)))
                .isInstanceOf(InvalidRequestException.class);
    }

    @Test
    void leadershipDoesNotGoToWhomItCannotReach() {
        int shard = cluster.shardOf(KEY);
        transfer(shard, 0);
        cluster.isolate(2);
        assertThatThrownBy(() -> cluster.node(0).cluster().transferLeadership(shard, "n2", Duration.ofSeconds(1)))
                .isInstanceOf(UnavailableException.class);
        cluster.store(0).put(KEY, b("still served"));
        assertThat(read(cluster.store(1), KEY)).isEqualTo("still served");
    }
}
