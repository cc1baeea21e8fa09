package io.elastickv.embedded.internal.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
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

    /** What is being received; numbers of files are this replica's. */
    public CheckpointManifest manifest() {
        throw new UnsupportedOperationException();
    }

    /** The first piece that is not here; null if all are. */
    public @Nullable Piece nextMissing() {
        return nextMissing(null);
    }

    /** The first missing piece behind {@code after}, for whoever has several on the way. */
    public @Nullable Piece nextMissing(@Nullable Piece after) {
        throw new UnsupportedOperationException();
    }

    /** How many bytes are here. */
    public long receivedBytes() {
        throw new UnsupportedOperationException();
    }

    /** Takes a whole piece. */
    public void write(int file, long offset, ByteBuffer bytes) throws IOException {
        throw new UnsupportedOperationException();
    }

    /**
     * Verifies every byte, makes everything durable and then the checkpoint the newest of the directory. May take long.
     *
     * @throws CheckpointDamagedException if a file is not what the manifest says; that file is missing again then
     */
    public CheckpointManifest commit() throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Deletes what has come. Idempotent; nothing after {@link #commit}. */
    public void abandon() throws IOException {
        throw new UnsupportedOperationException();
    }
}
