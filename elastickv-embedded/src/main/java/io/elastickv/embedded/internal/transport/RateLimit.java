package io.elastickv.embedded.internal.transport;

/** Lets one warning of a kind pass in ten seconds. Thread-safe. */
final class RateLimit {
    private static final long INTERVAL_NANOS = 10_000_000_000L;

    private long lastNanos = -INTERVAL_NANOS;

    synchronized boolean pass(long nowNanos) {
        if (nowNanos - lastNanos < INTERVAL_NANOS) {
            return false;
        }
        lastNanos = nowNanos;
        return true;
    }
}
