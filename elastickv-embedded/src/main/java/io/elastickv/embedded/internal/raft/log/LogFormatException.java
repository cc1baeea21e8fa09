package io.elastickv.embedded.internal.raft.log;

import java.nio.file.Path;

/** The log was written by a newer version, which knows something this one does not. */
public final class LogFormatException extends LogException {

    private final Path file;

    LogFormatException(Path file, String what) {
        super(file + ": " + what + ". Start the version that wrote it, or a newer one.", null);
        this.file = file;
    }

    /** The file that could not be understood. */
    public Path file() {
        return file;
    }
}
