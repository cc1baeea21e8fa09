package io.elastickv.embedded.internal.routing;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.embedded.internal.raft.ProposalCallback;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of forwarded operations.
 *
 * <pre>
 * request    version u8 = 1 | shard i32 | flags u8 | body (an envelope or a query, to the end)
 * response   version u8 = 1 | status u8 | term i64 | leader length u8 (255: none) | leader, UTF-8 | body (a result)
 * </pre>
 */
final class RouterProtocol {

    /** RPC method: a command for the leader. */
    static final int METHOD_WRITE = 16;
    /** RPC method: a query for any replica. */
    static final int METHOD_READ = 17;

    /** Request flag: answer from local state, however old. */
    static final int FLAG_LOCAL = 1;

    static final byte[] NO_BODY = new byte[0];

    private static final byte VERSION = 1;
    private static final int REQUEST_HEADER = 6;
    private static final int RESPONSE_HEADER = 11;
    private static final int NO_LEADER = 255;

    /** How a forwarded operation ended at the node asked. */
    enum Status {
        /** With a result. */
        OK(0),
        /** Not proposed: the node does not lead the shard. */
        NOT_LEADER(1),
        /** Not proposed: too much is waiting. */
        OVERLOADED(2),
        /** Not proposed: the replica has failed or is closed. */
        FAILED(3),
        /** Proposed, but whether it will be committed is not known. */
        UNKNOWN(4),
        /** The request could not be understood. */
        MALFORMED(5),
        /** Not proposed: the node has no replica of the shard, or none that may serve yet. */
        NOT_HERE(6);

        private static final Status[] BY_CODE = values();
        private final int code;

        Status(int code) {
            this.code = code;
        }

        static Status ofCode(int code) {
            if (code < 0 || code >= BY_CODE.length) {
                throw new IllegalArgumentException("response status " + code);
            }
            return BY_CODE[code];
        }

        static Status of(ProposalCallback.Refusal reason) {
            return switch (reason) {
                case NOT_LEADER -> NOT_LEADER;
                case OVERLOADED -> OVERLOADED;
                case FAILED -> FAILED;
            };
        }
    }

    /** A request, decoded; the body is a copy. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Request(int shard, int flags, byte[] body) {}

    /** A response, decoded; the body is a copy. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Response(Status status, long term, @Nullable String leader, byte[] body) {}

    private RouterProtocol() {}

    static byte[] request(int shard, int flags, byte[] body) {
        byte[] bytes = new byte[REQUEST_HEADER + body.length];
        ByteBuffer.wrap(bytes).put(VERSION).putInt(shard).put((byte) flags).put(body);
        return bytes;
    }

    /**
     * Decodes a request.
     *
     * @throws IllegalArgumentException if it is malformed or of an unknown version
     */
    static Request decodeRequest(ByteBuffer bytes) {
        if (bytes.remaining() < REQUEST_HEADER) {
            throw new IllegalArgumentException("request of " + bytes.remaining() + " bytes");
        }
        checkVersion(bytes.get());
        int shard = bytes.getInt();
        int flags = bytes.get();
        byte[] body = new byte[bytes.remaining()];
        bytes.get(body);
        return new Request(shard, flags, body);
    }

    static byte[] response(Status status, long term, @Nullable String leader, byte[] body) {
        byte[] name = leader == null ? NO_BODY : leader.getBytes(UTF_8);
        if (name.length >= NO_LEADER) {
            // Only a hint; nodes have shorter names.
            return response(status, term, null, body);
        }
        byte[] bytes = new byte[RESPONSE_HEADER + name.length + body.length];
        ByteBuffer.wrap(bytes)
                .put(VERSION)
                .put((byte) status.code)
                .putLong(term)
                .put((byte) (leader == null ? NO_LEADER : name.length))
                .put(name)
                .put(body);
        return bytes;
    }

    /**
     * Decodes a response.
     *
     * @throws IllegalArgumentException if it is malformed or of an unknown version
     */
    static Response decodeResponse(ByteBuffer bytes) {
        if (bytes.remaining() < RESPONSE_HEADER) {
            throw new IllegalArgumentException("response of " + bytes.remaining() + " bytes");
        }
        checkVersion(bytes.get());
        Status status = Status.ofCode(bytes.get());
        long term = bytes.getLong();
        int nameLength = bytes.get() & 0xff;
        String leader = null;
        if (nameLength != NO_LEADER) {
            if (nameLength > bytes.remaining()) {
                throw new IllegalArgumentException("response with a truncated name");
            }
            byte[] name = new byte[nameLength];
            bytes.get(name);
            leader = new String(name, UTF_8);
        }
        byte[] body = new byte[bytes.remaining()];
        bytes.get(body);
        return new Response(status, term, leader, body);
    }

    private static void checkVersion(byte version) {
        if (version != VERSION) {
            throw new IllegalArgumentException("router protocol version " + version + "; this node speaks " + VERSION
                    + ": run the same version of the library on all nodes");
        }
    }
}
