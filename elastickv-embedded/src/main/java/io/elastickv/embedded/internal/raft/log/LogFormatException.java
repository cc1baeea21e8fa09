package io.elastickv.embedded.internal.raft.log;

import java.nio.file.Path;

/** The log is of a format version that this one does not read, or holds something that it does not know. */
public final class LogFormatException extends LogException {

    private static final String NEWER = "Start the version that wrote it, or a newer one.";

    private final Path file;

    LogFormatException(Path file, String what) {
        this(file, what, NEWER);
    }

    private LogFormatException(Path file, String what, String remedy) {
        super(file + ": " + what + ". " + remedy, null);
        this.file = file;
    }

    /** A segment's version or flags are not those known here. */
    static LogFormatException version(Path file, int version, int flags) {
        String what = "the segment has format version " + version + " (flags " + flags + "), known is version "
                + LogFormat.VERSION;
        return new LogFormatException(
                file,
                what,
                version < LogFormat.VERSION
                        ? "It is older than the first released format: keep a copy, then let an empty node take this one's"
                                + " place."
                        : NEWER);
    }

    /** The file that could not be understood. */
    public Path file() {
        return file;
    }
}
