package io.elastickv.embedded.internal.storage;

import net.openhft.chronicle.hash.Data;

/** Keys and values copied out of off-heap maps, one behind the other: length of the key, of the value (int each), key, value. */
final class ChronicleCopies {

    private final PassBuffer buffer;
    private int length;

    ChronicleCopies(PassBuffer buffer) {
        this.buffer = buffer;
    }

    void clear() {
        length = 0;
    }

    byte[] bytes() {
        return buffer.bytes();
    }

    int length() {
        return length;
    }

    int intAt(int offset) {
        return (int) CheckpointFormat.INT.get(buffer.bytes(), offset);
    }

    void add(Data<byte[]> key, Data<byte[]> value) {
        int keyLength = (int) key.size();
        int valueLength = (int) value.size();
        int start = length + 2 * Integer.BYTES;
        int end = Math.addExact(start, keyLength + valueLength);
        byte[] bytes = buffer.atLeast(end);
        CheckpointFormat.INT.set(bytes, length, keyLength);
        CheckpointFormat.INT.set(bytes, length + Integer.BYTES, valueLength);
        ChronicleGenerations.copy(key.bytes(), key.offset(), bytes, start, keyLength);
        ChronicleGenerations.copy(value.bytes(), value.offset(), bytes, start + keyLength, valueLength);
        length = end;
    }
}
