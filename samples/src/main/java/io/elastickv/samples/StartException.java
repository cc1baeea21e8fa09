package io.elastickv.samples;

import org.jspecify.annotations.Nullable;

/** The program cannot start or go on. The message is one line for its user and says what to do. */
final class StartException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    StartException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
