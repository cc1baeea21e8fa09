package io.elastickv.embedded.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.Batch;
import io.elastickv.api.BatchResult;
import io.elastickv.api.Bytes;
import io.elastickv.api.Condition;
import io.elastickv.api.Expiry;
import io.elastickv.api.ExpiryCondition;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.InvalidRequestException.Reason;
import io.elastickv.api.KeyInfo;
import io.elastickv.api.KeySlot;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.Limits;
import io.elastickv.api.MultiGetResult;
import io.elastickv.api.MultiPutResult;
import io.elastickv.api.PutOptions;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.ScanCursor;
import io.elastickv.api.ScanPage;
import io.elastickv.api.UnavailableException;
import io.elastickv.api.UnsafeBytes;
import io.elastickv.api.VersionedValue;
import io.elastickv.api.WriteResult;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the calls of the API check, hand on and make of the results. */
@Timeout(60)
class StoreTest {

    private static final Bytes KEY = Bytes.utf8("key");
    private static final Bytes A = Bytes.utf8("a");
    private static final Bytes B = Bytes.utf8("b");

    @TempDir
    Path directory;

    private StoreFixture node;
    private KeyValueStore store;

    @BeforeEach
    void start() {
        node = new StoreFixture(directory).open();
        store = node.store.blocking();
    }

    @AfterEach
    void stop() {
        node.close();
    }

    private static void assertInvalid(Reason reason, String message, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining(message)
                .satisfies(
                        e -> assertThat(((InvalidRequestException) e).reason()).isEqualTo(reason));
    }

    @Test
    void whatIsPutIsRead() {
        assertThat(store.get(KEY)).isEmpty();
        long version = store.put(KEY, A);
        assertThat(store.get(KEY)).contains(new VersionedValue(A, version, Optional.empty()));
        assertThat(store.get(KEY, ReadConsistency.local())).isPresent();
        assertThat(store.get(KEY, ReadConsistency.boundedStale(Duration.ofSeconds(10))))
                .isPresent();
        assertThat(store.get(KEY, ReadConsistency.boundedStale(Duration.ofSeconds(Long.MAX_VALUE))))
                .isPresent();
        assertThat(store.put(KEY, B)).isGreaterThan(version);
    }

    @Test
    void conditionsDecide() {
        assertThat(store.putIfAbsent(KEY, A)).isTrue();
        assertThat(store.putIfAbsent(KEY, B)).isFalse();
        long version = store.get(KEY).orElseThrow().version();
        assertThat(store.compareAndSet(KEY, version + 1, B).applied()).isFalse();
        assertThat(store.compareAndSet(KEY, -1, B).applied())
                .as("no key has such a version")
                .isFalse();
        WriteResult changed = store.compareAndSet(KEY, version, B);
        assertThat(changed.applied()).isTrue();
        assertThat(changed.version()).isGreaterThan(version);
        assertThat(store.compareAndSet(KEY, A, A).applied()).isFalse();
        assertThat(store.compareAndSet(KEY, B, A).applied()).isTrue();
        assertThat(store.compareAndSet(Bytes.utf8("new"), 0, A).applied())
                .as("version 0 stands for no key")
                .isTrue();
        assertThat(store.put(
                        KEY, B, PutOptions.defaults().when(Condition.absent()).returnPrevious()))
                .satisfies(result -> {
                    assertThat(result.applied()).isFalse();
                    assertThat(result.previous().orElseThrow().value()).isEqualTo(A);
                });
    }

    @Test
    void previousValuesAreReturnedWhereAskedFor() {
        assertThat(store.getAndPut(KEY, A)).isEmpty();
        assertThat(store.getAndPut(KEY, B).orElseThrow().value()).isEqualTo(A);
        assertThat(store.getAndDelete(KEY).orElseThrow().value()).isEqualTo(B);
        assertThat(store.getAndDelete(KEY)).isEmpty();
    }

    @Test
    void deletesSayWhetherThereWasSomething() {
        store.put(KEY, A);
        assertThat(store.delete(KEY, Condition.valueIs(B)).applied()).isFalse();
        assertThat(store.delete(KEY, Condition.absent()).applied()).isFalse();
        assertThat(store.delete(KEY)).isTrue();
        assertThat(store.delete(KEY)).isFalse();
    }

    @Test
    void countersCount() {
        assertThat(store.increment(KEY, 5)).isEqualTo(5);
        assertThat(store.increment(KEY, -7)).isEqualTo(-2);
        store.put(KEY, Bytes.utf8("text"));
        assertInvalid(Reason.NOT_AN_INTEGER, "slot " + KeySlot.of(KEY), () -> store.increment(KEY, 1));
        store.put(KEY, Bytes.utf8(Long.toString(Long.MAX_VALUE)));
        assertInvalid(Reason.INTEGER_OVERFLOW, "overflow", () -> store.increment(KEY, 1));
    }

