package io.elastickv.embedded.internal.raft;

import io.elastickv.embedded.internal.raft.log.LogBatch;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jctools.queues.MpscUnboundedArrayQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread that owns several replica groups and router shards. One iteration takes all work that waits, lets every
 * group that was touched emit its effects once, and hands log writes and messages on in one batch each: batch size is
 * what decides the CPU time per operation.
 *
 * <p>Nothing that runs here may block. {@link #execute} may be called from any thread, all else only on the loop.
 */
public final class EventLoop implements Executor, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(EventLoop.class);
    private static final long TICK_NANOS = 20_000_000L;
    private static final int MAX_TASKS_PER_ITERATION = 8192;

    /** Something that is told of the passing of time. */
    public interface Ticker {
        /** Called every {@value EventLoop#TICK_NANOS} ns or so, with the monotonic clock in ns. */
        void tick(long nowNanos);
    }

    private final MpscUnboundedArrayQueue<Runnable> mailbox = new MpscUnboundedArrayQueue<>(1024);
    private final Object lateTasks = new Object();
    private final Thread thread;
    private final LongSupplier nanos;
    private final LongSupplier wallMillis;
    private final @Nullable NodeLog log;
    private final Runnable onStart;
    private final Runnable flush;

    private record Alarm(long nanos, Ticker ticker) {}

    private final List<Ticker> tickers = new ArrayList<>();
    private final PriorityQueue<Alarm> alarms = new PriorityQueue<>((a, b) -> Long.signum(a.nanos - b.nanos));
    private final ArrayDeque<ReplicaGroup> dirty = new ArrayDeque<>();
    private volatile boolean parked;
    private volatile boolean stopped;
    private volatile boolean terminated;
    private long nowNanos;
    private long nextTickNanos;

    /**
     * Makes a loop; {@link #start()} starts it.
     *
     * @param name the thread's name
     * @param log where the groups of this loop write; null if the node has no storage
     * @param wallMillis the wall clock
     * @param onStart called first on the loop's thread
     * @param flush called at the end of an iteration that may have sent messages; must not block
     */
    public EventLoop(String name, @Nullable NodeLog log, LongSupplier wallMillis, Runnable onStart, Runnable flush) {
        this(name, log, System::nanoTime, wallMillis, onStart, flush);
    }

    /** A loop on the monotonic clock {@code nanos}. */
    EventLoop(
            String name,
            @Nullable NodeLog log,
            LongSupplier nanos,
            LongSupplier wallMillis,
            Runnable onStart,
            Runnable flush) {
        this.onStart = onStart;
        this.nanos = nanos;
        this.nowNanos = nanos.getAsLong();
        this.nextTickNanos = nowNanos;
        this.log = log;
        this.wallMillis = wallMillis;
        this.flush = flush;
        this.thread = new Thread(this::run, name);
        this.thread.setDaemon(true);
    }

    /** Starts the thread. */
    public void start() {
        thread.start();
    }

    /**
     * Runs {@code task} on the loop, soon. Thread-safe.
     *
     * @throws RejectedExecutionException if the loop has ended or is being closed
     */
    @Override
    public void execute(Runnable task) {
        // Only its own tasks may add to a loop that is to end, so that it does end.
        if (terminated || (stopped && !inLoop())) {
            throw new RejectedExecutionException(thread.getName() + " has ended");
        }
        mailbox.offer(task);
        if (parked) {
            LockSupport.unpark(thread);
        }
        if (terminated) {
            // The loop ended between the check and the offer, perhaps too early to see the task.
            runLateTasks();
        }
    }

    /** Runs {@code task} on the loop, soon, or not at all if the loop has ended. Thread-safe. */
    public void executeUnlessEnded(Runnable task) {
        try {
            execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("{} has ended, a task is dropped", thread.getName());
        }
    }

    /** Whether the caller runs on the loop. */
    public boolean inLoop() {
        return Thread.currentThread() == thread;
    }

    /** The monotonic clock, read once per iteration. */
    public long nowNanos() {
        return nowNanos;
    }

    /** The wall clock in milliseconds. */
    public long wallMillis() {
        return wallMillis.getAsLong();
    }

    /** Adds something to be ticked. */
    public void addTicker(Ticker ticker) {
        tickers.add(ticker);
    }

    /** Removes what {@link #addTicker} added. */
    public void removeTicker(Ticker ticker) {
        tickers.remove(ticker);
    }

    /** Lets {@code ticker} be ticked once at {@code atNanos} of {@link #nowNanos()}, beside the regular ticks, if it has any. */
    public void tickAt(Ticker ticker, long atNanos) {
        alarms.add(new Alarm(atNanos, ticker));
    }

    /** Lets {@code group} emit its effects at the end of this iteration. */
    void markDirty(ReplicaGroup group) {
        if (!group.dirty) {
            group.dirty = true;
            dirty.add(group);
        }
    }

    private void run() {
        runGuarded(onStart);
        while (true) {
            if (iterate()) {
                continue;
            }
            if (stopped && mailbox.isEmpty()) {
                break;
            }
            Alarm first = alarms.peek();
            park(first != null && first.nanos - nextTickNanos < 0 ? first.nanos : nextTickNanos);
        }
        terminated = true;
        runLateTasks();
    }

    /** Does once what there is to do; whether there is more. */
    boolean iterate() {
        int taken = 0;
        nowNanos = nanos.getAsLong();
        Runnable task;
        while (taken < MAX_TASKS_PER_ITERATION && (task = mailbox.relaxedPoll()) != null) {
            runGuarded(task);
            taken++;
        }
        nowNanos = nanos.getAsLong();
        if (nowNanos - nextTickNanos >= 0) {
            nextTickNanos = nowNanos + TICK_NANOS;
            for (int i = 0; i < tickers.size(); i++) {
                tickGuarded(tickers.get(i));
            }
        }
        for (Alarm due = alarms.peek(); due != null && nowNanos - due.nanos >= 0; due = alarms.peek()) {
            alarms.poll();
            tickGuarded(due.ticker);
        }
        processDirty();
        runGuarded(flush);
        return taken > 0 || !dirty.isEmpty();
    }

    /** Runs what came when the loop had ended: one task at a time, whoever runs them. */
    private void runLateTasks() {
        synchronized (lateTasks) {
            Runnable late;
            while ((late = mailbox.poll()) != null) {
                runGuarded(late);
            }
        }
    }

    private void park(long untilNanos) {
        parked = true;
        if (mailbox.isEmpty() && !stopped) {
            long left = untilNanos - nanos.getAsLong();
            if (left > 0) {
                LockSupport.parkNanos(this, left);
            }
        }
        parked = false;
    }

    private void processDirty() {
        // Every group is processed at most once per iteration, so that a busy one cannot starve tasks and ticks.
        int count = dirty.size();
        if (count == 0) {
            return;
        }
        LoopBatch batch = null;
        for (int i = 0; i < count; i++) {
            ReplicaGroup group = dirty.poll();
            if (group == null) {
                break;
            }
            group.dirty = false;
            if (batch == null) {
                batch = new LoopBatch(this);
            }
            group.process(batch);
        }
        if (batch != null && batch.hasWrites() && log != null) {
            try {
                log.submit(batch.logBatch());
            } catch (RuntimeException e) {
                // Refused as a whole: what was to be written never will be, and the loop must outlive that.
                batch.fail(e);
            }
        }
    }

    private static void runGuarded(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            LOG.error("task failed on {}", Thread.currentThread().getName(), e);
        }
    }

    private void tickGuarded(Ticker ticker) {
        try {
            ticker.tick(nowNanos);
        } catch (Throwable e) {
            LOG.error("tick failed on {}", thread.getName(), e);
        }
    }

    /** Lets the loop run what waits and end; waits for that up to five seconds. Idempotent. */
    @Override
    public void close() {
        stopped = true;
        LockSupport.unpark(thread);
        if (thread.getState() == Thread.State.NEW) {
            terminated = true;
            runLateTasks();
            return;
        }
        if (Thread.currentThread() == thread || !thread.isAlive()) {
            return;
        }
        boolean interrupted = false;
        long deadline = System.nanoTime() + 5_000_000_000L;
        while (thread.isAlive() && System.nanoTime() - deadline < 0) {
            try {
                thread.join(100);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (thread.isAlive()) {
            LOG.warn("{} did not end within 5 s", thread.getName());
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** The log writes of one iteration, and whom to tell when they are durable. */
    static final class LoopBatch implements LogBatch.Completion {

        private final EventLoop loop;
        private final LogBatch logBatch = new LogBatch(this);
        private final List<ReplicaGroup> groups = new ArrayList<>(4);
        private final List<ReplicaGroup.DurabilityMark> marks = new ArrayList<>(4);

        LoopBatch(EventLoop loop) {
            this.loop = loop;
        }

        LogBatch logBatch() {
            return logBatch;
        }

        boolean hasWrites() {
            return !marks.isEmpty();
        }

        void onDurable(ReplicaGroup group, ReplicaGroup.DurabilityMark mark) {
            groups.add(group);
            marks.add(mark);
        }

        @Override
        public void durable() {
            loop.executeUnlessEnded(() -> {
                for (int i = 0; i < groups.size(); i++) {
                    groups.get(i).durable(marks.get(i));
                }
            });
        }

        @Override
        public void failed(Throwable cause) {
            loop.executeUnlessEnded(() -> fail(cause));
        }

        private void fail(Throwable cause) {
            for (int i = 0; i < groups.size(); i++) {
                groups.get(i).fail("the write-ahead log failed", cause);
            }
        }
    }
}
