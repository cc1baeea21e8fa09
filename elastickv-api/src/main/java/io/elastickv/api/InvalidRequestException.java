package io.elastickv.api;

/** The operation can't be done as asked, now or later. It had no effect. */
public final class InvalidRequestException extends NotAppliedException {

    private static final long serialVersionUID = 1L;

    /** Why a request is invalid. */
    public enum Reason {
        /** A key, a value or an argument is outside its limits. */
        INVALID_ARGUMENT,
        /** The keys of an atomic operation are in different slots. */
        CROSS_SLOT,
        /** The value is not a decimal 64-bit integer. */
        NOT_AN_INTEGER,
        /** The result does not fit a signed 64-bit integer. */
        INTEGER_OVERFLOW,
        /** A backup is damaged, or the file is none. */
        DAMAGED,
        /** The cluster has keys already. */
        NOT_EMPTY,
        /** This version of the library can't do it. */
        UNSUPPORTED
    }

    private final Reason reason;

    /** With a reason and a message. */
    public InvalidRequestException(Reason reason, String message) {
        super(message, null);
        this.reason = reason;
    }

    /** Why the request is invalid. */
    public Reason reason() {
        return reason;
    }
}