    @Test
    void expiriesAreSetReadAndRemoved() {
        assertThat(store.expire(KEY, Duration.ofHours(1))).isFalse();
        store.put(KEY, A, PutOptions.defaults().expireAfter(Duration.ofHours(1)));
        KeyInfo info = store.describe(KEY).orElseThrow();
        assertThat(info.valueLength()).isEqualTo(1);
        assertThat(info.timeToLive().orElseThrow()).isBetween(Duration.ofMinutes(59), Duration.ofMinutes(60));
        store.compareAndSet(KEY, info.version(), B);
        assertThat(store.describe(KEY).orElseThrow().expiresAt()).as("it stays").isEqualTo(info.expiresAt());
        assertThat(store.expire(KEY, Expiry.after(Duration.ofHours(2)), ExpiryCondition.IF_NONE))
                .isFalse();
        assertThat(store.expire(KEY, Expiry.after(Duration.ofHours(2)), ExpiryCondition.IF_EARLIER))
                .isFalse();
        assertThat(store.expire(KEY, Expiry.after(Duration.ofHours(2)), ExpiryCondition.IF_LATER))
                .isTrue();
        assertThat(store.expire(KEY, Expiry.after(Duration.ofHours(3)), ExpiryCondition.IF_ANY))
                .isTrue();
        assertThat(store.persist(KEY)).isTrue();
        assertThat(store.persist(KEY)).isFalse();
        assertThat(store.describe(KEY).orElseThrow().timeToLive()).isEmpty();
        assertThat(store.expire(KEY, Expiry.at(Instant.EPOCH), ExpiryCondition.ALWAYS))
                .isTrue();
        assertThat(store.get(KEY)).isEmpty();
        assertThat(store.describe(KEY)).isEmpty();
    }

    @Test
    void anExpiryThatCannotBeSetIsRefused() {
        assertInvalid(Reason.INVALID_ARGUMENT, "keep", () -> store.expire(KEY, Expiry.keep(), ExpiryCondition.ALWAYS));
        assertInvalid(
                Reason.INVALID_ARGUMENT,
                "milliseconds",
                () -> store.expire(KEY, Expiry.at(Instant.MAX), ExpiryCondition.ALWAYS));
        assertInvalid(
                Reason.INVALID_ARGUMENT,
                "keep",
                () -> store.execute(Batch.builder().expire(KEY, Expiry.keep()).build()));
        store.put(KEY, A, PutOptions.defaults().expireAfter(Duration.ofMillis(Long.MAX_VALUE)));
        assertThat(store.get(KEY)).isPresent();
    }

    @Test
    void keysAndValuesHaveTheirLimits() {
        Bytes longest = Bytes.copyOf(new byte[Limits.MAX_KEY_BYTES]);
        Bytes tooLong = Bytes.copyOf(new byte[Limits.MAX_KEY_BYTES + 1]);
        Bytes tooLarge = UnsafeBytes.wrap(new byte[Limits.MAX_VALUE_BYTES + 1]);
        store.put(longest, Bytes.empty());
        assertThat(store.get(longest).orElseThrow().value().isEmpty()).isTrue();
        assertInvalid(Reason.INVALID_ARGUMENT, "key length = 65537", () -> store.get(tooLong));
        assertInvalid(Reason.INVALID_ARGUMENT, "key length = 0", () -> store.put(Bytes.empty(), A));
        assertInvalid(Reason.INVALID_ARGUMENT, "value length = 16777217", () -> store.put(KEY, tooLarge));
        assertInvalid(Reason.INVALID_ARGUMENT, "value length = 16777217", () -> store.compareAndSet(KEY, tooLarge, A));
        assertInvalid(Reason.INVALID_ARGUMENT, "key length = 0", () -> store.deleteAll(List.of(Bytes.empty())));
    }

    @Test
    void noCommandIsLargerThanAMessageBetweenNodesMayBe() {
        Bytes largest = UnsafeBytes.wrap(new byte[Limits.MAX_VALUE_BYTES]);
        assertThat(store.put(KEY, largest)).isPositive();
        assertThat(store.compareAndSet(KEY, UnsafeBytes.wrap(new byte[15 << 20]), UnsafeBytes.wrap(new byte[15 << 20]))
                        .applied())
                .isFalse();
        assertInvalid(Reason.INVALID_ARGUMENT, "expected value", () -> store.compareAndSet(KEY, largest, largest));
        Batch conditions = Batch.builder()
                .put(KEY, A, PutOptions.defaults().when(Condition.valueIs(largest)))
                .put(KEY, B, PutOptions.defaults().when(Condition.valueIs(largest)))
                .build();
        assertInvalid(Reason.INVALID_ARGUMENT, "batch = 335544", () -> store.execute(conditions));
        Batch requirements = Batch.builder()
                .require(KEY, Condition.valueIs(largest))
                .require(KEY, Condition.valueIs(largest))
                .build();
        assertInvalid(Reason.INVALID_ARGUMENT, "batch = 335544", () -> store.execute(requirements));
    }

