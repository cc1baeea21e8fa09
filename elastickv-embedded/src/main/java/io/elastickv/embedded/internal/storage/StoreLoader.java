package io.elastickv.embedded.internal.storage;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Fills a new store from the files of a checkpoint. Different files may be read by different threads at the same time. */
public final class StoreLoader implements AutoCloseable {

    private final ShardStore store;
    private boolean finished;

    StoreLoader(ShardStore store) {
        this.store = store;
    }

    /** What takes the entries of one file; for one thread. */
    public FileLoader file(CheckpointManifest manifest, CheckpointFile file) {
        return new FileLoader(manifest, file);
    }

    /** The store, once the files of all buckets have been read to their ends; it is the caller's. */
    public ShardStore finish(CheckpointManifest manifest) {
        store.loaded(manifest.logTimeMillis());
        finished = true;
        return store;
    }

    /** Frees the store, unless it is finished. Idempotent; nobody may be loading. */
    @Override
    public void close() {
        if (!finished) {
            finished = true;
            store.close();
        }
    }

    /** The entries of one file. */
    public final class FileLoader {

        private final CheckpointFile file;
        /** The bucket that has exactly the file's slots, if there is one. */
        private final @Nullable BucketHolder match;
        /** What a bucket's last change is taken for. */
        private final long lastChange;

        private long keys;
        private long misplaced;

        private FileLoader(CheckpointManifest manifest, CheckpointFile file) {
            this.file = file;
            boolean fits = file.slots().first() >= store.firstSlot()
                    && file.slots().last() <= store.lastSlot()
                    && store.slotsOfBucketOf(file.slots().first()).equals(file.slots());
            this.match = fits && file.keys() > 0
                    ? store.bucketForLoading(file.slots().first(), file)
                    : null;
            // A bucket put together from others has never been written as it is.
            this.lastChange = match != null ? file.lastChange() : manifest.index();
        }

        /** Adds an entry. */
        public void add(byte[] key, byte[] value, long version, long expiresAtMillis) {
            int slot = store.slotOf(key);
            if (slot < file.slots().first()
                    || slot > file.slots().last()
                    || slot < store.firstSlot()
                    || slot > store.lastSlot()) {
                misplaced++;
                return;
            }
            BucketHolder holder = match != null ? match : store.bucketForLoading(slot, null);
            // Files of other bounds can have a bucket in common.
            synchronized (holder) {
                if (store.load(holder, slot, key, value, version, expiresAtMillis, lastChange)) {
                    keys++;
                }
            }
        }

        /** Checks at the end that all keys were there, and no others. */
        public void end(CheckpointInput in) throws IOException {
            if (misplaced > 0) {
                throw in.damaged("it has " + misplaced + " keys of other slots than " + file.slots());
            }
            if (keys != file.keys()) {
                throw in.damaged("it has " + keys + " keys, the manifest says " + file.keys());
            }
        }
    }
}
