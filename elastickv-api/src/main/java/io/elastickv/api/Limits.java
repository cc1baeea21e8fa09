package io.elastickv.api;

/** The sizes that keys and values may have. */
public final class Limits {

    /** The longest key in bytes (64 KiB). The shortest has one byte. */
    public static final int MAX_KEY_BYTES = 64 * 1024;

    /** The longest value in bytes (16 MiB). The shortest is empty. */
    public static final int MAX_VALUE_BYTES = 16 * 1024 * 1024;

    /** The most bytes that the keys and values of one batch or of one slot's part of a multi-put may have (16 MiB). */
    public static final int MAX_BATCH_BYTES = 16 * 1024 * 1024;

    private Limits() {}
}
