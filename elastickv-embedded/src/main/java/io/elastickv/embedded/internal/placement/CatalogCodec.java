package io.elastickv.embedded.internal.placement;

import io.elastickv.api.Bytes;
import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.plan.Automation;
import io.elastickv.embedded.internal.placement.plan.NodeState.Lifecycle;
import io.elastickv.embedded.internal.placement.plan.RelievedKey;
import io.elastickv.embedded.internal.placement.plan.ShardStamps;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The bytes of the catalog's records; docs/formats.md has them field by field. Each begins with its version. */
final class CatalogCodec {

    static final int VERSION = 1;

    /** What the counters and the revision are written from. */
    record Counters(int nextShard, long nextOperation) {}

    /** The record that each change writes. */
    record Revision(long revision, long millis) {}

    private CatalogCodec() {}

    static byte[] encode(CatalogNode node) {
        return bytes(out -> {
            out.writeUTF(node.name());
            out.writeUTF(node.host());
            out.writeInt(node.port());
            out.writeUTF(node.nodeId());
            out.writeUTF(node.zone());
            out.writeLong(node.joinedMillis());
            out.writeByte(code(node.lifecycle()));
            out.writeLong(node.sinceMillis());
            out.writeLong(node.refusedMillis());
        });
    }

    static CatalogNode node(String key, byte[] value) {
        return read(
                key,
                value,
                in -> new CatalogNode(
                        in.readUTF(),
                        in.readUTF(),
                        in.readInt(),
                        in.readUTF(),
                        in.readUTF(),
                        in.readLong(),
                        lifecycle(in.readUnsignedByte()),
                        in.readLong(),
                        in.readLong()));
    }

    static byte[] encode(CatalogShard shard) {
        return bytes(out -> {
            out.writeInt(shard.id());
            out.writeLong(shard.epoch());
            writeRange(out, shard.slots());
            writeOptional(out, shard.preferredLeader());
            ShardStamps stamps = shard.stamps();
            out.writeLong(stamps.transferredMillis());
            out.writeLong(stamps.movedMillis());
            out.writeLong(stamps.splitMillis());
            out.writeLong(stamps.mergedMillis());
            out.writeLong(stamps.failedMillis());
            out.writeInt(shard.relieved().size());
            for (RelievedKey key : shard.relieved()) {
                out.writeShort(key.slot());
                writeBytes(out, key.key());
            }
        });
    }

    static CatalogShard shard(String key, byte[] value) {
        return read(key, value, in -> {
            int id = in.readInt();
            long epoch = in.readLong();
            SlotRange slots = readRange(in);
            String preferred = readOptional(in);
            ShardStamps stamps =
                    new ShardStamps(in.readLong(), in.readLong(), in.readLong(), in.readLong(), in.readLong());
            List<RelievedKey> relieved = new ArrayList<>();
            for (int count = in.readInt(); count > 0; count--) {
                relieved.add(new RelievedKey(in.readUnsignedShort(), readBytes(in)));
            }
            return new CatalogShard(id, epoch, slots, preferred, stamps, relieved);
        });
    }

    static byte[] encode(CatalogOperation operation) {
        return bytes(out -> {
            out.writeLong(operation.id());
            OperationCodec.write(out, operation.operation());
            out.writeUTF(operation.reason());
            out.writeUTF(operation.by());
            out.writeLong(operation.startedMillis());
            CatalogOperation.At at = operation.at();
            out.writeByte(at.phase().code());
            out.writeInt(at.number());
            out.writeLong(at.sinceMillis());
            out.writeUTF(at.note());
            out.writeInt(at.child());
            out.writeLong(at.epoch());
            SlotRange piece = at.piece();
            out.writeBoolean(piece != null);
            if (piece != null) {
                writeRange(out, piece);
            }
        });
    }

    static CatalogOperation operation(String key, byte[] value) {
        return read(
                key,
                value,
                in -> new CatalogOperation(
                        in.readLong(), OperationCodec.read(in), in.readUTF(), in.readUTF(), in.readLong(), at(in)));
    }

    private static CatalogOperation.At at(DataInputStream in) throws IOException {
        Phase phase = Phase.ofCode(in.readUnsignedByte());
        int number = in.readInt();
        long since = in.readLong();
        String note = in.readUTF();
        int child = in.readInt();
        long epoch = in.readLong();
        SlotRange piece = in.readBoolean() ? readRange(in) : null;
        return new CatalogOperation.At(phase, number, since, note, child, epoch, piece);
    }

    static byte[] encode(PastOperation past) {
        return bytes(out -> {
            out.writeLong(past.id());
            OperationCodec.write(out, past.operation());
            out.writeUTF(past.reason());
            out.writeUTF(past.by());
            out.writeLong(past.startedMillis());
            out.writeByte(past.outcome().code());
            out.writeUTF(past.why());
            out.writeLong(past.endedMillis());
        });
    }

