package io.elastickv.embedded.internal.routing;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jctools.queues.MpscUnboundedArrayQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs callbacks on an executor, one task for as many as are waiting: an event loop that completes hundreds of operations
 * in one iteration wakes the executor once. While one task is busy with slow callbacks, what comes later is given to
 * another thread of the executor. Thread-safe.
 */
public final class CallbackBatcher implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(CallbackBatcher.class);
    private static final int MAX_PER_TASK = 1024;

    private final Executor executor;
    private final MpscUnboundedArrayQueue<Runnable> queue = new MpscUnboundedArrayQueue<>(256);
    private final AtomicBoolean scheduled = new AtomicBoolean();

    /** A batcher on {@code executor}. */
    public CallbackBatcher(Executor executor) {
        this.executor = executor;
    }

    /** Runs {@code callback}, soon. */
    public void add(Runnable callback) {
        queue.offer(callback);
        schedule();
    }

    private void schedule() {
        if (!scheduled.get() && scheduled.compareAndSet(false, true)) {
            try {
                executor.execute(this);
            } catch (RuntimeException e) {
                // Rejected, as after the end, or an executor that is broken: whoever waits for the callback comes
                // first.
                LOG.debug(
                        "callback executor refused, completing on {}",
                        Thread.currentThread().getName(),
                        e);
                run();
            }
        }
    }

    @Override
    public void run() {
        List<Runnable> taken = new ArrayList<>();
        Runnable next;
        while (taken.size() < MAX_PER_TASK && (next = queue.poll()) != null) {
            taken.add(next);
        }
        // Only now may another thread take what comes later, so that the queue always has a single consumer.
        scheduled.set(false);
        if (!queue.isEmpty()) {
            schedule();
        }
        for (Runnable callback : taken) {
            try {
                callback.run();
            } catch (RuntimeException | Error e) {
                LOG.error("a callback failed", e);
            }
        }
    }
}
