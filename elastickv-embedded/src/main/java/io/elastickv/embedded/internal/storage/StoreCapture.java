package io.elastickv.embedded.internal.storage;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a store as they were when the capture began. What the store changes meanwhile is held in memory, up to a
 * bound; beyond it the capture fails.
 */
public final class StoreCapture implements AutoCloseable {

    private record Pinned(Bucket bucket, LargeValue large) {}

    private final long keys;
    private final long logTimeMillis;
    private final long maxHeldBytes;
    private final AtomicLong heldBytes = new AtomicLong();
    private volatile @Nullable String failure;
    private volatile boolean closed;
    private final List<BucketCapture> buckets = new ArrayList<>();
    /** Of the pass. */
    private final PassBuffer buffer = new PassBuffer();

    /** Counts what the apply thread should look at. */
    private final AtomicInteger changes = new AtomicInteger();

    // Of the apply thread:

    private int changesSeen;
    /** The buckets whose captures are not freed yet. */
    private final List<BucketHolder> active = new ArrayList<>();
    /** Buckets that the store has dropped and that are closed when their captures end. */
    private final List<BucketHolder> orphans = new ArrayList<>();

    private final Deque<Pinned> toUnpin = new ArrayDeque<>();

    StoreCapture(ShardStore store, long maxHeldBytes) {
        this.keys = store.size();
        this.logTimeMillis = store.logTimeMillis();
        this.maxHeldBytes = maxHeldBytes;
    }

    // ---- for the apply thread ----

    void add(BucketHolder holder, SlotSpan slots) {
        BucketCapture capture = new BucketCapture(this, buffer, holder, slots);
        buckets.add(capture);
        active.add(holder);
        holder.setCapture(capture);
    }

    /**
     * Learns that the store drops a bucket.
     *
     * @return whether it is still needed here; it is closed later then
     */
    boolean adopt(BucketHolder holder) {
        BucketCapture capture = holder.capture();
        if (capture != null && !capture.isReleased()) {
            orphans.add(holder);
            return true;
        }
        active.remove(holder);
        toUnpin.removeIf(pinned -> pinned.bucket() == holder.bucket);
        return false;
    }

    /** Accounts for something to be held; false if it is too much, then the capture has failed. */
    boolean hold(long bytes) {
        if (failure != null) {
            return false;
        }
        if (heldBytes.addAndGet(bytes) <= maxHeldBytes) {
            return true;
        }
        fail("more than " + maxHeldBytes + " bytes of entries were changed while it was written");
        return false;
    }

    void fail(String why) {
        if (failure == null) {
            failure = why;
        }
        buckets.forEach(BucketCapture::release);
    }

    /**
     * Frees what has ended; a bounded piece of it at a time.
     *
     * @return whether all is freed
     */
    boolean poll(ReaderGate gate) {
        if (changes.get() != changesSeen) {
            changesSeen = changes.get();
            freeReleased(gate);
        }
        unpin(1);
        return active.isEmpty() && toUnpin.isEmpty();
    }

    /** Whether it has failed or was closed. */
    boolean isOver() {
        return closed || failure != null;
    }

    /** Frees everything at once. */
    void finish(ReaderGate gate) {
        buckets.forEach(BucketCapture::release); // whoever closes it may not be through
        freeReleased(gate);
        unpin(Integer.MAX_VALUE);
    }

    /** Closes the buckets that only the capture keeps, when the store is closed; nobody may be inside. */
    void closeOrphans() {
        orphans.forEach(holder -> holder.bucket.close());
        orphans.clear();
        active.clear();
        toUnpin.clear();
    }

    private void freeReleased(ReaderGate gate) {
        Iterator<BucketHolder> holders = active.iterator();
        while (holders.hasNext()) {
            BucketHolder holder = holders.next();
            BucketCapture capture = holder.capture();
            if (capture == null || !capture.isReleased()) {
                continue;
            }
            holders.remove();
            holder.setCapture(null);
            if (orphans.remove(holder)) {
                gate.retire(holder.bucket::close);
            } else {
                capture.takePinned().forEach(large -> toUnpin.add(new Pinned(holder.bucket, large)));
            }
        }
    }

    private void unpin(int count) {
        for (int i = 0; i < count && !toUnpin.isEmpty(); i++) {
            Pinned pinned = toUnpin.removeFirst();
            pinned.bucket().unpin(pinned.large());
        }
    }

    // ---- for any thread ----

    /** A part has been released, perhaps once more. */
    void released(long bytes) {
        heldBytes.addAndGet(-bytes);
        changes.incrementAndGet();
    }

    /**
     * Makes sure that what was read until now is what it should be.
     *
     * @throws CaptureFailedException if the capture has failed or was closed
     */
    public void checkAlive() throws CaptureFailedException {
        String why = failure;
        if (why == null && closed) {
            why = "it was ended";
        }
        if (why != null) {
            throw new CaptureFailedException("a checkpoint was given up: " + why);
        }
    }

    /** The buckets, in the order of their slots. */
    public List<? extends CheckpointSource.Part> parts() {
        return buckets;
    }

    /** How many keys there were. */
    public long keys() {
        return keys;
    }

    /** The log's time. */
    public long logTimeMillis() {
        return logTimeMillis;
    }

    /** Why the capture has failed; null if it has not. */
    public @Nullable String failure() {
        return failure;
    }

    /** The bytes held for what was changed since, all buckets together. */
    public long heldBytes() {
        return heldBytes.get();
    }

    /** Ends the capture; the apply thread frees what it holds when it comes by. Idempotent. */
    @Override
    public void close() {
        closed = true;
        buckets.forEach(BucketCapture::release);
    }
}
