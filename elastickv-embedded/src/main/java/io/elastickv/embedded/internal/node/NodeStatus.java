package io.elastickv.embedded.internal.node;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a node tells all others every now and then, and at once when it changes.
 *
 * <pre>
 * version u8 = 1 | address | storageless u8 | attributes u16, each name, value | leads u16, each shard i32, term i64
 * </pre>
 *
 * @param address where it is reached
 * @param storageless whether it keeps no data
 * @param attributes what the application attached to it
 * @param leads the shards it leads, with the term
 */
record NodeStatus(String address, boolean storageless, Map<String, String> attributes, Map<Integer, Long> leads) {

    private static final int VERSION = 1;

    byte[] encode() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeByte(VERSION);
            out.writeUTF(address);
            out.writeBoolean(storageless);
            out.writeShort(attributes.size());
            for (Map.Entry<String, String> attribute : attributes.entrySet()) {
                out.writeUTF(attribute.getKey());
                out.writeUTF(attribute.getValue());
            }
            out.writeShort(leads.size());
            for (Map.Entry<Integer, Long> shard : leads.entrySet()) {
                out.writeInt(shard.getKey());
                out.writeLong(shard.getValue());
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
                throw new IllegalArgumentException("status of version " + version + ", this node speaks " + VERSION);
            }
            String address = in.readUTF();
            boolean storageless = in.readBoolean();
            Map<String, String> attributes = new TreeMap<>();
            for (int count = in.readUnsignedShort(); count > 0; count--) {
                attributes.put(in.readUTF(), in.readUTF());
            }
            Map<Integer, Long> leads = new TreeMap<>();
            for (int count = in.readUnsignedShort(); count > 0; count--) {
                leads.put(in.readInt(), in.readLong());
            }
            return new NodeStatus(address, storageless, attributes, leads);
        } catch (IOException e) {
            throw new IllegalArgumentException("status is cut short", e);
        }
    }
}
