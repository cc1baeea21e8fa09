package io.elastickv.api;

import org.jspecify.annotations.Nullable;

/**
 * No leader or no majority of the shard could be reached before the deadline, or the node is closed or has failed. The
 * operation had no effect. Try again later, or through another node.
 */
public final class UnavailableException extends NotAppliedException {

    private static final long serialVersionUID = 1L;

    /** With a message. */
    public UnavailableException(String message) {
        super(message, null);
    }

    /** With a message and a cause. */
    public UnavailableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
