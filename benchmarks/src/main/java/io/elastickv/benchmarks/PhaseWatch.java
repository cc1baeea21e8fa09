package io.elastickv.benchmarks;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Looks at a {@link ClosedLoop} a hundred times a second, asks in which phase the run is, and counts what ended meanwhile for
 * that phase. A thread of its own until it is closed.
 */
final class PhaseWatch implements AutoCloseable {

    private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final long SECOND_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** What happened in one phase. Confined to the watch until that is closed. */
    static final class Phase {

        private final Histogram micros = new Histogram(TimeUnit.MINUTES.toMicros(2), 3);
        private long nanos;
        private long operations;
        private long longestPauseNanos;
        private long leastInASecond = Long.MAX_VALUE;

        private void add(Histogram taken, long stepNanos, long count, long sinceProgressNanos) {
            micros.add(taken);
            nanos += stepNanos;
            operations += count;
            longestPauseNanos = Math.max(longestPauseNanos, sinceProgressNanos);
        }

        /** How long it lasted, in seconds. */
        double seconds() {
            return nanos / 1e9;
        }

        /** How many operations succeeded in it, per second. */
        double perSecond() {
            return nanos == 0 ? Double.NaN : operations * 1e9 / nanos;
        }

        /** A percentile of the durations, in microseconds. */
        double micros(double percentile) {
            return micros.getTotalCount() == 0 ? Double.NaN : micros.getValueAtPercentile(percentile);
        }

        /** The longest time in which no operation succeeded, in milliseconds. */
        double longestPauseMillis() {
            return longestPauseNanos / 1e6;
        }

        /** The fewest operations that succeeded in any second that ended in it; negative if it was shorter. */
        long leastInASecond() {
            return leastInASecond == Long.MAX_VALUE ? -1 : leastInASecond;
        }

        String line(String name) {
            return String.format(
                    Locale.ROOT,
                    "%-28s %8.1f %9.0f %8.0f %8.0f %9.0f %16s %14.0f",
                    name,
                    seconds(),
                    perSecond(),
                    micros(50),
                    micros(99),
                    micros(99.9),
                    leastInASecond() < 0 ? "-" : "" + leastInASecond(),
                    longestPauseMillis());
        }
    }

    /** The head of a table of {@link Phase#line}. */
    static final String HEADER = String.format(
            Locale.ROOT,
            "%-28s %8s %9s %8s %8s %9s %16s %14s",
            "phase",
            "s",
            "puts/s",
            "p50 us",
            "p99 us",
            "p99.9 us",
            "least in any 1 s",
            "longest gap ms");

    private record Sample(long nanos, long count) {}

    private final ClosedLoop loop;
    private final Supplier<String> current;
    private final Map<String, Phase> phases = new LinkedHashMap<>();
    private final Phase whole = new Phase();
    private final Thread thread = new Thread(this::run, "phase-watch");
    private volatile boolean stop;

    /**
     * Begins to watch.
     *
     * @param current the name of the phase that the run is in now; cheap
     */
    PhaseWatch(ClosedLoop loop, Supplier<String> current) {
        this.loop = loop;
        this.current = current;
        loop.measure();
        thread.start();
    }

    private void run() {
        Histogram taken = loop.takeLatencyMicros();
        Deque<Sample> lastSecond = new ArrayDeque<>();
        Sample last = new Sample(System.nanoTime(), loop.succeeded());
        long progressNanos = last.nanos;
        while (!stop) {
            try {
                TimeUnit.NANOSECONDS.sleep(STEP_NANOS);
            } catch (InterruptedException e) {
                return;
            }
            Phase phase = phases.computeIfAbsent(current.get(), name -> new Phase());
            taken = loop.takeLatencyMicros(taken);
            Sample now = new Sample(System.nanoTime(), loop.succeeded());
            phase.add(taken, now.nanos - last.nanos, now.count - last.count, now.nanos - progressNanos);
            whole.add(taken, now.nanos - last.nanos, now.count - last.count, now.nanos - progressNanos);
            if (now.count != last.count) {
                progressNanos = now.nanos;
            }
            lastSecond.add(now);
            while (now.nanos - lastSecond.getFirst().nanos > SECOND_NANOS) {
                Sample first = lastSecond.removeFirst();
                phase.leastInASecond = Math.min(phase.leastInASecond, now.count - first.count);
                whole.leastInASecond = Math.min(whole.leastInASecond, now.count - first.count);
            }
            last = now;
        }
    }

    /** Ends the watch; what happened in the phase with this name, null if it was not seen. */
    @Nullable
    Phase phase(String name) {
        close();
        return phases.get(name);
    }

    /** Ends the watch; all that happened. */
    Phase whole() {
        close();
        return whole;
    }

    @Override
    public void close() {
        stop = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
