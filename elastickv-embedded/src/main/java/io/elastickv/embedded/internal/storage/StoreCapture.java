package io.elastickv.embedded.internal.storage;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a store as they were when the capture began. What the store changes meanwhile is held in memory, up to a
 * bound; beyond it the capture fails. Of buckets that the store hands over to another meanwhile, the other store holds it.
 *
 * <p>What the apply threads have to free is kept by a {@link CaptureKeeper} each.
 */
public final class StoreCapture implements AutoCloseable {

    private final long keys;
    private final long logTimeMillis;
    private final long maxHeldBytes;
    private final AtomicLong heldBytes = new AtomicLong();
    private volatile @Nullable String failure;
    private volatile boolean closed;
    private final List<BucketCapture> buckets = new ArrayList<>();
    /** Of the pass. */
    private final PassBuffer buffer = new PassBuffer();

    /** Counts what the apply threads should look at. */
    private final AtomicInteger changes = new AtomicInteger();

    StoreCapture(ShardStore store, long maxHeldBytes) {
        this.keys = store.size();
        this.logTimeMillis = store.logTimeMillis();
        this.maxHeldBytes = maxHeldBytes;
    }

    // ---- for the apply thread ----

    BucketCapture add(BucketHolder holder, SlotSpan slots) {
        BucketCapture capture = new BucketCapture(this, buffer, holder, slots);
        buckets.add(capture);
        return capture;
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

    /** Whether it has failed or was closed. */
    boolean isOver() {
        return closed || failure != null;
    }

    /** Nothing is needed any more. */
    void releaseAll() {
        buckets.forEach(BucketCapture::release);
    }

    /** Counts what was released so far, so that its keepers know when to look. */
    int changes() {
        return changes.get();
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