    @Test
    void severalKeysAreReadInTheOrderAskedAndSayWhetherThatWasOneMoment() {
        store.put(Bytes.utf8("x"), A);
        store.put(Bytes.utf8("y"), B);
        MultiGetResult several =
                store.getAll(List.of(Bytes.utf8("y"), Bytes.utf8("nothing"), Bytes.utf8("x"), Bytes.utf8("y")));
        assertThat(several.atomic()).isFalse();
        assertThat(several.values().keySet()).containsExactly(Bytes.utf8("y"), Bytes.utf8("x"));
        assertThat(store.getAll(List.of(Bytes.utf8("{t}1"), Bytes.utf8("{t}2"))).atomic())
                .isTrue();
        assertThat(store.getAll(List.of())).isEqualTo(new MultiGetResult(Map.of(), true));
    }

    @Test
    void severalKeysAreWrittenAndDeleted() {
        Map<Bytes, Bytes> entries = new LinkedHashMap<>();
        for (int i = 0; i < 50; i++) {
            entries.put(Bytes.utf8("k" + i), Bytes.utf8("v" + i));
        }
        assertThat(store.putAll(entries)).isEqualTo(new MultiPutResult(false, 50));
        assertThat(store.size()).isEqualTo(50);
        assertThat(store.getAll(entries.keySet()).values()).hasSize(50);
        assertThat(store.putAll(Map.of(Bytes.utf8("{t}1"), A, Bytes.utf8("{t}2"), B)))
                .isEqualTo(new MultiPutResult(true, 2));
        assertThat(store.putAll(Map.of())).isEqualTo(new MultiPutResult(true, 0));
        assertThat(store.deleteAll(List.of(Bytes.utf8("k1"), Bytes.utf8("k1"), Bytes.utf8("k2"), Bytes.utf8("none"))))
                .isEqualTo(2);
        assertThat(store.deleteAll(List.of())).isZero();
        store.clear();
        assertThat(store.size()).isZero();
        assertThat(store.randomKey()).isEmpty();
    }

    @Test
    void aBatchAppliesAsAWholeOrNotAtAll() {
        Bytes one = Bytes.utf8("{t}1");
        Bytes two = Bytes.utf8("{t}2");
        BatchResult refused = store.execute(
                Batch.builder().require(one, Condition.present()).put(two, A).build());
        assertThat(refused).isEqualTo(new BatchResult(false, List.of()));
        assertThat(store.get(two)).isEmpty();
        BatchResult applied = store.execute(Batch.builder()
                .require(one, Condition.absent())
                .put(one, A)
                .get(one)
                .put(one, B, PutOptions.defaults().when(Condition.absent()))
                .expire(one, Duration.ofHours(1))
                .delete(two)
                .build());
        assertThat(applied.applied()).isTrue();
        assertThat(applied.results().stream().map(WriteResult::applied))
                .containsExactly(true, true, false, true, false);
        assertThat(applied.results().get(1).previous().orElseThrow().value()).isEqualTo(A);
        assertThat(store.describe(one).orElseThrow().timeToLive()).isPresent();
    }

    @Test
    void aBatchOverSlotsAndAnEmptyOneAreRefused() {
        assertInvalid(
                Reason.CROSS_SLOT,
                "different slots",
                () -> store.execute(Batch.builder().put(A, A).put(B, B).build()));
        assertInvalid(
                Reason.INVALID_ARGUMENT,
                "neither requirements nor steps",
                () -> store.execute(Batch.builder().build()));
    }

    @Test
    void aScanSeesEveryKey() {
        Set<Bytes> expected = new HashSet<>();
        for (int i = 0; i < 300; i++) {
            Bytes key = Bytes.utf8("k" + i);
            expected.add(key);
            store.put(key, A);
        }
        Set<Bytes> found = new HashSet<>();
        ScanCursor cursor = ScanCursor.START;
        int pages = 0;
        do {
            ScanPage page = store.scan(cursor, 7);
            assertThat(page.keys().isEmpty() && !page.isLast())
                    .as("an empty page only costs")
                    .isFalse();
            found.addAll(page.keys());
            cursor = page.next();
            pages++;
        } while (!cursor.isStart());
        assertThat(found).isEqualTo(expected);
        assertThat(pages).isBetween(20, 60);
        assertThat(store.randomKey()).isPresent().get().isIn(expected);
    }

