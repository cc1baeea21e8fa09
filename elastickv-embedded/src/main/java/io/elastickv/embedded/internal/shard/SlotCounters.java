package io.elastickv.embedded.internal.shard;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Counts of what is done to each of some slots; they only grow. The thread that applies counts in arrays of its own without
 * a locked instruction; other threads have a few arrays between them, chosen by thread, so that two that read the same slot
 * seldom meet in a cache line. An array for others is made when one first needs it, which for most shards is never.
 */
final class SlotCounters {

    /** As many as there are processors, but at most 8: beyond that threads meet seldom enough. */
    private static final int STRIPES =
            Integer.highestOneBit(Math.min(8, Math.max(2, Runtime.getRuntime().availableProcessors())));

    /** Bytes are counted behind the slots, a cache line away. */
    private static final int GAP = 8;

    final int first;
    final int size;
    private final AtomicLongArray ownReads;
    private final AtomicLongArray ownWrites;
    private final AtomicReferenceArray<@Nullable AtomicLongArray> otherReads = new AtomicReferenceArray<>(STRIPES);

    SlotCounters(int first, int size) {
        this.first = first;
        this.size = size;
        this.ownReads = new AtomicLongArray(size + GAP + 1);
        this.ownWrites = new AtomicLongArray(size + GAP + 1);
    }

    /** On the thread that applies. */
    void ownRead(int slot, int count, long bytes) {
        int at = slot - first;
        if (at >= 0 && at < size) { // otherwise it went to another shard in this moment
            add(ownReads, at, count);
            add(ownReads, size + GAP, bytes);
        }
    }

    /** On the thread that applies. */
    void ownWrite(int slot, int count) {
        int at = slot - first;
        if (at >= 0 && at < size) {
            add(ownWrites, at, count);
        }
    }

    /** On the thread that applies. */
    void ownWriteBytes(long bytes) {
        add(ownWrites, size + GAP, bytes);
    }

    /** For the only writer: others see it soon, and whole. */
    private static void add(AtomicLongArray counts, int at, long more) {
        counts.setOpaque(at, counts.getPlain(at) + more);
    }

    /** On any other thread. */
    void otherRead(int slot, int count, long bytes) {
        int at = slot - first;
        if (at < 0 || at >= size) {
            return;
        }
        int stripe = (int) Thread.currentThread().getId() & STRIPES - 1;
        AtomicLongArray counts = otherReads.getAcquire(stripe);
        if (counts == null) {
            counts = makeStripe(stripe);
        }
        counts.getAndAdd(at, count);
        counts.getAndAdd(size + GAP, bytes);
    }

    private AtomicLongArray makeStripe(int stripe) {
        AtomicLongArray made = new AtomicLongArray(size + GAP + 1);
        AtomicLongArray before = otherReads.compareAndExchange(stripe, null, made);
        return before == null ? made : before;
    }

    /** Adds the counts of reads to {@code sums}, of which the last one gets the bytes. */
    void sumReads(long[] sums) {
        sum(ownReads, sums);
        for (int i = 0; i < STRIPES; i++) {
            AtomicLongArray counts = otherReads.getAcquire(i);
            if (counts != null) {
                sum(counts, sums);
            }
        }
    }

    /** Adds the counts of writes to {@code sums}, of which the last one gets the bytes. */
    void sumWrites(long[] sums) {
        sum(ownWrites, sums);
    }

    private void sum(AtomicLongArray counts, long[] sums) {
        for (int i = 0; i < size; i++) {
            sums[i] += counts.getOpaque(i);
        }
        sums[size] += counts.getOpaque(size + GAP);
    }

    /** Begins with these counts, before anybody else knows of it: sums as the methods above give them. */
    void begin(long[] reads, long[] writes) {
        for (int i = 0; i < size; i++) {
            ownReads.setPlain(i, reads[i]);
            ownWrites.setPlain(i, writes[i]);
        }
        ownReads.setPlain(size + GAP, reads[size]);
        ownWrites.setPlain(size + GAP, writes[size]);
    }
}
