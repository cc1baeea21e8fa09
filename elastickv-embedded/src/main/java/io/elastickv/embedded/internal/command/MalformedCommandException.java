package io.elastickv.embedded.internal.command;

/**
 * Bytes that are no command, result or query of a version known here. In a shard's log this is fatal for the replica:
 * the log is checksummed, so the bytes are those that were proposed, and skipping them here while another version of
 * the software applies them elsewhere would let replicas diverge.
 */
public final class MalformedCommandException extends RuntimeException {

    /** Says what is wrong, without the data itself. */
    public MalformedCommandException(String message) {
        super(message);
    }

    /** Says what is wrong, without the data itself. */
    public MalformedCommandException(String message, Throwable cause) {
        super(message, cause);
    }
}
