package io.elastickv.embedded.internal.raft.log;

/**
 * A batch asked for what no correct Raft core asks for: a gap, a term or vote that goes back, an overwritten committed
 * entry. Nothing of it was written, and the log is poisoned: a core in such a state must not acknowledge anything more.
 */
public final class LogMisuseException extends LogException {

    LogMisuseException(String message) {
        super(message, null);
    }
}
