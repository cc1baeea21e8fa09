package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Reads a file through one buffer of fixed size, so that no length found in a file decides about an allocation here. Not
 * thread-safe.
 */
final class FileWindow {

    private final ByteBuffer buffer;
    private @Nullable NodeFile file;
    private long start;

    FileWindow(int bytes) {
        buffer = ByteBuffer.allocateDirect(bytes);
        buffer.limit(0);
    }

    /** Continues with {@code newFile}; forgets what was read. */
    void open(NodeFile newFile) {
        file = newFile;
        start = 0;
        buffer.limit(0);
    }

    /** What {@link #find} points into. */
    ByteBuffer buffer() {
        return buffer;
    }

    /**
     * Makes {@code length} bytes at {@code offset} available.
     *
     * @return where in {@link #buffer()} they begin, or -1 if the file ends before them
     */
    int find(long offset, int length) throws IOException {
        long index = offset - start;
        if (index < 0 || index + length > buffer.limit()) {
            fill(offset, length);
            if (buffer.limit() < length) {
                return -1;
            }
            return 0;
        }
        return (int) index;
    }

    /** Adds {@code length} bytes at {@code offset} to {@code crc}; false if the file ends before. */
    boolean updateCrc(CRC32C crc, long offset, long length) throws IOException {
        long done = 0;
        while (done < length) {
            int step = (int) Math.min(length - done, available(offset + done));
            if (step == 0) {
                return false;
            }
            int index = find(offset + done, step);
            crc.update(buffer.duplicate().limit(index + step).position(index));
            done += step;
        }
        return true;
    }

    /** Copies the bytes at {@code offset} into {@code target}; false if the file ends before. */
    boolean copy(long offset, byte[] target) throws IOException {
        int done = 0;
        while (done < target.length) {
            int step = Math.min(target.length - done, available(offset + done));
            if (step == 0) {
                return false;
            }
            int index = find(offset + done, step);
            buffer.get(index, target, done, step);
            done += step;
        }
        return true;
    }

    /** How many bytes at {@code offset} the window holds now, after reading if it held none; 0 at the file's end. */
    int available(long offset) throws IOException {
        int index = find(offset, 1);
        return index < 0 ? 0 : buffer.limit() - index;
    }

    private void fill(long offset, int needed) throws IOException {
        NodeFile source = file;
        if (source == null || needed > buffer.capacity()) {
            throw new IllegalStateException("window of " + buffer.capacity() + " bytes asked for " + needed);
        }
        buffer.clear();
        start = offset;
        boolean complete = false;
        try {
            while (buffer.hasRemaining() && source.read(buffer, offset + buffer.position()) > 0) {
                // a read may be short
            }
            complete = true;
        } finally {
            buffer.limit(complete ? buffer.position() : 0);
        }
    }
}
