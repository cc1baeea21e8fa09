package io.elastickv.embedded.internal.routing;

import io.elastickv.api.OverloadedException;
import io.elastickv.api.UnavailableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Operations that came before the cluster had formed: they start when it has, if their time is not up before. Thread-safe. */
final class WaitingRoom {

    private static final Duration RETRY_AFTER = Duration.ofMillis(100);

    private record Waiting(long deadlineNanos, Completion<?> completion, Runnable start) {}

    private final String self;
    private final int maxOperations;
    private final List<Waiting> waiting = new ArrayList<>();
    private boolean open;
    private @Nullable String refusal;

    /** One for at most so many operations of node {@code self}. */
    WaitingRoom(String self, int maxOperations) {
        this.self = self;
        this.maxOperations = maxOperations;
    }

    /** Lets {@code start} wait, or runs it if there is nothing to wait for any more. */
    void enter(long deadlineNanos, Completion<?> completion, Runnable start) {
        String refused;
        boolean full = false;
        synchronized (this) {
            refused = refusal;
            if (refused == null && !open) {
                full = waiting.size() >= maxOperations;
                if (!full) {
                    waiting.add(new Waiting(deadlineNanos, completion, start));
                    return;
                }
            }
        }
        if (refused != null) {
            completion.failure(new UnavailableException("node " + self + ": " + refused));
        } else if (full) {
            completion.failure(new OverloadedException(
                    "node " + self + ": " + maxOperations + " operations already wait for the cluster to form",
                    RETRY_AFTER));
        } else {
            start.run();
        }
    }

    /** The cluster has formed: all start. */
    void open() {
        List<Waiting> start;
        synchronized (this) {
            open = true;
            start = new ArrayList<>(waiting);
            waiting.clear();
        }
        for (Waiting one : start) {
            one.start.run();
        }
    }

    /** The node has ended: all fail, and so do those that still come. */
    void close(String reason) {
        List<Waiting> unstarted;
        synchronized (this) {
            refusal = reason;
            unstarted = new ArrayList<>(waiting);
            waiting.clear();
        }
        for (Waiting one : unstarted) {
            one.completion.failure(new UnavailableException("node " + self + ": " + reason));
        }
    }

    /** Fails those whose time is up. */
    void expire(long nowNanos) {
        List<Waiting> due = new ArrayList<>();
        synchronized (this) {
            waiting.removeIf(one -> {
                boolean late = nowNanos - one.deadlineNanos >= 0;
                if (late) {
                    due.add(one);
                }
                return late;
            });
        }
        for (Waiting one : due) {
            one.completion.failure(new UnavailableException(
                    "node " + self + ": the cluster has not formed yet: not all of the initial members were reached"));
        }
    }
}
