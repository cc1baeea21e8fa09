package io.elastickv.embedded.internal.transport;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Puts the chunks of one peer's large items together. A peer sends one large item after the other, so one buffer is
 * enough; it grows with the bytes that arrived, not with what the first chunk announced. Used under its own lock: for a
 * moment two connections of one peer may have a reader each.
 */
final class Assembly {
    private final int maxItemBytes;
    private int transfer;
    private int total = -1;
    private int filled;
    private byte[] buffer = new byte[0];

    Assembly(int maxItemBytes) {
        this.maxItemBytes = maxItemBytes;
    }

    /**
     * Takes a chunk.
     *
     * @return the whole item, read-only, if this was its last chunk
     */
    synchronized @Nullable ByteBuffer add(int transferId, int totalBytes, int offset, ByteBuffer part) {
        if (totalBytes > maxItemBytes) {
            return null;
        }
        if (offset == 0) {
            transfer = transferId;
            total = totalBytes;
            filled = 0;
        } else if (transferId != transfer || totalBytes != total || offset != filled) {
            // A chunk before this one was lost: the item is lost.
            clear();
            return null;
        }
        int length = part.remaining();
        if (buffer.length < filled + length) {
            byte[] larger = new byte[Math.min(total, Math.max(filled + length, 2 * buffer.length))];
            System.arraycopy(buffer, 0, larger, 0, filled);
            buffer = larger;
        }
        part.get(buffer, filled, length);
        filled += length;
        if (filled < total) {
            return null;
        }
        ByteBuffer whole = ByteBuffer.wrap(buffer, 0, total).asReadOnlyBuffer();
        clear();
        return whole;
    }

    synchronized void clear() {
        total = -1;
        filled = 0;
        buffer = new byte[0];
    }
}
