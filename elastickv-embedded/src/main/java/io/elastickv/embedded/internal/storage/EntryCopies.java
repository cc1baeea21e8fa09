package io.elastickv.embedded.internal.storage;

import java.util.Arrays;
import net.openhft.chronicle.hash.Data;

/** Keys and values copied out of off-heap maps, one behind the other: length of the key, of the value (int each), key, value. */
final class EntryCopies {

    private static final int INITIAL_BYTES = 64 * 1024;

    private byte[] bytes = new byte[INITIAL_BYTES];
    private int length;

    void clear() {
        length = 0;
    }

    byte[] bytes() {
        return bytes;
    }

    int length() {
        return length;
    }

    int intAt(int offset) {
        return (int) CheckpointFormat.INT.get(bytes, offset);
    }

    void add(Data<byte[]> key, Data<byte[]> value) {
        int keyLength = (int) key.size();
        int valueLength = (int) value.size();
        int start = length + 2 * Integer.BYTES;
        int end = Math.addExact(start, keyLength + valueLength);
        if (end > bytes.length) {
            bytes = Arrays.copyOf(bytes, (int) Math.min(Integer.MAX_VALUE - 8, Math.max(end, 2L * bytes.length)));
        }
        CheckpointFormat.INT.set(bytes, length, keyLength);
        CheckpointFormat.INT.set(bytes, length + Integer.BYTES, valueLength);
        ChronicleGenerations.copy(key.bytes(), key.offset(), bytes, start, keyLength);
        ChronicleGenerations.copy(value.bytes(), value.offset(), bytes, start + keyLength, valueLength);
        length = end;
    }
}
