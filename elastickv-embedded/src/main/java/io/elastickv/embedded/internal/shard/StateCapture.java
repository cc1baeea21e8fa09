package io.elastickv.embedded.internal.shard;

import io.elastickv.embedded.internal.storage.CaptureFailedException;
import io.elastickv.embedded.internal.storage.CheckpointSource;
import io.elastickv.embedded.internal.storage.GivenSlots;
import io.elastickv.embedded.internal.storage.SlotSpan;
import io.elastickv.embedded.internal.storage.StoreCapture;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The state of a shard as it was when the capture began. The apply thread goes on and keeps what it changes until it is
 * written; if that becomes too much, or the state is replaced, the capture fails and everything is freed.
 */
public final class StateCapture implements CheckpointSource, AutoCloseable {

    private final long index;
    private final long epoch;
    private final List<SlotSpan> slots;
    private final StoreCapture store;
    private final long versionOffset;
    private final @Nullable GivenSlots given;
    private final @Nullable StoreCapture givenStore;
    private final List<Part> parts = new ArrayList<>();

    /**
     * A capture.
     *
     * @param givenStore of the slots {@code given}; null if there are none
     */
    StateCapture(
            long index,
            long epoch,
            SlotRanges owned,
            StoreCapture store,
            List<SessionTable.Captured> sessions,
            long versionOffset,
            @Nullable GivenSlots given,
            @Nullable StoreCapture givenStore) {
        this.versionOffset = versionOffset;
        this.given = given;
        this.givenStore = givenStore;
        this.index = index;
        this.epoch = epoch;
        this.slots = owned.ranges().stream()
                .map(range -> new SlotSpan(range.first(), range.last()))
                .toList();
        this.store = store;
        SlotSpan span = owned.isEmpty() ? new SlotSpan(0, 0) : new SlotSpan(owned.first(), owned.last());
        parts.add(new SessionsPart(this, span, index, sessions));
        if (givenStore != null) {
            parts.addAll(givenStore.parts());
        }
        parts.addAll(store.parts());
    }

    @Override
    public long index() {
        return index;
    }

    @Override
    public long epoch() {
        return epoch;
    }

    @Override
    public List<SlotSpan> slots() {
        return slots;
    }

    @Override
    public long logTimeMillis() {
        return store.logTimeMillis();
    }

    @Override
    public long keys() {
        return store.keys() + (givenStore == null ? 0 : givenStore.keys());
    }

    /** The sessions first: they are few, and then held no longer. */
    @Override
    public List<Part> parts() {
        return parts;
    }

    /** Whether it has failed. Any thread. */
    public boolean isFailed() {
        return failure() != null;
    }

    @Override
    public @Nullable String failure() {
        String failure = store.failure();
        return failure == null && givenStore != null ? givenStore.failure() : failure;
    }

    @Override
    public long versionOffset() {
        return versionOffset;
    }

    @Override
    public @Nullable GivenSlots given() {
        return given;
    }

    void checkAlive() throws CaptureFailedException {
        store.checkAlive();
        if (givenStore != null) {
            givenStore.checkAlive();
        }
    }

    /** The bytes held for entries that were changed meanwhile. Any thread. */
    public long heldBytes() {
        return store.heldBytes() + (givenStore == null ? 0 : givenStore.heldBytes());
    }

    /** Ends the capture. Any thread; idempotent. The apply thread frees the rest when it comes by. */
    @Override
    public void close() {
        store.close();
        if (givenStore != null) {
            givenStore.close();
        }
        parts.forEach(Part::release);
    }
}
