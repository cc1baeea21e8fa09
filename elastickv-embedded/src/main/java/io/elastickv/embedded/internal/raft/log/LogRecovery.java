package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import io.elastickv.embedded.internal.raft.log.LogFormat.SegmentHeader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a log back and tells the end that a crash tore from damage.
 *
 * <p>There is one writer, and it begins a frame only when all before it is durable. So a valid frame header proves that
 * everything before it was acknowledged, or could have been. What is unreadable and has a frame after it was damaged: the
 * node must not start, as it would have forgotten entries or votes. What is unreadable and has nothing after it is the
 * last write of a process that died, never acknowledged: it is cut off. What an earlier life of the file left behind the
 * end is neither: it has another salt.
 *
 * <p>With {@link Durability#MEMORY} only some frames prove that, and say so. A dying process leaves all its writes in order,
 * so then the rule is the same. A dying operating system does not: then only those frames count as proof, what lies between
 * the first hole and the end is cut off, and the groups are told that they lost memory.
 */
final class LogRecovery {

    static final String REMEDY =
            "What is lost here was acknowledged, so the node must not go on with this log. Keep a copy"
                    + " of the directory, check the disk, then let an empty node take this one's place.";

    private static final Logger LOG = LoggerFactory.getLogger(LogRecovery.class);

    private final NodeLogOptions options;
    private final String bootId;
    private final SegmentFiles files;
    private final IntFunction<GroupLog> groups;
    private final FrameScanner scanner;
    private final CRC32C crc = new CRC32C();
    private boolean memoryLost;

    private record Segment(Path path, SegmentHeader header) {}

    /**
     * @param bootId names the operating system's run, empty if unknown
     * @param groups the (new) group of a number
     */
    LogRecovery(NodeLogOptions options, String bootId, SegmentFiles files, IntFunction<GroupLog> groups) {
        this.options = options;
        this.bootId = bootId;
        this.files = files;
        this.groups = groups;
        scanner = new FrameScanner(options.bufferBytes());
    }

    /** Whether it was found out now that memory was lost. Groups that lost theirs earlier know. */
    boolean isMemoryLost() {
        return memoryLost;
    }

    /** Reads the log into the groups and opens it for writing behind its last frame. */
    SegmentWriter run() {
        try {
            List<Long> sequences = files.list();
            if (sequences.isEmpty()) {
                return SegmentWriter.create(options, files);
            }
            List<Segment> segments = headers(sequences);
            Segment last = segments.get(segments.size() - 1);
            Replay replay = new Replay(groups, segments.get(0).header.sequence() > LogFormat.FIRST_SEGMENT);
            for (int i = 0; i + 1 < segments.size(); i++) {
                readSealed(segments.get(i), segments.get(i + 1).header.previousEnd(), replay);
            }
            SegmentWriter writer = readLast(segments.get(0), last, replay);
            // Freeing may have been interrupted, and another limit in force.
            files.trimSpares();
            files.release(files.start());
            return writer;
        } catch (IOException e) {
            throw new LogIoException(options.directory(), "opening", e);
        }
    }

    /** The headers of the segments to read: all that are needed, and perhaps some that were just about to be freed. */
    private List<Segment> headers(List<Long> sequences) {
        int first = sequences.size() - 1;
        SegmentHeader last = readHeader(sequences.get(first));
        while (first > 0
                && sequences.get(first - 1) == sequences.get(first) - 1
                && sequences.get(first - 1) >= last.start()) {
            first--;
        }
        List<Segment> segments = new ArrayList<>();
        for (long sequence : sequences.subList(first, sequences.size())) {
            SegmentHeader header = readHeader(sequence);
            Path path = files.path(sequence);
            if (!segments.isEmpty() && segments.get(segments.size() - 1).header.salt() != header.previousSalt()) {
                throw corrupt(path, 0, "the segment does not follow the one before it");
            }
            files.found(header);
            segments.add(new Segment(path, header));
        }
        return segments;
    }

    private SegmentHeader readHeader(long sequence) {
        Path path = files.path(sequence);
        SegmentHeader header;
        try (NodeFile file = options.files().openForReading(path)) {
            FileWindow window = scanner.window();
            window.open(file);
            int index = window.find(0, LogFormat.SEGMENT_HEADER_USED);
            header = index < 0
                    ? null
                    : LogFormat.segmentHeader(window.buffer().slice(index, LogFormat.SEGMENT_HEADER_USED), path, crc);
        } catch (IOException e) {
            throw new LogIoException(path, "reading", e);
        }
        if (header == null) {
            throw corrupt(path, 0, "the segment's header is damaged");
        }
        if (header.sequence() != sequence) {
            throw corrupt(path, 0, "the file is segment " + header.sequence() + ", renamed");
        }
        if (header.previousEnd() < (sequence == LogFormat.FIRST_SEGMENT ? 0 : LogFormat.SEGMENT_HEADER_BYTES)) {
            throw corrupt(path, 0, "the segment does not follow another");
        }
        return header;
    }

    private void readSealed(Segment segment, long end, Replay replay) {
        try (NodeFile file = options.files().openForReading(segment.path)) {
            scanner.open(file, segment.header);
            long at = LogFormat.SEGMENT_HEADER_BYTES;
            while (at < end) {
                if (!scanner.check(at) || scanner.frameEnd() > end) {
                    throw corrupt(
                            segment.path,
                            scanner.problemOffset(),
                            scanner.problem() + "; the segment's frames end at " + end);
                }
                replay.apply(scanner.window(), segment.path, segment.header.sequence(), at, scanner.frameEnd());
                at = scanner.frameEnd();
            }
        } catch (IOException e) {
            throw new LogIoException(segment.path, "reading", e);
        }
    }

    private SegmentWriter readLast(Segment first, Segment segment, Replay replay) {
        NodeFile file;
        try {
            file = options.files().openForWriting(segment.path);
        } catch (IOException e) {
            throw new LogIoException(segment.path, "opening", e);
        }
        boolean opened = false;
        try {
            scanner.open(file, segment.header);
            long at = LogFormat.SEGMENT_HEADER_BYTES;
            long lastBarrier = at;
            while (scanner.check(at)) {
                replay.apply(scanner.window(), segment.path, segment.header.sequence(), at, scanner.frameEnd());
                lastBarrier = scanner.isBarrier() ? at : lastBarrier;
                at = scanner.frameEnd();
            }
            memoryLost = replay.isMemoryLost(bootId);
            boolean tail = judgeTail(segment, memoryLost);
            checkComplete(first, segment, replay);
            // Between bytes of an earlier life a torn write cannot be told, nor cut off. Its records must never be
            // taken for
            // those of a frame that is torn there next: the salt has to change.
            boolean abandon = tail || (segment.header.recycled() && !replay.isClosed());
            if (!abandon && !segment.header.recycled()) {
                cutOff(segment, file, at);
            }
            // What is shown now must last, but may still be only in the operating system's memory. If the process
            // ended because a sync had failed, it is even taken for written there: hence written again.
            rewrite(file, 0, LogFormat.SEGMENT_HEADER_BYTES);
            rewrite(file, lastBarrier, at);
            file.force(true);
            options.files().forceDirectory(options.directory());
            SegmentWriter writer = new SegmentWriter(
                    options, files, segment.path, file, segment.header, at, Math.max(at, scanner.size()));
            opened = true;
            if (abandon) {
                writer.abandonTail();
            }
            return writer;
        } catch (IOException e) {
            throw new LogIoException(segment.path, "recovering", e);
        } finally {
            if (!opened) {
                SegmentFiles.closeQuietly(file);
            }
        }
    }

    /** All segments must be there, and of each group all entries from its base on. */
    private void checkComplete(Segment first, Segment last, Replay replay) {
        long needed = Math.max(last.header.start(), replay.start());
        if (replay.isContinued()) {
            Path missing = files.path(last.header.sequence() + 1);
            throw corrupt(
                    missing, 0, "the segment is missing, although " + last.path.getFileName() + " says it is there");
        }
        if (first.header.sequence() > needed) {
            Path missing = files.path(first.header.sequence() - 1);
            throw corrupt(missing, 0, "the segment is missing, although " + first.path.getFileName() + " is there");
        }
        files.needFrom(needed);
        for (GroupLog group : replay.groups()) {
            String problem = group.recovered();
            if (problem != null) {
                throw corrupt(first.path, 0, "group " + group.groupId() + ": " + problem);
            }
        }
    }

    /**
     * After a frame that is none: refuses if that is damage.
     *
     * @param lost whether writes may be missing that were not synced
     * @return whether frames follow that count for nothing
     */
    private boolean judgeTail(Segment segment, boolean lost) throws IOException {
        String problem = scanner.problem();
        long problemOffset = scanner.problemOffset();
        long behind = scanner.frameEnd();
        long later = scanner.findFrame(behind, lost);
        if (later >= 0) {
            throw corrupt(
                    segment.path,
                    problemOffset,
                    problem + ", but the frame at " + later + " was written when all before it was durable");
        }
        boolean tail = lost && scanner.findFrame(behind, false) >= 0;
        if (tail) {
            LOG.warn(
                    "{}: what was written from offset {} on was lost with the operating system's memory",
                    segment.path,
                    problemOffset);
        }
        return tail;
    }

    /** Behind the last frame were zeros; what is not was the write that a crash tore. */
    private void cutOff(Segment segment, NodeFile file, long at) throws IOException {
        String problem = scanner.problem();
        long dirtyEnd = scanner.findDirtyEnd(at);
        if (dirtyEnd > at) {
            LOG.warn(
                    "{}: the write at offset {} was torn by a crash ({}); its {} bytes, never acknowledged, are cut off",
                    segment.path,
                    at,
                    problem,
                    dirtyEnd - at);
            SegmentFiles.writeZeros(file, at, dirtyEnd);
        }
    }

    /** Writes what is in the file to the same place. */
    private void rewrite(NodeFile file, long from, long to) throws IOException {
        FileWindow window = scanner.window();
        long at = from;
        while (at < to) {
            int length = (int) Math.min(window.available(at), to - at);
            if (length == 0) {
                return; // a header's block cut short behind what is used of it
            }
            int index = window.find(at, length);
            at = SegmentFiles.writeFully(
                    file, window.buffer().duplicate().limit(index + length).position(index), at);
        }
    }

    private static LogCorruptException corrupt(Path path, long offset, String what) {
        return new LogCorruptException(path, offset, what, REMEDY);
    }
}
