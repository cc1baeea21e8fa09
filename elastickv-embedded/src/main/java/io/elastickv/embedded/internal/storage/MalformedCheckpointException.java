package io.elastickv.embedded.internal.storage;

/** Bytes that are not what a checkpoint consists of, or are of an unknown version. */
public final class MalformedCheckpointException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final long offset;
    private final boolean isNewer;

    /** Says what is wrong, without the data itself. */
    public MalformedCheckpointException(long offset, String message) {
        this(offset, message, false);
    }

    MalformedCheckpointException(long offset, String message, boolean isNewer) {
        super(message);
        this.offset = offset;
        this.isNewer = isNewer;
    }

    /** Whether nothing is wrong with the bytes, but a newer version of the software made them. */
    public boolean isNewer() {
        return isNewer;
    }

    /** Where in the bytes. */
    public long offset() {
        return offset;
    }
}
