package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import io.elastickv.embedded.internal.raft.log.LogFormat.SegmentHeader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes frames to the last segment and begins new ones. With {@link Durability#FSYNC} a frame is on the disk before the
 * next one is written. With {@link Durability#MEMORY} only some are; but each says whether all before it was, and a segment
 * is on the disk before the next one begins. That is what recovery's reasoning rests on. Not thread-safe; after an exception
 * it must not be used any more.
 */
final class SegmentWriter {

    /** What the last frame of a segment takes, which says that there is another. */
    private static final int CONTINUED_BYTES = LogFormat.FRAME_HEADER_BYTES + LogFormat.RECORD_HEADER_BYTES;

    private final NodeLogOptions options;
    private final SegmentFiles files;
    private final boolean fsync;
    private final FrameEncoder encoder;

    private Path path;
    private @Nullable NodeFile file;
    private SegmentHeader header;

    /** Where the next frame begins. */
    private long position;

    /** Where the part ends that the file has already. */
    private long allocated;

    /** Whether a frame of this segment may be in the operating system's memory only. */
    private boolean unsynced;

    private long fsyncs;

    /** Continues {@code file}, whose last frame ends at {@code end}, all of it durable; closes it at last. */
    SegmentWriter(
            NodeLogOptions options,
            SegmentFiles files,
            Path path,
            NodeFile file,
            SegmentHeader header,
            long end,
            long size) {
        this.options = options;
        this.files = files;
        this.path = path;
        this.file = file;
        this.header = header;
        fsync = options.durability() == Durability.FSYNC;
        encoder = new FrameEncoder(options.bufferBytes());
        position = end;
        allocated = size;
    }

    /** Creates the first segment of a log. */
    static SegmentWriter create(NodeLogOptions options, SegmentFiles files) {
        SegmentFiles.Created first = files.create(LogFormat.FIRST_SEGMENT, 0, 0);
        long end = LogFormat.SEGMENT_HEADER_BYTES;
        return new SegmentWriter(options, files, first.path(), first.file(), first.header(), end, first.allocated());
    }

    long sequence() {
        return header.sequence();
    }

    long position() {
        return position;
    }

    long fsyncs() {
        return fsyncs + files.fsyncs();
    }

    /**
     * Writes the batches as one frame and makes it durable, as the mode demands.
     *
     * @return where the first record is, in this {@link #sequence()}
     */
    long writeFrame(List<LogBatch> batches) {
        long recordsLength = 0;
        int records = 0;
        boolean sync = fsync;
        for (LogBatch batch : batches) {
            recordsLength += batch.recordsLength();
            records += batch.size();
            sync |= batch.mustSync();
        }
        long frameLength = LogFormat.FRAME_HEADER_BYTES + recordsLength;
        boolean full = position + frameLength + CONTINUED_BYTES > options.segmentBytes();
        if (full && position > LogFormat.SEGMENT_HEADER_BYTES) {
            roll(true);
        }
        if (sync && unsynced) {
            force(); // so that this frame proves that what is before it is durable
        }
        long start = position;
        try {
            preallocate(start + frameLength);
        } catch (IOException e) {
            throw new LogIoException(path, "writing", e);
        }
        write(batches, records, recordsLength);
        if (sync) {
            force();
        }
        return start + LogFormat.FRAME_HEADER_BYTES;
    }

    /** Goes on in a new segment, so that what may be behind the last frame in this one is never looked at again. */
    void abandonTail() {
        roll(false);
    }

    void close() throws IOException {
        NodeFile closing = file;
        file = null;
        if (closing != null) {
            closing.close();
        }
    }

    private void write(List<LogBatch> batches, int records, long recordsLength) {
        int count = unsynced ? records : records | LogFormat.FRAME_BARRIER;
        unsynced = true;
        try {
            position = encoder.write(file(), position, header, batches, count, recordsLength);
        } catch (IOException e) {
            throw new LogIoException(path, "writing", e);
        }
    }

    private void roll(boolean mark) {
        if (unsynced) {
            force();
        }
        if (header.sequence() >= SparseIndex.MAX_SEQUENCE) {
            throw new IllegalStateException("no segment number is left after " + header.sequence());
        }
        SegmentFiles.Created next = files.create(header.sequence() + 1, position, header.salt());
        boolean left = false;
        try {
            if (mark) {
                // Should the next segment get lost, this one tells. It is not part of what the next one says of this.
                LogBatch continued = new LogBatch(LogWriter.NOBODY)
                        .add(new LogBatch.NodeRecord(LogFormat.RECORD_MARK, LogFormat.MARK_CONTINUED, 0, ""));
                write(List.of(continued), 1, continued.recordsLength());
                force();
            }
            close();
            left = true;
        } catch (IOException e) {
            throw new LogIoException(path, "closing", e);
        } finally {
            if (!left) {
                SegmentFiles.closeQuietly(next.file());
            }
        }
        path = next.path();
        file = next.file();
        header = next.header();
        position = LogFormat.SEGMENT_HEADER_BYTES;
        allocated = next.allocated();
        unsynced = false;
    }

    private void force() {
        try {
            file().force(false);
        } catch (IOException e) {
            throw new LogIoException(path, "syncing", e);
        }
        fsyncs++;
        unsynced = false;
    }

    /** Fills with zeros behind {@code end} if that goes beyond what the file has. The next sync makes it durable. */
    private void preallocate(long end) throws IOException {
        if (end < allocated) {
            return;
        }
        long target = Math.max(end, Math.min(end + options.preallocateBytes(), options.segmentBytes()));
        SegmentFiles.writeZeros(file(), Math.max(end, allocated), target);
        allocated = target;
        files.resized(header.sequence(), allocated);
    }

    private NodeFile file() {
        NodeFile open = file;
        if (open == null) {
            throw new IllegalStateException("the segment is closed");
        }
        return open;
    }
}
