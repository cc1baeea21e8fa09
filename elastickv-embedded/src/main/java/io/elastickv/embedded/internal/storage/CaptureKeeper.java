package io.elastickv.embedded.internal.storage;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a store's apply thread has to do for a capture: to end it in its buckets, and to free what was kept for it alone.
 * The store whose state is captured has one; another store has one if buckets passed to it in the middle of a capture.
 */
final class CaptureKeeper {

    private record Captured(BucketHolder holder, BucketCapture capture) {}

    private record Orphan(BucketHolder holder, BucketCapture capture, FrozenBucket bucket) {}

    private record Pinned(BucketHolder holder, LargeValue large) {}

    private final StoreCapture capture;
    private int changesSeen;
    /** The buckets whose captures are not freed yet. */
    private final List<Captured> active = new ArrayList<>();
    /** Buckets that the store does not have any more, and that must not be closed before their captures end. */
    private final List<Orphan> orphans = new ArrayList<>();

    private final Deque<Pinned> toUnpin = new ArrayDeque<>();

    CaptureKeeper(StoreCapture capture) {
        this.capture = capture;
    }

    StoreCapture capture() {
        return capture;
    }

    /** Captures a bucket. */
    void add(BucketHolder holder, SlotSpan slots) {
        BucketCapture added = capture.add(holder, slots);
        holder.addCapture(added);
        active.add(new Captured(holder, added));
    }

    /** Learns that the store does not change a bucket any more, and that it is closed when nobody needs it. */
    void adopt(BucketHolder holder, FrozenBucket bucket) {
        toUnpin.removeIf(pinned -> pinned.holder() == holder);
        Iterator<Captured> all = active.iterator();
        while (all.hasNext()) {
            Captured captured = all.next();
            if (captured.holder() != holder) {
                continue;
            }
            all.remove();
            if (captured.capture().isReleased()) {
                holder.removeCapture(captured.capture());
            } else {
                bucket.retain();
                orphans.add(new Orphan(holder, captured.capture(), bucket));
            }
        }
    }

    /** What another store has to do, to which some buckets pass; null if nothing. */
    @Nullable
    CaptureKeeper handOver(Set<BucketHolder> moved) {
        CaptureKeeper other = new CaptureKeeper(capture);
        other.changesSeen = changesSeen;
        move(active, other.active, moved);
        Iterator<Pinned> pins = toUnpin.iterator();
        while (pins.hasNext()) {
            Pinned pinned = pins.next();
            if (moved.contains(pinned.holder())) {
                pins.remove();
                other.toUnpin.add(pinned);
            }
        }
        return other.isIdle() ? null : other;
    }

    private static void move(List<Captured> from, List<Captured> to, Set<BucketHolder> moved) {
        from.removeIf(captured -> moved.contains(captured.holder()) && to.add(captured));
    }

    /**
     * Frees what has ended; a bounded piece of it at a time.
     *
     * @return whether all is freed
     */
    boolean poll(ReaderGate gate) {
        int changes = capture.changes();
        if (changes != changesSeen) {
            changesSeen = changes;
            freeReleased(gate);
        }
        unpin(1);
        return isIdle();
    }

    /** Frees everything at once; the capture is over. */
    void finish(ReaderGate gate) {
        capture.releaseAll(); // whoever closes it may not be through
        freeReleased(gate);
        unpin(Integer.MAX_VALUE);
    }

    /** Frees the buckets that only the capture keeps, when the store is closed; nobody may be inside. */
    void close() {
        orphans.forEach(orphan -> orphan.bucket().release());
        orphans.clear();
        active.clear();
        toUnpin.clear();
    }

    private boolean isIdle() {
        return active.isEmpty() && orphans.isEmpty() && toUnpin.isEmpty();
    }

    private void freeReleased(ReaderGate gate) {
        Iterator<Captured> all = active.iterator();
        while (all.hasNext()) {
            Captured captured = all.next();
            if (captured.capture().isReleased()) {
                all.remove();
                captured.holder().removeCapture(captured.capture());
                captured.capture().takePinned().forEach(large -> toUnpin.add(new Pinned(captured.holder(), large)));
            }
        }
        Iterator<Orphan> left = orphans.iterator();
        while (left.hasNext()) {
            Orphan orphan = left.next();
            if (orphan.capture().isReleased()) {
                left.remove();
                orphan.holder().removeCapture(orphan.capture());
                gate.retire(orphan.bucket()::release);
            }
        }
    }

    private void unpin(int count) {
        for (int i = 0; i < count && !toUnpin.isEmpty(); i++) {
            Pinned pinned = toUnpin.removeFirst();
            pinned.holder().bucket().unpin(pinned.large());
        }
    }
}
