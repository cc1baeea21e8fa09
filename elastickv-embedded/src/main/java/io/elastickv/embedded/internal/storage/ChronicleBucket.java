package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.command.StoredValue;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import net.openhft.chronicle.bytes.RandomDataInput;
import org.jspecify.annotations.Nullable;

/**
 * A bucket off heap. An entry is: flags (1 byte), version (8), expiry time (8, if there is one), and the value, or, for
 * a long value, its id (8) and length (4); the pieces of a long value are in a second map under (id, number). Pieces are
 * written before the entry that names them and removed after it is gone, and ids are never used again, so a reader that
 * finds all pieces of an id has the value of the entry that it read. Numbers are in native order: these bytes never
 * leave the process.
 */
final class ChronicleBucket implements Bucket {

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.nativeOrder());

    private static final int HAS_EXPIRY = 1;
    private static final int IS_LARGE = 2;
    private static final int VERSION_OFFSET = 1;
    private static final int EXPIRY_OFFSET = VERSION_OFFSET + Long.BYTES;
    private static final int LARGE_BYTES = Long.BYTES + Integer.BYTES;
    private static final int PIECE_KEY_BYTES = Long.BYTES + Integer.BYTES;

    /** Only for the first maps; later ones go by what was written. */
    private static final double AVERAGE_KEY_BYTES = 16;

    private static final double AVERAGE_VALUE_BYTES = 100;
    private static final int INITIAL_PIECES = 64;

    private final GateRef gate;
    private final StorageOptions options;
    private final ChronicleGenerations entries;
    private volatile @Nullable ChronicleGenerations pieces;
    /** Writer only. */
    private long lastLargeId;
    /** The values whose pieces stay, by id. Writer only. */
    private final Map<Long, Pin> pins = new HashMap<>();

    private static final class Pin {
        int count;
        /** The value was replaced or removed. */
        boolean isGone;
    }

    ChronicleBucket(GateRef gate, StorageOptions options) {
        this(gate, options, options.initialEntries(), AVERAGE_KEY_BYTES, AVERAGE_VALUE_BYTES);
    }

    /** A bucket for what is known to come; it may become more. */
    ChronicleBucket(
            GateRef gate,
            StorageOptions options,
            long expectedEntries,
            double averageKeyBytes,
            double averageValueBytes) {
        this.gate = gate;
        this.options = options;
        this.entries = new ChronicleGenerations(
                gate,
                expectedEntries,
                options.growthFactor(),
                averageKeyBytes,
                averageValueBytes + EXPIRY_OFFSET,
                ChronicleMaps.maxEntryBytes(options));
    }

    @Override
    public @Nullable Object find(byte[] key) {
        return entries.read(key, ChronicleBucket::readEntry);
    }

    @Override
    public @Nullable StoredValue load(LargeValue large) {
        ChronicleGenerations from = pieces;
        if (from == null) {
            return null;
        }
        byte[] value = new byte[large.length()];
        int pieceBytes = options.maxInlineValueBytes();
        for (int at = 0, n = 0; at < value.length; at += pieceBytes, n++) {
            int offset = at;
            Integer read = from.read(pieceKey(large.id(), n), (in, start, size) -> {
                ChronicleGenerations.copy(in, start, value, offset, size);
                return size;
            });
            if (read == null) {
                return null;
            }
        }
        return new StoredValue(value, large.version(), large.expiresAtMillis());
    }

    @Override
    public @Nullable EntryInfo describe(byte[] key) {
        return entries.read(key, ChronicleBucket::readInfo);
    }

    @Override
    public long put(byte[] key, byte[] value, long version, long expiresAtMillis) {
        byte[] entry;
        if (value.length <= options.maxInlineValueBytes()) {
            entry = header(version, expiresAtMillis, 0, value.length);
            System.arraycopy(value, 0, entry, entry.length - value.length, value.length);
        } else {
            long id = ++lastLargeId;
            writePieces(id, value);
            entry = header(version, expiresAtMillis, IS_LARGE, LARGE_BYTES);
            putLarge(entry, id, value.length);
        }
        return forget(entries.write(key, entry, ChronicleBucket::readOld));
    }

    @Override
    public long setExpiry(byte[] key, long expiresAtMillis) {
        Object found = find(key);
        if (found == null) {
            return ABSENT;
        }
        if (found instanceof LargeValue large) {
            byte[] entry = header(large.version(), expiresAtMillis, IS_LARGE, LARGE_BYTES);
            putLarge(entry, large.id(), large.length());
            entries.write(key, entry, ChronicleBucket::readOld);
            return large.expiresAtMillis();
        }
        StoredValue old = (StoredValue) found;
        byte[] entry = header(old.version(), expiresAtMillis, 0, old.value().length);
        System.arraycopy(old.value(), 0, entry, entry.length - old.value().length, old.value().length);
        entries.write(key, entry, ChronicleBucket::readOld);
        return old.expiresAtMillis();
    }

    @Override
    public long remove(byte[] key) {
        return forget(entries.remove(key, ChronicleBucket::readOld));
    }

    @Override
    public void forEach(EntryVisitor visitor) {
        entries.forEach((key, in, offset) -> visitor.visit(key, expiryAt(in, offset)));
    }

    @Override
    public BucketPass newPass(PassBuffer buffer, GateRef by) {
        return new ChroniclePass(this, by, entries.newCursor(), buffer);
    }

    @Override
    public KeyCursor newKeyCursor() {
        return entries.newCursor()::nextKeys;
    }

    @Override
    public Bucket newEmpty(GateRef by, long expectedEntries) {
        ChronicleBucket empty = new ChronicleBucket(
                by,
                options,
                Math.max(options.initialEntries(), expectedEntries),
                entries.averageKeyBytes(),
                Math.max(1, entries.averageValueBytes() - EXPIRY_OFFSET));
        empty.lastLargeId = lastLargeId;
        return empty;
    }

    @Override
    public long lastLargeId() {
        return lastLargeId;
    }

    @Override
    public StoredValue loadPinned(LargeValue large) {
        return loadPinned(large, gate);
    }

    /** The same inside of another gate. */
    StoredValue loadPinned(LargeValue large, GateRef by) {
        GateRef.Inside inside = by.enter();
        try {
            StoredValue value = load(large);
            if (value == null) {
                throw new StorageException("part of a value that was pinned is missing");
            }
            return value;
        } finally {
            inside.close();
        }
    }

    @Override
    public void pin(LargeValue large) {
        pins.computeIfAbsent(large.id(), id -> new Pin()).count++;
    }

    @Override
    public void unpin(LargeValue large) {
        Pin pin = pins.get(large.id());
        if (pin != null && --pin.count == 0) {
            pins.remove(large.id());
            if (pin.isGone) {
                removePieces(large);
            }
        }
    }

    @Override
    public long offHeapBytes() {
        ChronicleGenerations large = pieces;
        return entries.offHeapBytes() + (large == null ? 0 : large.offHeapBytes());
    }

    @Override
    public void close() {
        entries.close();
        ChronicleGenerations large = pieces;
        if (large != null) {
            large.close();
        }
    }

    /** For tests: how many maps hold entries. */
    int generationCount() {
        return entries.generationCount();
    }

    private void writePieces(long id, byte[] value) {
        ChronicleGenerations into = pieces;
        if (into == null) {
            into = new ChronicleGenerations(
                    gate,
                    INITIAL_PIECES,
                    options.growthFactor(),
                    PIECE_KEY_BYTES,
                    options.maxInlineValueBytes(),
                    options.maxInlineValueBytes() + 64);
            pieces = into;
        }
        int pieceBytes = options.maxInlineValueBytes();
        for (int at = 0, n = 0; at < value.length; at += pieceBytes, n++) {
            byte[] piece = new byte[Math.min(pieceBytes, value.length - at)];
            System.arraycopy(value, at, piece, 0, piece.length);
            into.write(pieceKey(id, n), piece, (in, offset, size) -> null);
        }
    }

    /** Removes what hung on an entry that is gone. */
    private long forget(@Nullable Object old) {
        if (old == null) {
            return ABSENT;
        }
        if (old instanceof LargeValue large) {
            Pin pin = pins.isEmpty() ? null : pins.get(large.id());
            if (pin == null) {
                removePieces(large);
            } else {
                pin.isGone = true;
            }
            return large.expiresAtMillis();
        }
        return (Long) old;
    }

    private void removePieces(LargeValue large) {
        ChronicleGenerations from = pieces;
        if (from == null) {
            throw new StorageException("the pieces of a value are missing");
        }
        int pieceBytes = options.maxInlineValueBytes();
        for (int at = 0, n = 0; at < large.length(); at += pieceBytes, n++) {
            from.remove(pieceKey(large.id(), n), (in, offset, size) -> null);
        }
    }

    private static byte[] header(long version, long expiresAtMillis, int flags, int rest) {
        boolean expires = expiresAtMillis != 0;
        byte[] entry = new byte[(expires ? EXPIRY_OFFSET + Long.BYTES : EXPIRY_OFFSET) + rest];
        entry[0] = (byte) (expires ? flags | HAS_EXPIRY : flags);
        LONG.set(entry, VERSION_OFFSET, version);
        if (expires) {
            LONG.set(entry, EXPIRY_OFFSET, expiresAtMillis);
        }
        return entry;
    }

    private static void putLarge(byte[] entry, long id, int length) {
        LONG.set(entry, entry.length - LARGE_BYTES, id);
        INT.set(entry, entry.length - Integer.BYTES, length);
    }

    private static byte[] pieceKey(long id, int number) {
        byte[] key = new byte[PIECE_KEY_BYTES];
        LONG.set(key, 0, id);
        INT.set(key, Long.BYTES, number);
        return key;
    }

    private static long expiryAt(RandomDataInput in, long offset) {
        return (in.readByte(offset) & HAS_EXPIRY) != 0 ? in.readLong(offset + EXPIRY_OFFSET) : 0;
    }

    // ---- the same of an entry that was copied out ----

    static long versionOf(byte[] bytes, int entry) {
        return (long) LONG.get(bytes, entry + VERSION_OFFSET);
    }

    static long expiryOf(byte[] bytes, int entry) {
        return (bytes[entry] & HAS_EXPIRY) != 0 ? (long) LONG.get(bytes, entry + EXPIRY_OFFSET) : 0;
    }

    static @Nullable LargeValue largeOf(byte[] bytes, int entry) {
        if ((bytes[entry] & IS_LARGE) == 0) {
            return null;
        }
        int at = entry + headerBytes(bytes[entry]);
        return new LargeValue(
                (long) LONG.get(bytes, at),
                (int) INT.get(bytes, at + Long.BYTES),
                versionOf(bytes, entry),
                expiryOf(bytes, entry));
    }

    static int headerBytes(int flags) {
        return (flags & HAS_EXPIRY) != 0 ? EXPIRY_OFFSET + Long.BYTES : EXPIRY_OFFSET;
    }

    private static Object readEntry(RandomDataInput in, long offset, int size) {
        int flags = in.readByte(offset);
        long version = in.readLong(offset + VERSION_OFFSET);
        long expiresAtMillis = (flags & HAS_EXPIRY) != 0 ? in.readLong(offset + EXPIRY_OFFSET) : 0;
        int header = headerBytes(flags);
        if ((flags & IS_LARGE) != 0) {
            return new LargeValue(
                    in.readLong(offset + header), in.readInt(offset + header + Long.BYTES), version, expiresAtMillis);
        }
        byte[] value = new byte[size - header];
        ChronicleGenerations.copy(in, offset + header, value, 0, value.length);
        return new StoredValue(value, version, expiresAtMillis);
    }

    private static EntryInfo readInfo(RandomDataInput in, long offset, int size) {
        int flags = in.readByte(offset);
        int header = headerBytes(flags);
        int length = (flags & IS_LARGE) != 0 ? in.readInt(offset + header + Long.BYTES) : size - header;
        return new EntryInfo(in.readLong(offset + VERSION_OFFSET), expiryAt(in, offset), length);
    }

    /** The expiry time of an entry about to go, or the {@link LargeValue} whose pieces go with it. */
    private static Object readOld(RandomDataInput in, long offset, int size) {
        int flags = in.readByte(offset);
        if ((flags & IS_LARGE) != 0) {
            return readEntry(in, offset, size);
        }
        return expiryAt(in, offset);
    }
}
