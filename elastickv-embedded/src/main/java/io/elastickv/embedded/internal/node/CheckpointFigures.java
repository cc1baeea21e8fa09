package io.elastickv.embedded.internal.node;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** Counts what a node's checkpoints and state transfers do. Thread-safe. */
public final class CheckpointFigures {

    private final LongAdder written = new LongAdder();
    private final LongAdder writtenBytes = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final AtomicInteger running = new AtomicInteger();
    private final LongAdder installed = new LongAdder();
    private final LongAdder installedBytes = new LongAdder();
    private final LongAdder served = new LongAdder();
    private final LongAdder servedBytes = new LongAdder();

    /**
     * The counters since the node's start.
     *
     * @param written checkpoints of own replicas
     * @param writtenBytes the sizes of them; files that were used again count too
     * @param failed checkpoints that could not be written
     * @param running checkpoints being written now
     * @param installed states fetched from other replicas and installed
     * @param installedBytes the sizes of them
     * @param served states that others began to fetch from here
     * @param servedBytes what was read of them
     */
    public record Counts(
            long written,
            long writtenBytes,
            long failed,
            int running,
            long installed,
            long installedBytes,
            long served,
            long servedBytes) {}

    /** The counters as they are. */
    public Counts counts() {
        return new Counts(
                written.sum(),
                writtenBytes.sum(),
                failed.sum(),
                running.get(),
                installed.sum(),
                installedBytes.sum(),
                served.sum(),
                servedBytes.sum());
    }

    void begun() {
        running.incrementAndGet();
    }

    void ended() {
        running.decrementAndGet();
    }

    void wrote(long bytes) {
        written.increment();
        writtenBytes.add(bytes);
    }

    void notWritten() {
        failed.increment();
    }

    void installed(long bytes) {
        installed.increment();
        installedBytes.add(bytes);
    }

    void serving() {
        served.increment();
    }

    void servedBytes(long bytes) {
        servedBytes.add(bytes);
    }
}
