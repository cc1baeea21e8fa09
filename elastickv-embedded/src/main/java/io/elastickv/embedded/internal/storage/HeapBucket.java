package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.command.StoredValue;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A bucket on the heap, for JVMs without the flags that the other needs. */
final class HeapBucket implements Bucket {

    private final ConcurrentHashMap<ByteKey, StoredValue> entries = new ConcurrentHashMap<>();

    @Override
    public @Nullable Object find(byte[] key) {
        return entries.get(new ByteKey(key));
    }

    @Override
    public @Nullable StoredValue load(LargeValue large) {
        throw new IllegalStateException("this bucket keeps every value in one piece");
    }

    @Override
    public @Nullable EntryInfo describe(byte[] key) {
        StoredValue entry = entries.get(new ByteKey(key));
        return entry == null ? null : new EntryInfo(entry.version(), entry.expiresAtMillis(), entry.value().length);
    }

    @Override
    public long put(byte[] key, byte[] value, long version, long expiresAtMillis) {
        return expiryOf(entries.put(new ByteKey(key), new StoredValue(value, version, expiresAtMillis)));
    }

    @Override
    public long setExpiry(byte[] key, long expiresAtMillis) {
        ByteKey wrapped = new ByteKey(key);
        StoredValue old = entries.get(wrapped);
        if (old != null) {
            entries.put(wrapped, new StoredValue(old.value(), old.version(), expiresAtMillis));
        }
        return expiryOf(old);
    }

    @Override
    public long remove(byte[] key) {
        return expiryOf(entries.remove(new ByteKey(key)));
    }

    @Override
    public void forEach(EntryVisitor visitor) {
        entries.forEach((key, entry) -> visitor.visit(key.bytes, entry.expiresAtMillis()));
    }

    @Override
    public BucketPass newPass(PassBuffer buffer) {
        return new HeapPass(entries.entrySet().iterator());
    }

    @Override
    public StoredValue loadPinned(LargeValue large) {
        throw new IllegalStateException("this bucket keeps every value in one piece");
    }

    @Override
    public void pin(LargeValue large) {
        throw new IllegalStateException("this bucket keeps every value in one piece");
    }

    @Override
    public void unpin(LargeValue large) {
        throw new IllegalStateException("this bucket keeps every value in one piece");
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
}
