package io.elastickv.redis.fake;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.Batch;
import io.elastickv.api.BatchResult;
import io.elastickv.api.Bytes;
import io.elastickv.api.Condition;
import io.elastickv.api.Expiry;
import io.elastickv.api.ExpiryCondition;
import io.elastickv.api.KeyInfo;
import io.elastickv.api.KeySlot;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.MultiGetResult;
import io.elastickv.api.MultiPutResult;
import io.elastickv.api.PutOptions;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.ScanCursor;
import io.elastickv.api.ScanPage;
import io.elastickv.api.VersionedValue;
import io.elastickv.api.WriteResult;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** The store's futures over {@link FakeData}: operations run in no particular order, as the cluster says. */
final class FakeStore implements AsyncKeyValueStore {

    private final FakeCluster cluster;
    private final FakeData data;

    FakeStore(FakeCluster cluster) {
        this.cluster = cluster;
        this.data = cluster.data();
    }

    private <T> CompletableFuture<T> run(Supplier<T> operation) {
        return cluster.run(operation);
    }

    @Override
    public KeyValueStore blocking() {
        throw new UnsupportedOperationException("the adapter must not block");
    }

    @Override
    public AsyncKeyValueStore withTimeout(Duration timeout) {
        return this;
    }

    @Override
    public CompletableFuture<Optional<VersionedValue>> get(Bytes key) {
        return run(() -> data.get(key));
    }

    @Override
    public CompletableFuture<Optional<VersionedValue>> get(Bytes key, ReadConsistency consistency) {
        return get(key);
    }

    @Override
    public CompletableFuture<Optional<KeyInfo>> describe(Bytes key) {
        return run(() -> data.describe(key));
    }

    @Override
    public CompletableFuture<MultiGetResult> getAll(Collection<Bytes> keys) {
        return run(() -> {
            Map<Bytes, VersionedValue> values = new LinkedHashMap<>();
            keys.forEach(key -> data.get(key).ifPresent(value -> values.put(key, value)));
            return new MultiGetResult(values, sameSlot(keys));
        });
    }

    private static boolean sameSlot(Collection<Bytes> keys) {
        return keys.stream().mapToInt(KeySlot::of).distinct().count() <= 1;
    }

    @Override
    public CompletableFuture<Long> put(Bytes key, Bytes value) {
        return run(() -> data.put(key, value, PutOptions.defaults()).version());
    }

    @Override
    public CompletableFuture<WriteResult> put(Bytes key, Bytes value, PutOptions options) {
        return run(() -> data.put(key, value, options));
    }

    @Override
    public CompletableFuture<Boolean> putIfAbsent(Bytes key, Bytes value) {
        return run(() -> data.put(key, value, PutOptions.defaults().when(Condition.absent()))
                .applied());
    }

    @Override
    public CompletableFuture<Optional<VersionedValue>> getAndPut(Bytes key, Bytes value) {
        return run(() ->
                data.put(key, value, PutOptions.defaults().returnPrevious()).previous());
    }

    @Override
    public CompletableFuture<WriteResult> compareAndSet(Bytes key, long expectedVersion, Bytes value) {
        Condition condition = expectedVersion == 0 ? Condition.absent() : Condition.versionIs(expectedVersion);
        return put(key, value, PutOptions.defaults().when(condition).expiry(Expiry.keep()));
    }

    @Override
    public CompletableFuture<WriteResult> compareAndSet(Bytes key, Bytes expectedValue, Bytes value) {
        return put(
                key,
                value,
                PutOptions.defaults().when(Condition.valueIs(expectedValue)).expiry(Expiry.keep()));
    }

    @Override
    public CompletableFuture<Boolean> delete(Bytes key) {
        return run(() -> data.delete(key, Condition.always()).applied());
    }

    @Override
    public CompletableFuture<WriteResult> delete(Bytes key, Condition condition) {
        return run(() -> data.delete(key, condition));
    }

    @Override
    public CompletableFuture<Optional<VersionedValue>> getAndDelete(Bytes key) {
        return run(() -> data.getAndDelete(key));
    }

    @Override
    public CompletableFuture<Long> increment(Bytes key, long delta) {
        return run(() -> data.increment(key, delta));
    }

    @Override
    public CompletableFuture<Boolean> expire(Bytes key, Duration duration) {
        return expire(key, Expiry.after(duration), ExpiryCondition.ALWAYS);
    }

    @Override
    public CompletableFuture<Boolean> expire(Bytes key, Expiry expiry, ExpiryCondition condition) {
        return run(() -> data.expire(key, expiry, condition));
    }

    @Override
    public CompletableFuture<Boolean> persist(Bytes key) {
        return run(() -> data.persist(key));
    }

    @Override
    public CompletableFuture<MultiPutResult> putAll(Map<Bytes, Bytes> entries) {
        return run(() -> {
            synchronized (data) {
                entries.forEach((key, value) -> data.put(key, value, PutOptions.defaults()));
            }
            return new MultiPutResult(sameSlot(entries.keySet()), entries.size());
        });
    }

    @Override
    public CompletableFuture<Long> deleteAll(Collection<Bytes> keys) {
        return run(() -> keys.stream()
                .filter(key -> data.delete(key, Condition.always()).applied())
                .count());
    }

    @Override
    public CompletableFuture<BatchResult> execute(Batch batch) {
        return run(() -> data.execute(batch));
    }

    @Override
    public CompletableFuture<ScanPage> scan(ScanCursor cursor, int limit) {
        return run(() -> data.scan(cursor, limit));
    }

    @Override
    public CompletableFuture<Long> size() {
        return run(data::size);
    }

    @Override
    public CompletableFuture<Long> sizeOfSlot(int slot) {
        return run(() -> (long) data.keysOfSlot(slot).size());
    }

    @Override
    public CompletableFuture<List<Bytes>> keysOfSlot(int slot, int limit) {
        return run(() -> data.keysOfSlot(slot).stream().limit(limit).toList());
    }

    @Override
    public CompletableFuture<Optional<Bytes>> randomKey() {
        return run(data::randomKey);
    }

    @Override
    public CompletableFuture<Void> clear() {
        return run(() -> {
            data.clear();
            return null;
        });
    }
}
