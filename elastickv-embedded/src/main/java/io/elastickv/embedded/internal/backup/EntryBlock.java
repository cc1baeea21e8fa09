package io.elastickv.embedded.internal.backup;

import io.elastickv.api.Limits;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * A block of entries on its way: as it is built by the leader of their shard, it is stored, checked at every stop.
 *
 * @param entries how many
 * @param crc of the payload
 * @param payload position 0 to limit; not changed by anybody
 */
record EntryBlock(int entries, int crc, ByteBuffer payload) {

    /** Sees the entries of a block. */
    @FunctionalInterface
    interface EntryVisitor {

        /**
         * Sees one entry; the arrays pass to the visitor.
         *
         * @param expiresAtMillis milliseconds since 1970; 0 for never
         */
        void visit(byte[] key, byte[] value, long expiresAtMillis);
    }

    /** Whether the payload is the one that the CRC was taken of. */
    boolean isIntact() {
        return crc == BackupFormat.crc(new CRC32C(), payload, 0, payload.limit());
    }

    /**
     * Checks that the payload consists of entries, as many as there shall be.
     *
     * @throws MalformedBlockException if not
     */
    void check() {
        walk((keyAt, keyLength, valueLength, expiresAtMillis) -> {});
    }

    /**
     * Shows all entries.
     *
     * @throws MalformedBlockException as {@link #check} does
     */
    void forEach(EntryVisitor visitor) {
        walk((keyAt, keyLength, valueLength, expiresAtMillis) -> {
            byte[] key = new byte[keyLength];
            byte[] value = new byte[valueLength];
            payload.get(keyAt, key);
            payload.get(keyAt + keyLength, value);
            visitor.visit(key, value, expiresAtMillis);
        });
    }

    private interface Walker {
        void entry(int keyAt, int keyLength, int valueLength, long expiresAtMillis);
    }

    private void walk(Walker walker) {
        int at = 0;
        int end = payload.limit();
        for (int i = 0; i < entries; i++) {
            if (end - at < BackupFormat.ENTRY_HEADER_BYTES) {
                throw new MalformedBlockException(at, "entry " + i + " of " + entries + " is missing");
            }
            int keyLength = payload.getInt(at);
            int valueLength = payload.getInt(at + 4);
            long expiresAtMillis = payload.getLong(at + 8);
            int keyAt = at + BackupFormat.ENTRY_HEADER_BYTES;
            if (keyLength < 1
                    || keyLength > Limits.MAX_KEY_BYTES
                    || valueLength < 0
                    || valueLength > Limits.MAX_VALUE_BYTES
                    || keyLength + valueLength > end - keyAt
                    || expiresAtMillis < 0) {
                throw new MalformedBlockException(
                        at,
                        "an entry with a key of " + keyLength + " bytes, a value of " + valueLength
                                + " bytes and the expiry time " + expiresAtMillis);
            }
            walker.entry(keyAt, keyLength, valueLength, expiresAtMillis);
            at = keyAt + keyLength + valueLength;
        }
        if (at < end) {
            throw new MalformedBlockException(at, (end - at) + " bytes behind the last entry");
        }
    }

    /** The payload is not what its header says. */
    static final class MalformedBlockException extends RuntimeException {

        private static final long serialVersionUID = 1L;
        private final int offset;

        MalformedBlockException(int offset, String message) {
            super(message);
            this.offset = offset;
        }

        /** Where in the payload. */
        int offset() {
            return offset;
        }
    }

    /** Gathers entries. Not thread-safe. */
    static final class Builder {

        private final CRC32C crc = new CRC32C();
        private ByteBuffer payload = ByteBuffer.allocate(BackupFormat.BLOCK_TARGET_BYTES + (4 << 10));
        private int entries;

        /** Adds an entry. */
        void add(byte[] key, byte[] value, long expiresAtMillis) {
            add(key, 0, key.length, value, 0, value.length, expiresAtMillis);
        }

        /** Adds an entry out of larger arrays. */
        void add(
                byte[] keyIn,
                int keyOffset,
                int keyLength,
                byte[] valueIn,
                int valueOffset,
                int valueLength,
                long expiresAtMillis) {
            int size = BackupFormat.ENTRY_HEADER_BYTES + keyLength + valueLength;
            if (size > payload.remaining()) {
                ByteBuffer larger = ByteBuffer.allocate(payload.position() + size);
                larger.put(payload.flip());
                payload = larger;
            }
            payload.putInt(keyLength)
                    .putInt(valueLength)
                    .putLong(expiresAtMillis)
                    .put(keyIn, keyOffset, keyLength)
                    .put(valueIn, valueOffset, valueLength);
            entries++;
        }

        /** Whether the block is as large as blocks shall be. */
        boolean isFull() {
            return payload.position() >= BackupFormat.BLOCK_TARGET_BYTES;
        }

        boolean isEmpty() {
            return entries == 0;
        }

        /** The block; the builder starts with the next one. */
        EntryBlock build() {
            ByteBuffer done = payload.flip();
            EntryBlock block = new EntryBlock(
                    entries,
                    BackupFormat.crc(crc, done, 0, done.limit()),
                    done.slice().asReadOnlyBuffer());
            payload = ByteBuffer.allocate(BackupFormat.BLOCK_TARGET_BYTES + (4 << 10));
            entries = 0;
            return block;
        }
    }
}
