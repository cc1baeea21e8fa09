package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The contents of a file of a checkpoint while it is written: a stream of bytes, cut into blocks with a checksum each. Not
 * thread-safe.
 */
public final class CheckpointOutput implements EntrySink {

    /**
     * So many bytes are synced at a time: a file synced as a whole at its end would hold up the log's syncs behind
     * seconds of writing.
     */
    private static final long SYNC_BYTES = 8L << 20;

    private static final int MAX_VARINT_BYTES = 10;

    private final NodeFile file;
    private final byte[] block;
    private final CRC32C ofBlock = new CRC32C();
    private final CRC32C ofFile = new CRC32C();
    private int at = CheckpointFormat.BLOCK_HEADER_BYTES;
    private long position;
    private long contentBytes;
    private long synced;

    private long keyBytes;
    private long valueBytes;

    /**
     * Writes the header.
     *
     * @param buffer of {@link #BUFFER_BYTES}, to be used again after {@link #finish}
     */
    CheckpointOutput(NodeFile file, byte[] buffer, int group, long index, CheckpointSource.Part part)
            throws IOException {
        this.file = file;
        this.block = buffer;
        byte[] header = header(group, index, part.kind(), part.slots(), part.lastChange());
        write(header, header.length);
    }

    static final int BUFFER_BYTES = CheckpointFormat.BLOCK_HEADER_BYTES + CheckpointFormat.MAX_BLOCK_BYTES;

    static byte[] header(int group, long index, CheckpointFile.Kind kind, SlotSpan slots, long lastChange) {
        ByteBuffer header = ByteBuffer.allocate(CheckpointFormat.FILE_HEADER_BYTES);
        header.putLong(CheckpointFormat.magicOf(kind)).putInt(CheckpointFormat.VERSION);
        header.putInt(group).putLong(index).putLong(lastChange);
        header.putShort((short) slots.first()).putShort((short) slots.last());
        header.position(CheckpointFormat.FILE_HEADER_BYTES - Integer.BYTES);
        CRC32C crc = new CRC32C();
        crc.update(header.array(), 0, header.position());
        header.putInt((int) crc.getValue());
        return header.array();
    }

    /** One byte. */
    public void putByte(int value) throws IOException {
        if (at == block.length) {
            endBlock();
        }
        block[at++] = (byte) value;
    }

    /** LEB128 of the unsigned value. */
    public void putVarint(long value) throws IOException {
        if (block.length - at < MAX_VARINT_BYTES) {
            putVarintSlowly(value);
            return;
        }
        int to = at;
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            block[to++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        block[to++] = (byte) rest;
        at = to;
    }

    private void putVarintSlowly(long value) throws IOException {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            putByte((int) (rest | 0x80));
            rest >>>= 7;
        }
        putByte((int) rest);
    }

    /** These bytes, without their length. */
    public void putBytes(byte[] bytes, int offset, int length) throws IOException {
        int from = offset;
        int rest = length;
        while (rest > 0) {
            if (at == block.length) {
                endBlock();
            }
            int part = Math.min(rest, block.length - at);
            System.arraycopy(bytes, from, block, at, part);
            at += part;
            from += part;
            rest -= part;
        }
    }

    @Override
    public void putEntry(
            byte[] keyIn,
            int keyOffset,
            int keyLength,
            byte[] valueIn,
            int valueOffset,
            int valueLength,
            long version,
            long expiresAtMillis)
            throws IOException {
        putVarint(keyLength);
        putVarint(valueLength);
        putVarint(version);
        putVarint(expiresAtMillis);
        putBytes(keyIn, keyOffset, keyLength);
        putBytes(valueIn, valueOffset, valueLength);
        keyBytes += keyLength;
        valueBytes += Math.min(valueLength, CheckpointFormat.SIZED_VALUE_BYTES);
    }

    /** Makes durable what is written if that has become much. Not within a step, which keeps the storage open. */
    void syncIfDue() throws IOException {
        if (position - synced >= SYNC_BYTES) {
            file.force(false);
            synced = position;
        }
    }

    /** Writes what is left and makes all of it durable. */
    void finish() throws IOException {
        if (at > CheckpointFormat.BLOCK_HEADER_BYTES) {
            endBlock();
        }
        CheckpointFormat.LONG.set(block, CheckpointFormat.BLOCK_HEADER_BYTES, contentBytes);
        CheckpointFormat.INT.set(block, 0, 0);
        CheckpointFormat.INT.set(block, Integer.BYTES, crcOfBlock(CheckpointFormat.END_BYTES));
        write(block, CheckpointFormat.END_BYTES);
        file.force(true);
    }

    /** What the manifest says of it, once it is finished. */
    CheckpointFile describe(CheckpointSource.Part part, long number) {
        return new CheckpointFile(
                part.kind(),
                number,
                position,
                (int) ofFile.getValue(),
                part.slots(),
                part.lastChange(),
                part.keys(),
                keyBytes,
                valueBytes);
    }

    private void endBlock() throws IOException {
        CheckpointFormat.INT.set(block, 0, at - CheckpointFormat.BLOCK_HEADER_BYTES);
        CheckpointFormat.INT.set(block, Integer.BYTES, crcOfBlock(at));
        write(block, at);
        contentBytes += at - CheckpointFormat.BLOCK_HEADER_BYTES;
        at = CheckpointFormat.BLOCK_HEADER_BYTES;
    }

    /** Of the length and the contents. */
    private int crcOfBlock(int end) {
        ofBlock.reset();
        ofBlock.update(block, 0, Integer.BYTES);
        ofBlock.update(block, CheckpointFormat.BLOCK_HEADER_BYTES, end - CheckpointFormat.BLOCK_HEADER_BYTES);
        return (int) ofBlock.getValue();
    }

    private void write(byte[] bytes, int length) throws IOException {
        ofFile.update(bytes, 0, length);
        ByteBuffer source = ByteBuffer.wrap(bytes, 0, length);
        while (source.hasRemaining()) {
            position += file.write(source, position);
        }
    }
}
