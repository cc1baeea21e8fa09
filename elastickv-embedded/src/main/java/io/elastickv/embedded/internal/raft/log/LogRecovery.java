package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import io.elastickv.embedded.internal.raft.core.EntryKind;
import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.log.LogFormat.SegmentHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a log back and tells the end that a crash tore from damage.
 *
 * <p>There is one writer, and it begins a frame only when all before it is durable. So a valid frame header proves that
 * everything before it was acknowledged, or could have been. What is unreadable and has a frame after it was damaged: the
 * node must not start, as it would have forgotten entries or votes. What is unreadable and has nothing after it is the
 * last write of a process that died, never acknowledged: it is cut off.
 *
 * <p>With {@link Durability#MEMORY} the rule is the same. A dying process leaves its writes in order; only a power cut does
 * not, which that mode does not promise to survive: then the node refuses rather than to start with holes.
 */
final class LogRecovery {

    static final String REMEDY =
            "What is lost here was acknowledged, so the node must not go on with this log. Keep a copy"
                    + " of the directory, check the disk, then let an empty node take this one's place.";

    private static final String REMEDY_WITHOUT_FSYNC = REMEDY
            + " The log was written without fsync (Durability.MEMORY), so a power failure suffices as the cause.";

    private static final Logger LOG = LoggerFactory.getLogger(LogRecovery.class);
    private static final int WINDOW_BYTES = 256 << 10;

    private final NodeLogOptions options;
    private final IntFunction<GroupLog> groups;
    private final FileWindow window = new FileWindow(WINDOW_BYTES);
    private final CRC32C crc = new CRC32C();
    private final List<Segment> segments = new ArrayList<>();

    // What checkFrame and findFrame found out.
    private String problem = "";
    private long problemOffset;
    private long frameEnd;
    private int frameRecords;
    private long dirtyEnd;

    private record Segment(Path path, SegmentHeader header) {}

    /** @param groups the (new) group of a number */
    LogRecovery(NodeLogOptions options, IntFunction<GroupLog> groups) {
        this.options = options;
        this.groups = groups;
    }

    /** Reads the log into the groups and opens it for writing behind its last frame. */
    SegmentWriter run() {
        Path directory = options.directory();
        List<Long> sequences;
        try {
            options.files().createDirectories(directory);
            sequences = list(directory);
        } catch (IOException e) {
            throw new LogIoException(directory, "opening", e);
        }
        for (int i = 0; i < sequences.size(); i++) {
            long expected = LogFormat.FIRST_SEGMENT + i;
            Path path = directory.resolve(LogFormat.fileName(sequences.get(i)));
            if (sequences.get(i) != expected) {
                Path missing = directory.resolve(LogFormat.fileName(expected));
                throw corrupt(missing, 0, "the segment is missing, although " + path.getFileName() + " is there");
            }
            try {
                readHeader(path, expected, i == sequences.size() - 1);
            } catch (IOException e) {
                throw new LogIoException(path, "reading", e);
            }
        }
        if (segments.isEmpty()) {
            return SegmentWriter.create(options, LogFormat.FIRST_SEGMENT, 0);
        }
        for (int i = 0; i + 1 < segments.size(); i++) {
            readSealed(segments.get(i), segments.get(i + 1).header.previousEnd());
        }
        return readLast(segments.get(segments.size() - 1));
    }

    private List<Long> list(Path directory) throws IOException {
        List<Long> sequences = new ArrayList<>();
        for (String name : options.files().list(directory)) {
            long sequence = LogFormat.sequence(name);
            if (sequence < LogFormat.FIRST_SEGMENT) {
                LOG.warn("{} is none of the log's files and is ignored", directory.resolve(name));
            } else {
                sequences.add(sequence);
            }
        }
        sequences.sort(null);
        return sequences;
    }

    private void readHeader(Path path, long sequence, boolean last) throws IOException {
        SegmentHeader header;
        try (NodeFile file = options.files().openForReading(path)) {
            window.open(file);
            int index = window.find(0, LogFormat.SEGMENT_HEADER_USED);
            header = index < 0
                    ? null
                    : LogFormat.segmentHeader(window.buffer().slice(index, LogFormat.SEGMENT_HEADER_USED), path, crc);
            if (header == null && (!last || findFrame(sequence, null, 0, file.size()) >= 0)) {
                throw corrupt(path, 0, "the segment's header is damaged");
            }
        }
        if (header == null) {
            // The process died while it created the segment: no frame was in it, all of the log is before it.
            LOG.warn("{} was never completed; it is removed", path);
            options.files().delete(path);
            if (options.durability() == Durability.FSYNC) {
                options.files().forceDirectory(options.directory());
            }
            return;
        }
        if (header.sequence() != sequence) {
            throw corrupt(path, 0, "the file is segment " + header.sequence() + ", renamed");
        }
        if (header.previousEnd() < (sequence == LogFormat.FIRST_SEGMENT ? 0 : LogFormat.SEGMENT_HEADER_BYTES)) {
            throw corrupt(path, 0, "the segment does not follow another");
        }
        segments.add(new Segment(path, header));
    }

    private void readSealed(Segment segment, long end) {
        try (NodeFile file = options.files().openForReading(segment.path)) {
            window.open(file);
            long size = file.size();
            long at = LogFormat.SEGMENT_HEADER_BYTES;
            while (at < end) {
                if (!checkFrame(segment, at, size) || frameEnd > end) {
                    throw corrupt(segment.path, problemOffset, problem + "; the segment's frames end at " + end);
                }
                apply(segment, at);
                at = frameEnd;
            }
        } catch (IOException e) {
            throw new LogIoException(segment.path, "reading", e);
        }
        if (segment.header.withoutFsync() && options.durability() == Durability.FSYNC) {
            forceFile(segment.path);
        }
    }

    private void forceFile(Path path) {
        try (NodeFile file = options.files().openForWriting(path)) {
            file.force(true);
        } catch (IOException e) {
            throw new LogIoException(path, "syncing", e);
        }
    }

    private SegmentWriter readLast(Segment segment) {
        NodeFile file;
        try {
            file = options.files().openForWriting(segment.path);
        } catch (IOException e) {
            throw new LogIoException(segment.path, "opening", e);
        }
        boolean opened = false;
        try {
            window.open(file);
            long size = file.size();
            long at = LogFormat.SEGMENT_HEADER_BYTES;
            long lastFrame = at;
            boolean marked = true;
            while (checkFrame(segment, at, size)) {
                apply(segment, at);
                lastFrame = at;
                at = frameEnd;
                marked = frameRecords == 0;
            }
            long later = findFrame(segment.header.sequence(), segment.header.salt(), frameEnd, size);
            if (later >= 0) {
                throw corrupt(
                        segment.path,
                        problemOffset,
                        problem + ", but the frame at " + later + " was written when all before it was durable");
            }
            findDirty(at, size);
            if (dirtyEnd > at) {
                LOG.warn(
                        "{}: the write at offset {} was torn by a crash ({}); its {} bytes, never acknowledged, are cut"
                                + " off",
                        segment.path,
                        at,
                        problem,
                        dirtyEnd - at);
                SegmentWriter.writeZeros(file, at, dirtyEnd);
            }
            if (options.durability() == Durability.FSYNC) {
                // What is shown now must last, but may still be only in the operating system's memory. If the process
                // ended because a sync had failed, it is even taken for written there: hence written again.
                rewrite(file, 0, LogFormat.SEGMENT_HEADER_BYTES);
                rewrite(file, lastFrame, at);
                file.force(true);
                options.files().forceDirectory(options.directory());
            }
            SegmentWriter writer =
                    SegmentWriter.resume(options, segment.path, file, segment.header, at, Math.max(at, size));
            opened = true;
            if (!marked) {
                // From now on all before it counts as acknowledged: its damage will be noticed, not cut off.
                writer.writeFrame(List.of());
            }
            return writer;
        } catch (IOException e) {
            throw new LogIoException(segment.path, "recovering", e);
        } finally {
            if (!opened) {
                closeQuietly(file);
            }
        }
    }

    /** Writes what is in the file to the same place. */
    private void rewrite(NodeFile file, long from, long to) throws IOException {
        long at = from;
        while (at < to) {
            int length = (int) Math.min(window.available(at), to - at);
            if (length == 0) {
                return; // a header's block cut short behind what is used of it
            }
            int index = window.find(at, length);
            at = SegmentWriter.writeFully(
                    file, window.buffer().duplicate().limit(index + length).position(index), at);
        }
    }

    /** Whether a whole frame begins at {@code at}; says in the fields where it ends, or what is wrong. */
    private boolean checkFrame(Segment segment, long at, long size) throws IOException {
        int index = window.find(at, LogFormat.FRAME_HEADER_BYTES);
        ByteBuffer buffer = window.buffer();
        frameEnd = at + LogFormat.ALIGNMENT;
        if (index < 0
                || !LogFormat.isFrameHeader(buffer, index, segment.header.sequence(), at, crc)
                || buffer.getLong(index + 24) != segment.header.salt()) {
            return problem(at, "no frame begins here");
        }
        long end = at + LogFormat.FRAME_HEADER_BYTES + buffer.getInt(index + 4);
        int records = buffer.getInt(index + 32);
        frameEnd = end;
        frameRecords = records;
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
            int expected = window.buffer().getInt(header);
            crc.reset();
            if (!window.updateCrc(crc, record + 4, LogFormat.RECORD_HEADER_BYTES - 4 + payload)
                    || (int) crc.getValue() != expected) {
                return problem(record, "the checksum of a record is wrong");
            }
            record += LogFormat.recordBytes(payload);
        }
        return found == records || problem(at, "the frame has " + found + " records instead of " + records);
    }

    private boolean problem(long offset, String what) {
        problemOffset = offset;
        problem = what;
        return false;
    }

    /** Takes over the records of the frame at {@code at}, which was checked. */
    private void apply(Segment segment, long at) throws IOException {
        for (long record = at + LogFormat.FRAME_HEADER_BYTES; record < frameEnd; ) {
            int header = window.find(record, LogFormat.RECORD_HEADER_BYTES);
            ByteBuffer buffer = window.buffer();
            int length = buffer.getInt(header + 4);
            byte kind = buffer.get(header + 8);
            byte code = buffer.get(header + 9);
            GroupLog group = groups.apply(buffer.getInt(header + 12));
            long index = buffer.getLong(header + 16);
            long term = buffer.getLong(header + 24);
            long bytes = LogFormat.recordBytes(length);
            String refusal = null;
            switch (kind) {
                case LogFormat.RECORD_ENTRY -> {
                    requireKnown(segment, record, code);
                    long position = SparseIndex.position(segment.header.sequence(), record);
                    refusal = group.appended(index, term, position, bytes);
                }
                case LogFormat.RECORD_HARD_STATE -> {
                    byte[] vote = new byte[length];
                    window.copy(record + LogFormat.RECORD_HEADER_BYTES, vote);
                    String votedFor = code == LogFormat.VOTE_PRESENT ? new String(vote, StandardCharsets.UTF_8) : null;
                    refusal = group.persisted(new HardState(term, votedFor));
                }
                case LogFormat.RECORD_COMMIT -> group.committed(index);
                default ->
                    throw new LogFormatException(
                            segment.path, "the record at offset " + record + " is of the unknown kind " + kind);
            }
            if (refusal != null) {
                throw corrupt(segment.path, record, "group " + group.groupId() + ": " + refusal);
            }
            record += bytes;
        }
    }

    private static void requireKnown(Segment segment, long record, byte code) {
        try {
            EntryKind.ofCode(code);
        } catch (IllegalArgumentException e) {
            throw new LogFormatException(
                    segment.path, "the entry at offset " + record + " is of the unknown kind " + code);
        }
    }

    /** The first frame header at or after {@code from}, or -1; without a salt, of any. */
    private long findFrame(long sequence, @Nullable Long salt, long from, long size) throws IOException {
        long at = (from + LogFormat.ALIGNMENT - 1) / LogFormat.ALIGNMENT * LogFormat.ALIGNMENT;
        for (; at + LogFormat.FRAME_HEADER_BYTES <= size; at += LogFormat.ALIGNMENT) {
            int index = window.find(at, LogFormat.FRAME_HEADER_BYTES);
            if (index >= 0
                    && LogFormat.isFrameHeader(window.buffer(), index, sequence, at, crc)
                    && (salt == null || window.buffer().getLong(index + 24) == salt)) {
                return at;
            }
        }
        return -1;
    }

    /** Sets {@link #dirtyEnd} behind the last byte after {@code from} that is not zero. */
    private void findDirty(long from, long size) throws IOException {
        dirtyEnd = from;
        long at = from;
        while (at < size) {
            int available = window.available(at);
            if (available == 0) {
                return;
            }
            int index = window.find(at, 1);
            for (int i = 0; i < available; i++) {
                if (window.buffer().get(index + i) != 0) {
                    dirtyEnd = at + i + 1;
                }
            }
            at += available;
        }
    }

    private LogCorruptException corrupt(Path path, long offset, String what) {
        boolean withoutFsync = segments.stream().anyMatch(segment -> segment.header.withoutFsync());
        return new LogCorruptException(path, offset, what, withoutFsync ? REMEDY_WITHOUT_FSYNC : REMEDY);
    }

    private static void closeQuietly(NodeFile file) {
        try {
            file.close();
        } catch (IOException e) {
            LOG.debug("closing a file of the log failed", e);
        }
    }
}
