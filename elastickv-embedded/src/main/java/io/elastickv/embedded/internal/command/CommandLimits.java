package io.elastickv.embedded.internal.command;

/** The sizes that a command may have; equal to those of the API, which this package does not know. */
public final class CommandLimits {

    /** The longest key in bytes (64 KiB); the shortest has one. */
    public static final int MAX_KEY_BYTES = 64 * 1024;

    /** The longest value in bytes (16 MiB). */
    public static final int MAX_VALUE_BYTES = 16 * 1024 * 1024;

    /** The longest name of a session's owner in bytes of UTF-8. */
    public static final int MAX_OWNER_BYTES = 1024;

    /** The longest encoded configuration of a group in bytes. */
    public static final int MAX_CONFIGURATION_BYTES = 64 * 1024;

    private CommandLimits() {}

    static byte[] checkKey(byte[] key) {
        if (key.length == 0 || key.length > MAX_KEY_BYTES) {
            throw new IllegalArgumentException("key length = " + key.length + ": must be within 1-" + MAX_KEY_BYTES);
        }
        return key;
    }

    static byte[] checkValue(byte[] value) {
        if (value.length > MAX_VALUE_BYTES) {
            throw new IllegalArgumentException(
                    "value length = " + value.length + ": must be at most " + MAX_VALUE_BYTES);
        }
        return value;
    }
}
