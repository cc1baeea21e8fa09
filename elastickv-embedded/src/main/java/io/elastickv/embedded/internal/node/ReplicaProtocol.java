package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.ReplicaKey;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.MalformedMessageException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of what nodes ask of each other about replicas (texts: u16 length, modified UTF-8).
 *
 * <pre>
 * make, to the node    shard i32 | nodeId of its directory | key | birth of the shard, empty if the cluster was formed with it
 *                        | committed configuration, to the end
 *   answer             made u8 | key of the replica that is there now, or why there is none
 * change, to a leader  shard i32 | what u8 (1 add, 2 remove) | node
 *   answer             state u8 | text
 * </pre>
 */
final class ReplicaProtocol {

    /** RPC method: make a replica. */
    static final int METHOD_MAKE = 5;

    /** RPC method: change a shard's replicas. */
    static final int METHOD_CHANGE = 6;

    /**
     * A request to make a replica.
     *
     * @param birth how the shard began; null if the cluster was formed with it
     */
    record Make(
            int shard,
            String nodeId,
            ReplicaKey key,
            @Nullable ShardBirth birth,
            Configuration committed) {

        byte[] encode() {
            return bytes(out -> {
                out.writeInt(shard);
                out.writeUTF(nodeId);
                out.writeUTF(key.text());
                out.writeUTF(birth == null ? "" : birth.text());
                out.write(committed.encode());
            });
        }

        /** Decodes; an IllegalArgumentException says that it is malformed. */
        static Make decode(ByteBuffer buffer) {
            return read(buffer, in -> {
                int shard = in.readInt();
                String nodeId = in.readUTF();
                ReplicaKey key = ReplicaKey.parse(in.readUTF());
                String birth = in.readUTF();
                return new Make(
                        shard,
                        nodeId,
                        key,
                        birth.isEmpty() ? null : ShardBirth.parse(shard, birth),
                        Configuration.decode(in.readAllBytes()));
            });
        }
    }

    /**
     * The answer to it.
     *
     * @param made whether there is a replica
     * @param text its key, or why there is none
     */
    record Made(boolean made, String text) {

        byte[] encode() {
            return bytes(out -> {
                out.writeBoolean(made);
                out.writeUTF(text);
            });
        }

        static Made decode(ByteBuffer buffer) {
            return read(buffer, in -> new Made(in.readBoolean(), in.readUTF()));
        }
    }

    /**
     * A request to change a shard's replicas.
     *
     * @param add whether to add one; otherwise to remove one
     */
    record Change(int shard, boolean add, String node) {

        byte[] encode() {
            return bytes(out -> {
                out.writeInt(shard);
                out.writeByte(add ? 1 : 2);
                out.writeUTF(node);
            });
        }

        static Change decode(ByteBuffer buffer) {
            return read(buffer, in -> {
                int shard = in.readInt();
                int what = in.readUnsignedByte();
                if (what != 1 && what != 2) {
                    throw new IllegalArgumentException("change of kind " + what);
                }
                return new Change(shard, what == 1, in.readUTF());
            });
        }
    }

    /** How far a change is. */
    enum State {
        /** The node asked does not lead the shard. */
        NOT_LEADER(0),
        /** It is so. */
        DONE(1),
        /** Not yet; the text says what is missing. */
        UNDER_WAY(2),
        /** It can never be so; the text says why. */
        IMPOSSIBLE(3);

        private final int code;

        State(int code) {
            this.code = code;
        }

        static State ofCode(int code) {
            for (State state : values()) {
                if (state.code == code) {
                    return state;
                }
            }
            throw new IllegalArgumentException("state " + code + " of a change");
        }
    }

    /** The answer to it. */
    record Changed(State state, String text) {

        byte[] encode() {
            return bytes(out -> {
                out.writeByte(state.code);
                out.writeUTF(text);
            });
        }

        static Changed decode(ByteBuffer buffer) {
            return read(buffer, in -> new Changed(State.ofCode(in.readUnsignedByte()), in.readUTF()));
        }
    }

    private interface Writing {
        void to(DataOutputStream out) throws IOException;
    }

    private interface Reading<T> {
        T from(DataInputStream in) throws IOException;
    }

    private ReplicaProtocol() {}

    private static byte[] bytes(Writing writing) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            writing.to(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static <T> T read(ByteBuffer buffer, Reading<T> reading) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            T value = reading.from(in);
            if (in.available() > 0) {
                throw new IllegalArgumentException(in.available() + " bytes too many");
            }
            return value;
        } catch (IOException | MalformedMessageException e) {
            throw new IllegalArgumentException("a message about replicas is damaged or cut short", e);
        }
    }
}
