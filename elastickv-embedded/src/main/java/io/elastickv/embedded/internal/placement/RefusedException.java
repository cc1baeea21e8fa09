package io.elastickv.embedded.internal.placement;

/** What was asked for cannot be done as things are; the message says why, and what to do instead. Nothing has changed. */
public final class RefusedException extends Exception {

    private static final long serialVersionUID = 1;

    /** With a message for people. */
    public RefusedException(String message) {
        super(message);
    }
}
