package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.log.LogFormat.SegmentHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.CRC32C;

/** Turns batches into the bytes of a frame, through one buffer: large payloads are never in memory twice. Not thread-safe. */
final class FrameEncoder {

    private static final byte[] NOTHING = new byte[0];

    private final CRC32C crc = new CRC32C();
    private final ByteBuffer buffer;
    private final ByteBuffer crcView;

    private int recordMask;

    /** Where the bytes in the buffer go. */
    private long bufferPosition;

    FrameEncoder(int bufferBytes) {
        buffer = ByteBuffer.allocateDirect(bufferBytes);
        crcView = buffer.duplicate();
    }

    /**
     * Writes a frame at {@code position} of {@code file}, without syncing; gives the position behind it.
     *
     * @param records how many there are in the batches, perhaps with {@link LogFormat#FRAME_BARRIER}
     * @param recordsLength how many bytes they take
     */
    long write(
            NodeFile file,
            long position,
            SegmentHeader segment,
            List<LogBatch> batches,
            int records,
            long recordsLength)
            throws IOException {
        buffer.clear();
        bufferPosition = position;
        recordMask = LogFormat.recordMask(segment.salt());
        LogFormat.putFrameHeader(buffer, (int) recordsLength, records, segment, position, crc);
        for (LogBatch batch : batches) {
            encode(file, batch);
        }
        flush(file);
        long expected = position + LogFormat.FRAME_HEADER_BYTES + recordsLength;
        if (bufferPosition != expected) {
            throw new IllegalStateException(
                    "a frame that should end at " + expected + " ended at " + bufferPosition + " in " + segment);
        }
        return expected;
    }

    private void encode(NodeFile file, LogBatch batch) throws IOException {
        for (int i = 0; i < batch.size(); i++) {
            int group = batch.groupId(i);
            Object item = batch.item(i);
            if (item instanceof LogEntry entry) {
                byte kind = LogFormat.RECORD_ENTRY;
                encode(file, kind, entry.kind().code(), group, entry.index(), entry.term(), entry.payload());
            } else if (item instanceof HardState hardState) {
                String vote = hardState.votedFor();
                byte code = vote == null ? LogFormat.VOTE_NONE : LogFormat.VOTE_PRESENT;
                byte[] payload = vote == null ? NOTHING : vote.getBytes(StandardCharsets.UTF_8);
                encode(file, LogFormat.RECORD_HARD_STATE, code, group, 0, hardState.term(), payload);
            } else if (item instanceof LogBatch.Base base) {
                byte code = base.replacesAll ? LogFormat.BASE_REPLACES_ALL : LogFormat.BASE_KEEPS_SUFFIX;
                encode(file, LogFormat.RECORD_BASE, code, group, base.index, base.term, NOTHING);
            } else if (item instanceof LogBatch.NodeRecord node) {
                byte[] payload = node.text().getBytes(StandardCharsets.UTF_8);
                encode(file, node.kind(), node.code(), group, node.index(), 0, payload);
            } else if (item == LogBatch.Control.REMOVED) {
                encode(file, LogFormat.RECORD_REMOVED, (byte) 0, group, 0, 0, NOTHING);
            } else if (item instanceof LogBatch.Control control) {
                boolean lost = control == LogBatch.Control.MEMORY_LOST;
                byte code = lost ? LogFormat.MEMORY_LOST : LogFormat.MEMORY_RECOVERED;
                encode(file, LogFormat.RECORD_MEMORY, code, group, 0, 0, NOTHING);
            } else {
                encode(file, LogFormat.RECORD_COMMIT, (byte) 0, group, batch.commitIndex(i), 0, NOTHING);
            }
        }
    }

    private void encode(NodeFile file, byte kind, byte code, int group, long index, long term, byte[] payload)
            throws IOException {
        if (buffer.remaining() < LogFormat.RECORD_HEADER_BYTES) {
            flush(file);
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
            buffer.putInt(start, (int) crc.getValue() ^ recordMask);
        } else {
            crc.reset();
            crc.update(crcView.limit(buffer.position()).position(start + 4));
            crc.update(payload);
            buffer.putInt(start, (int) crc.getValue() ^ recordMask);
            int done = 0;
            while (done < payload.length) {
                if (!buffer.hasRemaining()) {
                    flush(file);
                }
                int step = Math.min(buffer.remaining(), payload.length - done);
                buffer.put(payload, done, step);
                done += step;
            }
        }
        int padding = -payload.length & LogFormat.ALIGNMENT - 1;
        if (buffer.remaining() < padding) {
            flush(file);
        }
        for (int i = 0; i < padding; i++) {
            buffer.put((byte) 0);
        }
    }

    private void flush(NodeFile file) throws IOException {
        buffer.flip();
        bufferPosition = SegmentFiles.writeFully(file, buffer, bufferPosition);
        buffer.clear();
    }
}
