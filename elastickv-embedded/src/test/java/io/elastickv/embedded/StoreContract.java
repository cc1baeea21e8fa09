package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.Batch;
import io.elastickv.api.BatchResult;
import io.elastickv.api.Bytes;
import io.elastickv.api.Condition;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.Expiry;
import io.elastickv.api.ExpiryCondition;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.InvalidRequestException.Reason;
import io.elastickv.api.KeyInfo;
import io.elastickv.api.KeyLocation;
import io.elastickv.api.KeySlot;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.Limits;
import io.elastickv.api.MultiGetResult;
import io.elastickv.api.MultiPutResult;
import io.elastickv.api.NodeInfo;
import io.elastickv.api.PutOptions;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.ScanCursor;
import io.elastickv.api.ScanPage;
import io.elastickv.api.VersionedValue;
import io.elastickv.api.WriteResult;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What the operations promise, each through several nodes of a healthy cluster. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class StoreContract {

    private final LocalCluster cluster;
    private final KeyValueStore one;
    private final KeyValueStore two;
    private final KeyValueStore three;

    StoreContract(StorageEngine engine) {
        cluster = LocalCluster.builder().storage(engine).startAndAwaitReady();
        one = cluster.store(0);
        two = cluster.store(1);
        three = cluster.store(2);
    }

    @BeforeEach
    void clear() {
        one.clear();
    }

    @AfterAll
    void close() {
        cluster.close();
    }

    private static Bytes b(String text) {
        return Bytes.utf8(text);
    }

    private static String text(Optional<VersionedValue> value) {
        return value.map(v -> v.value().toUtf8()).orElse(null);
    }

    @Test
    void aWriteThroughAnyNodeIsSeenThroughEveryNode() {
        for (int writer = 0; writer < 3; writer++) {
            for (int i = 0; i < 40; i++) {
                Bytes key = b("k" + i);
                long version = cluster.store(writer).put(key, b("v" + writer));
                for (int reader = 0; reader < 3; reader++) {
                    assertThat(cluster.store(reader).get(key))
                            .contains(new VersionedValue(b("v" + writer), version, Optional.empty()));
                }
            }
        }
    }

    @Test
    void aStoragelessNodeReadsAndWrites() {
        try (ElastickvNode client = cluster.startClient("client")) {
            client.awaitReady(Duration.ofSeconds(10));
            for (int i = 0; i < 40; i++) {
                client.store().put(b("k" + i), b("v" + i));
                assertThat(text(two.get(b("k" + i)))).isEqualTo("v" + i);
                three.put(b("k" + i), b("w" + i));
                assertThat(text(client.store().get(b("k" + i)))).isEqualTo("w" + i);
            }
            assertThat(client.store().size()).isEqualTo(40);
            assertThat(client.store().increment(b("n"), 5)).isEqualTo(5);
            assertThat(text(client.store().get(b("k1"), ReadConsistency.local())))
                    .isNotNull();
            Awaitility.await()
                    .untilAsserted(() -> assertThat(nodesOf(cluster.node(0)).stream()
                                    .filter(info -> info.name().equals("client")))
                            .anyMatch(info -> !info.member()));
        }
    }

    private static List<NodeInfo> nodesOf(ElastickvNode node) {
        return node.cluster().nodes();
    }

    @Test
    void versionsGrowAcrossDeletion() {
        Bytes key = b("k");
        long first = one.put(key, b("a"));
        long second = two.put(key, b("b"));
        assertThat(second).isGreaterThan(first);
        assertThat(three.delete(key)).isTrue();
        assertThat(one.delete(key)).isFalse();
        assertThat(two.put(key, b("c"))).isGreaterThan(second);
    }

    @Test
    void comparesAndSetsByVersion() {
        Bytes key = b("k");
        WriteResult created = one.compareAndSet(key, 0, b("a"));
        assertThat(created.applied()).isTrue();
        assertThat(two.compareAndSet(key, 0, b("x")).applied()).isFalse();
        WriteResult refused = two.compareAndSet(key, created.version() + 1, b("x"));
        assertThat(refused.applied()).isFalse();
        assertThat(refused.version()).isEqualTo(created.version());
        WriteResult changed = three.compareAndSet(key, created.version(), b("b"));
        assertThat(changed.applied()).isTrue();
        assertThat(changed.version()).isGreaterThan(created.version());
        assertThat(one.compareAndSet(key, created.version(), b("x")).applied()).isFalse();
        assertThat(text(two.get(key))).isEqualTo("b");
    }

    @Test
    void comparesAndSetsByValue() {
        Bytes key = b("k");
        assertThat(one.compareAndSet(key, b("a"), b("b")).applied()).isFalse();
        two.put(key, b("a"));
        assertThat(three.compareAndSet(key, b("x"), b("b")).applied()).isFalse();
        assertThat(three.compareAndSet(key, b("a"), b("b")).applied()).isTrue();
        assertThat(text(one.get(key))).isEqualTo("b");
    }

    @Test
    void writesAndDeletesOnConditions() {
        Bytes key = b("k");
        assertThat(one.putIfAbsent(key, b("a"))).isTrue();
        assertThat(two.putIfAbsent(key, b("x"))).isFalse();
        assertThat(one.getAndPut(key, b("b")).orElseThrow().value()).isEqualTo(b("a"));
        WriteResult previous = two.put(
                key, b("c"), PutOptions.defaults().when(Condition.absent()).returnPrevious());
        assertThat(previous.applied()).isFalse();
        assertThat(previous.previous().orElseThrow().value()).isEqualTo(b("b"));
        assertThat(two.delete(key, Condition.valueIs(b("x"))).applied()).isFalse();
        assertThat(two.delete(key, Condition.valueIs(b("b"))).applied()).isTrue();
        assertThat(three.put(key, b("d"), PutOptions.defaults().when(Condition.present()))
                        .applied())
                .isFalse();
        assertThat(one.getAndDelete(key)).isEmpty();
        one.put(key, b("e"));
        assertThat(three.getAndDelete(key).orElseThrow().value()).isEqualTo(b("e"));
        assertThat(one.get(key)).isEmpty();
    }

    @Test
    void increments() {
        Bytes key = b("n");
        assertThat(one.increment(key, 5)).isEqualTo(5);
        assertThat(two.increment(key, -7)).isEqualTo(-2);
        assertThat(text(three.get(key))).isEqualTo("-2");
        one.put(key, b("" + Long.MAX_VALUE));
        assertInvalid(Reason.INTEGER_OVERFLOW, () -> two.increment(key, 1));
        assertThat(text(three.get(key))).isEqualTo("" + Long.MAX_VALUE);
        one.put(key, b(" 1"));
        assertInvalid(Reason.NOT_AN_INTEGER, () -> two.increment(key, 1));
    }

    private static void assertInvalid(Reason reason, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        InvalidRequestException.class,
                        e -> assertThat(e.reason()).isEqualTo(reason));
    }

    @Test
    void keysExpireEverywhereAndStayAway() {
        Bytes key = b("k");
        one.put(key, b("a"), PutOptions.defaults().expireAfter(Duration.ofMillis(400)));
        assertThat(two.get(key).orElseThrow().expiresAt()).isPresent();
        assertThat(two.describe(key).orElseThrow().timeToLive().orElseThrow())
                .isBetween(Duration.ofMillis(1), Duration.ofMillis(400));
        Awaitility.await()
                .pollInterval(Duration.ofMillis(20))
                .until(() -> three.get(key).isEmpty());
        for (int i = 0; i < 3; i++) {
            assertThat(cluster.store(i).get(key)).isEmpty();
            assertThat(cluster.store(i).describe(key)).isEmpty();
        }
        assertThat(two.compareAndSet(key, b("a"), b("x")).applied()).isFalse();
        assertThat(two.delete(key)).isFalse();
        assertThat(one.putIfAbsent(key, b("b"))).isTrue();
        assertThat(three.get(key).orElseThrow().expiresAt()).isEmpty();
    }

    @Test
    void changesExpiries() {
        Bytes key = b("k");
        assertThat(one.expire(key, Duration.ofHours(1))).isFalse();
        one.put(key, b("a"));
        assertThat(one.persist(key)).isFalse();
        assertThat(two.expire(key, Duration.ofHours(1))).isTrue();
        assertThat(three.expire(key, Expiry.after(Duration.ofHours(2)), ExpiryCondition.IF_NONE))
                .isFalse();
        assertThat(three.expire(key, Expiry.after(Duration.ofHours(2)), ExpiryCondition.IF_EARLIER))
                .isFalse();
        assertThat(three.expire(key, Expiry.after(Duration.ofHours(2)), ExpiryCondition.IF_LATER))
                .isTrue();
        assertThat(one.increment(b("n"), 1)).isEqualTo(1);
        assertThat(one.compareAndSet(key, b("a"), b("b")).applied()).isTrue();
        KeyInfo info = two.describe(key).orElseThrow();
        assertThat(info.timeToLive().orElseThrow()).isGreaterThan(Duration.ofMinutes(90));
        assertThat(info.valueLength()).isEqualTo(1);
        one.put(key, b("c"), PutOptions.defaults().expiry(Expiry.keep()));
        assertThat(two.describe(key).orElseThrow().timeToLive()).isPresent();
        assertThat(three.persist(key)).isTrue();
        assertThat(one.describe(key).orElseThrow().timeToLive()).isEmpty();
        one.expire(key, Duration.ofHours(1));
        two.put(key, b("d"));
        assertThat(three.get(key).orElseThrow().expiresAt()).isEmpty();
        assertThat(three.expire(key, Expiry.at(Instant.now().minusSeconds(60)), ExpiryCondition.ALWAYS))
                .isTrue();
        assertThat(one.get(key)).isEmpty();
        assertThat(one.size()).isEqualTo(1);
    }

    @Test
    void severalKeysOfOneSlotAreAtomicAndOthersSaySo() {
        Map<Bytes, Bytes> same = new HashMap<>();
        Map<Bytes, Bytes> spread = new HashMap<>();
        for (int i = 0; i < 50; i++) {
            same.put(b("{tag}" + i), b("s" + i));
            spread.put(b("k" + i), b("v" + i));
        }
        assertThat(one.putAll(same)).isEqualTo(new MultiPutResult(true, 50));
        assertThat(two.putAll(spread)).isEqualTo(new MultiPutResult(false, 50));
        MultiGetResult read = three.getAll(same.keySet());
        assertThat(read.atomic()).isTrue();
        assertThat(read.values()).hasSize(50);
        Set<Bytes> asked = new HashSet<>(spread.keySet());
        asked.add(b("missing"));
        read = one.getAll(asked);
        assertThat(read.atomic()).isFalse();
        assertThat(read.values()).hasSize(50);
        spread.forEach((key, value) ->
                assertThat(three.getAll(List.of(key)).values().get(key).value()).isEqualTo(value));
        assertThat(two.deleteAll(asked)).isEqualTo(50);
        assertThat(one.size()).isEqualTo(50);
        assertThat(one.getAll(List.of()).values()).isEmpty();
    }

    @Test
    void aBatchAppliesAsAWholeOrNotAtAll() {
        Bytes from = b("{a}from");
        Bytes to = b("{a}to");
        one.put(from, b("10"));
        Batch batch = Batch.builder()
                .require(from, Condition.valueIs(b("10")))
                .require(to, Condition.absent())
                .get(from)
                .put(from, b("0"))
                .put(to, b("10"))
                .get(to)
                .delete(b("{a}none"))
                .build();
        BatchResult result = two.execute(batch);
        assertThat(result.applied()).isTrue();
        assertThat(result.results()).hasSize(5);
        assertThat(text(result.results().get(0).previous())).isEqualTo("10");
        assertThat(text(result.results().get(3).previous())).isEqualTo("10");
        assertThat(result.results().get(4).applied()).isFalse();
        assertThat(text(three.get(to))).isEqualTo("10");
        assertThat(one.execute(batch)).isEqualTo(new BatchResult(false, List.of()));
        assertThat(text(three.get(from))).isEqualTo("0");
        assertInvalid(
                Reason.CROSS_SLOT,
                () -> one.execute(Batch.builder().get(b("{x}1")).get(b("{y}1")).build()));
    }

    @Test
    void takesTheLargestKeysAndValuesAndBinaryOnes() {
        Random random = new Random(7);
        byte[] value = new byte[Limits.MAX_VALUE_BYTES];
        random.nextBytes(value);
        byte[] key = new byte[Limits.MAX_KEY_BYTES];
        random.nextBytes(key);
        KeyValueStore patient = one.withTimeout(Duration.ofSeconds(30));
        patient.put(Bytes.copyOf(key), Bytes.copyOf(value));
        for (int i = 0; i < 3; i++) {
            VersionedValue read = cluster.store(i)
                    .withTimeout(Duration.ofSeconds(30))
                    .get(Bytes.copyOf(key))
                    .orElseThrow();
            assertThat(read.value().equals(Bytes.copyOf(value))).isTrue();
        }
        assertThat(two.describe(Bytes.copyOf(key)).orElseThrow().valueLength()).isEqualTo(value.length);
        one.delete(Bytes.copyOf(key));

        byte[] all = new byte[256];
        for (int i = 0; i < 256; i++) {
            all[i] = (byte) i;
            one.put(Bytes.copyOf(new byte[] {(byte) i}), Bytes.copyOf(new byte[] {0, (byte) i, 0}));
        }
        two.put(Bytes.copyOf(all), Bytes.copyOf(all));
        two.put(b("empty"), Bytes.empty());
        assertThat(three.get(Bytes.copyOf(all)).orElseThrow().value()).isEqualTo(Bytes.copyOf(all));
        assertThat(three.get(b("empty")).orElseThrow().value().length()).isZero();
        for (int i = 0; i < 256; i++) {
            assertThat(three.get(Bytes.copyOf(new byte[] {(byte) i}))
                            .orElseThrow()
                            .value())
                    .isEqualTo(Bytes.copyOf(new byte[] {0, (byte) i, 0}));
        }
        assertThat(one.size()).isEqualTo(258);
    }

    @Test
    void refusesWhatIsOutsideTheLimits() {
        Bytes longKey = Bytes.copyOf(new byte[Limits.MAX_KEY_BYTES + 1]);
        Bytes longValue = Bytes.copyOf(new byte[Limits.MAX_VALUE_BYTES + 1]);
        assertInvalid(Reason.INVALID_ARGUMENT, () -> one.get(Bytes.empty()));
        assertInvalid(Reason.INVALID_ARGUMENT, () -> one.put(Bytes.empty(), b("v")));
        assertInvalid(Reason.INVALID_ARGUMENT, () -> one.get(longKey));
        assertInvalid(Reason.INVALID_ARGUMENT, () -> one.put(longKey, b("v")));
        assertInvalid(Reason.INVALID_ARGUMENT, () -> one.put(b("k"), longValue));
        assertInvalid(Reason.INVALID_ARGUMENT, () -> one.scan(ScanCursor.START, 0));
        assertInvalid(Reason.INVALID_ARGUMENT, () -> one.scan(ScanCursor.START, 10_001));
        assertInvalid(Reason.INVALID_ARGUMENT, () -> one.sizeOfSlot(KeySlot.COUNT));
        assertInvalid(Reason.INVALID_ARGUMENT, () -> one.keysOfSlot(-1, 1));
        assertInvalid(Reason.INVALID_ARGUMENT, () -> one.execute(Batch.builder().build()));
        assertThatThrownBy(() -> one.withTimeout(Duration.ZERO)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> one.async().put(longKey, b("v")).get())
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(InvalidRequestException.class);
        assertThat(one.size()).isZero();
    }

    @Test
    void countsAndListsKeys() {
        assertThat(one.randomKey()).isEmpty();
        Set<Bytes> keys = new HashSet<>();
        for (int i = 0; i < 300; i++) {
            keys.add(b("k" + i));
        }
        keys.add(b("{s}1"));
        keys.add(b("{s}2"));
        keys.forEach(key -> two.put(key, b("v")));
        assertThat(three.size()).isEqualTo(302);
        int slot = KeySlot.of(b("{s}"));
        assertThat(one.sizeOfSlot(slot)).isEqualTo(2);
        assertThat(two.keysOfSlot(slot, 10)).containsExactlyInAnyOrder(b("{s}1"), b("{s}2"));
        assertThat(two.keysOfSlot(slot, 1)).hasSize(1);
        assertThat(keys)
                .contains(one.randomKey().orElseThrow(), three.randomKey().orElseThrow());
        two.clear();
        for (int i = 0; i < 3; i++) {
            assertThat(cluster.store(i).size()).isZero();
            assertThat(cluster.store(i).get(b("k1"))).isEmpty();
        }
    }

    @Test
    void aScanReturnsEveryKeyThatIsThereThroughoutWhileOthersComeAndGo() throws Exception {
        Set<Bytes> stable = new HashSet<>();
        Map<Bytes, Bytes> entries = new HashMap<>();
        for (int i = 0; i < 5_000; i++) {
            stable.add(b("stable" + i));
            entries.put(b("stable" + i), b("v" + i));
        }
        one.putAll(entries);
        AtomicBoolean stop = new AtomicBoolean();
        Thread churn = new Thread(() -> {
            for (int i = 0; !stop.get(); i++) {
                two.put(b("volatile" + i), b("x"));
                two.delete(b("volatile" + (i - 50)));
                two.put(b("stable" + i % 5_000), b("changed" + i));
            }
        });
        churn.start();
        try {
            for (int scan = 0; scan < 3; scan++) {
                Set<Bytes> seen = new HashSet<>();
                ScanCursor cursor = ScanCursor.START;
                int page = 0;
                do {
                    // Another node for each page: a cursor is understood everywhere.
                    ScanPage next = cluster.store(page++ % 3).scan(cursor, 100);
                    seen.addAll(next.keys());
                    cursor = next.next();
                    assertThat(page).as("pages").isLessThan(5_000);
                } while (!cursor.isStart());
                assertThat(seen).containsAll(stable);
            }
        } finally {
            stop.set(true);
            churn.join();
        }
    }

    @Test
    void localAndBoundedReadsAnswerAndCatchUp() {
        Bytes key = b("k");
        one.put(key, b("v1"));
        for (int i = 0; i < 3; i++) {
            KeyValueStore store = cluster.store(i);
            Awaitility.await()
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> "v1".equals(text(store.get(key, ReadConsistency.local()))));
        }
        for (int round = 0; round < 50; round++) {
            String value = "w" + round;
            one.put(key, b(value));
            // Nothing is older than zero: as good as linearizable.
            assertThat(text(cluster.store(round % 3).get(key, ReadConsistency.boundedStale(Duration.ZERO))))
                    .isEqualTo(value);
        }
    }

    @Test
    void explainsWhereAKeyLives() {
        for (int i = 0; i < 20; i++) {
            Bytes key = b("key" + i);
            KeyLocation location = cluster.node(1).cluster().explain(key);
            assertThat(location.slot()).isEqualTo(KeySlot.of(key));
            assertThat(cluster.node(0).cluster().shards().get(location.shard()).owns(location.slot()))
                    .isTrue();
            assertThat(location.leader()).isPresent().isEqualTo(cluster.leaderOf(location.shard()));
            assertThat(location.epoch()).isPositive();
        }
    }

    @Test
    void showsReplication() {
        one.put(b("k"), b("v"));
        int shard = cluster.shardOf(b("k"));
        Awaitility.await().untilAsserted(() -> {
            var replicas = cluster.node(2).cluster().replication(shard, Duration.ofSeconds(5));
            assertThat(replicas)
                    .hasSize(3)
                    .allSatisfy(replica -> assertThat(replica.lag()).isZero());
            assertThat(replicas.stream().filter(replica -> replica.leader())).hasSize(1);
        });
    }

    @Test
    void futuresCompleteOnThreadsThatMayBlock() {
        one.put(b("k"), b("v"));
        List<CompletableFuture<String>> nested = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            KeyValueStore store = cluster.store(i % 3);
            nested.add(store.async().get(b("k")).thenApply(first -> {
                // A blocking call inside a callback: would hang a loop, or a pool of few threads.
                assertThat(text(store.get(b("k")))).isEqualTo("v");
                return Thread.currentThread().getName();
            }));
        }
        for (CompletableFuture<String> one : nested) {
            assertThat(one.orTimeout(10, TimeUnit.SECONDS).join())
                    .doesNotContain("-loop-")
                    .doesNotContain("-net-");
        }
    }

    @Test
    void attributesOfANodeAreSeenByAll() {
        cluster.node(0).cluster().setAttribute("redis", "127.0.0.1:6379");
        for (int i = 0; i < 3; i++) {
            var view = cluster.node(i).cluster();
            Awaitility.await().until(() -> view.attribute("n0", "redis").equals(Optional.of("127.0.0.1:6379")));
            assertThat(view.attribute("n1", "redis")).isEmpty();
        }
        assertInvalid(Reason.INVALID_ARGUMENT, () -> cluster.node(0).cluster().setAttribute("a", "x".repeat(257)));
    }
}