    @Test
    void scansHaveTheirLimits() {
        assertInvalid(Reason.INVALID_ARGUMENT, "scan limit = 0", () -> store.scan(ScanCursor.START, 0));
        assertInvalid(Reason.INVALID_ARGUMENT, "scan limit = 10001", () -> store.scan(ScanCursor.START, 10_001));
        assertInvalid(Reason.INVALID_ARGUMENT, "not a cursor", () -> store.scan(new ScanCursor(Long.MAX_VALUE), 10));
        assertInvalid(Reason.INVALID_ARGUMENT, "slot = 16384", () -> store.sizeOfSlot(KeySlot.COUNT));
        assertInvalid(Reason.INVALID_ARGUMENT, "slot = -1", () -> store.keysOfSlot(-1, 3));
        assertInvalid(Reason.INVALID_ARGUMENT, "limit = -1", () -> store.keysOfSlot(0, -1));
        assertThat(store.keysOfSlot(0, 0)).isEmpty();
    }

    @Test
    void aSlotIsCountedAndListed() {
        store.put(Bytes.utf8("{t}1"), A);
        store.put(Bytes.utf8("{t}2"), A);
        store.put(Bytes.utf8("elsewhere"), A);
        int slot = KeySlot.of(Bytes.utf8("t"));
        assertThat(store.sizeOfSlot(slot)).isEqualTo(2);
        assertThat(store.keysOfSlot(slot, 10)).containsExactlyInAnyOrder(Bytes.utf8("{t}1"), Bytes.utf8("{t}2"));
        assertThat(store.keysOfSlot(slot, 1)).hasSize(1);
    }

    @Test
    void aKeyThatDiesIsSeenDeadAtOnce() {
        store.put(KEY, A, PutOptions.defaults().expireAfter(Duration.ofMillis(1)));
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (store.get(KEY).isPresent()) {
            assertThat(System.nanoTime() - deadline).isNegative();
        }
        assertThat(store.describe(KEY)).isEmpty();
        assertThat(store.putIfAbsent(KEY, B)).isTrue();
    }

    @Test
    void theAsynchronousViewDoesTheSameOnItsOwnThreads() throws Exception {
        AsyncKeyValueStore async = store.async();
        assertThat(async.blocking()).isSameAs(store);
        CompletableFuture<String> thread =
                async.put(KEY, A).thenApply(v -> Thread.currentThread().getName());
        String name = thread.get(10, TimeUnit.SECONDS);
        assertThat(name).isIn("test-callbacks", Thread.currentThread().getName());
        assertThat(async.get(KEY).get(10, TimeUnit.SECONDS).orElseThrow().value())
                .isEqualTo(A);
        assertThat(async.increment(Bytes.utf8("n"), 2).get(10, TimeUnit.SECONDS))
                .isEqualTo(2);
        assertThat(async.clear().get(10, TimeUnit.SECONDS)).isNull();
        assertThat(async.size().get(10, TimeUnit.SECONDS)).isZero();
    }

    @Test
    void theAsynchronousViewReportsInvalidArgumentsThroughTheFuture() {
        AsyncKeyValueStore async = store.async();
        assertFails(async.get(Bytes.empty()), InvalidRequestException.class);
        assertFails(async.get(null), NullPointerException.class);
        assertFails(async.expire(KEY, Duration.ZERO), IllegalArgumentException.class);
        assertFails(async.expire(KEY, Expiry.at(Instant.MAX), ExpiryCondition.ALWAYS), InvalidRequestException.class);
        store.put(KEY, Bytes.utf8("text"));
        assertFails(async.increment(KEY, 1), InvalidRequestException.class);
    }

    private static void assertFails(CompletableFuture<?> future, Class<? extends Throwable> type) {
        assertThatThrownBy(() -> future.get(10, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(type);
    }

    @Test
    void afterTheEndEverythingIsRefused() {
        node.router.shutDown("the node is closed");
        node.router.shutDown("again");
        assertThatThrownBy(() -> store.put(KEY, A))
                .isInstanceOf(UnavailableException.class)
                .hasMessage("node n1: the node is closed");
        assertThatThrownBy(() -> store.get(KEY, ReadConsistency.local())).isInstanceOf(UnavailableException.class);
        assertFails(store.async().size(), UnavailableException.class);
    }

    @Test
    void operationsEndWhenTheLoopHasEnded() {
        node.loop.close();
        assertThatThrownBy(() -> store.put(KEY, A)).isInstanceOf(UnavailableException.class);
        assertThatThrownBy(() -> store.get(KEY)).isInstanceOf(UnavailableException.class);
        assertThatThrownBy(() -> store.putAll(Map.of(A, A, B, B))).isInstanceOf(UnavailableException.class);
    }
}
