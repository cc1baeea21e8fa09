package io.elastickv.benchmarks;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a fixed number of operations outstanding: each that ends starts the next, on the thread that completed it. Ends
 * when told to, or after a number of operations. An operation counts in the window in which it ends. Used once.
 */
final class ClosedLoop {

    /** Starts an operation. */
    interface Operation {
        /**
         * Starts one and returns at once.
         *
         * @param index counts the operations from 0
         */
        CompletableFuture<?> start(long index);
    }

    private static final long HIGHEST_MICROS = TimeUnit.MINUTES.toMicros(2);

    private final Operation operation;
    private final long mostOperations;
    private final AtomicLong started = new AtomicLong();
    private final LongAdder succeeded = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final Map<String, Long> failures = new TreeMap<>();
    private final CountDownLatch lanes;
    private final Recorder latencyMicros = new Recorder(HIGHEST_MICROS, 3);
    private volatile boolean measuring;
    private volatile boolean stopped;

    /** Begins at once, with {@code outstanding} operations; starts at most {@code mostOperations}. */
    ClosedLoop(Operation operation, int outstanding, long mostOperations) {
        this.operation = operation;
        this.mostOperations = mostOperations;
        this.lanes = new CountDownLatch(outstanding);
        for (int i = 0; i < outstanding; i++) {
            new Lane().next();
        }
    }

    /** Successes so far. */
    long succeeded() {
        return succeeded.sum();
    }

    /** Failures so far. */
    long failed() {
        return failed.sum();
    }

    /** The kinds of failures so far, each with how many there were. */
    Map<String, Long> failures() {
        synchronized (failures) {
            return new TreeMap<>(failures);
        }
    }

    /** Records the durations of successes from now on, until {@link #stop}. */
    void measure() {
        measuring = true;
    }

    /** Durations of the successes measured since the last call, in microseconds. */
    Histogram takeLatencyMicros() {
        return latencyMicros.getIntervalHistogram();
    }

    /** The same, into a histogram that an earlier call gave, which must not be looked at any more. */
    Histogram takeLatencyMicros(Histogram recycled) {
        return latencyMicros.getIntervalHistogram(recycled);
    }

    /** Starts no more operations, and records no more durations. */
    void stop() {
        measuring = false;
        stopped = true;
    }

    /**
     * Waits until no operation is outstanding.
     *
     * @return false if some still were after {@code timeout}
     */
    boolean awaitEnd(long timeout, TimeUnit unit) throws InterruptedException {
        return lanes.await(timeout, unit);
    }

    private void ended(long startNanos, @Nullable Throwable failure) {
        if (failure == null) {
            succeeded.increment();
            if (measuring) {
                long micros = TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - startNanos);
                latencyMicros.recordValue(Math.min(micros, HIGHEST_MICROS));
            }
            return;
        }
        failed.increment();
        Throwable cause = failure.getCause() != null ? failure.getCause() : failure;
        String kind = cause.getClass().getSimpleName();
        synchronized (failures) {
            if (failures.merge(kind, 1L, Long::sum) == 1) {
                System.out.println("first " + kind + ": " + cause.getMessage());
            }
        }
    }

    /** One of the outstanding operations, and its successors. */
    private final class Lane {

        /** How many operations are due: a loop instead of recursion when they complete at once. */
        private final AtomicInteger due = new AtomicInteger();

        void next() {
            if (due.getAndIncrement() == 0) {
                do {
                    start();
                } while (due.decrementAndGet() != 0);
            }
        }

        private void start() {
            long index = stopped ? mostOperations : started.getAndIncrement();
            if (index >= mostOperations) {
                lanes.countDown();
                return;
            }
            long startNanos = System.nanoTime();
            CompletableFuture<?> future;
            try {
                future = operation.start(index);
            } catch (RuntimeException e) {
                future = CompletableFuture.failedFuture(e);
            }
            CompletableFuture<?> ending = future.whenComplete((result, failure) -> {
                ended(startNanos, failure);
                next();
            });
            if (ending.isCompletedExceptionally() && !future.isCompletedExceptionally()) {
                throw new IllegalStateException(
                        "the benchmark itself failed",
                        ending.handle((r, e) -> e).getNow(null));
            }
        }
    }
}
