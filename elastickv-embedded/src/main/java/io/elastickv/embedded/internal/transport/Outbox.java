package io.elastickv.embedded.internal.transport;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What waits to be sent to one peer. Any thread adds, one thread takes; nobody waits for more than a copy of bytes.
 *
 * <p>Small items are written at once into the frame being filled, so what several threads and groups add between two
 * sends leaves as one frame. Large items wait whole and leave in chunks, one chunk after each frame of small items, so
 * that they hold small ones up for one chunk at most. JGroups' own messages wait apart, as they are.
 *
 * <p>Each frame has a number; numbers grow in the order of sending. {@link PendingCalls.Call#frame} refers to them.
 */
final class Outbox {
    private static final int FIRST_FRAME_BYTES = 4 << 10;
    private static final int MAX_JGROUPS_BYTES = 8 << 20;
    private static final int POOLED_FRAMES = 3;

    private final int headerBytes;
    private final int maxBytes;

    // All guarded by this.
    private final ArrayDeque<OutFrame> sealed = new ArrayDeque<>();
    private final ArrayDeque<Transfer> transfers = new ArrayDeque<>();
    private final ArrayDeque<byte[]> jgroups = new ArrayDeque<>();
    private final ArrayDeque<OutFrame> pool = new ArrayDeque<>();
    private @Nullable OutFrame filling;
    private long nextFrame = 1;
    private int bytes;
    private int jgroupsBytes;

    Outbox(int headerBytes, int maxBytes) {
        this.headerBytes = headerBytes;
        this.maxBytes = maxBytes;
    }

    /** A frame of small items; room for the header is left at the front. */
    static final class OutFrame {
        final long number;
        ByteBuffer buffer;

        OutFrame(long number, ByteBuffer buffer) {
            this.number = number;
            this.buffer = buffer;
        }

        @SuppressWarnings("ByteBufferBackingArray") // allocated here, so it begins at offset 0
        byte[] bytes() {
            return buffer.array();
        }
    }

    /** A large item on its way. Its fields are used by the sending thread only. */
    static final class Transfer {
        final byte[] item;
        final PendingCalls.@Nullable Call call;
        int id;
        int offset;

        Transfer(byte[] item, PendingCalls.@Nullable Call call) {
            this.item = item;
            this.call = call;
        }

        boolean done() {
            return offset == item.length;
        }
    }

    /** What was dropped because it could not be sent. */
    record Dropped(long lastFrame, List<Transfer> transfers, int bytes) {}

    boolean addGroup(int groupId, EncodedMessage m) {
        int size = m.size();
        int itemBytes = Frames.GROUP_HEADER_BYTES + size;
        if (itemBytes > Frames.INLINE_ITEM_BYTES) {
            return addLarge(itemBytes, null, out -> Frames.putGroup(out, groupId, m, size));
        }
        synchronized (this) {
            OutFrame frame = roomFor(itemBytes);
            if (frame == null) {
                return false;
            }
            int start = frame.buffer.position();
            try {
                Frames.putGroup(frame.buffer, groupId, m, size);
            } catch (RuntimeException e) {
                frame.buffer.position(start);
                throw e;
            }
            bytes += itemBytes;
            return true;
        }
    }

    boolean addRequest(PendingCalls.Call call, int method, EncodedMessage m) {
        int size = m.size();
        int itemBytes = Frames.REQUEST_HEADER_BYTES + size;
        if (itemBytes > Frames.INLINE_ITEM_BYTES) {
            return addLarge(itemBytes, call, out -> Frames.putRequest(out, call.id, method, m, size));
        }
        synchronized (this) {
            OutFrame frame = roomFor(itemBytes);
            if (frame == null) {
                return false;
            }
            int start = frame.buffer.position();
            try {
                Frames.putRequest(frame.buffer, call.id, method, m, size);
            } catch (RuntimeException e) {
                frame.buffer.position(start);
                throw e;
            }
            call.frame = frame.number;
            bytes += itemBytes;
            return true;
        }
    }

    boolean addResponse(long id, long incarnation, byte status, EncodedMessage m) {
        int size = m.size();
        int itemBytes = Frames.RESPONSE_HEADER_BYTES + size;
        if (itemBytes > Frames.INLINE_ITEM_BYTES) {
            return addLarge(itemBytes, null, out -> Frames.putResponse(out, id, incarnation, status, m, size));
        }
        synchronized (this) {
            OutFrame frame = roomFor(itemBytes);
            if (frame == null) {
                return false;
            }
            int start = frame.buffer.position();
            try {
                Frames.putResponse(frame.buffer, id, incarnation, status, m, size);
            } catch (RuntimeException e) {
                frame.buffer.position(start);
                throw e;
            }
            bytes += itemBytes;
            return true;
        }
    }

    /** Adds a PING or PONG. */
    synchronized boolean addStamp(byte type, long stamp) {
        OutFrame frame = roomFor(Frames.PING_BYTES);
        if (frame == null) {
            return false;
        }
        frame.buffer.put(type).putLong(stamp);
        bytes += Frames.PING_BYTES;
        return true;
    }

    synchronized void addGoodbye() {
        OutFrame frame = roomFor(1);
        if (frame != null) {
            frame.buffer.put(Frames.GOODBYE);
            bytes++;
        }
    }

    /** Adds a message of JGroups itself. The bytes are copied. */
    synchronized boolean addJGroups(byte[] data, int offset, int length) {
        if (jgroupsBytes + length > MAX_JGROUPS_BYTES && !jgroups.isEmpty()) {
            return false;
        }
        byte[] copy = new byte[length];
        System.arraycopy(data, offset, copy, 0, length);
        jgroups.add(copy);
        jgroupsBytes += length;
        return true;
    }

    private interface ItemWriter {
        void writeTo(ByteBuffer out);
    }

    private boolean addLarge(int itemBytes, PendingCalls.@Nullable Call call, ItemWriter writer) {
        synchronized (this) {
            // Taken before the memory is: what does not fit is refused without having been allocated.
            if (bytes + itemBytes > maxBytes) {
                return false;
            }
            bytes += itemBytes;
        }
        byte[] item;
        try {
            item = new byte[itemBytes];
            writer.writeTo(ByteBuffer.wrap(item));
        } catch (RuntimeException | OutOfMemoryError e) {
            synchronized (this) {
                bytes -= itemBytes;
            }
            throw e;
        }
        synchronized (this) {
            transfers.add(new Transfer(item, call));
        }
        return true;
    }

    /** A frame with room for that many bytes, or null if the outbox is full. */
    private @Nullable OutFrame roomFor(int itemBytes) {
        if (bytes + itemBytes > maxBytes) {
            return null;
        }
        OutFrame frame = filling;
        if (frame != null && frame.buffer.position() + itemBytes > Frames.FRAME_TARGET_BYTES) {
            sealed.add(frame);
            frame = null;
        }
        if (frame == null) {
            OutFrame pooled = pool.poll();
            ByteBuffer buffer = pooled != null ? pooled.buffer : ByteBuffer.allocate(FIRST_FRAME_BYTES);
            buffer.clear().position(headerBytes);
            frame = new OutFrame(nextFrame++, buffer);
            filling = frame;
        }
        int needed = frame.buffer.position() + itemBytes;
        if (needed > frame.buffer.capacity()) {
            ByteBuffer larger = ByteBuffer.allocate(
                    Math.min(Frames.FRAME_TARGET_BYTES, Math.max(needed, 4 * frame.buffer.capacity())));
            larger.put(frame.buffer.flip());
            frame.buffer = larger;
        }
        return frame;
    }

    // The sending thread.

    synchronized byte @Nullable [] takeJGroups() {
        byte[] message = jgroups.poll();
        if (message != null) {
            jgroupsBytes -= message.length;
        }
        return message;
    }

    /** The next frame of small items, its limit at its end, or null. Give it back with {@link #recycle}. */
    synchronized @Nullable OutFrame takeFrame() {
        OutFrame frame = sealed.poll();
        if (frame == null) {
            frame = filling;
            filling = null;
        }
        if (frame != null) {
            frame.buffer.flip();
            bytes -= frame.buffer.limit() - headerBytes;
        }
        return frame;
    }

    synchronized void recycle(OutFrame frame) {
        if (pool.size() < POOLED_FRAMES) {
            pool.add(frame);
        }
    }

    synchronized @Nullable Transfer peekTransfer() {
        return transfers.peek();
    }

    /** A transfer is over, one way or the other. */
    synchronized void endTransfer(Transfer transfer) {
        if (transfers.peek() == transfer) { // or it was dropped meanwhile
            transfers.remove();
            bytes -= transfer.item.length;
        }
    }

    synchronized boolean isEmpty() {
        return jgroups.isEmpty() && sealed.isEmpty() && filling == null && transfers.isEmpty();
    }

    synchronized int waitingBytes() {
        return bytes;
    }

    /** Drops everything that waits. Any thread; but only the sending thread may conclude what was not sent. */
    synchronized Dropped dropAll() {
        List<Transfer> lost = new ArrayList<>(transfers);
        int lostBytes = bytes;
        transfers.clear();
        sealed.clear();
        jgroups.clear();
        filling = null;
        bytes = 0;
        jgroupsBytes = 0;
        return new Dropped(nextFrame - 1, lost, lostBytes);
    }
}
