package io.elastickv.embedded.internal.simulation;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What happens next: a heap of events by time, those of one instant in the order in which they were planned. */
final class VirtualTime {

    static final long MICRO = 1_000;
    static final long MILLI = 1_000_000;
    static final long SECOND = 1_000_000_000;

    private long[] at = new long[256];
    private long[] order = new long[256];
    private @Nullable Runnable[] actions = new @Nullable Runnable[256];
    private int size;
    private long nextOrder;

    private long nowNanos;
    private long eventsRun;

    /** Nanoseconds since the simulation began. */
    long now() {
        return nowNanos;
    }

    long eventsRun() {
        return eventsRun;
    }

    void after(long delayNanos, Runnable action) {
        at(nowNanos + delayNanos, action);
    }

    void at(long nanos, Runnable action) {
        if (size == at.length) {
            at = Arrays.copyOf(at, 2 * size);
            order = Arrays.copyOf(order, 2 * size);
            actions = Arrays.copyOf(actions, 2 * size);
        }
        int i = size++;
        long mine = nextOrder++;
        while (i > 0) {
            int parent = (i - 1) >>> 1;
            if (at[parent] <= nanos) {
                break; // of two at one instant the parent was planned first
            }
            move(parent, i);
            i = parent;
        }
        set(i, nanos, mine, action);
    }

    /** Runs the next event if it is due by {@code endNanos}; otherwise lets time pass until then. */
    boolean runNext(long endNanos) {
        if (size == 0 || at[0] > endNanos) {
            nowNanos = Math.max(nowNanos, endNanos);
            return false;
        }
        nowNanos = Math.max(nowNanos, at[0]);
        Runnable action = Objects.requireNonNull(actions[0]);
        removeFirst();
        eventsRun++;
        action.run();
        return true;
    }

    private void removeFirst() {
        size--;
        long nanos = at[size];
        long mine = order[size];
        Runnable action = actions[size];
        actions[size] = null;
        if (size == 0) {
            return;
        }
        int i = 0;
        while (true) {
            int child = 2 * i + 1;
            if (child >= size) {
                break;
            }
            if (child + 1 < size && before(child + 1, at[child], order[child])) {
                child++;
            }
            if (!before(child, nanos, mine)) {
                break;
            }
            move(child, i);
            i = child;
        }
        set(i, nanos, mine, action);
    }

    private boolean before(int i, long nanos, long mine) {
        return at[i] < nanos || (at[i] == nanos && order[i] < mine);
    }

    private void move(int from, int to) {
        set(to, at[from], order[from], actions[from]);
    }

    private void set(int i, long nanos, long mine, @Nullable Runnable action) {
        at[i] = nanos;
        order[i] = mine;
        actions[i] = action;
    }
}
