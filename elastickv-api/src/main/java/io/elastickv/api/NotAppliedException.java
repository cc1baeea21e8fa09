package io.elastickv.api;

import org.jspecify.annotations.Nullable;

/** The operation had no effect and never will; it may be tried again. */
public abstract sealed class NotAppliedException extends ElastickvException
        permits UnavailableException, OverloadedException, InvalidRequestException {

    private static final long serialVersionUID = 1L;

    NotAppliedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
