package io.elastickv.api;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The store with futures; {@link #blocking()} is the same store without.
 *
 * <p>What {@link KeyValueStore} says holds here too; exceptions arrive through the future. Invalid arguments fail the
 * future as well. Futures complete on the node's callback executor, never on one of its internal threads, so a dependent
 * stage may take its time without holding up the node, though not other callbacks. Cancelling a future does not stop
 * the operation. Thread-safe.
 */
public interface AsyncKeyValueStore {

    /** The same store with blocking calls. */
    KeyValueStore blocking();

    /**
     * The same store with another limit on the time that each call may take.
     *
     * @throws IllegalArgumentException if {@code timeout} is not positive
     */
    AsyncKeyValueStore withTimeout(Duration timeout);

    /** See {@link KeyValueStore#get(Bytes)}. */
    CompletableFuture<Optional<VersionedValue>> get(Bytes key);

    /** See {@link KeyValueStore#get(Bytes, ReadConsistency)}. */
    CompletableFuture<Optional<VersionedValue>> get(Bytes key, ReadConsistency consistency);

    /** See {@link KeyValueStore#describe(Bytes)}. */
    CompletableFuture<Optional<KeyInfo>> describe(Bytes key);

    /** See {@link KeyValueStore#getAll(Collection)}. */
    CompletableFuture<MultiGetResult> getAll(Collection<Bytes> keys);

    /** See {@link KeyValueStore#put(Bytes, Bytes)}. */
    CompletableFuture<Long> put(Bytes key, Bytes value);

    /** See {@link KeyValueStore#put(Bytes, Bytes, PutOptions)}. */
    CompletableFuture<WriteResult> put(Bytes key, Bytes value, PutOptions options);

    /** See {@link KeyValueStore#putIfAbsent(Bytes, Bytes)}. */
    CompletableFuture<Boolean> putIfAbsent(Bytes key, Bytes value);

    /** See {@link KeyValueStore#getAndPut(Bytes, Bytes)}. */
    CompletableFuture<Optional<VersionedValue>> getAndPut(Bytes key, Bytes value);

    /** See {@link KeyValueStore#compareAndSet(Bytes, long, Bytes)}. */
    CompletableFuture<WriteResult> compareAndSet(Bytes key, long expectedVersion, Bytes value);

    /** See {@link KeyValueStore#compareAndSet(Bytes, Bytes, Bytes)}. */
    CompletableFuture<WriteResult> compareAndSet(Bytes key, Bytes expectedValue, Bytes value);

    /** See {@link KeyValueStore#delete(Bytes)}. */
    CompletableFuture<Boolean> delete(Bytes key);

    /** See {@link KeyValueStore#delete(Bytes, Condition)}. */
    CompletableFuture<WriteResult> delete(Bytes key, Condition condition);

    /** See {@link KeyValueStore#getAndDelete(Bytes)}. */
    CompletableFuture<Optional<VersionedValue>> getAndDelete(Bytes key);

    /** See {@link KeyValueStore#increment(Bytes, long)}. */
    CompletableFuture<Long> increment(Bytes key, long delta);

    /** See {@link KeyValueStore#expire(Bytes, Duration)}. */
    CompletableFuture<Boolean> expire(Bytes key, Duration duration);

    /** See {@link KeyValueStore#expire(Bytes, Expiry, ExpiryCondition)}. */
    CompletableFuture<Boolean> expire(Bytes key, Expiry expiry, ExpiryCondition condition);

    /** See {@link KeyValueStore#persist(Bytes)}. */
    CompletableFuture<Boolean> persist(Bytes key);

    /** See {@link KeyValueStore#putAll(Map)}. */
    CompletableFuture<MultiPutResult> putAll(Map<Bytes, Bytes> entries);

    /** See {@link KeyValueStore#deleteAll(Collection)}. */
    CompletableFuture<Long> deleteAll(Collection<Bytes> keys);

    /** See {@link KeyValueStore#execute(Batch)}. */
    CompletableFuture<BatchResult> execute(Batch batch);

    /** See {@link KeyValueStore#scan(ScanCursor, int)}. */
    CompletableFuture<ScanPage> scan(ScanCursor cursor, int limit);

    /** See {@link KeyValueStore#size()}. */
    CompletableFuture<Long> size();

    /** See {@link KeyValueStore#sizeOfSlot(int)}. */
    CompletableFuture<Long> sizeOfSlot(int slot);

    /** See {@link KeyValueStore#keysOfSlot(int, int)}. */
    CompletableFuture<List<Bytes>> keysOfSlot(int slot, int limit);

    /** See {@link KeyValueStore#randomKey()}. */
    CompletableFuture<Optional<Bytes>> randomKey();

    /** See {@link KeyValueStore#clear()}. */
    CompletableFuture<@Nullable Void> clear();
}
