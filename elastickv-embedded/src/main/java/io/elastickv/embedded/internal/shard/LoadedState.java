package io.elastickv.embedded.internal.shard;

import io.elastickv.embedded.internal.storage.CheckpointManifest;

/** A state read from a checkpoint, to be installed. */
public final class LoadedState implements AutoCloseable {

    /** Where it comes from. */
    public CheckpointManifest manifest() {
        throw new UnsupportedOperationException();
    }

    /** The entries of the log up to here are in it. */
    public long index() {
        return manifest().index();
    }

    /** Frees it, unless it was installed. Idempotent. */
    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
