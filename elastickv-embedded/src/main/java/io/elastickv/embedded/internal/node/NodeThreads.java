package io.elastickv.embedded.internal.node;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The threads of a node besides its loops, its log and its network. */
final class NodeThreads implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(NodeThreads.class);

    private final ScheduledExecutorService control;
    private final ExecutorService readers;
    private final ExecutorService callbacks;

    NodeThreads(String node) {
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(1, named(node, "control"));
        scheduler.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        scheduler.setContinueExistingPeriodicTasksAfterShutdownPolicy(false);
        scheduler.setRemoveOnCancelPolicy(true);
        this.control = scheduler;
        ThreadPoolExecutor pool =
                new ThreadPoolExecutor(2, 2, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), named(node, "reader"));
        pool.allowCoreThreadTimeOut(true);
        this.readers = pool;
        // A callback may block for long, so there is a thread for each batch; normally one or two are in use.
        this.callbacks = new ThreadPoolExecutor(
                0, Integer.MAX_VALUE, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), named(node, "callback"));
    }

    private static ThreadFactory named(String node, String role) {
        AtomicInteger next = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, "elastickv-" + node + "-" + role + "-" + next.getAndIncrement());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** Runs queries that may take long. */
    ExecutorService readers() {
        return readers;
    }

    /** Completes futures and calls listeners. */
    ExecutorService callbacks() {
        return callbacks;
    }

    /** Runs {@code task} once, soon; not at all after the end. */
    void control(Runnable task) {
        try {
            control.execute(guarded(task));
        } catch (RejectedExecutionException e) {
            LOG.debug("the node is closing, a task is dropped", e);
        }
    }

    /** Runs {@code task} again and again. */
    void every(long millis, Runnable task) {
        ScheduledFuture<?> unused =
                control.scheduleWithFixedDelay(guarded(task), millis, millis, TimeUnit.MILLISECONDS);
    }

    private static Runnable guarded(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RejectedExecutionException e) {
                LOG.debug("the node is closing", e);
            } catch (RuntimeException | Error e) {
                // An exception would silently end a periodic task.
                LOG.error("a task failed on {}", Thread.currentThread().getName(), e);
            }
        };
    }

    @Override
    public void close() {
        control.shutdownNow();
        readers.shutdown();
        callbacks.shutdown();
        try {
            // Bounded: a user's callback may block for ever.
            readers.awaitTermination(2, TimeUnit.SECONDS);
            control.awaitTermination(1, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
