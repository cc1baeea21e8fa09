package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.files.NodeFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/** The checkpoints of one replica of a group. Thread-safe; all methods but the getters block on files. */
public final class CheckpointDirectory {

    /** Keeps the files of a checkpoint. */
    public interface Hold extends AutoCloseable {

        /** What is held. */
        CheckpointManifest manifest();

        /** Lets them go. Idempotent; does not block. */
        @Override
        void close();
    }

    private CheckpointDirectory() {}

    /**
     * Opens, and makes it if it is missing. Removes what an unfinished write or transfer left behind. Does not read more than
     * the manifests.
     *
     * @throws IOException if the files cannot be listed or read; a damaged manifest is no reason, see {@link #damaged}
     */
    public static CheckpointDirectory open(NodeFiles files, Path directory, int groupId) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** The checkpoints that are complete as far as is known, newest first. */
    public List<CheckpointManifest> manifests() {
        throw new UnsupportedOperationException();
    }

    /** What was found damaged, for messages: file, offset, what. */
    public List<String> damaged() {
        throw new UnsupportedOperationException();
    }

    /**
     * Writes a checkpoint; buckets that have not changed since a file was written use that file. Blocks for seconds. The
     * source stays open; one write at a time.
     *
     * @param term of the entry at the source's index
     * @param configuration at the source's index
     * @return the one there is already, if there is one of that index
     * @throws CaptureFailedException if the state could not be held; nothing was changed
     * @throws IOException if a file could not be written; nothing was changed
     */
    public CheckpointManifest write(CheckpointSource source, long term, byte[] configuration) throws IOException {
        CheckpointWrite write = startWrite(source, term, configuration);
        try {
            while (write.step()) {
                // one more
            }
            return write.manifest();
        } finally {
            write.abandon();
        }
    }

    /** As {@link #write}, step by step. */
    public CheckpointWrite startWrite(CheckpointSource source, long term, byte[] configuration) throws IOException {
        throw new UnsupportedOperationException();
    }

    /**
     * Reads a whole checkpoint and verifies every byte of it. What the sink has got before an exception must not be used.
     *
     * @throws CheckpointDamagedException if a file is not what was written; the checkpoint is in {@link #manifests} no more
     */
    public void read(CheckpointManifest manifest, CheckpointSink sink) throws IOException {
        for (int file = 0; file < manifest.files().size(); file++) {
            read(manifest, file, sink);
        }
    }

    /** One file of it; different ones may be read at the same time. */
    public void read(CheckpointManifest manifest, int file, CheckpointSink sink) throws IOException {
        throw new UnsupportedOperationException();
    }

    /**
     * Reads bytes of a file as they are, for another replica, under a {@link #hold}.
     *
     * @return how many were put into {@code into}; -1 at the end of the file
     */
    public int readChunk(CheckpointManifest manifest, int file, long offset, ByteBuffer into) throws IOException {
        throw new UnsupportedOperationException();
    }

    /**
     * Keeps the files of a checkpoint until the hold is closed, whatever {@link #retain} is told.
     *
     * @throws IllegalStateException if the checkpoint is gone
     */
    public Hold hold(CheckpointManifest manifest) {
        throw new UnsupportedOperationException();
    }

    /**
     * Begins to receive a checkpoint, or goes on if the same one is on its way already; another one is abandoned.
     *
     * @param manifestBytes as {@link CheckpointManifest#encode} made them elsewhere
     * @throws MalformedCheckpointException if they are not that
     */
    public StagedCheckpoint stage(byte[] manifestBytes) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Deletes all but the newest {@code count} checkpoints, as far as they are not held. */
    public void retain(int count) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Deletes everything, the directory too. */
    public void delete() throws IOException {
        throw new UnsupportedOperationException();
    }
}
