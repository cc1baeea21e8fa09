package io.elastickv.embedded.internal.placement;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What changes from one revision of the catalog to a later one: records to be written and to be removed. Immutable.
 *
 * <pre>
 * version u8 = 1 | from i64 | to i64 | count i32
 *   | each: key (u16 length, modified UTF-8), length i32 of the value or -1 if it is removed, value
 * </pre>
 *
 * @param from the revision it begins at
 * @param to the revision it leads to
 * @param entries the records, each at most once; the one of the revision is among them
 */
public record CatalogDelta(long from, long to, List<Entry> entries) {

    private static final int VERSION = 1;

    /**
     * A record.
     *
     * @param key its key, with {@link CatalogKeys#PREFIX}
     * @param value its bytes, which nobody changes; null if it is removed
     */
    @SuppressWarnings("ArrayRecordComponent") // the bytes are passed on, never compared
    public record Entry(String key, byte @Nullable [] value) {}

    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if it does not lead to a later revision, or has a key twice
     */
    public CatalogDelta {
        entries = List.copyOf(entries);
        if (from < 0 || to <= from) {
            throw new IllegalArgumentException("a change from revision " + from + " to " + to);
        }
        Set<String> keys = new HashSet<>();
        for (Entry entry : entries) {
            if (!keys.add(entry.key())) {
                throw new IllegalArgumentException("a change of the catalog has " + entry.key() + " twice");
            }
        }
    }

    /** As bytes. */
    public byte[] encode() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeByte(VERSION);
            out.writeLong(from);
            out.writeLong(to);
            out.writeInt(entries.size());
            for (Entry entry : entries) {
                byte[] value = entry.value();
                out.writeUTF(entry.key());
                out.writeInt(value == null ? -1 : value.length);
                if (value != null) {
                    out.write(value);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /**
     * Reads what {@link #encode} gave.
     *
     * @throws IllegalArgumentException if it is damaged or of another version
     */
    public static CatalogDelta decode(byte[] bytes) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            int version = in.readUnsignedByte();
            if (version != VERSION) {
                throw new IllegalArgumentException("change of the catalog of version " + version
                        + ", this library reads " + VERSION + ": run the same version of the library on all nodes");
            }
            long from = in.readLong();
            long to = in.readLong();
            List<Entry> entries = new ArrayList<>();
            for (int count = in.readInt(); count > 0; count--) {
                String key = in.readUTF();
                int length = in.readInt();
                if (length > in.available()) {
                    throw new IllegalArgumentException("a change of the catalog is cut short");
                }
                entries.add(new Entry(key, length < 0 ? null : in.readNBytes(length)));
            }
            if (in.available() > 0) {
                throw new IllegalArgumentException("a change of the catalog has " + in.available() + " bytes too many");
            }
            return new CatalogDelta(from, to, entries);
        } catch (IOException e) {
            throw new IllegalArgumentException("a change of the catalog is damaged or cut short", e);
        }
    }
}
