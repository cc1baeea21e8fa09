package io.elastickv.embedded.internal.storage;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One sequence lock per slot: odd while the apply thread changes the slot. Readers repeat what overlapped a change, so
 * they see each command's effects on a slot together, and the writer does not wait for them. A reader that was
 * disturbed too often asks the writer to pause before its next command.
 *
 * <p>Source: H.-J. Boehm, "Can seqlocks get along with programming language memory models?" (MSPC 2012), for the fences.
 */
final class SlotStamps {

    private static final int ATTEMPTS = 8;
    private static final int SPINS = 200;

    private final int firstSlot;
    private final AtomicIntegerArray stamps;
    private final ReentrantLock pause = new ReentrantLock(true);
    private volatile boolean pauseWanted;
    private volatile @Nullable Throwable failure;
    /** Slots from here on have gone to another store. */
    private volatile int movedFrom = Integer.MAX_VALUE;

    SlotStamps(int firstSlot, int lastSlot) {
        this.firstSlot = firstSlot;
        this.stamps = new AtomicIntegerArray(lastSlot - firstSlot + 1);
    }

    /** For the writer, before each command. */
    void awaitPause() {
        if (!pauseWanted) {
            return;
        }
        pause.lock();
        try {
            return; // to have waited is all
        } finally {
            pause.unlock();
        }
    }

    /** For the writer, before it changes a slot. Not reentrant. */
    void beginWrite(int slot) {
        int i = slot - firstSlot;
        stamps.setOpaque(i, stamps.getPlain(i) + 1);
        VarHandle.storeStoreFence();
    }

    /** For the writer, after it has changed a slot. */
    void endWrite(int slot) {
        int i = slot - firstSlot;
        stamps.setRelease(i, stamps.getPlain(i) + 1);
    }

    /**
     * For the writer, before it hands the slots from {@code from} to {@code last} to another store: whoever reads one of
     * them, or has not finished, gets a {@link SlotMovedException}.
     */
    void moveAway(int from, int last) {
        movedFrom = from;
        for (int slot = from; slot <= last; slot++) {
            int i = slot - firstSlot;
            stamps.setOpaque(i, stamps.getPlain(i) + 1); // odd for ever
        }
        VarHandle.fullFence();
    }

    /** Slots from here on have gone. */
    int movedFrom() {
        return movedFrom;
    }

    /** The writer has stopped in the middle: readers throw from now on. */
    void fail(Throwable cause) {
        failure = cause;
    }

    /** Whether {@code slot} is unchanged since {@code stamp} was read. */
    private boolean isUnchanged(int slot, int stamp) {
        VarHandle.loadLoadFence();
        return stamps.getOpaque(slot - firstSlot) == stamp;
    }

    private int awaitStable(int slot) {
        int spins = 0;
        while (true) {
            Throwable cause = failure;
            if (cause != null) {
                throw new StorageException("the replica has failed while it applied a command", cause);
            }
            int stamp = stamps.getAcquire(slot - firstSlot);
            if ((stamp & 1) == 0) {
                return stamp;
            }
            if (slot >= movedFrom) {
                throw new SlotMovedException(slot);
            }
            if (++spins < SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(20_000);
            }
        }
    }

    /**
     * Runs a read of one slot until no write disturbed it.
     *
     * @param read must bear to see a slot in the middle of a change
     */
    <T extends @Nullable Object> T read(int slot, Supplier<T> read) {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            int stamp = awaitStable(slot);
            T result = read.get();
            if (isUnchanged(slot, stamp)) {
                return result;
            }
        }
        return readPaused(slot, read);
    }

    /** As {@link #read}, with the writer paused: for long reads of busy slots. */
    <T extends @Nullable Object> T readPaused(int slot, Supplier<T> read) {
        pause.lock();
        try {
            pauseWanted = true;
            // Only the command that was being applied when the pause was asked for can still disturb.
            while (true) {
                int stamp = awaitStable(slot);
                T result = read.get();
                if (isUnchanged(slot, stamp)) {
                    return result;
                }
            }
        } finally {
            pauseWanted = false;
            pause.unlock();
        }
    }
}
