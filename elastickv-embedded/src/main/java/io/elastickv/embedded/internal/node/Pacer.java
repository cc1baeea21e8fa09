package io.elastickv.embedded.internal.node;

import java.util.function.LongSupplier;

/**
 * Spreads work over time: each piece is told how long to wait so that so many bytes pass per second. What was not used
 * for a while is not made up for. Thread-safe.
 */
final class Pacer {

    private final long bytesPerSecond;
    private final LongSupplier nanos;
    private long freeAtNanos;

    Pacer(long bytesPerSecond, LongSupplier nanos) {
        this.bytesPerSecond = bytesPerSecond;
        this.nanos = nanos;
        this.freeAtNanos = nanos.getAsLong();
    }

    /** How many nanoseconds to wait before {@code bytes} may pass. */
    synchronized long reserve(int bytes) {
        long now = nanos.getAsLong();
        if (freeAtNanos - now < 0) {
            freeAtNanos = now;
        }
        long wait = freeAtNanos - now;
        freeAtNanos += bytes * 1_000_000_000L / bytesPerSecond;
        return wait;
    }
}
