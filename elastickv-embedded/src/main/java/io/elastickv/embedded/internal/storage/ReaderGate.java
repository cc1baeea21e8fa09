package io.elastickv.embedded.internal.storage;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * Tells when no reader can hold a reference any more that was replaced, so that off-heap memory is freed under nobody's
 * feet: epoch-based reclamation with two epochs (as in K. Fraser, "Practical lock-freedom", 2004, section 5.2.3). Readers
 * enter and exit; the one writer retires what it has unlinked, and it is closed once all who were inside then have left.
 */
final class ReaderGate {

    private static final int STRIPES = 16;
    /** Counters of different stripes lie on different cache lines. */
    private static final int STRIDE = 16;

    private final AtomicLongArray inside = new AtomicLongArray(STRIPES * STRIDE);
    private volatile int epoch;
    private volatile boolean closed;

    /** Retired in the present epoch; to be closed after the next flip has drained. Writer only. */
    private List<Runnable> retired = new ArrayList<>();
    /** Retired before the last flip; to be closed when the epoch before it is empty. Writer only. */
    private List<Runnable> draining = new ArrayList<>();

    /** Those who may be inside of what this one guards by way of another gate; null once they have left. */
    private volatile @Nullable ReaderGate predecessor;

    private volatile boolean sawEvenEmpty;
    private volatile boolean sawOddEmpty;

    ReaderGate() {}

    /**
     * The gate of what {@code predecessor} guarded until now. Who is inside of that one may still see it, so nothing is freed
     * here before they have left; nobody who enters there later can get at it any more.
     */
    ReaderGate(ReaderGate predecessor) {
        this.predecessor = predecessor;
    }

    /**
     * Enters; what is reachable now stays valid until {@link #exit}.
     *
     * @return to be passed to {@link #exit}
     * @throws StorageException if the gate is closed
     */
    int enter() {
        int stripe = (int) (Thread.currentThread().getId() & (STRIPES - 1)) * STRIDE;
        while (true) {
            int seen = epoch;
            int token = stripe + (seen & 1);
            inside.incrementAndGet(token);
            if (epoch == seen && !closed) {
                return token;
            }
            inside.decrementAndGet(token);
            if (closed) {
                throw new StorageException("the replica's storage is closed");
            }
        }
    }

    void exit(int token) {
        inside.decrementAndGet(token);
    }

    /** Runs {@code close} once nobody can be using what it frees. For the writer, after unlinking it. */
    void retire(Runnable close) {
        retired.add(close);
        poll();
    }

    /** Leaves to {@code heir}, which was made as its successor, to close what was retired. For the writer of both. */
    void leaveTo(ReaderGate heir) {
        heir.retired.addAll(draining);
        heir.retired.addAll(retired);
        draining = new ArrayList<>();
        retired = new ArrayList<>();
    }

    /** Closes what can be closed by now. For the writer. */
    void poll() {
        if (retired.isEmpty() && draining.isEmpty()) {
            return;
        }
        if (!predecessorIsLeft() || !isEmpty((epoch & 1) ^ 1)) {
            return;
        }
        draining.forEach(Runnable::run);
        draining = retired;
        retired = new ArrayList<>();
        int next = epoch + 1;
        epoch = next;
        if (isEmpty((epoch & 1) ^ 1)) {
            draining.forEach(Runnable::run);
            draining = new ArrayList<>();
        }
    }

    /**
     * Lets nobody in any more and waits for those inside.
     *
     * @return whether all have left in time; what was retired is then closed
     */
    boolean close(long timeoutNanos) {
        closed = true;
        long deadline = System.nanoTime() + timeoutNanos;
        while (!predecessorIsLeft() || !isEmpty(0) || !isEmpty(1)) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            Thread.onSpinWait();
        }
        draining.forEach(Runnable::run);
        retired.forEach(Runnable::run);
        draining = new ArrayList<>();
        retired = new ArrayList<>();
        return true;
    }

    /**
     * Whether all who were inside of the gates before when this one was made have left. Each was counted in one parity all
     * the time, so it is enough to have seen each parity empty once since.
     */
    private boolean predecessorIsLeft() {
        ReaderGate before = predecessor;
        if (before == null) {
            return true;
        }
        sawEvenEmpty = sawEvenEmpty || before.isEmpty(0);
        sawOddEmpty = sawOddEmpty || before.isEmpty(1);
        if (sawEvenEmpty && sawOddEmpty && before.predecessorIsLeft()) {
            predecessor = null;
            return true;
        }
        return false;
    }

    private boolean isEmpty(int parity) {
        for (int stripe = 0; stripe < STRIPES; stripe++) {
            if (inside.get(stripe * STRIDE + parity) != 0) {
                return false;
            }
        }
        return true;
    }
}
