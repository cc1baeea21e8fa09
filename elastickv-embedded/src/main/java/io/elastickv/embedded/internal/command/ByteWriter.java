package io.elastickv.embedded.internal.command;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Fills an array whose exact size was computed before: the {@code sizeOf} methods mirror the {@code put} methods. Fixed
 * integers are big-endian; varints are LEB128 of the unsigned value, at most ten bytes. Not thread-safe.
 */
final class ByteWriter {

    static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private final byte[] bytes;
    private int position;

    ByteWriter(int size) {
        bytes = new byte[size];
    }

    /** The array; it passes to the caller. */
    byte[] finish() {
        if (position != bytes.length) {
            throw new IllegalStateException("encoded " + position + " bytes, computed " + bytes.length);
        }
        return bytes;
    }

    void putByte(int value) {
        bytes[position++] = (byte) value;
    }

    void putBoolean(boolean value) {
        bytes[position++] = (byte) (value ? 1 : 0);
    }

    void putLong(long value) {
        LONG.set(bytes, position, value);
        position += Long.BYTES;
    }

    void putVarint(long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            bytes[position++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        bytes[position++] = (byte) rest;
    }

    void putBytes(byte[] value) {
        putVarint(value.length);
        System.arraycopy(value, 0, bytes, position, value.length);
        position += value.length;
    }

    void putList(List<byte[]> values) {
        putVarint(values.size());
        for (byte[] value : values) {
            putBytes(value);
        }
    }

    static int sizeOfVarint(long value) {
        return (63 - Long.numberOfLeadingZeros(value | 1)) / 7 + 1;
    }

    static int sizeOfBytes(byte[] value) {
        return sizeOfVarint(value.length) + value.length;
    }

    static int sizeOfList(List<byte[]> values) {
        int size = sizeOfVarint(values.size());
        for (byte[] value : values) {
            size = Math.addExact(size, sizeOfBytes(value));
        }
        return size;
    }

    /** Maps small negative numbers to small unsigned ones. */
    static long zigzag(long value) {
        return (value << 1) ^ (value >> 63);
    }
}
