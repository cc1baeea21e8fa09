package io.elastickv.embedded.internal.node;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The bytes of what any node asks of the one that leads the catalog, on behalf of an operator or of a node that joins (texts:
 * u16 length, modified UTF-8).
 *
 * <pre>
 * request  version u8 = 1 | kind u8 | arguments u8, each a text
 *   answer state u8 | text | body, to the end
 * </pre>
 */
final class AdminProtocol {

    /** RPC method. */
    static final int METHOD_ADMIN = 26;

    private static final int VERSION = 1;

    /** What is asked for. */
    enum Kind {
        /** Name, directory's identity, address, zone: let this node in. The body is empty. */
        JOIN(0),
        /** Node: let it give away all it has. */
        DRAIN(1),
        /** Number of replicas. */
        REPLICATION(2),
        /** Name of the automation. */
        AUTOMATION(3),
        /** Shard, first slot of the new one. The text is the number of the operation. */
        SPLIT(4),
        /** The left shard. The text is the number of the operation. */
        MERGE(5),
        /** Shard, from, to. The text is the number of the operation. */
        MOVE(6),
        /** Shard, to. The text is the number of the operation. */
        TRANSFER(7),
        /** What would be done. The body is a plan. */
        PLAN(8),
        /** What the nodes report of their loads. The body is their reports. */
        LOADS(9);

        private final int code;

        Kind(int code) {
            this.code = code;
        }

        static Kind ofCode(int code) {
            for (Kind kind : values()) {
                if (kind.code == code) {
                    return kind;
                }
            }
            throw new IllegalArgumentException("a request of kind " + code);
        }
    }

    /** How it ended. */
    enum State {
        /** It is so, or has begun. */
        DONE(0),
        /** It cannot be; the text says why. */
        REFUSED(1),
        /** It cannot be now; the text says why. */
        LATER(2),
        /** The node does not lead the catalog, or does not any more. */
        NOT_DRIVER(3);

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
            throw new IllegalArgumentException("an answer of state " + code);
        }
    }

    /** A request. */
    record Request(Kind kind, List<String> arguments) {

        byte[] encode() {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (DataOutputStream out = new DataOutputStream(bytes)) {
                out.writeByte(VERSION);
                out.writeByte(kind.code);
                out.writeByte(arguments.size());
                for (String argument : arguments) {
                    out.writeUTF(argument);
                }
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
        static Request decode(ByteBuffer buffer) {
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
                int version = in.readUnsignedByte();
                if (version != VERSION) {
                    throw new IllegalArgumentException("a request of version " + version + ", this node speaks "
                            + VERSION + ": run the same version of the library on all nodes");
                }
                Kind kind = Kind.ofCode(in.readUnsignedByte());
                List<String> arguments = new ArrayList<>();
                for (int count = in.readUnsignedByte(); count > 0; count--) {
                    arguments.add(in.readUTF());
                }
                return new Request(kind, List.copyOf(arguments));
            } catch (IOException e) {
                throw new IllegalArgumentException("a request is cut short", e);
            }
        }
    }

    /** The answer; the bytes of the body are nobody's any more. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Answer(State state, String text, byte[] body) {

        private static final byte[] NOTHING = {};

        Answer(State state, String text) {
            this(state, text, NOTHING);
        }

        byte[] encode() {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (DataOutputStream out = new DataOutputStream(bytes)) {
                out.writeByte(state.code);
                out.writeUTF(text.length() > 8000 ? text.substring(0, 8000) : text);
                out.write(body);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return bytes.toByteArray();
        }

        static Answer decode(ByteBuffer buffer) {
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
                return new Answer(State.ofCode(in.readUnsignedByte()), in.readUTF(), in.readAllBytes());
            } catch (IOException e) {
                throw new IllegalArgumentException("an answer is cut short", e);
            }
        }
    }

    private AdminProtocol() {}
}
