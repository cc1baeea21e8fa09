package io.elastickv.embedded.internal.raft.core;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Waiting reads in order of arrival, in arrays: who asked, with which context, and until when it waits. */
final class ReadQueue {

    private long[] contexts = new long[16];
    private long[] deadlines = new long[16];
    private @Nullable String[] origins = new @Nullable String[16];
    private int head;
    private int tail;

    void add(@Nullable String origin, long context, long deadlineNanos) {
        if (tail == contexts.length) {
            makeRoom();
        }
        contexts[tail] = context;
        deadlines[tail] = deadlineNanos;
        origins[tail] = origin;
        tail++;
    }

    boolean isEmpty() {
        return head == tail;
    }

    int size() {
        return tail - head;
    }

    long context(int i) {
        return contexts[head + i];
    }

    /** The follower that asks, or null for this member. */
    @Nullable
    String origin(int i) {
        return origins[head + i];
    }

    /** When the oldest read's time is over; there must be one. */
    long firstDeadlineNanos() {
        return deadlines[head];
    }

    void removeFirst() {
        head++;
        if (head == tail) {
            clear();
        }
    }

    void clear() {
        head = 0;
        tail = 0;
    }

    private void makeRoom() {
        int size = tail - head;
        int length = size > contexts.length / 2 ? contexts.length * 2 : contexts.length;
        contexts = Arrays.copyOf(Arrays.copyOfRange(contexts, head, tail), length);
        deadlines = Arrays.copyOf(Arrays.copyOfRange(deadlines, head, tail), length);
        origins = Arrays.copyOf(Arrays.copyOfRange(origins, head, tail), length);
        head = 0;
        tail = size;
    }
}
