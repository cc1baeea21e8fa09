package io.elastickv.embedded.internal.storage;

import io.elastickv.embedded.internal.files.NodeFiles;
import io.elastickv.embedded.internal.files.NodeFiles.NodeFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A checkpoint being written, step by step, for whoever wants to do other things between. For one thread. */
public final class CheckpointWrite {

    private final NodeFiles files;
    private final Path directory;
    private final CheckpointCatalog catalog;
    private final int groupId;
    private final CheckpointSource source;
    private final long term;
    private final byte[] configuration;

    private final byte[] buffer = new byte[CheckpointOutput.BUFFER_BYTES];
    private final List<CheckpointFile> done = new ArrayList<>();
    /** The names of the files made here. */
    private final List<String> made = new ArrayList<>();
    /** What is not written yet; null before the beginning. */
    private @Nullable List<CheckpointSource.Part> left;

    private @Nullable NodeFile file;
    private @Nullable CheckpointOutput output;
    private long number;
    private @Nullable CheckpointManifest manifest;
    private boolean begun;
    private boolean ended;

    CheckpointWrite(
            NodeFiles files,
            Path directory,
            CheckpointCatalog catalog,
            int groupId,
            CheckpointSource source,
            long term,
            byte[] configuration) {
        this.files = files;
        this.directory = directory;
        this.catalog = catalog;
        this.groupId = groupId;
        this.source = source;
        this.term = term;
        this.configuration = configuration;
    }

    /**
     * Does the next piece of bounded size.
     *
     * @return whether there is more to do
     * @throws CaptureFailedException if the state could not be held; the host tries again later
     * @throws IllegalStateException if another write is going on, or there is a newer checkpoint
     */
    public boolean step() throws IOException {
        if (ended) {
            throw new IllegalStateException("the write has ended");
        }
        String failure = source.failure();
        if (failure != null) {
            throw new CaptureFailedException("a checkpoint was given up: " + failure);
        }
        List<CheckpointSource.Part> parts = left;
        if (parts == null) {
            return begin();
        }
        if (parts.isEmpty()) {
            publish();
            return false;
        }
        CheckpointSource.Part part = parts.get(parts.size() - 1);
        CheckpointOutput out = output;
        if (out == null) {
            open(part);
        } else if (part.step(out)) {
            out.syncIfDue();
        } else {
            finish(part, out);
            parts.remove(parts.size() - 1);
        }
        return true;
    }

    /** Takes over the files of what has not changed, which need then not be held any longer. */
    private boolean begin() {
        CheckpointManifest newest = catalog.beginWrite(source.index());
        begun = true;
        if (newest != null && newest.index() == source.index()) {
            source.parts().forEach(CheckpointSource.Part::release);
            manifest = newest;
            return false;
        }
        List<CheckpointSource.Part> changed = new ArrayList<>();
        for (CheckpointSource.Part part : source.parts()) {
            CheckpointFile same = newest == null ? null : find(newest, part);
            if (same == null) {
                changed.add(0, part); // taken from the end
            } else {
                part.release();
                done.add(same);
            }
        }
        left = changed;
        return true;
    }

    private @Nullable CheckpointFile find(CheckpointManifest newest, CheckpointSource.Part part) {
        for (CheckpointFile candidate : newest.files()) {
            if (candidate.kind() == part.kind()
                    && candidate.slots().equals(part.slots())
                    && candidate.lastChange() == part.lastChange()
                    && candidate.keys() == part.keys()
                    && catalog.isTrusted(candidate)) {
                return candidate;
            }
        }
        return null;
    }

    private void open(CheckpointSource.Part part) throws IOException {
        number = catalog.newNumber();
        String name = CheckpointFile.name(part.kind(), number);
        catalog.begin(name, number);
        made.add(name);
        NodeFile opened = files.openForWriting(directory.resolve(name));
        file = opened;
        output = new CheckpointOutput(opened, buffer, groupId, source.index(), part);
    }

    private void finish(CheckpointSource.Part part, CheckpointOutput out) throws IOException {
        out.finish();
        done.add(out.describe(part, number));
        output = null;
        closeFile();
    }

    private void publish() throws IOException {
        done.sort(Comparator.comparing(CheckpointFile::kind, Comparator.reverseOrder())
                .thenComparing(written -> written.slots().first()));
        manifest = catalog.publish(new CheckpointManifest(
                groupId,
                source.index(),
                term,
                configuration,
                source.epoch(),
                source.slots(),
                source.logTimeMillis(),
                source.keys(),
                done,
                source.versionOffset(),
                source.given()));
    }

    /** The checkpoint, once {@link #step} has returned false. */
    public CheckpointManifest manifest() {
        CheckpointManifest written = manifest;
        if (written == null) {
            throw new IllegalStateException("the checkpoint is not complete");
        }
        return written;
    }

    /** Ends the write, and deletes what was written unless it is complete. Idempotent. */
    public void abandon() throws IOException {
        if (ended) {
            return;
        }
        ended = true;
        try {
            closeFile();
        } finally {
            if (manifest == null) {
                made.forEach(catalog::discard);
            }
            if (begun) {
                catalog.endWrite();
            }
        }
    }

    private void closeFile() throws IOException {
        NodeFile open = file;
        file = null;
        if (open != null) {
            open.close();
        }
    }
}
