package io.elastickv.api;

/**
 * Access to the array of {@link Bytes} without a copy, for adapters on a hot path. Whoever uses this promises that the
 * array is never changed again.
 */
public final class UnsafeBytes {

    private UnsafeBytes() {}

    /** Wraps {@code array} without a copy; the array passes to the result and must not be changed afterwards. */
    public static Bytes wrap(byte[] array) {
        return new Bytes(array);
    }

    /** The array behind {@code bytes}; it must not be changed. */
    public static byte[] array(Bytes bytes) {
        return bytes.array;
    }
}
