package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.shard.LoadedState;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.transport.RpcCallback;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/** Fetches the states of groups from other nodes, a few at a time. Thread-safe. */
public final class SnapshotFetcher {

    /** As many as there are threads to write them: more would only all be late. */
    private static final int MAX_RUNNING = 2;

    /** Calls other nodes, without blocking. */
    @FunctionalInterface
    public interface Calls {
        /** See {@code NodeRpc.call}. */
        void call(String node, int method, byte[] payload, long timeoutNanos, RpcCallback callback);
    }

    /** Reads a checkpoint of the own directory into memory. */
    interface Loader {
        LoadedState load(CheckpointManifest manifest) throws IOException;
    }

    /** Told the end of a fetch, exactly once, on any thread. */
    interface Callback {
        void fetched(LoadedState state);

        void failed(Throwable cause);
    }

    final Calls calls;
    final Timer timer;
    final LongSupplier nanos;
    private final ArrayDeque<SnapshotFetch> waiting = new ArrayDeque<>();
    private int running;

    /**
     * Makes it.
     *
     * @param nanos the monotonic clock
     */
    public SnapshotFetcher(Calls calls, Timer timer, LongSupplier nanos) {
        this.calls = calls;
        this.timer = timer;
        this.nanos = nanos;
    }

    /** Begins to fetch, when it is its turn; {@code background} writes files and reads checkpoints. */
    SnapshotFetch fetch(
            String node,
            int group,
            long leastIndex,
            CheckpointDirectory directory,
            Executor background,
            Loader loader,
            Callback callback) {
        SnapshotFetch fetch = new SnapshotFetch(this, node, group, leastIndex, directory, background, loader, callback);
        boolean now;
        synchronized (this) {
            now = running < MAX_RUNNING;
            if (now) {
                running++;
            } else {
                waiting.add(fetch);
            }
        }
        if (now) {
            fetch.begin();
        }
        return fetch;
    }

    /** A fetch that had begun is over. */
    void ended() {
        SnapshotFetch next;
        synchronized (this) {
            next = waiting.poll();
            if (next == null) {
                running--;
            }
        }
        if (next != null) {
            next.begin();
        }
    }
}
