package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.command.StoredValue;
import java.io.IOException;

/**
 * The walk over a {@link ChronicleBucket}: copies the entries of one segment under its lock, which holds up writes to that
 * segment for some hundred nanoseconds per entry, and shows them afterwards.
 */
final class ChroniclePass implements BucketPass {

    private final ChronicleBucket bucket;
    private final ChronicleGenerations.Cursor cursor;
    private final EntryCopies copies = new EntryCopies();

    ChroniclePass(ChronicleBucket bucket, ChronicleGenerations.Cursor cursor) {
        this.bucket = bucket;
        this.cursor = cursor;
    }

    @Override
    public boolean step(Visitor visitor) throws IOException {
        copies.clear();
        boolean more = cursor.copyNext(copies);
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
                visitor.entry(
                        bytes, key, keyLength, bytes, entry + header, size - header, version, expiresAtMillis);
            } else {
                StoredValue value = bucket.load(large);
                if (value == null) {
                    // Whoever changes an entry during a walk that must show it keeps the pieces; see BucketCapture.
                    throw new StorageException("part of a value is missing");
                }
                byte[] whole = value.value();
                visitor.entry(bytes, key, keyLength, whole, 0, whole.length, version, expiresAtMillis);
            }
        }
        return more;
    }
}
