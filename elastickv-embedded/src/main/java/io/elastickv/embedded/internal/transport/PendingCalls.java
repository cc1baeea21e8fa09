package io.elastickv.embedded.internal.transport;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The calls to one peer that wait for an answer. Thread-safe.
 *
 * <p>An id grows from call to call and is never used twice; a new id skips those whose slot is taken, so a lookup is one
 * array access. Deadlines are not kept in order: {@link #earliestDeadlineNanos} is a lower bound, and only when it is
 * reached are the calls walked through. Calls with similar timeouts thus cost one walk per timeout, and nothing each.
 */
final class PendingCalls {
    private Call[] slots = new Call[64];
    private int size;
    private long nextId = 1;
    private long earliest = Long.MAX_VALUE;

    /** One call. */
    static final class Call {
        /** Of {@link #frame}: not yet in a frame, or in chunks of which the last is not sent. */
        static final long NOT_IN_A_FRAME = Long.MAX_VALUE;

        final RpcCallback callback;
        final long deadlineNanos;
        long id;

        /** The number of the outgoing frame that carries it. Written under the outbox's lock. */
        volatile long frame = NOT_IN_A_FRAME;

        Call(RpcCallback callback, long deadlineNanos) {
            this.callback = callback;
            this.deadlineNanos = deadlineNanos;
        }
    }

    synchronized void add(Call call) {
        if (size >= slots.length - (slots.length >> 2)) {
            grow();
        }
        int mask = slots.length - 1;
        while (slots[(int) nextId & mask] != null) {
            nextId++;
        }
        call.id = nextId++;
        slots[(int) call.id & mask] = call;
        size++;
        earliest = Math.min(earliest, call.deadlineNanos);
    }

    private void grow() {
        Call[] old = slots;
        slots = new Call[old.length * 2];
        for (Call call : old) {
            if (call != null) {
                // Ids that differ in the smaller mask differ in the larger one.
                slots[(int) call.id & (slots.length - 1)] = call;
            }
        }
    }

    synchronized @Nullable Call remove(long id) {
        int slot = (int) id & (slots.length - 1);
        Call call = slots[slot];
        if (call == null || call.id != id) {
            return null;
        }
        slots[slot] = null;
        size--;
        return call;
    }

    synchronized List<Call> removeIf(Predicate<Call> condition) {
        List<Call> removed = new ArrayList<>();
        long min = Long.MAX_VALUE;
        for (int i = 0; i < slots.length && size > 0; i++) {
            Call call = slots[i];
            if (call == null) {
                continue;
            }
            if (condition.test(call)) {
                slots[i] = null;
                size--;
                removed.add(call);
            } else {
                min = Math.min(min, call.deadlineNanos);
            }
        }
        earliest = min;
        return removed;
    }

    /** Removes the calls whose deadline is not after now. */
    List<Call> expire(long nowNanos) {
        synchronized (this) {
            if (earliest > nowNanos) {
                return List.of();
            }
            return removeIf(call -> call.deadlineNanos <= nowNanos);
        }
    }

    /** No call's deadline is before this; {@link Long#MAX_VALUE} if there is none. */
    synchronized long earliestDeadlineNanos() {
        return earliest;
    }

    synchronized int size() {
        return size;
    }
}
