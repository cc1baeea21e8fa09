package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.command.StoredValue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a range of consecutive slots. The methods that change it are for one thread, the others for any number
 * beside it. A read beside a write of the same slot may miss a key that is there; whoever calls (see {@link SlotStamps})
 * notices and repeats it. Expiry times are only stored here. Arrays passed to a bucket belong to it; arrays
 * it returns must not be changed.
 */
interface Bucket {

    /** Returned in place of an expiry time: there was no such key. */
    long ABSENT = -1;

    /** The entry of {@code key}: a {@link StoredValue}, a {@link LargeValue} to be loaded, or null if there is none. */
    @Nullable
    Object find(byte[] key);

    /** The value itself; null if it was replaced or removed meanwhile. Needs no repetition when writes disturbed it. */
    @Nullable
    StoredValue load(LargeValue large);

    /** What is known of the entry of {@code key}; null if there is none. */
    @Nullable
    EntryInfo describe(byte[] key);

    /**
     * Writes an entry.
     *
     * @return the expiry time of the entry it replaced, or {@link #ABSENT}
     */
    long put(byte[] key, byte[] value, long version, long expiresAtMillis);

    /**
     * Changes the expiry time of an entry that exists.
     *
     * @return the expiry time it had, or {@link #ABSENT}
     */
    long setExpiry(byte[] key, long expiresAtMillis);

    /**
     * Removes an entry.
     *
     * @return the expiry time it had, or {@link #ABSENT}
     */
    long remove(byte[] key);

    /**
     * Shows every entry that is there from beginning to end of the pass, perhaps twice, and others perhaps. Writers wait
     * for a part of the pass only.
     */
    void forEach(EntryVisitor visitor);

    /**
     * A walk that begins now. To be called by the writer.
     *
     * @param buffer used in the steps
     * @param gate entered in the steps, as long as the bucket is touched
     */
    BucketPass newPass(PassBuffer buffer, GateRef gate);

    /** A walk over the keys, in pieces, for whoever knows that nothing changes meanwhile; each is shown once. */
    KeyCursor newKeyCursor();

    /**
     * An empty bucket of the same kind; a {@link LargeValue} of it is never taken for one of this bucket. For the writer.
     *
     * @param gate guards the new one
     * @param expectedEntries about how many will come
     */
    Bucket newEmpty(GateRef gate, long expectedEntries);

    /** No {@link LargeValue} had a larger id so far. For the writer, or when nothing changes any more. */
    long lastLargeId();

    /**
     * A value that is {@linkplain #pin pinned}, or was not replaced yet. For a {@link BucketPass}, outside of the gate.
     *
     * @throws StorageException if the storage is closed
     */
    StoredValue loadPinned(LargeValue large);

    /** Keeps the pieces of a value even when it is replaced or removed, once more for each call. For the writer. */
    void pin(LargeValue large);

    /** Undoes {@link #pin}; frees the pieces if the value is gone. For the writer. */
    void unpin(LargeValue large);

    /** Memory outside the heap, reserved (not all of it resident). */
    long offHeapBytes();

    /** Frees everything; no reader may be inside, or come. */
    void close();

    /** A walk over keys. */
    @FunctionalInterface
    interface KeyCursor {

        /**
         * Shows some keys, perhaps none; they pass to {@code keys}.
         *
         * @return whether there are more
         */
        boolean next(Consumer<byte[]> keys);
    }

    /** Sees entries. */
    @FunctionalInterface
    interface EntryVisitor {

        /**
         * Sees one entry; must be quick, and not touch the bucket.
         *
         * @param key passes to the visitor
         * @param expiresAtMillis 0 for never
         */
        void visit(byte[] key, long expiresAtMillis);
    }
}
