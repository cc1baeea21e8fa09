package io.elastickv.redis.internal.resp;

/** The client does not speak the protocol; it is told so and the connection ends. The message is Redis' text. */
public final class ProtocolException extends Exception {

    private static final long serialVersionUID = 1L;

    ProtocolException(String message) {
        super(message, null, false, false);
    }
}