    static PastOperation past(String key, byte[] value) {
        return read(
                key,
                value,
                in -> new PastOperation(
                        in.readLong(),
                        OperationCodec.read(in),
                        in.readUTF(),
                        in.readUTF(),
                        in.readLong(),
                        PastOperation.Outcome.ofCode(in.readUnsignedByte()),
                        in.readUTF(),
                        in.readLong()));
    }

    static byte[] encode(Grave grave) {
        return bytes(out -> {
            out.writeInt(grave.shard());
            out.writeShort(grave.nodes().size());
            for (String node : grave.nodes()) {
                out.writeUTF(node);
            }
        });
    }

    static Grave grave(String key, byte[] value) {
        return read(key, value, in -> {
            int shard = in.readInt();
            List<String> nodes = new ArrayList<>();
            for (int count = in.readUnsignedShort(); count > 0; count--) {
                nodes.add(in.readUTF());
            }
            return new Grave(shard, nodes);
        });
    }

    static byte[] encode(CatalogSettings settings) {
        return bytes(out -> {
            out.writeInt(settings.replicationFactor());
            out.writeByte(code(settings.automation()));
            out.writeInt(settings.minShards());
        });
    }

    static CatalogSettings settings(String key, byte[] value) {
        return read(
                key, value, in -> new CatalogSettings(in.readInt(), automation(in.readUnsignedByte()), in.readInt()));
    }

    static byte[] encode(Counters counters) {
        return bytes(out -> {
            out.writeInt(counters.nextShard());
            out.writeLong(counters.nextOperation());
        });
    }

    static Counters counters(String key, byte[] value) {
        return read(key, value, in -> new Counters(in.readInt(), in.readLong()));
    }

    static byte[] encode(Revision revision) {
        return bytes(out -> {
            out.writeLong(revision.revision());
            out.writeLong(revision.millis());
        });
    }

    static Revision revision(String key, byte[] value) {
        return read(key, value, in -> new Revision(in.readLong(), in.readLong()));
    }

    // Codes: what is written does not depend on the order in which constants are declared

    static int code(Automation automation) {
        return switch (automation) {
            case OFF -> 1;
            case REPAIRS -> 2;
            case ALL -> 3;
        };
    }

    static Automation automation(int code) {
        return switch (code) {
            case 1 -> Automation.OFF;
            case 2 -> Automation.REPAIRS;
            case 3 -> Automation.ALL;
            default -> throw new IllegalArgumentException("automation " + code + " is not known");
        };
    }

    private static int code(Lifecycle lifecycle) {
        return switch (lifecycle) {
            case JOINING -> 1;
            case ACTIVE -> 2;
            case DRAINING -> 3;
        };
    }

    private static Lifecycle lifecycle(int code) {
        return switch (code) {
            case 1 -> Lifecycle.JOINING;
            case 2 -> Lifecycle.ACTIVE;
            case 3 -> Lifecycle.DRAINING;
            default -> throw new IllegalArgumentException("lifecycle " + code + " of a node is not known");
        };
    }

    // Fields

    static void writeRange(DataOutputStream out, SlotRange range) throws IOException {
        out.writeShort(range.first());
        out.writeShort(range.last());
    }

    static SlotRange readRange(DataInputStream in) throws IOException {
        return new SlotRange(in.readUnsignedShort(), in.readUnsignedShort());
    }

    static void writeOptional(DataOutputStream out, @Nullable String text) throws IOException {
        out.writeBoolean(text != null);
        if (text != null) {
            out.writeUTF(text);
        }
    }

    static @Nullable String readOptional(DataInputStream in) throws IOException {
        return in.readBoolean() ? in.readUTF() : null;
    }

    static void writeBytes(DataOutputStream out, Bytes bytes) throws IOException {
        out.writeInt(bytes.length());
        out.write(bytes.toByteArray());
    }

    static Bytes readBytes(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > in.available()) {
            throw new IOException("a text of " + length + " bytes");
        }
        return Bytes.copyOf(in.readNBytes(length));
    }

    private interface Writing {
        void to(DataOutputStream out) throws IOException;
    }

    private interface Reading<T> {
        T from(DataInputStream in) throws IOException;
    }

    private static byte[] bytes(Writing writing) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(128);
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeByte(VERSION);
            writing.to(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static <T> T read(String key, byte[] value, Reading<T> reading) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(value))) {
            int version = in.readUnsignedByte();
            if (version != VERSION) {
                throw new IllegalArgumentException("the catalog's record " + key + " is of version " + version
                        + ", this library reads " + VERSION + ": run the same version of the library on all nodes");
            }
            T read = reading.from(in);
            if (in.available() > 0) {
                throw new IllegalArgumentException(
                        "the catalog's record " + key + " has " + in.available() + " bytes too many");
            }
            return read;
        } catch (IOException e) {
            throw new IllegalArgumentException("the catalog's record " + key + " is damaged or cut short", e);
        }
    }
}
