package io.elastickv.embedded.internal.storage;

import java.io.IOException;

/**
 * The walk over a {@link ChronicleBucket}: copies the entries of one segment under its lock, which holds up writes to that
 * segment for some hundred nanoseconds per entry, and shows them afterwards.
 */
final class ChroniclePass implements BucketPass {

    private final ChronicleBucket bucket;
    private final GateRef gate;
    private final ChronicleGenerations.Cursor cursor;
    private final ChronicleCopies copies;

    ChroniclePass(ChronicleBucket bucket, GateRef gate, ChronicleGenerations.Cursor cursor, PassBuffer buffer) {
        this.bucket = bucket;
        this.gate = gate;
        this.cursor = cursor;
        this.copies = new ChronicleCopies(buffer);
    }

    @Override
    public boolean step(Visitor visitor) throws IOException {
        boolean more = copyNext();
        byte[] bytes = copies.bytes();
        int at = 0;
        while (at < copies.length()) {
            int keyLength = copies.intAt(at);
            int size = copies.intAt(at + Integer.BYTES);
            int key = at + 2 * Integer.BYTES;
            int entry = key + keyLength;
            at = entry + size;
            if (!visitor.wants(bytes, key, keyLength)) {
                continue;
            }
            long version = ChronicleBucket.versionOf(bytes, entry);
            long expiresAtMillis = ChronicleBucket.expiryOf(bytes, entry);
            LargeValue large = ChronicleBucket.largeOf(bytes, entry);
            if (large == null) {
                int header = ChronicleBucket.headerBytes(bytes[entry]);
                visitor.entry(bytes, key, keyLength, bytes, entry + header, size - header, version, expiresAtMillis);
            } else {
                byte[] whole = bucket.loadPinned(large, gate).value();
                visitor.entry(bytes, key, keyLength, whole, 0, whole.length, version, expiresAtMillis);
            }
        }
        return more;
    }

    private boolean copyNext() {
        GateRef.Inside inside = gate.enter();
        try {
            copies.clear();
            return cursor.copyNext(copies);
        } finally {
            inside.close();
        }
    }
}
