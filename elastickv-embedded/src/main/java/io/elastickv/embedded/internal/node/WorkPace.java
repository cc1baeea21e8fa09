package io.elastickv.embedded.internal.node;

import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * Lets long work in the background leave the processors and the disk to what somebody waits for: a stretch of work is
 * followed by a pause in proportion to it. Thread-safe.
 */
public final class WorkPace {

    /** Short beside what a request takes, long beside what a thread's switch costs. */
    private static final long STRETCH_NANOS = 1_000_000;

    private final LongSupplier nanos;
    private final LongConsumer sleep;
    private volatile int pauses;

    /**
     * Makes one without pauses.
     *
     * @param nanos the monotonic clock
     * @param sleep waits so many nanoseconds, or less
     */
    public WorkPace(LongSupplier nanos, LongConsumer sleep) {
        this.nanos = nanos;
        this.sleep = sleep;
    }

    /** One without pauses, by the clock of the system. */
    public static WorkPace steady() {
        return new WorkPace(System::nanoTime, LockSupport::parkNanos);
    }

    /** How many times as long as the work before it a pause is, from now on; 0 for none. */
    void setPauses(int times) {
        pauses = times;
    }

    /** To be run between the pieces of one work, by the thread that does it. */
    Runnable begin() {
        return new Runnable() {
            private long began = nanos.getAsLong();

            @Override
            public void run() {
                int times = pauses;
                if (times == 0) {
                    return;
                }
                long worked = nanos.getAsLong() - began;
                if (worked >= STRETCH_NANOS) {
                    sleep.accept(times * worked);
                    began = nanos.getAsLong();
                }
            }
        };
    }
}
