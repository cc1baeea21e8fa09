package io.elastickv.api;

import org.jspecify.annotations.Nullable;

/**
 * The root of what operations throw; its two branches tell what is known of the effect: {@link NotAppliedException}
 * (none) and {@link OutcomeUnknownException}. Messages name slot, shard and node, never the user's data.
 */
public abstract sealed class ElastickvException extends RuntimeException
        permits NotAppliedException, OutcomeUnknownException {

    private static final long serialVersionUID = 1L;

    ElastickvException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
