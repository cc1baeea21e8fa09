package io.elastickv.embedded.internal.transport;

/** The network could not be started. The message names the address and says what to do. */
public final class TransportException extends Exception {
    private static final long serialVersionUID = 1L;

    TransportException(String message, Throwable cause) {
        super(message, cause);
    }

    TransportException(String message) {
        super(message);
    }
}
