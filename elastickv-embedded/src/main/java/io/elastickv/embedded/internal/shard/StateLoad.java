package io.elastickv.embedded.internal.shard;

import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.CheckpointFile;
import io.elastickv.embedded.internal.storage.CheckpointInput;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.storage.CheckpointSink;
import io.elastickv.embedded.internal.storage.GivenSlots;
import io.elastickv.embedded.internal.storage.ShardStore;
import io.elastickv.embedded.internal.storage.StoreLoader;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A state being read from a checkpoint. Different files may be loaded by different threads at the same time. */
public final class StateLoad implements AutoCloseable {

    private final CheckpointDirectory directory;
    private final CheckpointManifest manifest;
    private final SessionLimits limits;
    private final StoreLoader store;
    /** Of what was given away; null if nothing was. */
    private final @Nullable StoreLoader given;

    private final AtomicInteger loaded = new AtomicInteger();
    private volatile @Nullable SessionTable sessions;

    StateLoad(
            CheckpointDirectory directory,
            CheckpointManifest manifest,
            SessionLimits limits,
            StoreLoader store,
            @Nullable StoreLoader given) {
        this.given = given;
        this.directory = directory;
        this.manifest = manifest;
        this.limits = limits;
        this.store = store;
    }

    /** How many files there are. */
    public int fileCount() {
        return manifest.files().size();
    }

    /**
     * Loads one of them, from 0 on, each once.
     *
     * @throws io.elastickv.embedded.internal.storage.CheckpointDamagedException if it is damaged; the load is to be closed then
     */
    public void loadFile(int file) throws IOException {
        CheckpointFile described = manifest.files().get(file);
        directory.read(manifest, file, new FileSink(loaderOf(described).file(manifest, described)));
        loaded.incrementAndGet();
    }

    /** No file has slots of both: each is of a bucket of one of the two stores. */
    private StoreLoader loaderOf(CheckpointFile file) {
        GivenSlots away = manifest.given();
        return given != null
                        && away != null
                        && file.slots().first() <= away.slots().last()
                ? given
                : store;
    }

    /** The state, once all files are loaded; it is the caller's. */
    public LoadedState finish() {
        SessionTable table = sessions;
        if (loaded.get() != fileCount() || table == null) {
            throw new IllegalStateException(loaded.get() + " of " + fileCount() + " files are loaded");
        }
        ShardStore away = given == null ? null : given.finish(manifest);
        return new LoadedState(manifest, store.finish(manifest), away, table);
    }

    /** Frees what was loaded, unless it is finished. Idempotent; no file may be loading. */
    @Override
    public void close() {
        store.close();
        if (given != null) {
            given.close();
        }
    }

    private final class FileSink implements CheckpointSink {

        private final StoreLoader.FileLoader entries;

        FileSink(StoreLoader.FileLoader entries) {
            this.entries = entries;
        }

        @Override
        public void entry(CheckpointFile file, byte[] key, byte[] value, long version, long expiresAtMillis)
                throws IOException {
            entries.add(key, value, version, expiresAtMillis);
        }

        @Override
        public void sessions(CheckpointFile file, CheckpointInput in) throws IOException {
            sessions = SessionsPart.read(in, limits);
        }

        @Override
        public void endOfFile(CheckpointFile file, CheckpointInput in) throws IOException {
            if (file.kind() == CheckpointFile.Kind.BUCKET) {
                entries.end(in);
            }
        }
    }
}
