package io.elastickv.embedded.internal.raft.log;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The bytes on disk, version 2; described in {@code docs/formats.md}, pinned by golden tests. All numbers are big-endian.
 * The CRC is CRC-32C (Castagnoli, RFC 3720), which the JVM computes with the processor's instruction.
 */
final class LogFormat {

    static final int VERSION = 2;

    /** "EKVWAL\r\n": the line end shows a transfer in text mode. */
    static final long SEGMENT_MAGIC = 0x454b5657414c0d0aL;

    /** The header has a block of its own (4096: the largest sector in use), which is never written again. */
    static final int SEGMENT_HEADER_BYTES = 4096;

    /** How much of the header's block is in use. */
    static final int SEGMENT_HEADER_USED = 64;

    /** The file had another life before: behind the last frame are bytes of that, not zeros. */
    static final int FLAG_RECYCLED = 1;

    /** "EKVF". */
    static final int FRAME_MAGIC = 0x454b5646;

    static final int FRAME_HEADER_BYTES = 40;
    static final int RECORD_HEADER_BYTES = 32;

    /** Frames and records begin at multiples of this, so that looking for a frame may step by it. */
    static final int ALIGNMENT = 8;

    static final byte RECORD_ENTRY = 1;
    static final byte RECORD_HARD_STATE = 2;
    static final byte RECORD_COMMIT = 3;
    static final byte RECORD_BASE = 4;
    static final byte RECORD_REMOVED = 5;
    static final byte RECORD_MEMORY = 6;

    /** The last two belong to the node, not to a group. */
    static final byte RECORD_START = 7;

    static final byte RECORD_MARK = 8;

    /** In place of an entry's kind: what becomes of the entries behind a base. */
    static final byte BASE_KEEPS_SUFFIX = 0;

    static final byte BASE_REPLACES_ALL = 1;
    static final byte MEMORY_RECOVERED = 0;
    static final byte MEMORY_LOST = 1;
    static final byte MARK_OPENED_FSYNC = 0;
    static final byte MARK_OPENED_MEMORY = 1;
    static final byte MARK_CLOSED = 2;
    static final byte MARK_CONTINUED = 3;

    /** In the count of a frame's records: all before the frame was durable when it was written. */
    static final int FRAME_BARRIER = 1 << 31;

    /** In place of an entry's kind: a hard state without, and with, a vote. */
    static final byte VOTE_NONE = 0;

    static final byte VOTE_PRESENT = 1;

    static final int MAX_RECORD_BYTES = 1 << 29;

    /** One batch is one frame, whose length is an int. */
    static final long MAX_BATCH_BYTES = 1L << 30;

    static final long MAX_SEGMENT_BYTES = 16L << 30;

    /** The lowest number a segment can have. */
    static final long FIRST_SEGMENT = 1;

    private static final String SUFFIX = ".wal";
    private static final String SPARE_SUFFIX = ".spare";

    private LogFormat() {}

    /**
     * The head of a segment.
     *
     * @param previousEnd where the last frame of the segment before this one ends: 0 in the first
     * @param previousSalt the salt of the segment before this one: 0 in the first
     * @param start the oldest segment that was needed when this one was created
     */
    record SegmentHeader(long sequence, long salt, long previousEnd, long previousSalt, long start, boolean recycled) {}

    static String fileName(long sequence) {
        return String.format("%016x%s", sequence, SUFFIX);
    }

    /** The name of a file that is to become a segment, or to be one again. */
    static String spareName(long sequence) {
        return String.format("%016x%s", sequence, SPARE_SUFFIX);
    }

    /** The number in a segment's file name, or -1 if the file is none of ours. */
    static long sequence(String fileName) {
        return number(fileName, SUFFIX);
    }

    /** Whether the file is no segment now, but was one or is to become one. */
    static boolean isSpare(String fileName) {
        return number(fileName, SPARE_SUFFIX) >= 0;
    }

    private static long number(String fileName, String suffix) {
        if (fileName.length() != 16 + suffix.length() || !fileName.endsWith(suffix)) {
            return -1;
        }
        try {
            long sequence = Long.parseLong(fileName, 0, 16, 16);
            return fileName.equals(String.format("%016x%s", sequence, suffix)) ? sequence : -1;
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    /** Writes the used part of the header at the beginning of {@code block}. */
    static void putSegmentHeader(ByteBuffer block, SegmentHeader header, CRC32C crc) {
        block.putLong(0, SEGMENT_MAGIC);
        block.putInt(8, VERSION);
        block.putInt(12, header.recycled ? FLAG_RECYCLED : 0);
        block.putLong(16, header.sequence);
        block.putLong(24, header.salt);
        block.putLong(32, header.previousEnd);
        block.putLong(40, header.previousSalt);
        block.putLong(48, header.start);
        block.putInt(60, crc(crc, block, 0, 60));
    }

    /**
     * The header that {@code block} begins with, or null if it is not a whole one.
     *
     * @throws LogFormatException if it is whole and of another version
     */
    static @Nullable SegmentHeader segmentHeader(ByteBuffer block, Path file, CRC32C crc) {
        if (block.limit() < SEGMENT_HEADER_USED
                || block.getLong(0) != SEGMENT_MAGIC
                || block.getInt(60) != crc(crc, block, 0, 60)) {
            return null;
        }
        int version = block.getInt(8);
        int flags = block.getInt(12);
        if (version != VERSION || (flags & ~FLAG_RECYCLED) != 0) {
            throw LogFormatException.version(file, version, flags);
        }
        return new SegmentHeader(
                block.getLong(16),
                block.getLong(24),
                block.getLong(32),
                block.getLong(40),
                block.getLong(48),
                (flags & FLAG_RECYCLED) != 0);
    }

    /** Appends a frame's header to {@code target}; {@code records} may have {@link #FRAME_BARRIER} set. */
    static void putFrameHeader(
            ByteBuffer target, int recordsLength, int records, SegmentHeader segment, long offset, CRC32C crc) {
        int start = target.position();
        target.putInt(FRAME_MAGIC);
        target.putInt(recordsLength);
        target.putLong(segment.sequence);
        target.putLong(offset);
        target.putLong(segment.salt);
        target.putInt(records);
        target.putInt(crc(crc, target, start, 36));
    }

    /** Whether a frame of this segment and this offset begins at {@code index} of {@code buffer}. */
    static boolean isFrameHeader(ByteBuffer buffer, int index, long sequence, long offset, CRC32C crc) {
        return buffer.getInt(index) == FRAME_MAGIC
                && buffer.getLong(index + 8) == sequence
                && buffer.getLong(index + 16) == offset
                && buffer.getInt(index + 36) == crc(crc, buffer, index, 36)
                && buffer.getInt(index + 4) >= 0
                && buffer.getInt(index + 4) % ALIGNMENT == 0;
    }

    /** The bytes a record with such a payload takes. */
    static long recordBytes(long payloadLength) {
        return RECORD_HEADER_BYTES + (payloadLength + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /**
     * What a record's CRC is mixed with: a record of an earlier life of the file, at the very place where one of a torn frame
     * would be, must not pass for it.
     */
    static int recordMask(long salt) {
        return Long.hashCode(salt);
    }

    static int crc(CRC32C crc, ByteBuffer buffer, int from, int length) {
        crc.reset();
        crc.update(buffer.duplicate().limit(from + length).position(from));
        return (int) crc.getValue();
    }
}
