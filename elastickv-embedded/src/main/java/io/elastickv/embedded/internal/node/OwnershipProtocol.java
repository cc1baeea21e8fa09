package io.elastickv.embedded.internal.node;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.storage.GivenSlots;
import io.elastickv.embedded.internal.storage.SlotSpan;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of what a shard's leader is asked about the slots that the shard owns.
 *
 * <pre>
 * ownership   shard i32
 *   answer    nothing from one that does not lead; otherwise epoch i64 | ranges u16, each first u16, last u16
 *               | given u8 | if so: epoch i64, first u16, last u16, to i32
 * split       shard i32 | expected epoch i64 | epoch i64 | first slot u16 | child i32 | child's epoch i64
 * measure     shard i32 | first slot u16
 * give        shard i32 | expected epoch i64 | epoch i64 | first u16 | last u16 | to i32
 * absorb      to the leader of the shard that gave: shard i32 | to i32 | epoch i64 | first u16 | last u16 | leader of to
 * take in     to that leader: shard i32 | the command as it is proposed
 * drop        shard i32 | epoch i64
 * remove      to any node: shard i32
 *   answers   as that of a change in {@link ReplicaProtocol}; of measure the text is the last slot if it is done
 * </pre>
 */
final class OwnershipProtocol {

    /** RPC method: split a shard. */
    static final int METHOD_SPLIT = 7;

    /** RPC method: what a shard owns. */
    static final int METHOD_OWNERSHIP = 8;

    /** RPC method: how many slots fit into a piece. */
    static final int METHOD_MEASURE = 9;

    /** RPC method: give slots away. */
    static final int METHOD_GIVE = 10;

    /** RPC method: have what was given taken in. */
    static final int METHOD_ABSORB = 11;

    /** RPC method: take in what another shard gave. */
    static final int METHOD_TAKE_IN = 12;

    /** RPC method: delete what was given. */
    static final int METHOD_DROP = 13;

    /** RPC method: delete the replica of a shard that is gone. */
    static final int METHOD_REMOVE = 14;

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

    /** A request to give slots away; see {@link io.elastickv.embedded.internal.command.Command.GiveSlots}. */
    record Give(int shard, long expectedEpoch, long epoch, int first, int last, int to) {

        byte[] encode() {
            return ByteBuffer.allocate(28)
                    .putInt(shard)
                    .putLong(expectedEpoch)
                    .putLong(epoch)
                    .putShort((short) first)
                    .putShort((short) last)
                    .putInt(to)
                    .array();
        }

        /** Decodes; an IllegalArgumentException says that it is malformed. */
        static Give decode(ByteBuffer in) {
            if (in.remaining() != 28) {
                throw new IllegalArgumentException("a gift of " + in.remaining() + " bytes");
            }
            return new Give(
                    in.getInt(),
                    in.getLong(),
                    in.getLong(),
                    in.getShort() & 0xFFFF,
                    in.getShort() & 0xFFFF,
                    in.getInt());
        }
    }

    /**
     * A request to have slots taken in that were given away.
     *
     * @param shard that gave them
     * @param to that takes them in
     * @param epoch in which they were given
     * @param leader of {@code to}
     */
    record Absorb(int shard, int to, long epoch, int first, int last, String leader) {

        byte[] encode() {
            byte[] name = leader.getBytes(UTF_8);
            return ByteBuffer.allocate(20 + name.length)
                    .putInt(shard)
                    .putInt(to)
                    .putLong(epoch)
                    .putShort((short) first)
                    .putShort((short) last)
                    .put(name)
                    .array();
        }

        /** Decodes; an IllegalArgumentException says that it is malformed. */
        static Absorb decode(ByteBuffer in) {
            if (in.remaining() <= 20) {
                throw new IllegalArgumentException("an absorption of " + in.remaining() + " bytes");
            }
            int shard = in.getInt();
            int to = in.getInt();
            long epoch = in.getLong();
            int first = in.getShort() & 0xFFFF;
            int last = in.getShort() & 0xFFFF;
            byte[] name = new byte[in.remaining()];
            in.get(name);
            return new Absorb(shard, to, epoch, first, last, new String(name, UTF_8));
        }
    }

    /**
     * What a shard owns.
     *
     * @param epoch of its ownership
     * @param slots in order
     * @param given what it gave away and has not deleted; null if there is nothing
     */
    record Owned(
            long epoch, List<SlotRange> slots, @Nullable GivenSlots given) {

        byte[] encode() {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (DataOutputStream out = new DataOutputStream(bytes)) {
                out.writeLong(epoch);
                out.writeShort(slots.size());
                for (SlotRange range : slots) {
                    out.writeShort(range.first());
                    out.writeShort(range.last());
                }
                out.writeBoolean(given != null);
                if (given != null) {
                    out.writeLong(given.epoch());
                    out.writeShort(given.slots().first());
                    out.writeShort(given.slots().last());
                    out.writeInt(given.to());
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
                GivenSlots given = null;
                if (in.readBoolean()) {
                    given = new GivenSlots(
                            in.readLong(),
                            new SlotSpan(in.readUnsignedShort(), in.readUnsignedShort()),
                            in.readInt(),
                            0);
                }
                if (in.available() > 0) {
                    throw new IllegalArgumentException(in.available() + " bytes too many");
                }
                return new Owned(epoch, List.copyOf(slots), given);
            } catch (IOException e) {
                throw new IllegalArgumentException("an ownership is cut short", e);
            }
        }
    }

    private OwnershipProtocol() {}
}
