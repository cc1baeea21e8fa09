package io.elastickv.embedded.internal.node;

import java.nio.ByteBuffer;

/**
 * How a replica fetches the state of another: it asks for a checkpoint, gets the manifest and a lease on its files, and
 * reads them piece by piece, as many at a time as it likes to have on the way. All calls are of the fetching side.
 *
 * <pre>
 * open:  version u8 = 1 | group i32 | leastIndex i64 | haveIndex i64
 *        answer: status u8 | if OK: lease i64 | manifest
 * read:  version u8 = 1 | lease i64 | file i32 | offset i64 | length i32
 *        answer: status u8 | if OK: the bytes
 * close: version u8 = 1 | lease i64 | damaged u8: whether what came is not what the manifest says, time and again
 *        answer: empty
 * </pre>
 */
final class SnapshotProtocol {

    static final int METHOD_OPEN = 32;
    static final int METHOD_READ = 33;
    static final int METHOD_CLOSE = 34;

    /** No such replica, or no such lease any more. */
    static final byte GONE = 0;

    static final byte OK = 1;

    /** A checkpoint is being made: ask again in a moment. */
    static final byte LATER = 2;

    /** The file cannot be read. */
    static final byte FAILED = 3;

    private static final byte VERSION = 1;

    private SnapshotProtocol() {}

    /**
     * Asks for a checkpoint.
     *
     * @param group of this group
     * @param leastIndex that reaches at least so far
     * @param haveIndex the one of which a part is here already, if it is still there; -1 if there is none
     */
    record Open(int group, long leastIndex, long haveIndex) {

        byte[] encode() {
            return ByteBuffer.allocate(21)
                    .put(VERSION)
                    .putInt(group)
                    .putLong(leastIndex)
                    .putLong(haveIndex)
                    .array();
        }

        static Open decode(ByteBuffer in) {
            check(in, 21);
            return new Open(in.getInt(), in.getLong(), in.getLong());
        }
    }

    /**
     * Asks for a piece of a file.
     *
     * @param lease what {@link Open} gave
     * @param file the file's place in the manifest
     * @param offset in bytes
     * @param length in bytes
     */
    record Read(long lease, int file, long offset, int length) {

        byte[] encode() {
            return ByteBuffer.allocate(25)
                    .put(VERSION)
                    .putLong(lease)
                    .putInt(file)
                    .putLong(offset)
                    .putInt(length)
                    .array();
        }

        static Read decode(ByteBuffer in) {
            check(in, 25);
            return new Read(in.getLong(), in.getInt(), in.getLong(), in.getInt());
        }
    }

    /**
     * Ends a lease.
     *
     * @param lease what {@link Open} gave
     * @param damaged whether what came is not what the manifest says, time and again
     */
    record Close(long lease, boolean damaged) {

        byte[] encode() {
            return ByteBuffer.allocate(10)
                    .put(VERSION)
                    .putLong(lease)
                    .put((byte) (damaged ? 1 : 0))
                    .array();
        }

        static Close decode(ByteBuffer in) {
            check(in, 10);
            return new Close(in.getLong(), in.get() != 0);
        }
    }

    private static void check(ByteBuffer in, int length) {
        if (in.remaining() != length) {
            throw new IllegalArgumentException(in.remaining() + " bytes where " + length + " are expected");
        }
        byte version = in.get();
        if (version != VERSION) {
            throw new IllegalArgumentException("a call of version " + version + ", this node speaks " + VERSION);
        }
    }
}
