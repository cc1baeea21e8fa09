package io.elastickv.embedded.internal.shard;

import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.storage.ShardStore;
import org.jspecify.annotations.Nullable;

/** A state read from a checkpoint, to be installed. Not thread-safe. */
public final class LoadedState implements AutoCloseable {

    private final CheckpointManifest manifest;
    private final ShardStore store;
    private final @Nullable ShardStore given;
    private final SessionTable sessions;
    private boolean taken;

    LoadedState(CheckpointManifest manifest, ShardStore store, @Nullable ShardStore given, SessionTable sessions) {
        this.given = given;
        this.manifest = manifest;
        this.store = store;
        this.sessions = sessions;
    }

    /** Where it comes from. */
    public CheckpointManifest manifest() {
        return manifest;
    }

    /** The entries of the log up to here are in it. */
    public long index() {
        return manifest.index();
    }

    /** The store; it is the caller's from now on. */
    ShardStore take() {
        if (taken) {
            throw new IllegalStateException("the state of entry " + index() + " is installed or freed already");
        }
        taken = true;
        return store;
    }

    /** That of the slots that were given away, before {@link #take}; null if there are none. */
    @Nullable
    ShardStore takeGiven() {
        return taken ? null : given;
    }

    SessionTable sessions() {
        return sessions;
    }

    /** Frees it, unless it was installed. Idempotent. */
    @Override
    public void close() {
        if (!taken) {
            taken = true;
            store.close();
            if (given != null) {
                given.close();
            }
        }
    }
}
