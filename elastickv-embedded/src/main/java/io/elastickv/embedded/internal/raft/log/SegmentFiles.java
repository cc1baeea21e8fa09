package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.files.NodeFiles;
import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import io.elastickv.embedded.internal.raft.log.LogFormat.SegmentHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of a log. One gets a segment's name only when its header is durable in it, and loses the name before anything is
 * written over what the segment held. So whatever has a segment's name is that segment, whole. A freed segment's file is
 * kept as a spare, to be written again: its blocks are allocated, so syncing what is written there needs no metadata.
 *
 * <p>Used by recovery, then by the writer thread; what is volatile by all.
 */
final class SegmentFiles {

    private static final Logger LOG = LoggerFactory.getLogger(SegmentFiles.class);
    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(256 << 10).asReadOnlyBuffer();

    private final NodeLogOptions options;
    private final NodeFiles files;
    private final CRC32C crc = new CRC32C();

    /** Files that are no segment now. */
    private final Deque<Path> spares = new ArrayDeque<>();

    /** The sizes of the segments, the one being written included. */
    private final NavigableMap<Long, Long> sizes = new TreeMap<>();

    /** The salts of the segments that are needed. */
    private final ConcurrentMap<Long, Long> salts = new ConcurrentHashMap<>();

    private long fsyncs;
    private long recycled;
    private volatile long start = LogFormat.FIRST_SEGMENT;
    private volatile long bytes;

    /** A new segment, of which {@code allocated} bytes exist. */
    record Created(SegmentHeader header, Path path, NodeFile file, long allocated) {}

    SegmentFiles(NodeLogOptions options) {
        this.options = options;
        files = options.files();
    }

    /** The oldest segment that is needed. Those before it may be gone, or something else, at any time. */
    long start() {
        return start;
    }

    /** The bytes of the segments. */
    long bytes() {
        return bytes;
    }

    long fsyncs() {
        return fsyncs;
    }

    /** The salt of a segment, 0 if it is not needed any more. */
    long salt(long sequence) {
        return salts.getOrDefault(sequence, 0L);
    }

    /** Recovery read a header. */
    void found(SegmentHeader header) {
        salts.put(header.sequence(), header.salt());
    }

    /** How many segments were written into spares; not for other threads. */
    long recycled() {
        return recycled;
    }

    Path path(long sequence) {
        return options.directory().resolve(LogFormat.fileName(sequence));
    }

    /** The segments in the directory, ascending; remembers their sizes and the spares. */
    List<Long> list() throws IOException {
        files.createDirectories(options.directory());
        List<String> names = new ArrayList<>(files.list(options.directory()));
        names.sort(null);
        for (String name : names) {
            long sequence = LogFormat.sequence(name);
            Path path = options.directory().resolve(name);
            if (sequence >= LogFormat.FIRST_SEGMENT) {
                try (NodeFile file = files.openForReading(path)) {
                    sizes.put(sequence, file.size());
                }
            } else if (LogFormat.isSpare(name)) {
                spares.add(path);
            } else {
                LOG.warn("{} is none of the log's files and is ignored", path);
            }
        }
        if (sizes.isEmpty() && !spares.isEmpty() && !isFirst(spares)) {
            throw new LogCorruptException(
                    path(LogFormat.FIRST_SEGMENT),
                    0,
                    "all segments are missing, although " + spares.getFirst().getFileName() + " is there",
                    LogRecovery.REMEDY);
        }
        updateBytes();
        return new ArrayList<>(sizes.keySet());
    }

    /** Whether there is nothing but what the very first segment was to be made of. */
    private boolean isFirst(Deque<Path> found) {
        return found.size() == 1 && found.getFirst().endsWith(LogFormat.spareName(LogFormat.FIRST_SEGMENT));
    }

    /** Creates segment {@code sequence}, durably, out of a spare if there is one. */
    Created create(long sequence, long previousEnd, long previousSalt) {
        Path spare = spares.poll();
        Path temporary = spare != null ? spare : options.directory().resolve(LogFormat.spareName(sequence));
        Path path = path(sequence);
        try {
            NodeFile file = files.openForWriting(temporary);
            boolean created = false;
            try {
                long size = file.size();
                SegmentHeader header = new SegmentHeader(
                        sequence,
                        options.salts().getAsLong(),
                        previousEnd,
                        previousSalt,
                        sequence == LogFormat.FIRST_SEGMENT ? sequence : start,
                        size > LogFormat.SEGMENT_HEADER_BYTES);
                ByteBuffer block = ByteBuffer.allocate(LogFormat.SEGMENT_HEADER_BYTES);
                LogFormat.putSegmentHeader(block, header, crc);
                long allocated = Math.max(size, writeFully(file, block, 0));
                if (!header.recycled()) {
                    long target = Math.min(allocated + options.preallocateBytes(), options.segmentBytes());
                    writeZeros(file, allocated, target);
                    allocated = Math.max(allocated, target);
                }
                // Header before name, name before frames: a frame is proof that all of this happened.
                file.force(true);
                files.move(temporary, path);
                files.forceDirectory(options.directory());
                fsyncs += 2;
                recycled += spare != null ? 1 : 0;
                sizes.put(sequence, allocated);
                salts.put(sequence, header.salt());
                updateBytes();
                created = true;
                return new Created(header, path, file, allocated);
            } finally {
                if (!created) {
                    closeQuietly(file);
                }
            }
        } catch (IOException e) {
            throw new LogIoException(path, "creating", e);
        }
    }

    /** Segment {@code sequence} has grown. */
    void resized(long sequence, long size) {
        sizes.put(sequence, size);
        updateBytes();
    }

    /** The segments before {@code newStart} are not needed; their files stay for now. */
    void needFrom(long newStart) {
        start = newStart;
    }

    /** The segments before {@code newStart} are not needed any more, durably. */
    void release(long newStart) {
        start = newStart; // before anything happens to the files: see LogReader
        Map<Long, Long> freed = sizes.headMap(newStart);
        if (freed.isEmpty()) {
            return;
        }
        try {
            for (Map.Entry<Long, Long> segment : freed.entrySet()) {
                Path path = path(segment.getKey());
                if (spares.size() < options.maxSpareSegments() && segment.getValue() <= options.segmentBytes()) {
                    Path spare = options.directory().resolve(LogFormat.spareName(segment.getKey()));
                    files.move(path, spare);
                    spares.add(spare);
                } else {
                    files.delete(path);
                }
            }
            // Before a spare is written to: after a power cut it would have its old name again, with other content.
            files.forceDirectory(options.directory());
            fsyncs++;
        } catch (IOException e) {
            throw new LogIoException(options.directory(), "freeing segments in", e);
        }
        freed.clear();
        salts.keySet().removeIf(sequence -> sequence < newStart);
        updateBytes();
    }

    /** Deletes the spares there are too many of: another limit may have been in force. */
    void trimSpares() throws IOException {
        while (spares.size() > options.maxSpareSegments()) {
            files.delete(spares.removeLast());
        }
    }

    private void updateBytes() {
        bytes = sizes.values().stream().mapToLong(Long::longValue).sum();
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

    static void closeQuietly(NodeFile file) {
        try {
            file.close();
        } catch (IOException e) {
            LOG.debug("closing a file of the log failed", e);
        }
    }
}
