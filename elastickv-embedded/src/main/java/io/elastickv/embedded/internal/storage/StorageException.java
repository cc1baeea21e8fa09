package io.elastickv.embedded.internal.storage;

/**
 * The storage cannot do its work: it is closed, has failed, or cannot start in this JVM. On the apply thread it is fatal
 * for the replica, because what fits differs between replicas and so can be no command's result.
 */
public class StorageException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** Says what is wrong and what can be done. */
    public StorageException(String message) {
        super(message);
    }

    /** Says what is wrong and what can be done. */
    public StorageException(String message, Throwable cause) {
        super(message, cause);
    }
}
