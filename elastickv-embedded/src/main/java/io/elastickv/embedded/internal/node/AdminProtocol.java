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

    /** What is asked for; the order is that of the codes and does not change. */
    enum Kind {
        /** Name, directory's identity, address, zone: let this node in. The body is empty. */
        JOIN,
        /** Node: let it give away all it has. */
        DRAIN,
        /** Number of replicas. */
        REPLICATION,
        /** Name of the automation. */
        AUTOMATION,
        /** Shard, first slot of the new one. The text is the number of the operation. */
        SPLIT,
        /** The left shard. The text is the number of the operation. */
        MERGE,
        /** Shard, from, to. The text is the number of the operation. */
        MOVE,
        /** Shard, to. The text is the number of the operation. */
        TRANSFER,
        /** What would be done. The body is a plan. */
        PLAN,
        /** What the nodes report of their loads. The body is their reports. */
        LOADS
    }

    /** How it ended. */
    enum State {
        /** It is so, or has begun. */
        DONE,
        /** It cannot be; the text says why. */
        REFUSED,
        /** It cannot be now; the text says why. */
        LATER,
        /** The node does not lead the catalog, or does not any more. */
        NOT_DRIVER
    }

    /** A request. */
    record Request(Kind kind, List<String> arguments) {

        byte[] encode() {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (DataOutputStream out = new DataOutputStream(bytes)) {
                out.writeByte(VERSION);
                out.writeByte(kind.ordinal());
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
                int code = in.readUnsignedByte();
                if (code >= Kind.values().length) {
                    throw new IllegalArgumentException("a request of kind " + code);
                }
                List<String> arguments = new ArrayList<>();
                for (int count = in.readUnsignedByte(); count > 0; count--) {
                    arguments.add(in.readUTF());
                }
                return new Request(Kind.values()[code], List.copyOf(arguments));
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
                out.writeByte(state.ordinal());
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
                int code = in.readUnsignedByte();
                if (code >= State.values().length) {
                    throw new IllegalArgumentException("an answer of state " + code);
                }
                return new Answer(State.values()[code], in.readUTF(), in.readAllBytes());
            } catch (IOException e) {
                throw new IllegalArgumentException("an answer is cut short", e);
            }
        }
    }

    private AdminProtocol() {}
}
