package io.elastickv.api;

import org.jspecify.annotations.Nullable;

/**
 * The operation may or may not have taken effect, now or in the near future, at most once: the deadline passed, or the
 * connection or the leader was lost, after it had been handed on. Read to find out.
 */
public final class OutcomeUnknownException extends ElastickvException {

    private static final long serialVersionUID = 1L;

    /** With a message. */
    public OutcomeUnknownException(String message) {
        super(message, null);
    }

    /** With a message and a cause. */
    public OutcomeUnknownException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
