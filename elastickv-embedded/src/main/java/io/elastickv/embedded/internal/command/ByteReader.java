package io.elastickv.embedded.internal.command;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Reads what {@link ByteWriter} wrote. Every length is compared with what is left before anything is allocated, so the
 * memory taken is a small multiple of the input. Throws {@link MalformedCommandException}. Not thread-safe.
 */
final class ByteReader {

    private final byte[] bytes;
    private int position;

    ByteReader(byte[] bytes) {
        this.bytes = bytes;
    }

    int remaining() {
        return bytes.length - position;
    }

    /** Everything must have been read. */
    void expectEnd() {
        if (position != bytes.length) {
            throw new MalformedCommandException(remaining() + " bytes left over at offset " + position);
        }
    }

    int getByte() {
        need(1);
        return bytes[position++] & 0xff;
    }

    boolean getBoolean() {
        int value = getByte();
        if (value > 1) {
            throw new MalformedCommandException("boolean = " + value + " at offset " + (position - 1));
        }
        return value == 1;
    }

    long getLong() {
        need(Long.BYTES);
        long value = (long) ByteWriter.LONG.get(bytes, position);
        position += Long.BYTES;
        return value;
    }

    /** The shortest encoding only, so that equal contents have equal bytes. */
    long getVarint() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            int next = getByte();
            value |= (long) (next & 0x7f) << shift;
            if (next < 0x80) {
                if ((next == 0 && shift > 0) || (shift == 63 && next > 1)) {
                    break;
                }
                return value;
            }
        }
        throw new MalformedCommandException("malformed varint before offset " + position);
    }

    /** A varint of at most {@code max}. */
    int getInt(int max) {
        long value = getVarint();
        if (value < 0 || value > max) {
            throw new MalformedCommandException(
                    Long.toUnsignedString(value) + " before offset " + position + ": must be at most " + max);
        }
        return (int) value;
    }

    /** The number of elements that follow, each of which takes at least {@code minBytes} bytes. */
    int getCount(int minBytes) {
        return getInt(remaining() / minBytes);
    }

    byte[] getBytes(int maxLength) {
        int length = getInt(maxLength);
        need(length);
        byte[] value = Arrays.copyOfRange(bytes, position, position + length);
        position += length;
        return value;
    }

    byte[] getKey() {
        return getBytes(CommandLimits.MAX_KEY_BYTES);
    }

    byte[] getValue() {
        return getBytes(CommandLimits.MAX_VALUE_BYTES);
    }

    List<byte[]> getKeys() {
        int count = getCount(2);
        List<byte[]> keys = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            keys.add(getKey());
        }
        return keys;
    }

    static long unzigzag(long value) {
        return (value >>> 1) ^ -(value & 1);
    }

    private void need(int count) {
        if (count > bytes.length - position) {
            throw new MalformedCommandException(
                    "truncated: " + count + " bytes needed at offset " + position + " of " + bytes.length);
        }
    }
}
