package io.elastickv.embedded.internal.storage;

import java.io.IOException;

/** A file of a checkpoint is not what was written: the checkpoint cannot be used, another one or a peer's may be. */
public final class CheckpointDamagedException extends IOException {

    private static final long serialVersionUID = 1L;

    private final String file;
    private final long offset;

    CheckpointDamagedException(String file, long offset, String what) {
        super("checkpoint file " + file + ", offset " + offset + ": " + what);
        this.file = file;
        this.offset = offset;
    }

    /** The path of the file. */
    public String file() {
        return file;
    }

    /** Where in the file, in bytes. */
    public long offset() {
        return offset;
    }
}
