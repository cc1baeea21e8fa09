package io.elastickv.embedded.internal.transport;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The bytes that nodes exchange. All numbers are big-endian.
 *
 * <pre>
 * frame   = magic(2) version(1) flags(1) clusterId(16) destination(8) nameLength(1) name incarnation(8) item*
 * item    = GROUP    group(4) length(4) payload
 *         | REQUEST  id(8) method(4) length(4) payload
 *         | RESPONSE id(8) incarnation of the caller(8) status(1) length(4) payload
 *         | PING stamp(8) | PONG stamp(8) | GOODBYE
 *         | CHUNK    transfer(4) total(4) offset(4) length(4) part of an encoded item
 * </pre>
 *
 * <p>The magic number tells a frame from a JGroups message on the same connection: those begin with JGroups' version
 * (5.5.7 is 0x2947; 0xE1A5 would be a release 28). A response names the incarnation of the caller, so an answer meant
 * for an earlier life of a node never ends a call of the present one.
 *
 * <p>The destination is the {@link #token} of the node that the sender believes to be at the other end, or 0 if it does not
 * know. A host and port may change hands (a restart, another node on the same port, a load balancer in between); what was meant for
 * another node is not for this one.
 */
final class Frames {
    static final short MAGIC = (short) 0xE1A5;
    static final byte VERSION = 1;
    static final int FLAG_STORAGELESS = 1;
    static final int CLUSTER_ID_BYTES = 16;
    static final int MAX_NAME_BYTES = 255;

    static final byte GROUP = 1;
    static final byte REQUEST = 2;
    static final byte RESPONSE = 3;
    static final byte PING = 4;
    static final byte PONG = 5;
    static final byte CHUNK = 6;
    static final byte GOODBYE = 7;

    static final int GROUP_HEADER_BYTES = 1 + 4 + 4;
    static final int REQUEST_HEADER_BYTES = 1 + 8 + 4 + 4;
    static final int RESPONSE_HEADER_BYTES = 1 + 8 + 8 + 1 + 4;
    static final int PING_BYTES = 1 + 8;
    static final int CHUNK_HEADER_BYTES = 1 + 4 + 4 + 4 + 4;

    /** The largest item header: what a payload of the largest size needs besides. */
    static final int MAX_ITEM_HEADER_BYTES = RESPONSE_HEADER_BYTES;

    static final byte STATUS_OK = 0;
    static final byte STATUS_NO_HANDLER = 1;
    static final byte STATUS_FAILED = 2;

    /** A frame is closed before it grows past this: with JGroups' length it fits one 64 KiB socket write. */
    static final int FRAME_TARGET_BYTES = (64 << 10) - 16;

    /** Items above this travel in chunks, between the frames of the small ones. */
    static final int INLINE_ITEM_BYTES = 32 << 10;

    static final int CHUNK_BYTES = 128 << 10;

    /** No frame of ours is longer; one that claims to be is refused before its bytes are read. */
    static final int MAX_FRAME_BYTES = 512 << 10;

    private Frames() {}

    static byte[] nameBytes(String name) {
        return name.getBytes(StandardCharsets.UTF_8);
    }

    static int headerBytes(int nameLength) {
        return 2 + 1 + 1 + CLUSTER_ID_BYTES + 8 + 1 + nameLength + 8;
    }

    /** Where in the header the destination is. */
    static final int DESTINATION_OFFSET = 2 + 1 + 1 + CLUSTER_ID_BYTES;

    /** Stands for one life of one node: FNV-1a over the name, then the incarnation. Never 0. */
    static long token(byte[] name, long incarnation) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : name) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        for (int shift = 56; shift >= 0; shift -= 8) {
            hash = (hash ^ ((incarnation >>> shift) & 0xff)) * 0x100000001b3L;
        }
        return hash == 0 ? 1 : hash;
    }

    /** The header of every frame of a node, ready to be copied; the destination is to be filled in. */
    static byte[] encodeHeader(byte[] clusterId, byte[] name, long incarnation, boolean storageless) {
        ByteBuffer out = ByteBuffer.allocate(headerBytes(name.length));
        out.putShort(MAGIC).put(VERSION).put((byte) (storageless ? FLAG_STORAGELESS : 0));
        out.put(clusterId).putLong(0).put((byte) name.length).put(name).putLong(incarnation);
        return out.array();
    }

    static void putGroup(ByteBuffer out, int groupId, EncodedMessage m, int size) {
        out.put(GROUP).putInt(groupId).putInt(size);
        putExactly(out, m, size);
    }

    static void putRequest(ByteBuffer out, long id, int method, EncodedMessage m, int size) {
        out.put(REQUEST).putLong(id).putInt(method).putInt(size);
        putExactly(out, m, size);
    }

    static void putResponse(ByteBuffer out, long id, long incarnation, byte status, EncodedMessage m, int size) {
        out.put(RESPONSE).putLong(id).putLong(incarnation).put(status).putInt(size);
        putExactly(out, m, size);
    }

    private static void putExactly(ByteBuffer out, EncodedMessage m, int size) {
        int end = out.position() + size;
        m.writeTo(out);
        if (out.position() != end) {
            throw new IllegalStateException("a message announced " + size + " bytes and wrote "
                    + (size + out.position() - end) + ": " + m.getClass().getName());
        }
    }

    /** Where the items of one frame go. */
    interface Items {
        void group(int groupId, ByteBuffer payload);

        void request(long id, int method, ByteBuffer payload);

        void response(long id, long incarnation, byte status, ByteBuffer payload);

        void ping(long stamp);

        void pong(long stamp);

        void chunk(int transfer, int total, int offset, ByteBuffer part);

        void goodbye();
    }

    /**
     * The header of a received frame.
     *
     * @param nameStart where the sender's name begins in the frame
     */
    record Header(
            boolean storageless,
            long clusterHigh,
            long clusterLow,
            long destination,
            int nameStart,
            int nameLength,
            long incarnation) {
        boolean named(byte[] frame, byte[] name) {
            return Arrays.equals(frame, nameStart, nameStart + nameLength, name, 0, name.length);
        }

        String name(byte[] frame) {
            return new String(frame, nameStart, nameLength, StandardCharsets.UTF_8);
        }
    }

    /** Reads the header and leaves the position at the first item; null if it is not one of this version. */
    static @Nullable Header readHeader(ByteBuffer in) {
        if (in.remaining() < headerBytes(1) || in.getShort() != MAGIC || in.get() != VERSION) {
            return null;
        }
        boolean storageless = (in.get() & FLAG_STORAGELESS) != 0;
        long high = in.getLong();
        long low = in.getLong();
        long destination = in.getLong();
        int nameLength = in.get() & 0xff;
        int nameStart = in.position();
        if (nameLength == 0 || in.remaining() < nameLength + 8) {
            return null;
        }
        in.position(nameStart + nameLength);
        return new Header(storageless, high, low, destination, nameStart, nameLength, in.getLong());
    }

    /**
     * Passes on the items from the position to the end. Items before a malformed one are passed on.
     *
     * @return false if the rest is malformed
     */
    static boolean readItems(ByteBuffer in, Items sink) {
        while (in.hasRemaining()) {
            int left = in.remaining();
            switch (in.get()) {
                case GROUP -> {
                    if (left < GROUP_HEADER_BYTES) {
                        return false;
                    }
                    int group = in.getInt();
                    ByteBuffer payload = payload(in);
                    if (payload == null) {
                        return false;
                    }
                    sink.group(group, payload);
                }
                case REQUEST -> {
                    if (left < REQUEST_HEADER_BYTES) {
                        return false;
                    }
                    long id = in.getLong();
                    int method = in.getInt();
                    ByteBuffer payload = payload(in);
                    if (payload == null) {
                        return false;
                    }
                    sink.request(id, method, payload);
                }
                case RESPONSE -> {
                    if (left < RESPONSE_HEADER_BYTES) {
                        return false;
                    }
                    long id = in.getLong();
                    long incarnation = in.getLong();
                    byte status = in.get();
                    ByteBuffer payload = payload(in);
                    if (payload == null) {
                        return false;
                    }
                    sink.response(id, incarnation, status, payload);
                }
                case PING -> {
                    if (left < PING_BYTES) {
                        return false;
                    }
                    sink.ping(in.getLong());
                }
                case PONG -> {
                    if (left < PING_BYTES) {
                        return false;
                    }
                    sink.pong(in.getLong());
                }
                case CHUNK -> {
                    if (left < CHUNK_HEADER_BYTES) {
                        return false;
                    }
                    int transfer = in.getInt();
                    int total = in.getInt();
                    int offset = in.getInt();
                    ByteBuffer part = payload(in);
                    if (part == null || offset < 0 || total < 0 || offset > total - part.remaining()) {
                        return false;
                    }
                    sink.chunk(transfer, total, offset, part);
                }
                case GOODBYE -> sink.goodbye();
                default -> {
                    return false;
                }
            }
        }
        return true;
    }

    private static @Nullable ByteBuffer payload(ByteBuffer in) {
        int length = in.getInt();
        if (length < 0 || length > in.remaining()) {
            return null;
        }
        ByteBuffer payload = in.slice(in.position(), length);
        in.position(in.position() + length);
        return payload;
    }
}
