package io.elastickv.embedded.internal.node;

import io.elastickv.api.ClusterEvents;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jctools.queues.MpscUnboundedArrayQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells listeners of events on the callback executor, one event at a time and in order. Thread-safe. */
final class EventDispatcher {

    private static final Logger LOG = LoggerFactory.getLogger(EventDispatcher.class);

    private final Executor executor;
    private final List<ClusterEvents> listeners = new CopyOnWriteArrayList<>();
    private final MpscUnboundedArrayQueue<Consumer<ClusterEvents>> queue = new MpscUnboundedArrayQueue<>(64);
    private final AtomicInteger pending = new AtomicInteger();

    EventDispatcher(Executor executor) {
        this.executor = executor;
    }

    void add(ClusterEvents listener) {
        listeners.add(listener);
    }

    void remove(ClusterEvents listener) {
        listeners.remove(listener);
    }

    /** Tells one listener alone, in turn with the other events. */
    void fireTo(ClusterEvents listener, Consumer<ClusterEvents> event) {
        fire(each -> {
            if (each == listener) {
                event.accept(each);
            }
        });
    }

    void fire(Consumer<ClusterEvents> event) {
        if (listeners.isEmpty()) {
            return;
        }
        queue.offer(event);
        if (pending.getAndIncrement() == 0) {
            try {
                executor.execute(() -> drain(true));
            } catch (RejectedExecutionException e) {
                LOG.warn("the callback executor refused a task: listeners miss events", e);
                drain(false);
            }
        }
    }

    /** Empties the queue; only whoever has found it empty does, so that there is one at a time. */
    private void drain(boolean tell) {
        int left;
        do {
            Consumer<ClusterEvents> event = queue.poll();
            if (event != null && tell) {
                for (ClusterEvents listener : listeners) {
                    try {
                        event.accept(listener);
                    } catch (RuntimeException | Error e) {
                        LOG.error("a cluster listener failed", e);
                    }
                }
            }
            left = pending.decrementAndGet();
        } while (left > 0);
    }
}
