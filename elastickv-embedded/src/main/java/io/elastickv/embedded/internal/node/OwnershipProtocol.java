package io.elastickv.embedded.internal.node;

import io.elastickv.api.SlotRange;
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
 * The bytes of what a shard's leader is asked about the slots that the shard owns.
 *
 * <pre>
 * ownership   shard i32
 *   answer    nothing from one that does not lead; otherwise epoch i64 | ranges u16, each first u16, last u16
 * split       shard i32 | expected epoch i64 | epoch i64 | first slot u16 | child i32 | child's epoch i64
 *   answer    as that of a change in {@link ReplicaProtocol}
 * </pre>
 */
final class OwnershipProtocol {

    /** RPC method: split a shard. */
    static final int METHOD_SPLIT = 7;

    /** RPC method: what a shard owns. */
    static final int METHOD_OWNERSHIP = 8;

    /**
     * A request to split a shard; see {@link io.elastickv.embedded.internal.command.Command.SplitShard}. The child's first
     * members are those that the shard has then.
     */
    record Split(int shard, long expectedEpoch, long epoch, int firstSlot, int child, long childEpoch) {

        byte[] encode() {
            return ByteBuffer.allocate(34)
                    .putInt(shard)
                    .putLong(expectedEpoch)
                    .putLong(epoch)
                    .putShort((short) firstSlot)
                    .putInt(child)
                    .putLong(childEpoch)
                    .array();
        }

        /** Decodes; an IllegalArgumentException says that it is malformed. */
        static Split decode(ByteBuffer in) {
            if (in.remaining() != 34) {
                throw new IllegalArgumentException("a split of " + in.remaining() + " bytes");
            }
            return new Split(
                    in.getInt(), in.getLong(), in.getLong(), in.getShort() & 0xFFFF, in.getInt(), in.getLong());
        }
    }

    /**
     * What a shard owns.
     *
     * @param epoch of its ownership
     * @param slots in order
     */
    record Owned(long epoch, List<SlotRange> slots) {

        byte[] encode() {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (DataOutputStream out = new DataOutputStream(bytes)) {
                out.writeLong(epoch);
                out.writeShort(slots.size());
                for (SlotRange range : slots) {
                    out.writeShort(range.first());
                    out.writeShort(range.last());
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return bytes.toByteArray();
        }

        /** Decodes; an IllegalArgumentException says that it is malformed. */
        static Owned decode(byte[] bytes) {
            try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
                long epoch = in.readLong();
                List<SlotRange> slots = new ArrayList<>();
                for (int count = in.readUnsignedShort(); count > 0; count--) {
                    slots.add(new SlotRange(in.readUnsignedShort(), in.readUnsignedShort()));
                }
                if (in.available() > 0) {
                    throw new IllegalArgumentException(in.available() + " bytes too many");
                }
                return new Owned(epoch, List.copyOf(slots));
            } catch (IOException e) {
                throw new IllegalArgumentException("an ownership is cut short", e);
            }
        }
    }

    private OwnershipProtocol() {}
}
