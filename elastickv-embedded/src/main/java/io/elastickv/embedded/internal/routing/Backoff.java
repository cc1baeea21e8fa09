package io.elastickv.embedded.internal.routing;

import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongUnaryOperator;

/**
 * How long to wait before the next attempt. The first waits are short: when a shard is split, or its leadership handed
 * over, who answers next is there within milliseconds. Thread-safe if its random numbers are.
 */
final class Backoff {

    /** Spread by chance, so that those that failed together do not come again together. */
    static final Backoff RANDOM =
            new Backoff(bound -> ThreadLocalRandom.current().nextLong(bound));

    private static final long FIRST_NANOS = 1_000_000L;
    private static final long FIRST_OVERLOADED_NANOS = 5_000_000L;
    private static final long MAX_NANOS = 100_000_000L;
    private static final long MAX_AFTER_MISS_NANOS = 20_000_000L;

    private final LongUnaryOperator random;

    /** One that takes numbers below a bound from {@code random}. */
    Backoff(LongUnaryOperator random) {
        this.random = random;
    }

    /** After the {@code attempts}th attempt at a shard. */
    long afterAttempt(int attempts, boolean overloaded) {
        return spread(
                Math.min(MAX_NANOS, (overloaded ? FIRST_OVERLOADED_NANOS : FIRST_NANOS) << Math.min(attempts, 10)));
    }

    /** After the {@code misses}th answer that the shard does not own the slot. */
    long afterMiss(int misses) {
        return spread(Math.min(MAX_AFTER_MISS_NANOS, FIRST_NANOS << Math.min(misses, 10)));
    }

    private long spread(long nanos) {
        return nanos / 2 + random.applyAsLong(nanos / 2 + 1);
    }
}
