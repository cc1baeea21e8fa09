package io.elastickv.embedded.internal.storage;

import org.jspecify.annotations.Nullable;

/**
 * Something read together with the log's time at which the shard was in that state.
 *
 * @param value what was read, expired or not; null if there is nothing
 * @param logTimeMillis the log's time
 */
public record Timed<T>(@Nullable T value, long logTimeMillis) {

    /** Whether an expiry time (0 for never) has come at {@code timeMillis}. */
    public static boolean isExpired(long expiresAtMillis, long timeMillis) {
        return expiresAtMillis != 0 && expiresAtMillis <= timeMillis;
    }
}
