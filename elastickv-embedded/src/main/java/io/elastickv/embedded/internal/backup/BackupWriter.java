package io.elastickv.embedded.internal.backup;

import io.elastickv.api.BackupInfo;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.embedded.internal.backup.BackupFormat.BlockHeader;
import io.elastickv.embedded.internal.backup.BackupFormat.Header;
import io.elastickv.embedded.internal.files.NodeFiles;
import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes one backup beside its place, and puts it there when it is complete and durable. Closing it before that deletes
 * what there is. Not thread-safe.
 */
final class BackupWriter implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(BackupWriter.class);

    private final NodeFiles files;
    private final Path target;
    private final Path unfinished;
    private final NodeFile file;
    private final Header header;
    private final CRC32C crc = new CRC32C();
    private final ByteBuffer head = ByteBuffer.allocate(BackupFormat.HEADER_BYTES);
    private long position;
    private long blocks;
    private long entries;
    private long payloadBytes;
    private boolean done;

    private BackupWriter(NodeFiles files, Path target, Path unfinished, NodeFile file, Header header) {
        this.files = files;
        this.target = target;
        this.unfinished = unfinished;
        this.file = file;
        this.header = header;
    }

    /**
     * Begins a backup.
     *
     * @throws InvalidRequestException if {@code target} exists
     * @throws java.io.UncheckedIOException if it cannot be written
     */
    static BackupWriter create(NodeFiles files, Path target, String clusterId, long takenAtMillis, int shards) {
        SecureRandom random = new SecureRandom();
        byte[] name = new byte[4];
        random.nextBytes(name);
        Header header = new Header(clusterId, takenAtMillis, random.nextLong(), shards);
        // A name of its own, so that two exports to one place do not write into one file.
        Path unfinished = target.resolveSibling(
                target.getFileName() + "." + HexFormat.of().formatHex(name) + ".unfinished");
        return create(files, target.toAbsolutePath(), unfinished.toAbsolutePath(), header);
    }

    /** As {@link #create(NodeFiles, Path, String, long, int)}, without chance. */
    static BackupWriter create(NodeFiles files, Path target, Path unfinished, Header header) {
        checkAbsent(files, target);
        NodeFile file = null;
        try {
            file = files.openForWriting(unfinished);
            BackupWriter writer = new BackupWriter(files, target, unfinished, file, header);
            BackupFormat.putHeader(writer.head.clear(), header, writer.crc);
            writer.write(writer.head.flip());
            return writer;
        } catch (IOException e) {
            if (file != null) {
                discard(files, unfinished, file);
            }
            throw FileProblems.of("writing", unfinished, e);
        }
    }

    /**
     * Checks that nothing is at {@code target}.
     *
     * @throws InvalidRequestException if something is
     */
    static void checkAbsent(NodeFiles files, Path target) {
        boolean exists;
        try {
            exists = files.exists(target);
        } catch (IOException e) {
            throw FileProblems.of("looking for", target, e);
        }
        if (exists) {
            throw new InvalidRequestException(
                    InvalidRequestException.Reason.INVALID_ARGUMENT,
                    "file " + target + ": exists already, and backups overwrite nothing; choose another name");
        }
    }

    /** Adds a block of entries of {@code shard}. */
    void add(int shard, EntryBlock block) {
        write(BackupFormat.TYPE_ENTRIES, shard, block.entries(), block.crc(), block.payload());
        blocks++;
        entries += block.entries();
        payloadBytes += block.payload().limit();
    }

    /**
     * Ends the file, makes it durable and gives it its name.
     *
     * @param cuts one for each shard, with what was {@linkplain #add added} of it
     */
    BackupInfo commit(List<ShardCut> cuts) {
        ByteBuffer end = ByteBuffer.allocate(BackupFormat.END_FIXED_BYTES + cuts.size() * BackupFormat.CUT_BYTES);
        end.putLong(entries).putLong(payloadBytes).putInt(cuts.size());
        cuts.forEach(cut -> BackupFormat.putCut(end, cut));
        end.flip();
        write(BackupFormat.TYPE_END, -1, 0, BackupFormat.crc(crc, end, 0, end.limit()), end);
        try {
            file.force(true);
            file.close();
            checkAbsent(files, target);
            files.move(unfinished, target);
            done = true;
            Path directory = target.getParent();
            if (directory != null) {
                files.forceDirectory(directory);
            }
        } catch (IOException e) {
            throw FileProblems.of(done ? "making durable" : "writing", done ? target : unfinished, e);
        }
        return new BackupInfo(
                header.clusterId(), Instant.ofEpochMilli(header.takenAtMillis()), header.shards(), entries, position);
    }

    private void write(int type, int shard, int count, int payloadCrc, ByteBuffer payload) {
        BackupFormat.putBlockHeader(
                head.clear(),
                new BlockHeader(type, blocks, header.salt(), shard, count, payload.limit(), payloadCrc),
                crc);
        try {
            write(head.flip());
            write(payload.duplicate().position(0));
        } catch (IOException e) {
            throw FileProblems.of("writing", unfinished, e);
        }
    }

    private void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            position += file.write(bytes, position);
        }
    }

    @Override
    public void close() {
        if (!done) {
            done = true;
            discard(files, unfinished, file);
        }
    }

    private static void discard(NodeFiles files, Path unfinished, NodeFile file) {
        try {
            file.close();
            files.delete(unfinished);
        } catch (IOException e) {
            LOG.warn("the unfinished backup {} could not be deleted", unfinished, e);
        }
    }
}
