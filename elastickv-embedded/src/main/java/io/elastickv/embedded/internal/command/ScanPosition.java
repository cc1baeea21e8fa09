package io.elastickv.embedded.internal.command;

import java.util.zip.CRC32C;

/**
 * A position in the scan order, which is by slot and then by the CRC32C of the key, as unsigned numbers: the same on
 * every replica, whatever its storage looks like. As a cursor it is one non-negative number: slot (14 bits), hash (32
 * bits), scan id (16 bits), from the top. Keys of one slot with equal hashes are never separated by a page's end.
 *
 * @param slot the slot
 * @param hash the hash, all bits used
 * @param scanId made up at random, not 0, by the node that starts the scan and kept to its end; it tells replicas which
 *     snapshots of keys belong to this scan. 0 stands for an unknown scan
 */
public record ScanPosition(int slot, int hash, int scanId) {

    /** The number of slots. */
    public static final int SLOTS = 16384;

    /** The largest scan id. */
    public static final int MAX_SCAN_ID = 0xffff;

    /** Checks the parts. */
    public ScanPosition {
        if (slot < 0 || slot >= SLOTS || scanId < 0 || scanId > MAX_SCAN_ID) {
            throw new IllegalArgumentException("scan position: slot = " + slot + ", scan id = " + scanId);
        }
    }

    /** The position as one number. */
    public long toCursor() {
        return (long) slot << 48 | (hash & 0xffffffffL) << 16 | scanId;
    }

    /**
     * The position that a number stands for.
     *
     * @throws IllegalArgumentException if it is none
     */
    public static ScanPosition ofCursor(long cursor) {
        if (cursor < 0 || cursor >>> 62 != 0) {
            throw new IllegalArgumentException("scan cursor = " + cursor);
        }
        return new ScanPosition((int) (cursor >>> 48), (int) (cursor >>> 16), (int) cursor & MAX_SCAN_ID);
    }

    /** Slot and hash as one number that sorts in scan order. */
    public static long order(int slot, int hash) {
        return (long) slot << 32 | (hash & 0xffffffffL);
    }

    /** Slot and hash of this position as one number that sorts in scan order. */
    public long order() {
        return order(slot, hash);
    }

    /** The hash that orders keys within a slot. */
    public static int hash(byte[] key) {
        CRC32C crc = new CRC32C();
        crc.update(key, 0, key.length);
        return (int) crc.getValue();
    }
}
