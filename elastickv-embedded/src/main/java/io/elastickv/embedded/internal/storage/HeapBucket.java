package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.command.StoredValue;
import java.util.Iterator;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A bucket on the heap, for JVMs without the flags that the other needs. */
final class HeapBucket implements Bucket {

    private static final int KEYS_PER_STEP = 256;

    private final ConcurrentHashMap<ByteKey, StoredValue> entries;

    HeapBucket() {
        this(16);
    }

    private HeapBucket(int expectedEntries) {
        entries = new ConcurrentHashMap<>(expectedEntries);
    }

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
    public BucketPass newPass(PassBuffer buffer, GateRef gate) {
        return new HeapPass(entries.entrySet().iterator());
    }

    @Override
    public KeyCursor newKeyCursor() {
        Iterator<ByteKey> keys = entries.keySet().iterator();
        return into -> {
            for (int i = 0; i < KEYS_PER_STEP && keys.hasNext(); i++) {
                into.accept(keys.next().bytes);
            }
            return keys.hasNext();
        };
    }

    @Override
    public Bucket newEmpty(GateRef gate, long expectedEntries) {
        return new HeapBucket((int) Math.min(expectedEntries, 1 << 28));
    }

    @Override
    public long lastLargeId() {
        return 0;
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
