package io.elastickv.embedded.internal.command;

/** When a change of expiry takes effect on an existing key. A key without expiry counts as never expiring. */
public enum ExpiryRule {
    /** Always. */
    ALWAYS(0),
    /** Only if the key has no expiry. */
    IF_NONE(1),
    /** Only if the key has an expiry. */
    IF_ANY(2),
    /** Only if the new expiry is later. */
    IF_LATER(3),
    /** Only if the new expiry is earlier. */
    IF_EARLIER(4);

    private static final ExpiryRule[] BY_CODE = values();

    private final int code;

    ExpiryRule(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    static ExpiryRule read(ByteReader in) {
        return BY_CODE[in.getInt(BY_CODE.length - 1)];
    }
}
