package io.elastickv.embedded.internal.raft.log;

/** The log was closed before the batch or the read could be served. */
public final class LogClosedException extends LogException {

    LogClosedException(String message) {
        super(message, null);
    }
}
