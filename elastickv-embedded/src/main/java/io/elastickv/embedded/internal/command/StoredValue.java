package io.elastickv.embedded.internal.command;

import org.jspecify.annotations.Nullable;

/**
 * A value as it is stored.
 *
 * @param value the value
 * @param version the log index of the last change of the value
 * @param expiresAtMillis when it expires, in milliseconds since 1970; 0 for never
 */
public record StoredValue(byte[] value, long version, long expiresAtMillis) {

    int size() {
        return ByteWriter.sizeOfBytes(value)
                + ByteWriter.sizeOfVarint(version)
                + ByteWriter.sizeOfVarint(expiresAtMillis);
    }

    void write(ByteWriter out) {
        out.putBytes(value);
        out.putVarint(version);
        out.putVarint(expiresAtMillis);
    }

    static StoredValue read(ByteReader in) {
        return new StoredValue(in.getValue(), in.getVarint(), in.getVarint());
    }

    static int sizeOfNullable(@Nullable StoredValue value) {
        return value == null ? 1 : 1 + value.size();
    }

    static void writeNullable(@Nullable StoredValue value, ByteWriter out) {
        out.putBoolean(value != null);
        if (value != null) {
            value.write(out);
        }
    }

    static @Nullable StoredValue readNullable(ByteReader in) {
        return in.getBoolean() ? read(in) : null;
    }
}
