package io.elastickv.embedded.internal.raft.core;

/** Bytes that are no message of a version this code knows. */
public final class MalformedMessageException extends IllegalArgumentException {

    private static final long serialVersionUID = 1;

    /** Says what is wrong with the bytes. */
    public MalformedMessageException(String message) {
        super(message);
    }
}
