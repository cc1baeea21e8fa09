package io.elastickv.api;

import java.time.Duration;

/** More work is waiting than the node admits. The operation had no effect. Try again after {@link #retryAfter()}. */
public final class OverloadedException extends NotAppliedException {

    private static final long serialVersionUID = 1L;

    private final long retryAfterMillis;

    /** With a message and the time after which to try again. */
    public OverloadedException(String message, Duration retryAfter) {
        super(message, null);
        this.retryAfterMillis = retryAfter.toMillis();
    }

    /** How long to wait before trying again. */
    public Duration retryAfter() {
        return Duration.ofMillis(retryAfterMillis);
    }
}
