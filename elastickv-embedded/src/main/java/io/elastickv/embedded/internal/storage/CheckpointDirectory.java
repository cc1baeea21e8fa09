package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.files.NodeFiles;
import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The checkpoints of one replica of a group. Files get a new number each and are never changed; a checkpoint exists from the
 * moment its manifest has its name. Thread-safe; all methods but the getters block on files.
 */
public final class CheckpointDirectory {

    /** Small enough for a message, large enough for a disk. */
    private static final int PIECE_BYTES = 256 * 1024;

    /** Keeps the files of a checkpoint. */
    public interface Hold extends AutoCloseable {

        /** What is held. */
        CheckpointManifest manifest();

        /** Lets them go; the next {@link CheckpointDirectory#retain} deletes them. Idempotent; does not block. */
        @Override
        void close();
    }

    private final NodeFiles files;
    private final Path directory;
    private final int groupId;
    private final CheckpointCatalog catalog;
    private @Nullable StagedCheckpoint staged;

    private CheckpointDirectory(NodeFiles files, Path directory, int groupId) {
        this.files = files;
        this.directory = directory;
        this.groupId = groupId;
        this.catalog = new CheckpointCatalog(files, directory, groupId);
    }

    /**
     * Opens, and makes it if it is missing. Removes what an unfinished write or transfer left behind, unless a manifest is
     * damaged. Does not read more than the manifests and the lengths of the files.
     *
     * @throws IOException if the files cannot be listed or read, or a newer version of the software wrote one; a damaged
     *     manifest is no reason, see {@link #damaged}
     */
    public static CheckpointDirectory open(NodeFiles files, Path directory, int groupId) throws IOException {
        CheckpointDirectory opened = new CheckpointDirectory(files, directory, groupId);
        opened.catalog.open();
        return opened;
    }

    /** The checkpoints that are complete as far as is known, newest first. */
    public List<CheckpointManifest> manifests() {
        return catalog.manifests();
    }

    /** What was found damaged, for messages: file, offset, what. */
    public List<String> damaged() {
        return catalog.damaged();
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
        return write(source, term, configuration, () -> {});
    }

    /**
     * As above.
     *
     * @param betweenSteps called between pieces of the work, which are of bounded size
     */
    public CheckpointManifest write(CheckpointSource source, long term, byte[] configuration, Runnable betweenSteps)
            throws IOException {
        CheckpointWrite write = startWrite(source, term, configuration);
        try {
            while (write.step()) {
                betweenSteps.run();
            }
            return write.manifest();
        } finally {
            write.abandon();
        }
    }

    /** As {@link #write}, step by step; to be abandoned at the end, whatever the end is. */
    public CheckpointWrite startWrite(CheckpointSource source, long term, byte[] configuration) {
        return new CheckpointWrite(files, directory, catalog, groupId, source, term, configuration);
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
        CheckpointFile wanted = manifest.files().get(file);
        Path path = directory.resolve(wanted.name());
        if (!catalog.hold(manifest)) {
            throw new CheckpointDamagedException(
                    directory.resolve(manifest.name()).toString(), 0, "the checkpoint is gone, or known to be damaged");
        }
        try (NodeFile opened = open(path)) {
            CheckpointInput in = new CheckpointInput(opened, path.toString(), groupId, wanted);
            if (wanted.kind() == CheckpointFile.Kind.BUCKET) {
                in.readEntries(sink);
            } else {
                sink.sessions(wanted, in);
            }
            in.expectEnd();
            sink.endOfFile(wanted, in);
            catalog.trust(wanted);
        } catch (CheckpointDamagedException e) {
            catalog.reportDamage(wanted, e);
            throw e;
        } finally {
            catalog.letGo(manifest);
        }
    }

    /**
     * Verifies every byte of a checkpoint.
     *
     * @throws CheckpointDamagedException if a file is not what was written; the checkpoint is in {@link #manifests} no more
     */
    public void verify(CheckpointManifest manifest) throws IOException {
        read(manifest, new CheckpointSink() {
            @Override
            public void entry(CheckpointFile file, byte[] key, byte[] value, long version, long expiresAtMillis) {}

            @Override
            public void sessions(CheckpointFile file, CheckpointInput in) throws IOException {
                while (in.hasMore()) {
                    in.getByte();
                }
            }
        });
    }

    /**
     * Reads bytes of a file as they are, for another replica, under a {@link #hold}.
     *
     * @return how many were put into {@code into}; -1 at the end of the file
     */
    public int readChunk(CheckpointManifest manifest, int file, long offset, ByteBuffer into) throws IOException {
        int count = 0;
        try (NodeFile opened = open(directory.resolve(manifest.files().get(file).name()))) {
            while (into.hasRemaining()) {
                int read = opened.read(into, offset + count);
                if (read < 0) {
                    break;
                }
                count += read;
            }
        }
        return count == 0 && into.hasRemaining() ? -1 : count;
    }

    private NodeFile open(Path path) throws IOException {
        try {
            return files.openForReading(path);
        } catch (NoSuchFileException e) {
            throw new CheckpointDamagedException(path.toString(), 0, "it is missing");
        }
    }

    /**
     * Keeps the files of a checkpoint until the hold is closed, whatever {@link #retain} is told.
     *
     * @param manifest one of {@link #manifests}
     * @throws IllegalStateException if the checkpoint is gone
     */
    public Hold hold(CheckpointManifest manifest) {
        if (!catalog.hold(manifest)) {
            throw new IllegalStateException(directory + ": the checkpoint of entry " + manifest.index() + " is gone");
        }
        AtomicBoolean held = new AtomicBoolean(true);
        return new Hold() {
            @Override
            public CheckpointManifest manifest() {
                return manifest;
            }

            @Override
            public void close() {
                if (held.getAndSet(false)) {
                    catalog.letGo(manifest);
                }
            }
        };
    }

    /**
     * Begins to receive a checkpoint, or goes on if the same one is on its way already; another one is abandoned.
     *
     * @param manifestBytes as {@link CheckpointManifest#encode} made them elsewhere
     * @throws MalformedCheckpointException if they are not that
     * @throws IllegalArgumentException if it is one of another group
     */
    public StagedCheckpoint stage(byte[] manifestBytes) throws IOException {
        return stage(manifestBytes, PIECE_BYTES);
    }

    /** As {@link #stage(byte[])}, in pieces of {@code pieceBytes}; the last of a file is shorter. */
    public synchronized StagedCheckpoint stage(byte[] manifestBytes, int pieceBytes) throws IOException {
        StagedCheckpoint present = staged;
        if (present != null && !present.isEnded()) {
            if (present.isOf(manifestBytes, pieceBytes)) {
                return present;
            }
            present.abandon();
        }
        CheckpointManifest theirs = CheckpointManifest.decode(manifestBytes);
        if (theirs.group() != groupId) {
            throw new IllegalArgumentException("a checkpoint of group " + theirs.group() + " for group " + groupId);
        }
        StagedCheckpoint begun = new StagedCheckpoint(
                files, directory, catalog, theirs, Arrays.copyOf(manifestBytes, manifestBytes.length), pieceBytes);
        staged = begun;
        return begun;
    }

    /** Deletes all but the newest {@code count} checkpoints, as far as they are not held. */
    public void retain(int count) throws IOException {
        if (count < 1) {
            throw new IllegalArgumentException("count = " + count + ": must be at least 1");
        }
        catalog.retain(count);
    }

    /** Deletes everything, the directory too, held or not. Nothing else may be going on, or follow. */
    public void delete() throws IOException {
        catalog.delete();
    }
}
