package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import io.elastickv.embedded.internal.raft.log.LogFormat.SegmentHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Finds the frames in a segment's file and checks them, byte by byte, believing no length it reads. Not thread-safe. */
final class FrameScanner {

    private final FileWindow window;
    private final CRC32C crc = new CRC32C();
    private SegmentHeader segment = new SegmentHeader(0, 0, 0, 0, 0, false);
    private long size;

    // What check found out.
    private String problem = "";
    private long problemOffset;
    private long frameEnd;
    private boolean barrier;

    FrameScanner(int bufferBytes) {
        window = new FileWindow(bufferBytes);
    }

    /** Goes on with {@code file}, whose header is {@code header}. */
    void open(NodeFile file, SegmentHeader header) throws IOException {
        window.open(file);
        segment = header;
        size = file.size();
    }

    FileWindow window() {
        return window;
    }

    long size() {
        return size;
    }

    /** What is wrong with the frame that was checked last. */
    String problem() {
        return problem;
    }

    /** Where it is wrong. */
    long problemOffset() {
        return problemOffset;
    }

    /** Where the frame checked last ends; if it has no valid header, the next place where a frame could begin. */
    long frameEnd() {
        return frameEnd;
    }

    /** Whether all before the frame checked last was durable when it was written. */
    boolean isBarrier() {
        return barrier;
    }

    /** Whether a whole frame begins at {@code at}; the fields say where it ends, or what is wrong. */
    boolean check(long at) throws IOException {
        int index = window.find(at, LogFormat.FRAME_HEADER_BYTES);
        frameEnd = at + LogFormat.ALIGNMENT;
        barrier = false;
        if (index < 0 || !isHeader(index, at)) {
            return problem(at, "no frame begins here");
        }
        ByteBuffer buffer = window.buffer();
        long end = at + LogFormat.FRAME_HEADER_BYTES + buffer.getInt(index + 4);
        int records = buffer.getInt(index + 32) & ~LogFormat.FRAME_BARRIER;
        barrier = (buffer.getInt(index + 32) & LogFormat.FRAME_BARRIER) != 0;
        frameEnd = end;
        if (end > size) {
            return problem(at, "the file ends within the frame");
        }
        int found = 0;
        for (long record = at + LogFormat.FRAME_HEADER_BYTES; record < end; found++) {
            int header = end - record < LogFormat.RECORD_HEADER_BYTES
                    ? -1
                    : window.find(record, LogFormat.RECORD_HEADER_BYTES);
            int payload = header < 0 ? -1 : window.buffer().getInt(header + 4);
            if (payload < 0 || record + LogFormat.recordBytes(payload) > end) {
                return problem(record, "the length of a record is wrong");
            }
            int expected = window.buffer().getInt(header) ^ LogFormat.recordMask(segment.salt());
            crc.reset();
            if (!window.updateCrc(crc, record + 4, LogFormat.RECORD_HEADER_BYTES - 4 + payload)
                    || (int) crc.getValue() != expected) {
                return problem(record, "the checksum of a record is wrong");
            }
            record += LogFormat.recordBytes(payload);
        }
        return found == records || problem(at, "the frame has " + found + " records instead of " + records);
    }

    /** The first header of a frame of this segment at or after {@code from}, or -1. */
    long findFrame(long from, boolean barriersOnly) throws IOException {
        long at = (from + LogFormat.ALIGNMENT - 1) / LogFormat.ALIGNMENT * LogFormat.ALIGNMENT;
        for (; at + LogFormat.FRAME_HEADER_BYTES <= size; at += LogFormat.ALIGNMENT) {
            int index = window.find(at, LogFormat.FRAME_HEADER_BYTES);
            if (index >= 0
                    && isHeader(index, at)
                    && (!barriersOnly || (window.buffer().getInt(index + 32) & LogFormat.FRAME_BARRIER) != 0)) {
                return at;
            }
        }
        return -1;
    }

    /** Behind the last byte from {@code from} on that is not zero; {@code from} if all are. */
    long findDirtyEnd(long from) throws IOException {
        long dirtyEnd = from;
        long at = from;
        while (at < size) {
            int available = window.available(at);
            if (available == 0) {
                break;
            }
            int index = window.find(at, 1);
            for (int i = 0; i < available; i++) {
                if (window.buffer().get(index + i) != 0) {
                    dirtyEnd = at + i + 1;
                }
            }
            at += available;
        }
        return dirtyEnd;
    }

    private boolean isHeader(int index, long at) {
        return LogFormat.isFrameHeader(window.buffer(), index, segment.sequence(), at, crc)
                && window.buffer().getLong(index + 24) == segment.salt();
    }

    private boolean problem(long offset, String what) {
        problemOffset = offset;
        problem = what;
        return false;
    }
}
