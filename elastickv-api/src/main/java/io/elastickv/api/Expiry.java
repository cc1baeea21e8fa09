package io.elastickv.api;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;

/**
 * What a write does to the expiry of its key. Immutable.
 *
 * <p>Expiry has millisecond resolution. Times are compared with the clock of the shard's leader, made monotone by the
 * replicated log: a key never comes back once it was seen expired.
 */
public sealed interface Expiry {

    /** The key does not expire; an expiry it had is removed. */
    record Never() implements Expiry {}

    /** The expiry that the key has stays; a new key does not expire. */
    record Keep() implements Expiry {}

    /**
     * The key expires this long after the write is accepted by the leader.
     *
     * @param duration positive, at least one millisecond
     */
    record After(Duration duration) implements Expiry {

        /**
         * Checks the duration.
         *
         * @throws IllegalArgumentException if it is below one millisecond or beyond what milliseconds in a long can say
         */
        public After {
            Objects.requireNonNull(duration, "duration");
            long millis;
            try {
                millis = duration.toMillis();
            } catch (ArithmeticException e) {
                throw new IllegalArgumentException("expiry = " + duration + ": beyond what milliseconds can say", e);
            }
            if (millis < 1) {
                throw new IllegalArgumentException("expiry = " + duration + ": must be at least 1 ms");
            }
        }
    }

    /**
     * The key expires at this time; in the past, the write deletes the key.
     *
     * @param instant the time
     */
    record At(Instant instant) implements Expiry {}

    /** The key does not expire. */
    static Expiry never() {
        return Expiries.NEVER;
    }

    /** The expiry that the key has stays. */
    static Expiry keep() {
        return Expiries.KEEP;
    }

    /**
     * The key expires this long after the write.
     *
     * @throws IllegalArgumentException if {@code duration} is below one millisecond or beyond what milliseconds in a
     *     long can say
     */
    static Expiry after(Duration duration) {
        return new After(duration);
    }

    /** The key expires at this time. */
    static Expiry at(Instant instant) {
        return new At(Objects.requireNonNull(instant, "instant"));
    }
}
