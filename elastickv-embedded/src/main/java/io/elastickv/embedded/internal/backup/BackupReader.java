package io.elastickv.embedded.internal.backup;

import io.elastickv.api.BackupInfo;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.InvalidRequestException.Reason;
import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.backup.BackupFormat.BlockHeader;
import io.elastickv.embedded.internal.backup.BackupFormat.Header;
import io.elastickv.embedded.internal.files.NodeFiles;
import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Reads one backup from its beginning to its end. Whatever is not exactly as it was written is refused, with the offset;
 * lengths are checked before memory is taken. Not thread-safe.
 */
final class BackupReader implements AutoCloseable {

    private final Path path;
    private final NodeFile file;
    private final long size;
    private final CRC32C crc = new CRC32C();
    private long position;

    private BackupReader(Path path, NodeFile file, long size) {
        this.path = path;
        this.file = file;
        this.size = size;
    }

    /**
     * Opens a file.
     *
     * @throws InvalidRequestException if it is missing
     * @throws java.io.UncheckedIOException if it cannot be read
     */
    static BackupReader open(NodeFiles files, Path path) {
        try {
            NodeFile file = files.openForReading(path);
            return new BackupReader(path, file, file.size());
        } catch (NoSuchFileException e) {
            throw new InvalidRequestException(Reason.INVALID_ARGUMENT, "file " + path + ": there is no such file");
        } catch (IOException e) {
            throw FileProblems.of("reading", path, e);
        }
    }

    private static final class Counts {
        long blocks;
        long entries;
    }

    /**
     * Reads all of it, once.
     *
     * @param blocks is shown each block of entries, which has been checked; whether all of the file is sound is known
     *     only when this returns
     * @throws InvalidRequestException {@code DAMAGED} or {@code UNSUPPORTED}
     * @throws java.io.UncheckedIOException if the file cannot be read
     */
    BackupInfo read(Consumer<EntryBlock> blocks) {
        Header header = readHeader();
        Map<Integer, Counts> counts = new HashMap<>();
        long number = 0;
        long entries = 0;
        long payloadBytes = 0;
        while (true) {
            long at = position;
            BlockHeader block = readBlockHeader(header, number++);
            ByteBuffer payload = readChecked(block.payloadBytes(), block.payloadCrc(), "the content of a block");
            if (block.type() == BackupFormat.TYPE_END) {
                checkEnd(at, payload, header, counts, entries, payloadBytes);
                return new BackupInfo(
                        header.clusterId(),
                        Instant.ofEpochMilli(header.takenAtMillis()),
                        header.shards(),
                        entries,
                        size);
            }
            EntryBlock content = new EntryBlock(block.entries(), block.payloadCrc(), payload);
            try {
                content.check();
            } catch (EntryBlock.MalformedBlockException e) {
                throw damaged(at + BackupFormat.BLOCK_HEADER_BYTES + e.offset(), e.getMessage());
            }
            Counts shard = counts.computeIfAbsent(block.shard(), any -> new Counts());
            shard.blocks++;
            shard.entries += block.entries();
            entries += block.entries();
            payloadBytes += block.payloadBytes();
            blocks.accept(content);
        }
    }

    private Header readHeader() {
        if (size < BackupFormat.HEADER_BYTES) {
            throw damaged(size, "the file ends within its header; it is no backup, or was cut short");
        }
        ByteBuffer bytes = readBytes(BackupFormat.HEADER_BYTES);
        if (bytes.getLong(0) != BackupFormat.MAGIC) {
            throw damaged(0, "this is no backup: it does not begin as one");
        }
        if (bytes.getInt(60) != BackupFormat.crc(crc, bytes, 0, 60)) {
            throw damaged(0, "the header does not match its checksum");
        }
        int version = bytes.getInt(8);
        int flags = bytes.getInt(12);
        if (version != BackupFormat.VERSION || flags != 0) {
            throw new InvalidRequestException(
                    Reason.UNSUPPORTED,
                    "file " + path + ": has format version " + version + " (flags " + flags + "), known is version "
                            + BackupFormat.VERSION + "; use the version of the library that wrote it, or a newer one");
        }
        Header header = BackupFormat.header(bytes);
        if (header.shards() < 1 || header.shards() > KeySlot.COUNT) {
            throw damaged(0, "the header says that there are " + header.shards() + " shards");
        }
        return header;
    }

