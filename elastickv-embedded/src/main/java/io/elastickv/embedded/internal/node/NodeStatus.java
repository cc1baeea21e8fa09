package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.Succession;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.MalformedMessageException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a node tells all others every now and then, and at once when it changes.
 *
 * <pre>
 * version u8 = 3 | address | nodeId | storageless u8 | zone | catalog revision i64
 *   | attributes u16, each name, value
 *   | successions u16, each node, since i64, nodeId
 *   | shards u16, each shard i32, term i64, leads u8, length u16 of the configuration | configuration
 *                                                                       (texts: u16 length, modified UTF-8)
 * </pre>
 *
 * @param address where it is reached
 * @param nodeId the identity of its data directory; empty if it is storage-less
 * @param storageless whether it keeps no data
 * @param zone what fails together with it; may be empty
 * @param catalogRevision the revision of the catalog that it knows
 * @param attributes what the application attached to it
 * @param successions the directories it knows of that followed a lost one
 * @param shards the shards of which it can tell something: those that it leads, and those that it has a replica of
 *     without knowing of a leader
 */
record NodeStatus(
        String address,
        String nodeId,
        boolean storageless,
        String zone,
        long catalogRevision,
        Map<String, String> attributes,
        List<Succession> successions,
        Map<Integer, Shard> shards) {

    /**
     * What a node tells of a shard.
     *
     * @param term the term it is in
     * @param leads whether it leads the shard in that term
     * @param configuration the members as committed; null if they are those that the cluster was formed with
     */
    record Shard(long term, boolean leads, @Nullable Configuration configuration) {}

    private static final int VERSION = 3;
    private static final byte[] UNCHANGED = {};

    byte[] encode() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeByte(VERSION);
            out.writeUTF(address);
            out.writeUTF(nodeId);
            out.writeBoolean(storageless);
            out.writeUTF(zone);
            out.writeLong(catalogRevision);
            out.writeShort(attributes.size());
            for (Map.Entry<String, String> attribute : attributes.entrySet()) {
                out.writeUTF(attribute.getKey());
                out.writeUTF(attribute.getValue());
            }
            out.writeShort(successions.size());
            for (Succession succession : successions) {
                out.writeUTF(succession.node());
                out.writeLong(succession.since());
                out.writeUTF(succession.nodeId());
            }
            out.writeShort(shards.size());
            for (Map.Entry<Integer, Shard> entry : shards.entrySet()) {
                Shard shard = entry.getValue();
                Configuration members = shard.configuration();
                byte[] configuration = members == null ? UNCHANGED : members.encode();
                out.writeInt(entry.getKey());
                out.writeLong(shard.term());
                out.writeBoolean(shard.leads());
                out.writeShort(configuration.length);
                out.write(configuration);
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
    static NodeStatus decode(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            int version = in.readUnsignedByte();
            if (version != VERSION) {
                throw new IllegalArgumentException("status of version " + version + ", this node speaks " + VERSION
                        + ": run the same version of the library on all nodes");
            }
            String address = in.readUTF();
            String nodeId = in.readUTF();
            boolean storageless = in.readBoolean();
            String zone = in.readUTF();
            long catalogRevision = in.readLong();
            Map<String, String> attributes = new TreeMap<>();
            for (int count = in.readUnsignedShort(); count > 0; count--) {
                attributes.put(in.readUTF(), in.readUTF());
            }
            List<Succession> successions = new ArrayList<>();
            for (int count = in.readUnsignedShort(); count > 0; count--) {
                successions.add(new Succession(in.readUTF(), in.readLong(), in.readUTF()));
            }
            Map<Integer, Shard> shards = new TreeMap<>();
            for (int count = in.readUnsignedShort(); count > 0; count--) {
                shards.put(in.readInt(), decodeShard(in));
            }
            return new NodeStatus(
                    address, nodeId, storageless, zone, catalogRevision, attributes, List.copyOf(successions), shards);
        } catch (IOException | MalformedMessageException e) {
            throw new IllegalArgumentException("status is damaged or cut short", e);
        }
    }

    private static Shard decodeShard(DataInputStream in) throws IOException {
        long term = in.readLong();
        boolean leads = in.readBoolean();
        byte[] configuration = new byte[in.readUnsignedShort()];
        in.readFully(configuration);
        return new Shard(term, leads, configuration.length == 0 ? null : Configuration.decode(configuration));
    }
}
