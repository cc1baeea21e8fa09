package io.elastickv.embedded.internal.raft.log;

import java.nio.file.Path;

/** Data that was acknowledged as durable is damaged or missing. Never thrown for the torn end that a crash leaves. */
public final class LogCorruptException extends LogException {

    private final Path file;
    private final long offset;
    private final String remedy;

    LogCorruptException(Path file, long offset, String what, String remedy) {
        super(file + " at offset " + offset + ": " + what + ". " + remedy, null);
        this.file = file;
        this.offset = offset;
        this.remedy = remedy;
    }

    /** The damaged file. */
    public Path file() {
        return file;
    }

    /** Where the damage was noticed, in bytes from the beginning of the file. */
    public long offset() {
        return offset;
    }

    /** What the operator may do. */
    public String remedy() {
        return remedy;
    }
}
