package io.elastickv.embedded.internal.node;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.embedded.internal.transport.PeerAddress;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;

/**
 * The bytes with which a node asks any member to be let into its cluster (texts: u16 length, modified UTF-8).
 *
 * <pre>
 * join     version u8 = 1 | name | nodeId | address | zone
 *   answer state u8 | text: the layout in which it is a member, or why it is none
 * </pre>
 */
final class JoinProtocol {

    /** RPC method: let me in. */
    static final int METHOD_JOIN = 24;

    private static final int VERSION = 1;

    /** A request to be let in. */
    record Join(String name, String nodeId, PeerAddress address, String zone) {

        byte[] encode() {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (DataOutputStream out = new DataOutputStream(bytes)) {
                out.writeByte(VERSION);
                out.writeUTF(name);
                out.writeUTF(nodeId);
                out.writeUTF(address.toString());
                out.writeUTF(zone);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return bytes.toByteArray();
        }

        /**
         * Decodes.
         *
         * @throws IllegalArgumentException if the bytes are malformed or of another version
         */
        static Join decode(ByteBuffer buffer) {
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
                int version = in.readUnsignedByte();
                if (version != VERSION) {
                    throw new IllegalArgumentException("a join of version " + version + ", this node speaks " + VERSION
                            + ": run the same version of the library on all nodes");
                }
                return new Join(in.readUTF(), in.readUTF(), PeerAddress.parse(in.readUTF()), in.readUTF());
            } catch (IOException e) {
                throw new IllegalArgumentException("a join is cut short", e);
            }
        }
    }

    /** How a request to be let in ended. */
    enum State {
        /** It is a member; the text is the layout. */
        MEMBER(0),
        /** It cannot become one; the text says why. */
        REFUSED(1),
        /** Not now; the text says why, asking again may help. */
        LATER(2);

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
            throw new IllegalArgumentException("an answer of kind " + code + " to a join");
        }
    }

    /** The answer. */
    record Joined(State state, String text) {

        byte[] encode() {
            byte[] utf8 = text.getBytes(UTF_8);
            return ByteBuffer.allocate(1 + utf8.length)
                    .put((byte) state.code)
                    .put(utf8)
                    .array();
        }

        static Joined decode(ByteBuffer buffer) {
            State state = State.ofCode(buffer.hasRemaining() ? buffer.get() : -1);
            byte[] utf8 = new byte[buffer.remaining()];
            buffer.get(utf8);
            return new Joined(state, new String(utf8, UTF_8));
        }
    }

    private JoinProtocol() {}
}
