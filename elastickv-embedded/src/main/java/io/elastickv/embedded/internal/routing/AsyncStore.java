package io.elastickv.embedded.internal.routing;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.Batch;
import io.elastickv.api.BatchResult;
import io.elastickv.api.Bytes;
import io.elastickv.api.Condition;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.Expiry;
import io.elastickv.api.ExpiryCondition;
import io.elastickv.api.KeyInfo;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.MultiGetResult;
import io.elastickv.api.MultiPutResult;
import io.elastickv.api.PutOptions;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.ScanCursor;
import io.elastickv.api.ScanPage;
import io.elastickv.api.VersionedValue;
import io.elastickv.api.WriteResult;
import io.elastickv.embedded.internal.command.CommandResult;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The asynchronous view. Futures complete on the callback executor, those of one loop iteration in one task. */
final class AsyncStore implements AsyncKeyValueStore {

    private final Store store;

    AsyncStore(Store store) {
        this.store = store;
    }

    @Override
    public KeyValueStore blocking() {
        return store.blocking();
    }

    @Override
    public AsyncKeyValueStore withTimeout(Duration timeout) {
        return store.withTimeout(timeout).async();
    }

    private <T extends @Nullable Object> CompletableFuture<T> run(Supplier<Call<T>> operation) {
        CompletableFuture<T> future = new CompletableFuture<>();
        Call<T> call;
        try {
            call = operation.get();
        } catch (ElastickvException | IllegalArgumentException | NullPointerException e) {
            future.completeExceptionally(e);
            return future;
        }
        store.start(call, new Completion<>() {
            @Override
            public void success(T result) {
                store.callback(() -> future.complete(result));
            }

            @Override
            public void failure(ElastickvException failure) {
                store.callback(() -> future.completeExceptionally(failure));
            }
        });
        return future;
    }

    @Override
    public CompletableFuture<Optional<VersionedValue>> get(Bytes key) {
        return run(() -> StoreCalls.get(key, ReadConsistency.linearizable()));
    }

    @Override
    public CompletableFuture<Optional<VersionedValue>> get(Bytes key, ReadConsistency consistency) {
        return run(() -> StoreCalls.get(key, consistency));
    }

    @Override
    public CompletableFuture<Optional<KeyInfo>> describe(Bytes key) {
        return run(() -> StoreCalls.describe(key));
    }

    @Override
    public CompletableFuture<MultiGetResult> getAll(Collection<Bytes> keys) {
        return run(() -> MultiKeyCalls.getAll(keys));
    }

    @Override
    public CompletableFuture<Long> put(Bytes key, Bytes value) {
        return run(() -> StoreCalls.put(key, value, PutOptions.defaults(), CommandResult.Written::version));
    }

    @Override
    public CompletableFuture<WriteResult> put(Bytes key, Bytes value, PutOptions options) {
        return run(() -> StoreCalls.put(key, value, options, ApiMapping::toApi));
    }

    @Override
    public CompletableFuture<Boolean> putIfAbsent(Bytes key, Bytes value) {
        return run(() -> StoreCalls.put(
                key, value, PutOptions.defaults().when(Condition.absent()), CommandResult.Written::applied));
    }

    @Override
    public CompletableFuture<Optional<VersionedValue>> getAndPut(Bytes key, Bytes value) {
        return run(() -> StoreCalls.put(
                key, value, PutOptions.defaults().returnPrevious(), written -> ApiMapping.toApi(written.previous())));
    }

    @Override
    public CompletableFuture<WriteResult> compareAndSet(Bytes key, long expectedVersion, Bytes value) {
        return run(() -> StoreCalls.compareAndSet(key, Condition.versionIs(expectedVersion), value));
    }

    @Override
    public CompletableFuture<WriteResult> compareAndSet(Bytes key, Bytes expectedValue, Bytes value) {
        return run(() -> StoreCalls.compareAndSet(key, Condition.valueIs(expectedValue), value));
    }

    @Override
    public CompletableFuture<Boolean> delete(Bytes key) {
        return run(() -> StoreCalls.delete(key, Condition.always(), false, CommandResult.Written::applied));
    }

    @Override
    public CompletableFuture<WriteResult> delete(Bytes key, Condition condition) {
        return run(() -> StoreCalls.delete(key, condition, false, ApiMapping::toApi));
    }

    @Override
    public CompletableFuture<Optional<VersionedValue>> getAndDelete(Bytes key) {
        return run(() ->
                StoreCalls.delete(key, Condition.always(), true, written -> ApiMapping.toApi(written.previous())));
    }

    @Override
    public CompletableFuture<Long> increment(Bytes key, long delta) {
        return run(() -> StoreCalls.increment(key, delta));
    }

    @Override
    public CompletableFuture<Boolean> expire(Bytes key, Duration duration) {
        return run(() -> StoreCalls.expire(key, Expiry.after(duration), ExpiryCondition.ALWAYS));
    }

    @Override
    public CompletableFuture<Boolean> expire(Bytes key, Expiry expiry, ExpiryCondition condition) {
        return run(() -> StoreCalls.expire(key, expiry, condition));
    }

    @Override
    public CompletableFuture<Boolean> persist(Bytes key) {
        return run(() -> StoreCalls.expire(key, Expiry.never(), ExpiryCondition.IF_ANY));
    }

    @Override
    public CompletableFuture<MultiPutResult> putAll(Map<Bytes, Bytes> entries) {
        return run(() -> MultiKeyCalls.putAll(entries));
    }

    @Override
    public CompletableFuture<Long> deleteAll(Collection<Bytes> keys) {
        return run(() -> MultiKeyCalls.deleteAll(keys));
    }

    @Override
    public CompletableFuture<BatchResult> execute(Batch batch) {
        return run(() -> MultiKeyCalls.execute(batch));
    }

    @Override
    public CompletableFuture<ScanPage> scan(ScanCursor cursor, int limit) {
        return run(() -> ScanCalls.scan(cursor, limit));
    }

    @Override
    public CompletableFuture<Long> size() {
        return run(() -> ScanCalls.size());
    }

    @Override
    public CompletableFuture<Long> sizeOfSlot(int slot) {
        return run(() -> ScanCalls.sizeOfSlot(slot));
    }

    @Override
    public CompletableFuture<List<Bytes>> keysOfSlot(int slot, int limit) {
        return run(() -> ScanCalls.keysOfSlot(slot, limit));
    }

    @Override
    public CompletableFuture<Optional<Bytes>> randomKey() {
        return run(() -> ScanCalls.randomKey());
    }

    @Override
    public CompletableFuture<@Nullable Void> clear() {
        return run(() -> ScanCalls.clear());
    }
}
