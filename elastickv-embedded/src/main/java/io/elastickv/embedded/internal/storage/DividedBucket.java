package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.command.StoredValue;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * One part of a bucket that was divided. The bucket itself is frozen then and shared by both parts, which makes the division
 * a matter of microseconds. Each part has a bucket of its own on top of it, for what is changed since; and its writer moves
 * the rest there, some entries at a time. Then the frozen one is let go.
 *
 * <p>A key that was changed since the division is in {@code shadowed}: what it has is on top. Any other key has what it has
 * in the frozen bucket, whether or not that was moved already. So moving an entry changes nothing that a reader could see.
 */
final class DividedBucket implements Bucket {

    /** What was there before. */
    private record Below(FrozenBucket frozen, Set<ByteKey> shadowed) {
        Bucket bucket() {
            return frozen.bucket();
        }
    }

    private final SlotSpan slots;
    private final ToIntFunction<byte[]> slotOf;
    private final GateRef gate;
    private final long expectedEntries;
    /** A {@link LargeValue} with an id up to here is in the frozen bucket, any other on top. */
    private final long lastFrozenLargeId;
    /** Null when all of it was moved. */
    private volatile @Nullable Below below;
    /** Made when it is needed first, because making it takes milliseconds. */
    private volatile @Nullable Bucket top;

    // Of the writer, for moving:
    private @Nullable KeyCursor cursor;
    private boolean walked;
    private final Deque<byte[]> toMove = new ArrayDeque<>();
    /** So many of what the holder counts as entries with an expiry time have none, or are of the other part. */
    private int excessExpiring;

    /**
     * A part.
     *
     * @param frozen the whole; this is one of its owners
     * @param slots of the part
     * @param expectedEntries about how many it will have
     * @param assumedExpiring how many entries of the whole are taken to have an expiry time; the holder of the part begins
     *     with as many, and is corrected when all is moved
     */
    DividedBucket(
            FrozenBucket frozen,
            SlotSpan slots,
            ToIntFunction<byte[]> slotOf,
            GateRef gate,
            long expectedEntries,
            int assumedExpiring) {
        this.below = new Below(frozen, ConcurrentHashMap.newKeySet());
        this.slots = slots;
        this.slotOf = slotOf;
        this.gate = gate;
        this.expectedEntries = expectedEntries;
        this.excessExpiring = assumedExpiring;
        this.lastFrozenLargeId = frozen.bucket().lastLargeId();
    }

    // ---- moving

    /**
     * Moves up to {@code count} entries, less if they are large. For the writer.
     *
     * @return whether nothing is left to be moved
     */
    boolean move(int count) {
        Below from = below;
        for (int i = 0; i < count && !walked && from != null; i++) {
            if (toMove.isEmpty()) {
                fill(from);
            } else if (moveOne(from, toMove.removeFirst())) {
                break; // a large one is enough
            }
        }
        return walked;
    }

    /**
     * Lets go of what is below, after all was moved and while nobody captures. A reader can then miss a large value that it
     * found below, so it must notice that its slot was written to. For the writer.
     *
     * @param holder of this bucket; has the bucket on top instead from now on
     */
    void finish(BucketHolder holder) {
        Below from = below;
        if (from == null || !walked || holder.isCaptured()) {
            throw new IllegalStateException("a divided bucket is needed as it is");
        }
        holder.correctExpiring(excessExpiring);
        Bucket all = top();
        below = null;
        holder.replaceBucket(all);
        gate.retire(from.frozen()::release);
    }

    SlotSpan slots() {
        return slots;
    }

    /** Whether nothing is left to be moved; for the writer. */
    boolean isMoved() {
        return walked;
    }

    private void fill(Below from) {
        KeyCursor keys = cursor;
        if (keys == null) {
            keys = from.bucket().newKeyCursor();
            cursor = keys;
        }
        boolean more = keys.next(key -> {
            if (owns(key)) {
                toMove.add(key);
            }
        });
        walked = !more && toMove.isEmpty();
    }

    /** Whether it was a large one. */
    private boolean moveOne(Below from, byte[] key) {
        Object found = from.bucket().find(key);
        if (found == null) {
            throw new StorageException("an entry of a divided bucket is missing");
        }
        StoredValue value;
        if (found instanceof LargeValue large) {
            count(large.expiresAtMillis());
            value = isShadowed(from, key) ? null : from.bucket().load(large);
        } else {
            StoredValue small = (StoredValue) found;
            count(small.expiresAtMillis());
            value = isShadowed(from, key) ? null : small;
        }
        if (value != null) {
            top().put(key, value.value(), value.version(), value.expiresAtMillis());
        }
        return found instanceof LargeValue;
    }

    private void count(long expiresAtMillis) {
        if (expiresAtMillis > 0) {
            excessExpiring--;
        }
    }

    private boolean owns(byte[] key) {
        int slot = slotOf.applyAsInt(key);
        return slot >= slots.first() && slot <= slots.last();
    }

    private static boolean isShadowed(Below from, byte[] key) {
        return from.shadowed().contains(new ByteKey(key));
    }

    /** Slots that the store got since are not below, whatever is there of them. */
    private boolean isOnTop(Below from, byte[] key) {
        return isShadowed(from, key) || !owns(key);
    }

    private Bucket top() {
        Bucket made = top;
        if (made == null) {
            Below from = below;
            if (from == null) {
                throw new IllegalStateException("a divided bucket without any part");
            }
            made = from.bucket().newEmpty(gate, expectedEntries);
            top = made;
        }
        return made;
    }

    // ---- as a bucket

    /** Where the entry of {@code key} is, if there is one. */
    private @Nullable Bucket where(byte[] key) {
        Below present = below;
        return present == null || isOnTop(present, key) ? top : present.bucket();
    }

