package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.log.LogFormat.SegmentHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Writes frames to the last segment and begins new ones. A frame is on the disk before the next one is written: that is
 * what recovery's reasoning rests on. Not thread-safe; after an exception it must not be used any more.
 */
final class SegmentWriter {

    private static final int BUFFER_BYTES = 256 << 10;
    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(256 << 10).asReadOnlyBuffer();
    private static final byte[] NOTHING = new byte[0];

    private final NodeLogOptions options;
    private final boolean fsync;
    private final CRC32C crc = new CRC32C();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private final ByteBuffer crcView = buffer.duplicate();

    private Path path;
    private @Nullable NodeFile file;
    private SegmentHeader header;

    /** Where the next frame begins. */
    private long position;

    /** Where the part that is filled with zeros ends. */
    private long allocated;

    /** Where the bytes in the buffer go. */
    private long bufferPosition;

    private long fsyncs;

    private SegmentWriter(NodeLogOptions options, Path path, SegmentHeader header) {
        this.options = options;
        this.path = path;
        this.header = header;
        fsync = options.durability() == Durability.FSYNC;
    }

    /** Continues {@code file}, whose last frame ends at {@code end}; closes it at last. */
    static SegmentWriter resume(
            NodeLogOptions options, Path path, NodeFile file, SegmentHeader header, long end, long size) {
        SegmentWriter writer = new SegmentWriter(options, path, header);
        writer.file = file;
        writer.position = end;
        writer.allocated = size;
        return writer;
    }

    /** Creates segment {@code sequence}. */
    static SegmentWriter create(NodeLogOptions options, long sequence, long previousEnd) {
        SegmentHeader none = new SegmentHeader(sequence, 0, 0, false);
        SegmentWriter writer = new SegmentWriter(options, options.directory(), none);
        writer.begin(sequence, previousEnd);
        return writer;
    }

    long sequence() {
        return header.sequence();
    }

    long position() {
        return position;
    }

    long fsyncs() {
        return fsyncs;
    }

    /**
     * Writes the batches as one frame and makes it durable.
     *
     * @return where the first record is, in this {@link #sequence()}
     */
    long writeFrame(List<LogBatch> batches) {
        long recordsLength = 0;
        int records = 0;
        for (LogBatch batch : batches) {
            recordsLength += batch.recordsLength();
            records += batch.size();
        }
        long frameLength = LogFormat.FRAME_HEADER_BYTES + recordsLength;
        boolean otherDurability = header.withoutFsync() == fsync;
        boolean full = position + frameLength > options.segmentBytes() && position > LogFormat.SEGMENT_HEADER_BYTES;
        if (full || otherDurability) {
            roll();
        }
        long start = position;
        try {
            preallocate(start + frameLength);
            buffer.clear();
            bufferPosition = start;
            LogFormat.putFrameHeader(buffer, (int) recordsLength, records, header, start, crc);
            for (LogBatch batch : batches) {
                encode(batch);
            }
            flush();
        } catch (IOException e) {
            throw new LogIoException(path, "writing", e);
        }
        if (bufferPosition != start + frameLength) {
            throw new IllegalStateException(
                    "a frame of " + frameLength + " bytes at " + start + " ended at " + bufferPosition);
        }
        force(false);
        position = start + frameLength;
        return start + LogFormat.FRAME_HEADER_BYTES;
    }

    void close() throws IOException {
        NodeFile closing = file;
        file = null;
        if (closing != null) {
            closing.close();
        }
    }

    private void roll() {
        try {
            close();
        } catch (IOException e) {
            throw new LogIoException(path, "closing", e);
        }
        begin(header.sequence() + 1, position);
    }

    private void begin(long sequence, long previousEnd) {
        if (sequence > SparseIndex.MAX_SEQUENCE) {
            throw new IllegalStateException("no segment number is left after " + header.sequence());
        }
        path = options.directory().resolve(LogFormat.fileName(sequence));
        header = new SegmentHeader(sequence, options.salts().getAsLong(), previousEnd, !fsync);
        try {
            file = options.files().openForWriting(path);
            buffer.clear();
            while (buffer.position() < LogFormat.SEGMENT_HEADER_BYTES) {
                buffer.putLong(0);
            }
            LogFormat.putSegmentHeader(buffer, header, crc);
            bufferPosition = 0;
            flush();
            position = LogFormat.SEGMENT_HEADER_BYTES;
            allocated = position;
            preallocate(position);
        } catch (IOException e) {
            throw new LogIoException(path, "creating", e);
        }
        // Header before frames, the name before both: a frame is proof that all of this happened.
        force(true);
        forceDirectory();
    }

