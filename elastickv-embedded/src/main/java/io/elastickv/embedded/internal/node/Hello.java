package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.transport.PeerAddress;
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
 * What a node tells of itself before and at the formation of the cluster, as question and as answer.
 *
 * <pre>
 * version u8 = 1 | name | nodeId | storageless u8 | address | shards i32 | replication i32
 *   | seeds u16, each an address | layout, empty if the cluster has not formed      (texts: u16 length, modified UTF-8)
 * </pre>
 *
 * @param name the node's name
 * @param nodeId the identity of its data directory, empty if it is storage-less
 * @param storageless whether it keeps no data
 * @param address where it is reached
 * @param shards how many shards it would form the cluster with
 * @param replicationFactor how many replicas of each
 * @param seeds its seeds, ordered
 * @param layout the cluster's layout, if it has formed
 */
record Hello(
        String name,
        String nodeId,
        boolean storageless,
        PeerAddress address,
        int shards,
        int replicationFactor,
        List<String> seeds,
        @Nullable ClusterLayout layout) {

    private static final int VERSION = 1;
    private static final int MAX_SEEDS = 1024;

    byte[] encode() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeByte(VERSION);
            out.writeUTF(name);
            out.writeUTF(nodeId);
            out.writeBoolean(storageless);
            out.writeUTF(address.toString());
            out.writeInt(shards);
            out.writeInt(replicationFactor);
            out.writeShort(seeds.size());
            for (String seed : seeds) {
                out.writeUTF(seed);
            }
            out.writeUTF(layout == null ? "" : layout.toText());
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
    static Hello decode(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            int version = in.readUnsignedByte();
            if (version != VERSION) {
                throw new IllegalArgumentException("hello of version " + version + ", this node speaks " + VERSION
                        + ": run the same version of the library on all nodes");
            }
            String name = in.readUTF();
            String nodeId = in.readUTF();
            boolean storageless = in.readBoolean();
            PeerAddress address = PeerAddress.parse(in.readUTF());
            int shards = in.readInt();
            int replicationFactor = in.readInt();
            int count = in.readUnsignedShort();
            if (count > MAX_SEEDS) {
                throw new IllegalArgumentException("hello with " + count + " seeds");
            }
            List<String> seeds = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                seeds.add(in.readUTF());
            }
            String layout = in.readUTF();
            return new Hello(
                    name,
                    nodeId,
                    storageless,
                    address,
                    shards,
                    replicationFactor,
                    List.copyOf(seeds),
                    layout.isEmpty() ? null : ClusterLayout.ofText(layout));
        } catch (IOException e) {
            throw new IllegalArgumentException("hello is cut short", e);
        }
    }
}