    /** Where a value is, if it is still there. */
    private @Nullable Bucket where(LargeValue large) {
        if (large.id() > lastFrozenLargeId) {
            return top;
        }
        Below present = below;
        return present == null ? null : present.bucket();
    }

    @Override
    public @Nullable Object find(byte[] key) {
        Bucket in = where(key);
        return in == null ? null : in.find(key);
    }

    @Override
    public @Nullable StoredValue load(LargeValue large) {
        Bucket in = where(large);
        return in == null ? null : in.load(large);
    }

    @Override
    public @Nullable EntryInfo describe(byte[] key) {
        Bucket in = where(key);
        return in == null ? null : in.describe(key);
    }

    @Override
    public long put(byte[] key, byte[] value, long version, long expiresAtMillis) {
        Below present = below;
        if (present == null || isOnTop(present, key)) {
            return top().put(key, value, version, expiresAtMillis);
        }
        EntryInfo before = present.bucket().describe(key);
        top().put(key, value, version, expiresAtMillis);
        present.shadowed().add(new ByteKey(key));
        return before == null ? ABSENT : before.expiresAtMillis();
    }

    @Override
    public long setExpiry(byte[] key, long expiresAtMillis) {
        Below present = below;
        if (present == null || isOnTop(present, key)) {
            return top().setExpiry(key, expiresAtMillis);
        }
        Object found = present.bucket().find(key);
        if (found == null) {
            return ABSENT;
        }
        StoredValue value = found instanceof LargeValue large ? present.bucket().load(large) : (StoredValue) found;
        if (value == null) {
            throw new StorageException("part of a value is missing");
        }
        top().put(key, value.value(), value.version(), expiresAtMillis);
        present.shadowed().add(new ByteKey(key));
        return value.expiresAtMillis();
    }

    @Override
    public long remove(byte[] key) {
        Below present = below;
        Bucket above = top;
        if (present == null || isOnTop(present, key)) {
            return above == null ? ABSENT : above.remove(key);
        }
        EntryInfo before = present.bucket().describe(key);
        if (before == null) {
            return ABSENT;
        }
        present.shadowed().add(new ByteKey(key));
        if (above != null) {
            above.remove(key); // it may have been moved
        }
        return before.expiresAtMillis();
    }

    @Override
    public void forEach(EntryVisitor visitor) {
        Below present = below;
        if (present != null) {
            present.bucket().forEach((key, expiresAtMillis) -> {
                if (owns(key) && !isShadowed(present, key)) {
                    visitor.visit(key, expiresAtMillis);
                }
            });
        }
        Bucket above = top;
        if (above == null) {
            return;
        }
        above.forEach((key, expiresAtMillis) -> {
            if (present == null || isOnTop(present, key)) {
                visitor.visit(key, expiresAtMillis);
            }
        });
    }

    @Override
    public BucketPass newPass(PassBuffer buffer, GateRef by) {
        Below present = below;
        Bucket above = top;
        BucketPass second = above == null ? null : above.newPass(buffer, by);
        if (present == null) {
            return second == null ? visitor -> false : second;
        }
        Set<ByteKey> shadowed = present.shadowed();
        return new DividedPass(
                present.bucket().newPass(buffer, by),
                key -> owns(key) && !shadowed.contains(new ByteKey(key)),
                second,
                key -> !owns(key) || shadowed.contains(new ByteKey(key)));
    }

    @Override
    public KeyCursor newKeyCursor() {
        Below present = below;
        Bucket above = top;
        KeyCursor second = above == null ? keys -> false : above.newKeyCursor();
        if (present == null) {
            return second;
        }
        KeyCursor first = present.bucket().newKeyCursor();
        boolean[] firstIsOver = {false};
        return keys -> {
            if (!firstIsOver[0]) {
                firstIsOver[0] = !first.next(key -> {
                    if (owns(key) && !isShadowed(present, key)) {
                        keys.accept(key);
                    }
                });
                return true;
            }
            return second.next(key -> {
                if (isOnTop(present, key)) {
                    keys.accept(key);
                }
            });
        };
    }

    @Override
    public Bucket newEmpty(GateRef by, long expected) {
        Bucket above = top;
        Below present = below;
        if (above != null) {
            return above.newEmpty(by, expected);
        }
        if (present == null) {
            throw new IllegalStateException("a divided bucket without any part");
        }
        return present.bucket().newEmpty(by, expected);
    }

    @Override
    public long lastLargeId() {
        Bucket above = top;
        return above == null ? lastFrozenLargeId : Math.max(lastFrozenLargeId, above.lastLargeId());
    }

    @Override
    public StoredValue loadPinned(LargeValue large) {
        GateRef.Inside inside = gate.enter();
        try {
            StoredValue value = load(large);
            if (value == null) {
                throw new StorageException("part of a value that was pinned is missing");
            }
            return value;
        } finally {
            inside.close();
        }
    }

    /** What is below stays anyway as long as somebody captures. */
    @Override
    public void pin(LargeValue large) {
        Bucket above = top;
        if (large.id() > lastFrozenLargeId && above != null) {
            above.pin(large);
        }
    }

    @Override
    public void unpin(LargeValue large) {
        Bucket above = top;
        if (large.id() > lastFrozenLargeId && above != null) {
            above.unpin(large);
        }
    }

    /** What is below counts in full, with either part. */
    @Override
    public long offHeapBytes() {
        Bucket above = top;
        Below present = below;
        return (above == null ? 0 : above.offHeapBytes())
                + (present == null ? 0 : present.bucket().offHeapBytes());
    }

    @Override
    public void close() {
        Bucket above = top;
        Below present = below;
        if (above != null) {
            above.close();
        }
        if (present != null) {
            present.frozen().release();
        }
    }
}
