package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.files.NodeFiles;
import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint on its way here from another replica: nothing of it counts until {@link #commit}. Thread-safe; the pieces may
 * come in any order, and twice.
 */
public final class StagedCheckpoint {

    /**
     * A part of a file.
     *
     * @param file its position in the manifest's list
     * @param offset in bytes
     * @param length in bytes
     */
    public record Piece(int file, long offset, int length) {}

    private static final int VERIFY_BUFFER_BYTES = 256 * 1024;

    /** So many bytes are synced at a time, as when a checkpoint is written. */
    private static final long SYNC_BYTES = 8L << 20;

    private final NodeFiles files;
    private final Path directory;
    private final CheckpointCatalog catalog;
    private final byte[] theirBytes;
    private final int pieceBytes;
    private final CheckpointManifest manifest;
    /** Which pieces of each file are here. */
    private final List<BitSet> received = new ArrayList<>();

    private final @Nullable NodeFile[] open;
    private final long[] unsynced;
    private long receivedBytes;
    private boolean ended;
    private @Nullable CheckpointManifest committed;

    StagedCheckpoint(
            NodeFiles files,
            Path directory,
            CheckpointCatalog catalog,
            CheckpointManifest theirs,
            byte[] theirBytes,
            int pieceBytes) {
        if (pieceBytes < 1) {
            throw new IllegalArgumentException("pieceBytes = " + pieceBytes);
        }
        this.files = files;
        this.directory = directory;
        this.catalog = catalog;
        this.theirBytes = theirBytes;
        this.pieceBytes = pieceBytes;
        for (CheckpointFile file : theirs.files()) {
            if (file.length() > (long) Integer.MAX_VALUE * pieceBytes) {
                throw new MalformedCheckpointException(0, "a file of " + file.length() + " bytes");
            }
        }
        List<CheckpointFile> own = new ArrayList<>();
        for (CheckpointFile file : theirs.files()) {
            CheckpointFile numbered = file.withNumber(catalog.newNumber());
            catalog.begin(numbered.name(), numbered.number());
            own.add(numbered);
            received.add(new BitSet());
        }
        this.manifest = new CheckpointManifest(
                theirs.group(),
                theirs.index(),
                theirs.term(),
                theirs.configuration(),
                theirs.epoch(),
                theirs.slots(),
                theirs.logTimeMillis(),
                theirs.keys(),
                own,
                theirs.versionOffset(),
                theirs.given());
        this.open = new @Nullable NodeFile[own.size()];
        this.unsynced = new long[own.size()];
    }

    /** What is being received; numbers of files are this replica's. */
    public CheckpointManifest manifest() {
        return manifest;
    }

    /** The first piece that is not here; null if all are. */
    public @Nullable Piece nextMissing() {
        return nextMissing(null);
    }

    /** The first missing piece behind {@code after}, for whoever has several on the way. */
    public synchronized @Nullable Piece nextMissing(@Nullable Piece after) {
        int file = after == null ? 0 : after.file();
        int piece = after == null ? 0 : (int) (after.offset() / pieceBytes) + 1;
        for (; file < received.size(); file++, piece = 0) {
            int missing = received.get(file).nextClearBit(piece);
            if (missing < pieceCount(file)) {
                return piece(file, missing);
            }
        }
        return null;
    }

    private int pieceCount(int file) {
        return (int) ((manifest.files().get(file).length() + pieceBytes - 1) / pieceBytes);
    }

    private Piece piece(int file, int number) {
        long offset = (long) number * pieceBytes;
        return new Piece(file, offset, (int)
                Math.min(pieceBytes, manifest.files().get(file).length() - offset));
    }

    /** How many bytes are here. */
    public synchronized long receivedBytes() {
        return receivedBytes;
    }

    /**
     * Takes a whole piece.
     *
     * @throws IllegalArgumentException if it is none, or not whole
     * @throws IllegalStateException after the end
     */
    public synchronized void write(int file, long offset, ByteBuffer bytes) throws IOException {
        checkGoingOn();
        if (file < 0 || file >= received.size() || offset < 0 || offset % pieceBytes != 0) {
            throw new IllegalArgumentException("no piece: file " + file + ", offset " + offset);
        }
        long number = offset / pieceBytes;
        if (number >= pieceCount(file) || piece(file, (int) number).length() != bytes.remaining()) {
            throw new IllegalArgumentException(
                    "no whole piece: file " + file + ", offset " + offset + ", " + bytes.remaining() + " bytes");
        }
        if (received.get(file).get((int) number)) {
            return;
        }
        NodeFile to = open(file);
        int length = bytes.remaining();
        int start = bytes.position();
        while (bytes.hasRemaining()) {
            to.write(bytes, offset + bytes.position() - start);
        }
        received.get(file).set((int) number);
        receivedBytes += length;
        unsynced[file] += length;
        if (unsynced[file] >= SYNC_BYTES) {
            unsynced[file] = 0;
            to.force(false);
        }
    }

    private NodeFile open(int file) throws IOException {
        NodeFile opened = open[file];
        if (opened == null) {
            opened = files.openForWriting(
                    directory.resolve(manifest.files().get(file).name()));
            open[file] = opened;
        }
        return opened;
    }

    /**
     * Verifies every byte, makes everything durable and then the checkpoint the newest of the directory. May take long.
     *
     * @return the checkpoint; if there was one of that index, that one
     * @throws CheckpointDamagedException if a file is not what the manifest says; that file is missing again then
     * @throws IllegalStateException if pieces are missing, or after {@link #abandon}
     */
    public synchronized CheckpointManifest commit() throws IOException {
        CheckpointManifest already = committed;
        if (already != null) {
            return already;
        }
        checkGoingOn();
        if (nextMissing() != null) {
            throw new IllegalStateException(
                    "pieces are missing: " + receivedBytes + " of " + manifest.totalBytes() + " bytes are here");
        }
        for (int file = 0; file < received.size(); file++) {
            NodeFile written = open(file);
            written.force(true);
            verify(file, written);
        }
        CheckpointManifest published = catalog.publish(manifest);
        committed = published;
        end(!published.files().equals(manifest.files()));
        return published;
    }

    private void verify(int file, NodeFile written) throws IOException {
        CheckpointFile expected = manifest.files().get(file);
        CRC32C crc = new CRC32C();
        ByteBuffer buffer = ByteBuffer.allocate(VERIFY_BUFFER_BYTES);
        long position = 0;
        while (position < expected.length()) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), expected.length() - position));
            int count = written.read(buffer, position);
            if (count < 0) {
                break;
            }
            crc.update(buffer.array(), 0, count);
            position += count;
        }
        if (position != expected.length() || written.size() != position || (int) crc.getValue() != expected.crc32c()) {
            received.get(file).clear();
            receivedBytes -= expected.length();
            throw new CheckpointDamagedException(
                    directory.resolve(expected.name()).toString(),
                    0,
                    "what was received is not what the manifest says: " + position + " bytes with another checksum");
        }
    }

    /** Deletes what has come. Idempotent; nothing after {@link #commit}. */
    public synchronized void abandon() throws IOException {
        if (!ended) {
            end(true);
        }
    }

    private void end(boolean discard) throws IOException {
        ended = true;
        IOException problem = null;
        for (int i = 0; i < open.length; i++) {
            NodeFile file = open[i];
            open[i] = null;
            try {
                if (file != null) {
                    file.close();
                }
            } catch (IOException e) {
                problem = e;
            }
        }
        if (discard) {
            manifest.files().forEach(file -> catalog.discard(file.name()));
        }
        if (problem != null && discard) {
            throw problem;
        }
    }

    synchronized boolean isEnded() {
        return ended;
    }

    boolean isOf(byte[] manifestBytes, int bytesPerPiece) {
        return pieceBytes == bytesPerPiece && Arrays.equals(theirBytes, manifestBytes);
    }

    private void checkGoingOn() {
        if (ended) {
            throw new IllegalStateException("the transfer has ended");
        }
    }
}
