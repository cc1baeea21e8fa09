package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.command.StoredValue;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A bucket as it was when a capture began. Before the apply thread changes a key for the first time, it puts what the key
 * had then, or that it was absent, into a side map. The background pass walks over the bucket and writes the entries whose
 * keys are not in the side map, then what is in there.
 *
 * <p>Why that is right: the pass looks into the side map after it has read an entry. If the entry was changed, the change
 * came after the key went into the side map, so the pass finds it there. A key that the pass does not find has not been
 * changed yet: what was read is what it had. A key changed only after the pass has written it is written twice, equally.
 * A key that was there at first and that the walk misses was changed before the walk ended, so it is in the side map by
 * then; therefore nothing need be saved any more from then on.
 */
final class BucketCapture implements CheckpointSource.Part {

    private static final Object ABSENT = new Object();

    /** What a saved entry takes beside key and value: nodes, headers, references. */
    private static final int ENTRY_OVERHEAD_BYTES = 160;

    private static final int ENTRIES_PER_STEP = 256;

    private final StoreCapture owner;
    private final Bucket bucket;
    private final SlotSpan slots;
    private final long lastChange;
    private final long keys;

    private final BucketPass pass;
    /** Emptied when the capture of this bucket has ended. */
    private volatile Map<ByteKey, Object> saved = new ConcurrentHashMap<>();

    private final AtomicLong heldBytes = new AtomicLong();
    /** Nothing need be saved any more. */
    private volatile boolean walked;
    /** Nothing that was saved is needed any more. */
    private volatile boolean released;

    /** The next capture of the same bucket. Apply thread only. */
    @Nullable
    BucketCapture next;

    /** Values whose pieces must stay although they were replaced. Apply thread only. */
    private List<LargeValue> pinned = new ArrayList<>();

    private final PassVisitor visitor = new PassVisitor();
    /** Over what was saved, once the walk is over. Pass only. */
    private @Nullable Iterator<Map.Entry<ByteKey, Object>> rest;

    BucketCapture(StoreCapture owner, PassBuffer buffer, BucketHolder holder, SlotSpan slots) {
        this.owner = owner;
        this.bucket = holder.bucket();
        this.slots = slots;
        this.lastChange = holder.lastChange();
        this.keys = holder.keys();
        this.pass = bucket.newPass(buffer, holder.gate);
    }

    // ---- for the apply thread ----

    /** Before a change of the entry of {@code key}, be it there or not. */
    void beforeChange(byte[] key) {
        if (walked) {
            return;
        }
        Map<ByteKey, Object> into = saved;
        ByteKey wrapped = new ByteKey(key);
        if (into.containsKey(wrapped)) {
            return;
        }
        Object old = bucket.find(key);
        long bytes = (long) ENTRY_OVERHEAD_BYTES + key.length;
        if (old instanceof LargeValue large) {
            bucket.pin(large);
            pinned.add(large);
            bytes += large.length();
        } else if (old instanceof StoredValue value) {
            bytes += value.value().length;
        }
        heldBytes.addAndGet(bytes);
        if (owner.hold(bytes)) {
            into.put(wrapped, old == null ? ABSENT : old);
        }
    }

    boolean isReleased() {
        return released;
    }

    /** What must be unpinned now that the capture of this bucket has ended. */
    List<LargeValue> takePinned() {
        List<LargeValue> taken = pinned;
        pinned = List.of();
        return taken;
    }

    // ---- for the pass ----

    @Override
    public CheckpointFile.Kind kind() {
        return CheckpointFile.Kind.BUCKET;
    }

    @Override
    public SlotSpan slots() {
        return slots;
    }

    @Override
    public long lastChange() {
        return lastChange;
    }

    @Override
    public long keys() {
        return keys;
    }

    @Override
    public boolean step(CheckpointOutput out) throws IOException {
        return stepEntries(out);
    }

    @Override
    public boolean stepEntries(EntrySink out) throws IOException {
        owner.checkAlive();
        boolean more;
        try {
            more = step(out, rest);
        } catch (StorageException e) {
            // What is needed vanishes only when the capture has failed or the storage was closed.
            owner.checkAlive();
            throw e;
        }
        owner.checkAlive();
        if (!more) {
            release();
        }
        return more;
    }

    private boolean step(EntrySink out, @Nullable Iterator<Map.Entry<ByteKey, Object>> left) throws IOException {
        if (left == null) {
            visitor.out = out;
            if (!pass.step(visitor)) {
                walked = true;
                rest = saved.entrySet().iterator();
            }
            return true;
        }
        for (int i = 0; i < ENTRIES_PER_STEP; i++) {
            if (!left.hasNext()) {
                return false;
            }
            Map.Entry<ByteKey, Object> entry = left.next();
            Object old = entry.getValue();
            if (old != ABSENT) {
                StoredValue value = old instanceof LargeValue large ? bucket.loadPinned(large) : (StoredValue) old;
                byte[] key = entry.getKey().bytes;
                byte[] bytes = value.value();
                out.putEntry(key, 0, key.length, bytes, 0, bytes.length, value.version(), value.expiresAtMillis());
                if (old instanceof LargeValue) {
                    return true; // is a step's work alone
                }
            }
        }
        return true;
    }

    @Override
    public void release() {
        walked = true;
        released = true;
        saved = new ConcurrentHashMap<>();
        owner.released(heldBytes.getAndSet(0));
    }

    private final class PassVisitor implements BucketPass.Visitor {

        private @Nullable EntrySink out;

        @Override
        public boolean wants(byte[] keyIn, int keyOffset, int keyLength) {
            Map<ByteKey, Object> changed = saved;
            if (changed.isEmpty()) {
                return true;
            }
            byte[] key = new byte[keyLength];
            System.arraycopy(keyIn, keyOffset, key, 0, keyLength);
            return !changed.containsKey(new ByteKey(key));
        }

        @Override
        public void entry(
                byte[] keyIn,
                int keyOffset,
                int keyLength,
                byte[] valueIn,
                int valueOffset,
                int valueLength,
                long version,
                long expiresAtMillis)
                throws IOException {
            EntrySink to = out;
            if (to != null) {
                to.putEntry(keyIn, keyOffset, keyLength, valueIn, valueOffset, valueLength, version, expiresAtMillis);
            }
        }
    }
}
