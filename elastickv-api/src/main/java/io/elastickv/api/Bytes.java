package io.elastickv.api;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import java.util.Objects;

/**
 * An immutable sequence of bytes: the type of every key and value. Ordered as unsigned bytes. Thread-safe.
 *
 * <p>{@link #copyOf(byte[])} and {@link #toByteArray()} copy; {@link UnsafeBytes} is the way around the copies for code
 * that can promise not to change the array.
 */
public final class Bytes implements Comparable<Bytes> {

    private static final Bytes EMPTY = new Bytes(new byte[0]);

    final byte[] array;
    private int hash;

    Bytes(byte[] array) {
        this.array = array;
    }

    /** The empty sequence: a valid value, not a valid key. */
    public static Bytes empty() {
        return EMPTY;
    }

    /** The UTF-8 encoding of {@code text}. */
    public static Bytes utf8(String text) {
        return new Bytes(text.getBytes(UTF_8));
    }

    /** A copy of {@code bytes}. */
    public static Bytes copyOf(byte[] bytes) {
        return new Bytes(bytes.clone());
    }

    /**
     * A copy of {@code length} bytes of {@code bytes} from {@code offset}.
     *
     * @throws IndexOutOfBoundsException if the range is not inside the array
     */
    public static Bytes copyOf(byte[] bytes, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        return new Bytes(Arrays.copyOfRange(bytes, offset, offset + length));
    }

    /** The number of bytes. */
    public int length() {
        return array.length;
    }

    /** Whether there are no bytes. */
    public boolean isEmpty() {
        return array.length == 0;
    }

    /**
     * The byte at {@code index}.
     *
     * @throws IndexOutOfBoundsException if {@code index} is negative or not below {@link #length()}
     */
    public byte byteAt(int index) {
        return array[index];
    }

    /** A fresh copy of the bytes. */
    public byte[] toByteArray() {
        return array.clone();
    }

    /** The bytes decoded as UTF-8; malformed input becomes the replacement character. */
    public String toUtf8() {
        return new String(array, UTF_8);
    }

    @Override
    public int compareTo(Bytes other) {
        return Arrays.compareUnsigned(array, other.array);
    }

    @Override
    public boolean equals(Object other) {
        return this == other || (other instanceof Bytes bytes && Arrays.equals(array, bytes.array));
    }

    @Override
    public int hashCode() {
        int h = hash;
        if (h == 0) {
            h = Arrays.hashCode(array);
            hash = h;
        }
        return h;
    }

    /** The length only: keys and values are the user's data and do not belong into logs. */
    @Override
    public String toString() {
        return "Bytes[" + array.length + "]";
    }
}
