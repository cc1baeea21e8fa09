package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.command.StoredValue;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A bucket on the heap, for JVMs without the flags that the other needs. */
final class HeapBucket implements Bucket {

    private final ConcurrentHashMap<Key, StoredValue> entries = new ConcurrentHashMap<>();

    @Override
    public @Nullable Object find(byte[] key) {
        return entries.get(new Key(key));
    }

    @Override
    public @Nullable StoredValue load(LargeValue large) {
        throw new IllegalStateException("this bucket keeps every value in one piece");
    }

    @Override
    public @Nullable EntryInfo describe(byte[] key) {
        StoredValue entry = entries.get(new Key(key));
        return entry == null ? null : new EntryInfo(entry.version(), entry.expiresAtMillis(), entry.value().length);
    }

    @Override
    public long put(byte[] key, byte[] value, long version, long expiresAtMillis) {
        return expiryOf(entries.put(new Key(key), new StoredValue(value, version, expiresAtMillis)));
    }

    @Override
    public long setExpiry(byte[] key, long expiresAtMillis) {
        Key wrapped = new Key(key);
        StoredValue old = entries.get(wrapped);
        if (old != null) {
            entries.put(wrapped, new StoredValue(old.value(), old.version(), expiresAtMillis));
        }
        return expiryOf(old);
    }

    @Override
    public long remove(byte[] key) {
        return expiryOf(entries.remove(new Key(key)));
    }

    @Override
    public void forEach(EntryVisitor visitor) {
        entries.forEach((key, entry) -> visitor.visit(key.bytes, entry.expiresAtMillis()));
    }

    @Override
    public long offHeapBytes() {
        return 0;
    }

    @Override
    public void close() {
        entries.clear();
    }

    private static long expiryOf(@Nullable StoredValue entry) {
        return entry == null ? ABSENT : entry.expiresAtMillis();
    }

    /** Bytes as a key of a map. Comparable, so that crafted collisions cost a tree and not a list. */
    private static final class Key implements Comparable<Key> {

        private final byte[] bytes;
        private final int hash;

        Key(byte[] bytes) {
            this.bytes = bytes;
            this.hash = Arrays.hashCode(bytes);
        }

        @Override
        public int compareTo(Key other) {
            return Arrays.compare(bytes, other.bytes);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key that && Arrays.equals(bytes, that.bytes);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }
}
