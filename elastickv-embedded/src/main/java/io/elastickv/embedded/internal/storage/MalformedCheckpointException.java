package io.elastickv.embedded.internal.storage;

/** Bytes that are not what a checkpoint consists of, or are of an unknown version. */
public final class MalformedCheckpointException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final long offset;

    /** Says what is wrong, without the data itself. */
    public MalformedCheckpointException(long offset, String message) {
        super(message);
        this.offset = offset;
    }

    /** Where in the bytes. */
    public long offset() {
        return offset;
    }
}
