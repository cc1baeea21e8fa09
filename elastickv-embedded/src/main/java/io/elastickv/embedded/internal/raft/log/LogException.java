package io.elastickv.embedded.internal.raft.log;

import org.jspecify.annotations.Nullable;

/** What can be wrong with a log. The subclasses are named for what the operator may do next. */
public abstract sealed class LogException extends RuntimeException
        permits LogClosedException, LogCorruptException, LogFormatException, LogIoException, LogMisuseException {

    LogException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