    private void force(boolean metadata) {
        if (fsync) {
            try {
                file().force(metadata);
            } catch (IOException e) {
                throw new LogIoException(path, "syncing", e);
            }
            fsyncs++;
        }
    }

    private void forceDirectory() {
        if (fsync) {
            try {
                options.files().forceDirectory(options.directory());
            } catch (IOException e) {
                throw new LogIoException(options.directory(), "syncing", e);
            }
            fsyncs++;
        }
    }

    /** Fills with zeros behind {@code end} if that goes beyond what is filled already. The next sync makes it durable. */
    private void preallocate(long end) throws IOException {
        if (end < allocated) {
            return;
        }
        long target = Math.max(end, Math.min(end + options.preallocateBytes(), options.segmentBytes()));
        writeZeros(file(), Math.max(end, allocated), target);
        allocated = target;
    }

    /** Fills {@code from} to {@code to} with zeros. */
    static void writeZeros(NodeFile file, long from, long to) throws IOException {
        ByteBuffer zeros = ZEROS.duplicate();
        long at = from;
        while (at < to) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), to - at));
            at = writeFully(file, zeros, at);
        }
    }

    private void encode(LogBatch batch) throws IOException {
        for (int i = 0; i < batch.size(); i++) {
            int group = batch.groupId(i);
            Object item = batch.item(i);
            if (item instanceof LogEntry entry) {
                encode(
                        LogFormat.RECORD_ENTRY,
                        entry.kind().code(),
                        group,
                        entry.index(),
                        entry.term(),
                        entry.payload());
            } else if (item instanceof HardState hardState) {
                String vote = hardState.votedFor();
                byte code = vote == null ? LogFormat.VOTE_NONE : LogFormat.VOTE_PRESENT;
                byte[] payload = vote == null ? NOTHING : vote.getBytes(StandardCharsets.UTF_8);
                encode(LogFormat.RECORD_HARD_STATE, code, group, 0, hardState.term(), payload);
            } else {
                encode(LogFormat.RECORD_COMMIT, (byte) 0, group, batch.commitIndex(i), 0, NOTHING);
            }
        }
    }

    private void encode(byte kind, byte code, int group, long index, long term, byte[] payload) throws IOException {
        if (buffer.remaining() < LogFormat.RECORD_HEADER_BYTES) {
            flush();
        }
        int start = buffer.position();
        buffer.putInt(0);
        buffer.putInt(payload.length);
        buffer.put(kind).put(code).putShort((short) 0);
        buffer.putInt(group);
        buffer.putLong(index);
        buffer.putLong(term);
        if (payload.length <= buffer.remaining()) {
            buffer.put(payload);
            crc.reset();
            crc.update(crcView.limit(buffer.position()).position(start + 4));
            buffer.putInt(start, (int) crc.getValue());
        } else {
            crc.reset();
            crc.update(crcView.limit(buffer.position()).position(start + 4));
            crc.update(payload);
            buffer.putInt(start, (int) crc.getValue());
            int done = 0;
            while (done < payload.length) {
                if (!buffer.hasRemaining()) {
                    flush();
                }
                int step = Math.min(buffer.remaining(), payload.length - done);
                buffer.put(payload, done, step);
                done += step;
            }
        }
        int padding = -payload.length & LogFormat.ALIGNMENT - 1;
        if (buffer.remaining() < padding) {
            flush();
        }
        for (int i = 0; i < padding; i++) {
            buffer.put((byte) 0);
        }
    }

    private void flush() throws IOException {
        buffer.flip();
        bufferPosition = writeFully(file(), buffer, bufferPosition);
        buffer.clear();
    }

    /** Writes all that remains of {@code source}; gives the position behind it. */
    static long writeFully(NodeFile file, ByteBuffer source, long position) throws IOException {
        long at = position;
        while (source.hasRemaining()) {
            int written = file.write(source, at);
            if (written <= 0) {
                throw new IOException("a write of " + source.remaining() + " bytes wrote " + written);
            }
            at += written;
        }
        return at;
    }

    private NodeFile file() {
        NodeFile open = file;
        if (open == null) {
            throw new IllegalStateException("the segment is closed");
        }
        return open;
    }
}
