package io.elastickv.embedded.internal.backup;

import io.elastickv.api.Limits;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/**
 * The bytes of a backup, version 1; described in {@code docs/formats.md}, pinned by a golden test. All numbers are
 * big-endian. The CRC is CRC-32C. There is no byte that is not covered by one.
 */
final class BackupFormat {

    static final int VERSION = 1;

    /** "EKVBAK\r\n": the line end shows a transfer in text mode. */
    static final long MAGIC = 0x454b5642414b0d0aL;

    static final int HEADER_BYTES = 64;

    /** "EKVB". */
    static final int BLOCK_MAGIC = 0x454b5642;

    static final int BLOCK_HEADER_BYTES = 44;

    static final int TYPE_ENTRIES = 1;
    static final int TYPE_END = 2;

    /** An entry's lengths and expiry time. */
    static final int ENTRY_HEADER_BYTES = 16;

    /** A block ends with the entry that reaches this, so that one damaged byte costs no more than one small read to find. */
    static final int BLOCK_TARGET_BYTES = 256 << 10;

    static final int MAX_ENTRY_BYTES = ENTRY_HEADER_BYTES + Limits.MAX_KEY_BYTES + Limits.MAX_VALUE_BYTES;

    /** What is below the target and one largest entry. */
    static final int MAX_PAYLOAD_BYTES = BLOCK_TARGET_BYTES + MAX_ENTRY_BYTES;

    static final int CUT_BYTES = 44;
    static final int END_FIXED_BYTES = 20;

    private static final int CLUSTER_ID_BYTES = 16;

    private BackupFormat() {}

    /**
     * The head of a file.
     *
     * @param clusterId 32 hexadecimal digits
     * @param takenAtMillis milliseconds since 1970
     * @param salt random; every block repeats it, so that a block of another backup is not taken for one of this
     * @param shards how many
     */
    record Header(String clusterId, long takenAtMillis, long salt, int shards) {}

    /**
     * The head of a block.
     *
     * @param number counted over the whole file, from 0
     * @param shard whose entries these are; -1 in the last block
     */
    record BlockHeader(int type, long number, long salt, int shard, int entries, int payloadBytes, int payloadCrc) {}

    static void putHeader(ByteBuffer target, Header header, CRC32C crc) {
        int start = target.position();
        target.putLong(MAGIC)
                .putInt(VERSION)
                .putInt(0)
                .put(HexFormat.of().parseHex(header.clusterId), 0, CLUSTER_ID_BYTES)
                .putLong(header.takenAtMillis)
                .putLong(header.salt)
                .putInt(header.shards)
                .putLong(0)
                .putInt(crc(crc, target, start, HEADER_BYTES - 4));
    }

    /** The header at the beginning of {@code source}, whose CRC has been checked. */
    static Header header(ByteBuffer source) {
        byte[] clusterId = new byte[CLUSTER_ID_BYTES];
        source.get(16, clusterId);
        return new Header(
                HexFormat.of().formatHex(clusterId), source.getLong(32), source.getLong(40), source.getInt(48));
    }

    static void putBlockHeader(ByteBuffer target, BlockHeader header, CRC32C crc) {
        int start = target.position();
        target.putInt(BLOCK_MAGIC)
                .putInt(header.type)
                .putLong(header.number)
                .putLong(header.salt)
                .putInt(header.shard)
                .putInt(header.entries)
                .putInt(header.payloadBytes)
                .putInt(header.payloadCrc)
                .putInt(crc(crc, target, start, BLOCK_HEADER_BYTES - 4));
    }

    /** The block header at the beginning of {@code source}, whose CRC has been checked. */
    static BlockHeader blockHeader(ByteBuffer source) {
        return new BlockHeader(
                source.getInt(4),
                source.getLong(8),
                source.getLong(16),
                source.getInt(24),
                source.getInt(28),
                source.getInt(32),
                source.getInt(36));
    }

    static void putCut(ByteBuffer target, ShardCut cut) {
        target.putInt(cut.shard())
                .putLong(cut.term())
                .putLong(cut.index())
                .putLong(cut.logTimeMillis())
                .putLong(cut.blocks())
                .putLong(cut.entries());
    }

    static ShardCut cut(ByteBuffer source) {
        return new ShardCut(
                source.getInt(),
                source.getLong(),
                source.getLong(),
                source.getLong(),
                source.getLong(),
                source.getLong());
    }

    static int crc(CRC32C crc, ByteBuffer buffer, int from, int length) {
        crc.reset();
        crc.update(buffer.duplicate().limit(from + length).position(from));
        return (int) crc.getValue();
    }
}
