package io.elastickv.embedded.internal.node;

import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.util.concurrent.Executor;
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
    private final ExecutorService background;
    private final ExecutorService serving;
    private final ScheduledExecutorService placement;
    private final ExecutorService acting;
    private final ExecutorService births;

    NodeThreads(String node) {
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(1, named(node, "control"));
        scheduler.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        scheduler.setContinueExistingPeriodicTasksAfterShutdownPolicy(false);
        scheduler.setRemoveOnCancelPolicy(true);
        this.control = scheduler;
        this.readers = pool(node, "reader", 2);
        // One for checkpoints, which are written one at a time, and one for what is fetched from others.
        this.background = pool(node, "background", 2);
        this.serving = pool(node, "serving", 1);
        ScheduledThreadPoolExecutor driving = new ScheduledThreadPoolExecutor(1, named(node, "placement"));
        driving.setContinueExistingPeriodicTasksAfterShutdownPolicy(false);
        this.placement = driving;
        this.acting = pool(node, "acting", 8);
        this.births = pool(node, "births", 1);
        // A callback may block for long, so there is a thread for each batch; normally one or two are in use.
        this.callbacks = new ThreadPoolExecutor(
                0, Integer.MAX_VALUE, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), named(node, "callback"));
    }

    private static ExecutorService pool(String node, String role, int threads) {
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                threads, threads, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), named(node, role));
        pool.allowCoreThreadTimeOut(true);
        return pool;
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

    /** Writes checkpoints and what is fetched of other nodes': tasks that block for seconds. */
    ExecutorService background() {
        return background;
    }

    /** Reads checkpoints for other nodes. */
    ExecutorService serving() {
        return serving;
    }

    /** Makes replicas of what is split off, one at a time. */
    Executor births() {
        return task -> births.execute(guarded(task));
    }

    /** Drives the placement where the catalog is led. */
    ScheduledExecutorService placement() {
        return placement;
    }

    /** Asks groups to change, on behalf of the placement's driver: tasks that block for a second. */
    ExecutorService acting() {
        return acting;
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

    /** Runs {@code task} once, in so many nanoseconds; not at all after the end. */
    void after(long nanos, Runnable task) {
        try {
            ScheduledFuture<?> unused = control.schedule(guarded(task), nanos, TimeUnit.NANOSECONDS);
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
            } catch (UncheckedIOException e) {
                if (e.getCause() instanceof ClosedByInterruptException) {
                    LOG.debug("the node is closing, a file was not written", e);
                } else {
                    LOG.error("a task failed on {}", Thread.currentThread().getName(), e);
                }
            } catch (RuntimeException | Error e) {
                // An exception would silently end a periodic task.
                LOG.error("a task failed on {}", Thread.currentThread().getName(), e);
            }
        };
    }

    @Override
    public void close() {
        control.shutdownNow();
        // What is being written is given up: it may take long, and nothing is lost without it.
        background.shutdownNow();
        serving.shutdownNow();
        placement.shutdownNow();
        acting.shutdownNow();
        births.shutdown();
        readers.shutdown();
        callbacks.shutdown();
        try {
            // Bounded: a user's callback may block for ever.
            readers.awaitTermination(2, TimeUnit.SECONDS);
            control.awaitTermination(1, TimeUnit.SECONDS);
            serving.awaitTermination(1, TimeUnit.SECONDS);
            births.awaitTermination(5, TimeUnit.SECONDS);
            if (!background.awaitTermination(10, TimeUnit.SECONDS)) {
                LOG.warn("a checkpoint is still being written or read");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
