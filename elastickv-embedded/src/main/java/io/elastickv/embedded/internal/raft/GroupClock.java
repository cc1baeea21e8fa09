package io.elastickv.embedded.internal.raft;

import java.util.function.LongSupplier;

/**
 * The wall clock as a leader uses it: never behind the time that the log has seen, and running on from there. Without it,
 * a leader whose clock is behind its predecessor's would stamp the same time on everything until its clock has caught up,
 * and nothing would expire meanwhile. (A hybrid clock after Kulkarni et al., "Logical Physical Clocks", 2014, with the
 * monotonic clock in place of the logical part.) Owned by a loop; {@link #aheadMillis()} is thread-safe.
 */
final class GroupClock {

    private final LongSupplier wallMillis;
    private long seenMillis = Long.MIN_VALUE;
    private long seenAtNanos;
    private volatile long aheadMillis;

    GroupClock(LongSupplier wallMillis) {
        this.wallMillis = wallMillis;
    }

    /** The log has seen this time. */
    void observe(long logMillis, long nowNanos) {
        if (logMillis > millis(nowNanos)) {
            seenMillis = logMillis;
            seenAtNanos = nowNanos;
        }
    }

    /** The time in milliseconds since 1970. */
    long millis(long nowNanos) {
        long wall = wallMillis.getAsLong();
        if (seenMillis == Long.MIN_VALUE) {
            return wall;
        }
        long running = seenMillis + (nowNanos - seenAtNanos) / 1_000_000;
        if (running <= wall) {
            seenMillis = Long.MIN_VALUE; // the wall clock has caught up
            aheadMillis = 0;
            return wall;
        }
        aheadMillis = running - wall;
        return running;
    }

    /** By how much the log's time is ahead of the wall clock here; any thread. */
    long aheadMillis() {
        return aheadMillis;
    }
}
