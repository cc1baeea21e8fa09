package io.elastickv.embedded.internal.routing;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.raft.ProposalCallback;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of forwarded operations.
 *
 * <pre>
 * request    version u8 = 2 | shard i32 | slot u16 (65535: none) | flags u8 | body (an envelope or a query, to the end)
 * response   version u8 = 2 | status u8 | term i64 | leader | body (a result; claims after WRONG_SHARD and NOT_HERE)
 * claims     count u8 | each: shard i32 | epoch i64 | term i64 | leader
 *                             | ranges u16 | each: first u16, last u16 | replicas u8 | each: name
 * leader     a name, or 255: none
 * name       length u8 | UTF-8
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

    /** In place of a slot: the shard is meant, whatever it owns. */
    static final int NO_SLOT = 0xffff;

    private static final byte VERSION = 2;
    private static final int REQUEST_HEADER = 8;
    private static final int RESPONSE_HEADER = 11;
    private static final int MAX_CLAIMS = 200;
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
        NOT_HERE(6),
        /** Had no effect: the shard does not own the slot. */
        WRONG_SHARD(7);

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
    record Request(int shard, int slot, int flags, byte[] body) {}

    /** A response, decoded; the body is a copy. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Response(Status status, long term, @Nullable String leader, byte[] body) {}

    /** Who owns slots, and who leads there as far as known. */
    record Owner(Claim claim, long term, @Nullable String leader) {}

    private RouterProtocol() {}

    /** Encodes a request; {@code slot} is what it is about, or {@link #NO_SLOT}. */
    static byte[] request(int shard, int slot, int flags, byte[] body) {
        byte[] bytes = new byte[REQUEST_HEADER + body.length];
        ByteBuffer.wrap(bytes)
                .put(VERSION)
                .putInt(shard)
                .putShort((short) slot)
                .put((byte) flags)
                .put(body);
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
        int slot = bytes.getShort() & 0xffff;
        if (slot != NO_SLOT && slot >= KeySlot.COUNT) {
            throw new IllegalArgumentException("request about slot " + slot);
        }
        int flags = bytes.get();
        byte[] body = new byte[bytes.remaining()];
        bytes.get(body);
        return new Request(shard, slot, flags, body);
    }

    static byte[] response(Status status, long term, @Nullable String leader, byte[] body) {
        byte[] name = nameBytes(leader);
        byte[] bytes = new byte[RESPONSE_HEADER - 1 + name.length + body.length];
        ByteBuffer.wrap(bytes)
                .put(VERSION)
                .put((byte) status.code)
                .putLong(term)
                .put(name)
                .put(body);
        return bytes;
    }

    /** Encodes claims, as the body of a response; of too many the first. */
    static byte[] claims(List<Owner> all) {
        List<Owner> owners = all.size() <= MAX_CLAIMS ? all : all.subList(0, MAX_CLAIMS);
        List<byte[]> names = new ArrayList<>();
        int size = 1;
        for (Owner owner : owners) {
            names.add(nameBytes(owner.leader));
            for (String replica : replicas(owner)) {
                names.add(nameBytes(replica));
            }
            size += 23 + 4 * owner.claim.slots().size();
        }
        for (byte[] name : names) {
            size += name.length;
        }
        ByteBuffer bytes = ByteBuffer.allocate(size).put((byte) owners.size());
        int name = 0;
        for (Owner owner : owners) {
            bytes.putInt(owner.claim.shard()).putLong(owner.claim.epoch()).putLong(owner.term);
            bytes.put(names.get(name++)).putShort((short) owner.claim.slots().size());
            for (SlotRange range : owner.claim.slots()) {
                bytes.putShort((short) range.first()).putShort((short) range.last());
            }
            int replicas = replicas(owner).size();
            bytes.put((byte) replicas);
            for (int i = 0; i < replicas; i++) {
                bytes.put(names.get(name++));
            }
        }
        return bytes.array();
    }

    private static List<String> replicas(Owner owner) {
        List<String> replicas = owner.claim.replicas();
        return replicas.size() <= MAX_CLAIMS ? replicas : replicas.subList(0, MAX_CLAIMS);
    }

    /**
     * Decodes claims; there are none in an empty body.
     *
     * @throws IllegalArgumentException if they are malformed
     */
    static List<Owner> decodeClaims(byte[] body) {
        if (body.length == 0) {
            return List.of();
        }
        ByteBuffer bytes = ByteBuffer.wrap(body);
        try {
            int count = bytes.get() & 0xff;
            List<Owner> owners = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                int shard = bytes.getInt();
                long epoch = bytes.getLong();
                long term = bytes.getLong();
                String leader = name(bytes);
                int ranges = bytes.getShort() & 0xffff;
                List<SlotRange> slots = new ArrayList<>();
                for (int r = 0; r < ranges; r++) {
                    slots.add(new SlotRange(bytes.getShort() & 0xffff, bytes.getShort() & 0xffff));
                }
                int replicas = bytes.get() & 0xff;
                List<String> nodes = new ArrayList<>(replicas);
                for (int r = 0; r < replicas; r++) {
                    String node = name(bytes);
                    if (node != null) {
                        nodes.add(node);
                    }
                }
                owners.add(new Owner(new Claim(shard, epoch, slots, nodes), term, leader));
            }
            return owners;
        } catch (BufferUnderflowException e) {
            throw new IllegalArgumentException("response with claims that are cut short", e);
        }
    }

    private static byte[] nameBytes(@Nullable String name) {
        byte[] utf8 = name == null ? NO_BODY : name.getBytes(UTF_8);
        if (name == null || utf8.length >= NO_LEADER) {
            return new byte[] {(byte) NO_LEADER}; // only a hint; nodes have shorter names
        }
        byte[] bytes = new byte[1 + utf8.length];
        bytes[0] = (byte) utf8.length;
        System.arraycopy(utf8, 0, bytes, 1, utf8.length);
        return bytes;
    }

    private static @Nullable String name(ByteBuffer bytes) {
        int length = bytes.get() & 0xff;
        if (length == NO_LEADER) {
            return null;
        }
        if (length > bytes.remaining()) {
            throw new IllegalArgumentException("response with a truncated name");
        }
        byte[] name = new byte[length];
        bytes.get(name);
        return new String(name, UTF_8);
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
        String leader = name(bytes);
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