    private BlockHeader readBlockHeader(Header header, long number) {
        long at = position;
        if (size - at < BackupFormat.BLOCK_HEADER_BYTES) {
            throw damaged(size, "the file was cut short: its end is missing");
        }
        ByteBuffer bytes = readBytes(BackupFormat.BLOCK_HEADER_BYTES);
        if (bytes.getInt(0) != BackupFormat.BLOCK_MAGIC
                || bytes.getInt(40) != BackupFormat.crc(crc, bytes, 0, BackupFormat.BLOCK_HEADER_BYTES - 4)) {
            throw damaged(at, "the header of block " + number + " does not match its checksum");
        }
        BlockHeader block = BackupFormat.blockHeader(bytes);
        if (block.number() != number || block.salt() != header.salt()) {
            throw damaged(
                    at,
                    block.salt() == header.salt()
                            ? "block " + block.number() + " stands where block " + number + " belongs"
                            : "block " + number + " is one of another backup");
        }
        boolean end = block.type() == BackupFormat.TYPE_END;
        int most = end
                ? BackupFormat.END_FIXED_BYTES + header.shards() * BackupFormat.CUT_BYTES
                : BackupFormat.MAX_PAYLOAD_BYTES;
        if ((!end && block.type() != BackupFormat.TYPE_ENTRIES)
                || block.payloadBytes() < (end ? BackupFormat.END_FIXED_BYTES : 0)
                || block.payloadBytes() > most
                || block.entries() < 0) {
            throw damaged(
                    at,
                    "block " + number + " of type " + block.type() + " with " + block.entries() + " entries in "
                            + block.payloadBytes() + " bytes");
        }
        if (block.payloadBytes() > size - position) {
            throw damaged(size, "the file was cut short: it ends within block " + number);
        }
        return block;
    }

    private void checkEnd(
            long at, ByteBuffer end, Header header, Map<Integer, Counts> counts, long entries, long payloadBytes) {
        long claimedEntries = end.getLong();
        long claimedBytes = end.getLong();
        int shards = end.getInt();
        if (shards != header.shards() || end.remaining() != shards * BackupFormat.CUT_BYTES) {
            throw damaged(at, "the end lists " + shards + " shards, the header says " + header.shards());
        }
        Set<Integer> seen = new HashSet<>();
        for (int i = 0; i < shards; i++) {
            ShardCut cut = BackupFormat.cut(end);
            Counts counted = counts.getOrDefault(cut.shard(), new Counts());
            if (!seen.add(cut.shard()) || cut.blocks() != counted.blocks || cut.entries() != counted.entries) {
                throw damaged(
                        at,
                        "shard " + cut.shard() + " has " + counted.entries + " entries in " + counted.blocks
                                + " blocks, the end says " + cut.entries() + " in " + cut.blocks());
            }
        }
        if (claimedEntries != entries || claimedBytes != payloadBytes || !seen.containsAll(counts.keySet())) {
            throw damaged(
                    at,
                    "there are " + entries + " entries in " + payloadBytes + " bytes, the end says " + claimedEntries
                            + " in " + claimedBytes);
        }
        if (position != size) {
            throw damaged(position, (size - position) + " bytes behind the end of the backup");
        }
    }

    private ByteBuffer readChecked(int length, int expectedCrc, String what) {
        long at = position;
        ByteBuffer bytes = readBytes(length);
        if (BackupFormat.crc(crc, bytes, 0, length) != expectedCrc) {
            throw damaged(
                    at, what + " does not match its checksum: some of the " + length + " bytes from there on changed");
        }
        return bytes;
    }

    private ByteBuffer readBytes(int length) {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        try {
            while (bytes.hasRemaining()) {
                int count = file.read(bytes, position);
                if (count < 0) {
                    throw damaged(position, "the file has become shorter while it was read");
                }
                position += count;
            }
        } catch (IOException e) {
            throw FileProblems.of("reading", path, e);
        }
        return bytes.flip();
    }

    private InvalidRequestException damaged(long offset, @Nullable String what) {
        return new InvalidRequestException(
                Reason.DAMAGED,
                "file " + path + " at offset " + offset + ": " + what + "; take another copy of the backup");
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw FileProblems.of("closing", path, e);
        }
    }
}
