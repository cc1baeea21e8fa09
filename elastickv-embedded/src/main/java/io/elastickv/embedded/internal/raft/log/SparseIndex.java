package io.elastickv.embedded.internal.raft.log;

import java.util.Arrays;

/**
 * Where some of a group's entries are: 16 bytes per point, and one point per 64 entries, or per 64 KiB of the group's
 * own, or per 4 MiB of log. Between two points lie consecutive entries of the group, none of them replaced later, all in
 * one segment: an entry that begins a segment or replaces another always is a point. Not thread-safe.
 */
final class SparseIndex {

    static final int ENTRIES_PER_POINT = 64;
    static final int OWN_BYTES_PER_POINT = 64 << 10;
    static final int LOG_BYTES_PER_POINT = 4 << 20;

    /** A position is a segment's number (27 bits) and an offset in it (36 bits): see {@link #position}. */
    private static final int OFFSET_BITS = 36;

    static final long MAX_SEQUENCE = (1L << (63 - OFFSET_BITS)) - 1;

    private long[] indexes = new long[4];
    private long[] positions = new long[4];
    private int size;
    private long bytesSincePoint;

    static long position(long sequence, long offset) {
        return sequence << OFFSET_BITS | offset;
    }

    static long sequence(long position) {
        return position >>> OFFSET_BITS;
    }

    static long offset(long position) {
        return position & (1L << OFFSET_BITS) - 1;
    }

    /** The entry {@code index} is at {@code position}; {@code replaces} says whether there was one with that index. */
    void add(long index, long position, long bytes, boolean replaces) {
        if (replaces) {
            while (size > 0 && indexes[size - 1] >= index) {
                size--;
            }
        }
        if (replaces
                || size == 0
                || index - indexes[size - 1] >= ENTRIES_PER_POINT
                || bytesSincePoint >= OWN_BYTES_PER_POINT
                || sequence(position) != sequence(positions[size - 1])
                || position - positions[size - 1] >= LOG_BYTES_PER_POINT) {
            if (size == indexes.length) {
                int capacity = size + (size >> 1);
                indexes = Arrays.copyOf(indexes, capacity);
                positions = Arrays.copyOf(positions, capacity);
            }
            indexes[size] = index;
            positions[size] = position;
            size++;
            bytesSincePoint = 0;
        }
        bytesSincePoint += bytes;
    }

    /** Forgets what no entry from {@code index} on is found with. {@code index} must be an entry of the group. */
    void dropBefore(long index) {
        int drop = floor(index);
        if (drop > 0) {
            size -= drop;
            int capacity = Math.max(4, size + (size >> 1));
            indexes = Arrays.copyOf(Arrays.copyOfRange(indexes, drop, drop + size), capacity);
            positions = Arrays.copyOf(Arrays.copyOfRange(positions, drop, drop + size), capacity);
        }
    }

    void clear() {
        size = 0;
        bytesSincePoint = 0;
    }

    /** The segment of entry {@code index}, which must be one of the group's. */
    long segmentOf(long index) {
        return sequence(positions[floor(index)]);
    }

    /** How many points there are. */
    int size() {
        return size;
    }

    /** The points that {@code from} to {@code to} are found with. {@code from} must be an entry of the group. */
    Points points(long from, long to) {
        int first = floor(from);
        int end = floor(to) + 1;
        return new Points(Arrays.copyOfRange(indexes, first, end), Arrays.copyOfRange(positions, first, end));
    }

    private int floor(long index) {
        int found = Arrays.binarySearch(indexes, 0, size, index);
        return found >= 0 ? found : -found - 2;
    }

    /** A piece of the index. The arrays are not shared. */
    @SuppressWarnings("ArrayRecordComponent")
    record Points(long[] indexes, long[] positions) {}
}
