package io.elastickv.embedded.internal.raft;

import static org.awaitility.Awaitility.await;

import io.elastickv.embedded.internal.raft.log.NodeLog;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** An event loop without a thread, on a clock that stands still: the test runs it and moves the clock. */
public final class ManualLoop implements AutoCloseable {

    private static final long STEP_NANOS = 5_000_000;

    private final EventLoop loop;
    private long nanos = 1_000_000_000L;
    private long wallMillis = 1_700_000_000_000L;

    public ManualLoop(@Nullable NodeLog log) {
        loop = new EventLoop("manual", log, () -> nanos, () -> wallMillis, () -> {}, () -> {});
    }

    public EventLoop loop() {
        return loop;
    }

    public long nanos() {
        return nanos;
    }

    public long wallMillis() {
        return wallMillis;
    }

    /** Does all that there is to do now. */
    public void run() {
        boolean more = true;
        while (more) {
            more = loop.iterate();
        }
    }

    /** Runs {@code task} on the loop, and all that follows from it. */
    public void run(Runnable task) {
        loop.execute(task);
        run();
    }

    /** Lets time pass in small steps, with everything that is due in between. */
    public void advance(Duration time) {
        long end = nanos + time.toNanos();
        while (nanos < end) {
            nanos = Math.min(end, nanos + STEP_NANOS);
            wallMillis += STEP_NANOS / 1_000_000;
            run();
        }
    }

    /** Runs the loop until another thread, such as the log's, has brought about {@code condition}; the clock stands still. */
    public void runUntil(BooleanSupplier condition) {
        await().pollInSameThread()
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(1))
                .atMost(Duration.ofSeconds(20))
                .until(() -> {
                    run();
                    return condition.getAsBoolean();
                });
    }

    @Override
    public void close() {
        loop.close();
    }
}
