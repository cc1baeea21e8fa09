package io.elastickv.api;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The store, blocking: each call returns its result or throws. {@link #async()} is the same store with futures.
 *
 * <p>Single-key operations, and multi-key operations within one slot, are linearizable from any node unless a weaker
 * {@link ReadConsistency} is named. Each call ends in exactly one of: its result; a {@link NotAppliedException}
 * ({@link UnavailableException}, {@link OverloadedException}, {@link InvalidRequestException}); an
 * {@link OutcomeUnknownException}. Retries inside the library take effect at most once. A call lasts at most the
 * {@linkplain #withTimeout(Duration) timeout}. Keys have 1 byte to {@link Limits#MAX_KEY_BYTES}, values up to
 * {@link Limits#MAX_VALUE_BYTES}. An interrupted thread gets an {@link OutcomeUnknownException} (for a read an
 * {@link UnavailableException}) and keeps its interrupt flag. Thread-safe.
 */
public interface KeyValueStore {

    /** The same store with futures. */
    AsyncKeyValueStore async();

    /**
     * The same store with another limit on the time that each call may take.
     *
     * @throws IllegalArgumentException if {@code timeout} is not positive
     */
    KeyValueStore withTimeout(Duration timeout);

    /**
     * Reads a key, linearizably.
     *
     * @return the value with its version; empty if the key does not exist
     */
    Optional<VersionedValue> get(Bytes key);

    /**
     * Reads a key as fresh as {@code consistency} says.
     *
     * @return the value with its version; empty if the key does not exist
     */
    Optional<VersionedValue> get(Bytes key, ReadConsistency consistency);

    /**
     * Reads version, length and expiry of a key, linearizably, without its value.
     *
     * @return empty if the key does not exist
     */
    Optional<KeyInfo> describe(Bytes key);

    /**
     * Reads several keys, each linearizably; all at one point in time if they share a slot, as the result says.
     */
    MultiGetResult getAll(Collection<Bytes> keys);

    /**
     * Writes a key, whether or not it exists, without expiry.
     *
     * @return the new version
     */
    long put(Bytes key, Bytes value);

    /**
     * Writes a key as {@code options} say.
     */
    WriteResult put(Bytes key, Bytes value, PutOptions options);

    /**
     * Writes a key if it does not exist.
     *
     * @return whether it was written
     */
    boolean putIfAbsent(Bytes key, Bytes value);

    /**
     * Writes a key, without expiry, and returns what it had.
     *
     * @return the previous value; empty if the key did not exist
     */
    Optional<VersionedValue> getAndPut(Bytes key, Bytes value);

    /**
     * Writes a key if it exists with {@code expectedVersion}; version 0 stands for "does not exist". The expiry stays.
     */
    WriteResult compareAndSet(Bytes key, long expectedVersion, Bytes value);

    /**
     * Writes a key if it exists with {@code expectedValue}. The expiry stays.
     */
    WriteResult compareAndSet(Bytes key, Bytes expectedValue, Bytes value);

    /**
     * Deletes a key.
     *
     * @return whether it existed
     */
    boolean delete(Bytes key);

    /**
     * Deletes a key if {@code condition} holds.
     *
     * @return whether it existed and was deleted; {@code previous} is empty
     */
    WriteResult delete(Bytes key, Condition condition);

    /**
     * Deletes a key and returns what it had.
     */
    Optional<VersionedValue> getAndDelete(Bytes key);

    /**
     * Adds {@code delta} to the decimal 64-bit integer that the key holds as text; a key that does not exist counts as 0. The expiry
     * stays.
     *
     * @return the new value; {@link InvalidRequestException} says if the value is no integer or the result does not fit
     */
    long increment(Bytes key, long delta);

    /**
     * Lets a key expire after {@code duration}.
     *
     * @return whether the key exists
     */
    boolean expire(Bytes key, Duration duration);

    /**
     * Changes the expiry of a key if {@code condition} holds; an expiry in the past deletes the key.
     *
     * @return whether the key existed and the condition held
     */
    boolean expire(Bytes key, Expiry expiry, ExpiryCondition condition);

    /**
     * Removes the expiry of a key.
     *
     * @return whether the key exists and had one
     */
    boolean persist(Bytes key);

    /**
     * Writes several keys, without expiry; all at one point in time if they share a slot, as the result says. If it fails
     * after a part was written, {@link OutcomeUnknownException} says so.
     */
    MultiPutResult putAll(Map<Bytes, Bytes> entries);

    /**
     * Deletes several keys; all at one point in time if they share a slot.
     *
     * @return how many of them existed
     */
    long deleteAll(Collection<Bytes> keys);

    /**
     * Runs conditions and steps on keys of one slot as one atomic step.
     * {@link InvalidRequestException} with {@code CROSS_SLOT} says if the keys are in different slots
     */
    BatchResult execute(Batch batch);

    /**
     * Returns about {@code limit} keys (1 to 10,000) from {@code cursor} on; see {@link ScanCursor} for what a scan promises.
     */
    ScanPage scan(ScanCursor cursor, int limit);

    /**
     * Counts the keys: linearizable for each shard, not at one point in time over all of them. Keys that expired within
     * about the last second may still be counted.
     */
    long size();

    /**
     * Counts the keys of one slot, linearizably.
     */
    long sizeOfSlot(int slot);

    /**
     * Returns up to {@code limit} keys of one slot, linearizably.
     */
    List<Bytes> keysOfSlot(int slot, int limit);

    /**
     * Returns some key, chosen at random but not uniformly; empty if there is none.
     */
    Optional<Bytes> randomKey();

    /**
     * Deletes all keys: at one point in time for each shard, not over all of them.
     */
    void clear();
}
