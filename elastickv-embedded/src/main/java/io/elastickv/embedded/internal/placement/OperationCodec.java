package io.elastickv.embedded.internal.placement;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.plan.Operation;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The bytes of an operation within a record: its kind, then its fields in the order in which they are declared. */
final class OperationCodec {

    private static final int ADD = 1;
    private static final int REMOVE = 2;
    private static final int MOVE = 3;
    private static final int REPLACE = 4;
    private static final int TRANSFER = 5;
    private static final int SPLIT = 6;
    private static final int MERGE = 7;
    private static final int RELIEVE = 8;
    private static final int END_RELIEF = 9;
    private static final int RELEASE = 10;

    private OperationCodec() {}

    static void write(DataOutputStream out, Operation operation) throws IOException {
        if (operation instanceof Operation.ReleaseNode release) {
            out.writeByte(RELEASE);
            out.writeUTF(release.node());
        } else if (operation instanceof Operation.AddReplica add) {
            begin(out, ADD, add);
            out.writeUTF(add.node());
        } else if (operation instanceof Operation.RemoveReplica remove) {
            begin(out, REMOVE, remove);
            out.writeUTF(remove.node());
        } else if (operation instanceof Operation.MoveReplica move) {
            begin(out, MOVE, move);
            out.writeUTF(move.from());
            out.writeUTF(move.to());
        } else if (operation instanceof Operation.ReplaceDeadReplica replace) {
            begin(out, REPLACE, replace);
            out.writeUTF(replace.dead());
            out.writeUTF(replace.to());
        } else if (operation instanceof Operation.TransferLeader transfer) {
            begin(out, TRANSFER, transfer);
            out.writeUTF(transfer.from());
            out.writeUTF(transfer.to());
        } else if (operation instanceof Operation.SplitShard split) {
            begin(out, SPLIT, split);
            out.writeInt(split.childSlots().size());
            for (SlotRange range : split.childSlots()) {
                CatalogCodec.writeRange(out, range);
            }
            CatalogCodec.writeOptional(out, split.childLeader());
        } else if (operation instanceof Operation.MergeShards merge) {
            begin(out, MERGE, merge);
            out.writeInt(merge.right());
            out.writeLong(merge.rightEpoch());
        } else if (operation instanceof Operation.RelieveKey relieve) {
            begin(out, RELIEVE, relieve);
            out.writeShort(relieve.slot());
            CatalogCodec.writeBytes(out, relieve.key());
        } else if (operation instanceof Operation.EndRelief end) {
            begin(out, END_RELIEF, end);
            out.writeShort(end.slot());
            CatalogCodec.writeBytes(out, end.key());
        } else {
            throw new IllegalArgumentException("operation of the kind " + operation.getClass());
        }
    }

    private static void begin(DataOutputStream out, int kind, Operation.OfShard operation) throws IOException {
        out.writeByte(kind);
        out.writeInt(operation.shard());
        out.writeLong(operation.epoch());
    }

    static Operation read(DataInputStream in) throws IOException {
        int kind = in.readUnsignedByte();
        if (kind == RELEASE) {
            return new Operation.ReleaseNode(in.readUTF());
        }
        if (kind < ADD || kind > END_RELIEF) {
            throw new IllegalArgumentException("operation of kind " + kind + " is not known");
        }
        int shard = in.readInt();
        long epoch = in.readLong();
        return switch (kind) {
            case ADD -> new Operation.AddReplica(shard, epoch, in.readUTF());
            case REMOVE -> new Operation.RemoveReplica(shard, epoch, in.readUTF());
            case MOVE -> new Operation.MoveReplica(shard, epoch, in.readUTF(), in.readUTF());
            case REPLACE -> new Operation.ReplaceDeadReplica(shard, epoch, in.readUTF(), in.readUTF());
            case TRANSFER -> new Operation.TransferLeader(shard, epoch, in.readUTF(), in.readUTF());
            case SPLIT -> new Operation.SplitShard(shard, epoch, ranges(in), CatalogCodec.readOptional(in));
            case MERGE -> new Operation.MergeShards(shard, epoch, in.readInt(), in.readLong());
            case RELIEVE -> new Operation.RelieveKey(shard, epoch, in.readUnsignedShort(), CatalogCodec.readBytes(in));
            default -> new Operation.EndRelief(shard, epoch, in.readUnsignedShort(), CatalogCodec.readBytes(in));
        };
    }

    private static List<SlotRange> ranges(DataInputStream in) throws IOException {
        List<SlotRange> ranges = new ArrayList<>();
        for (int count = in.readInt(); count > 0; count--) {
            ranges.add(CatalogCodec.readRange(in));
        }
        return ranges;
    }
}
