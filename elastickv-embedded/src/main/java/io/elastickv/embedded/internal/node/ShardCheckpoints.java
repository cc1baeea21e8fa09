package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.raft.GroupSnapshots;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.shard.LoadedState;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.shard.StateCapture;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.CheckpointDirectory.Hold;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The checkpoints of one replica: its own, those it fetches, and those that others read of it. */
public final class ShardCheckpoints implements GroupSnapshots, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ShardCheckpoints.class);

    /** For what is being written to end; the group is closed, so it will not be long. */
    private static final long CLOSE_NANOS = 10_000_000_000L;

    /** Smaller checkpoints are not worth a line in the log. */
    private static final long NOTEWORTHY_BYTES = 1 << 20;

    private final int group;
    private final ShardStateMachine machine;
    private final CheckpointDirectory directory;
    private final SnapshotFetcher fetcher;
    private final TrackedExecutor background;
    private final int retained;
    private final WorkPace pace;
    private final CheckpointFigures figures;
    private final LongSupplier nanos;
    private final Map<Long, Long> leasedIndexes = new ConcurrentHashMap<>();

    private volatile boolean sound;

    /** On the loop. */
    private @Nullable SnapshotFetch fetch;

    /**
     * Makes it.
     *
     * @param background writes what is fetched, deletes what is not needed any more
     * @param retained how many checkpoints are kept
     * @param pace of writing own ones
     * @param nanos the monotonic clock
     */
    public ShardCheckpoints(
            int group,
            ShardStateMachine machine,
            CheckpointDirectory directory,
            SnapshotFetcher fetcher,
            Executor background,
            int retained,
            WorkPace pace,
            CheckpointFigures figures,
            LongSupplier nanos) {
        this.group = group;
        this.machine = machine;
        this.directory = directory;
        this.fetcher = fetcher;
        this.background = new TrackedExecutor(background);
        this.retained = retained;
        this.pace = pace;
        this.figures = figures;
        this.nanos = nanos;
    }

    CheckpointDirectory directory() {
        return directory;
    }

    /** Whether a checkpoint is here, durable, that can be read as far as this process knows. Any thread. */
    boolean isSound() {
        return sound;
    }

    /** There is such a checkpoint. */
    void hasSoundOne() {
        sound = true;
    }

    static Snapshot snapshot(CheckpointManifest manifest) {
        return new Snapshot(manifest.index(), manifest.term(), manifest.totalBytes());
    }

    // ---- own ones

    @Override
    public Capture capture(long index, long term, Configuration configuration) {
        if (!machine.unsafeChildren().isEmpty()) {
            // Whoever starts from this checkpoint does not see the split any more.
            throw new IllegalStateException("group " + group
                    + ": no checkpoint before the shards are safe that were split off: " + machine.unsafeChildren());
        }
        StateCapture held = machine.beginCapture();
        if (held.index() != index) {
            long heldIndex = held.index();
            held.close();
            throw new IllegalStateException(
                    "group " + group + ": the state is as of entry " + heldIndex + ", expected " + index);
        }
        return new OwnCapture(held, term, configuration);
    }

    private final class OwnCapture implements Capture {

        private final StateCapture held;
        private final long term;
        private final Configuration configuration;

        OwnCapture(StateCapture held, long term, Configuration configuration) {
            this.held = held;
            this.term = term;
            this.configuration = configuration;
        }

        @Override
        public List<Snapshot> write() {
            long start = nanos.getAsLong();
            background.begin();
            figures.begun();
            boolean done = false;
            try {
                CheckpointManifest manifest = directory.write(held, term, configuration.encode(), pace.begin());
                hasSoundOne();
                directory.retain(retained);
                done = true;
                figures.wrote(manifest.totalBytes());
                if (manifest.totalBytes() >= NOTEWORTHY_BYTES) {
                    LOG.info(
                            "group {}: checkpoint as of entry {}: {} keys, {} MB in {} ms",
                            group,
                            manifest.index(),
                            manifest.keys(),
                            String.format("%.1f", manifest.totalBytes() / 1e6),
                            (nanos.getAsLong() - start) / 1_000_000);
                }
                return kept();
            } catch (IOException e) {
                throw new UncheckedIOException(String.valueOf(e.getMessage()), e);
            } finally {
                background.end();
                figures.ended();
                if (!done) {
                    figures.notWritten();
                }
            }
        }

        @Override
        public void close() {
            held.close();
        }
    }

    private List<Snapshot> kept() {
        return directory.manifests().stream().map(ShardCheckpoints::snapshot).toList();
    }

    // ---- those of others

    @Override
    public void fetch(String node, long leastIndex, FetchCallback callback) {
        SnapshotFetcher.Callback told = new SnapshotFetcher.Callback() {
            @Override
            public void fetched(LoadedState state) {
                callback.fetched(new Fetched(state));
            }

            @Override
            public void failed(Throwable cause) {
                callback.failed(cause);
            }
        };
        if (!machine.unsafeChildren().isEmpty()) {
            told.failed(new IllegalStateException(
                    "no other state before the shards are safe that were split off: " + machine.unsafeChildren()));
            return;
        }
        SnapshotFetch current = fetch;
        if (current != null && current.goOn(node, leastIndex, told)) {
            return;
        }
        cancelFetch();
        fetch = fetcher.fetch(
                node, group, leastIndex, directory, background, manifest -> machine.load(directory, manifest), told);
    }

    @Override
    public void cancelFetch() {
        SnapshotFetch current = fetch;
        fetch = null;
        if (current != null) {
            current.cancel("it is not needed any more");
        }
    }

    private final class Fetched implements Incoming {

        private final LoadedState state;

        Fetched(LoadedState state) {
            this.state = state;
        }

        @Override
        public Snapshot snapshot() {
            return ShardCheckpoints.snapshot(state.manifest());
        }

        @Override
        public Configuration configuration() {
            return Configuration.decode(state.manifest().configuration());
        }

        @Override
        public void install() {
            machine.install(state, this::later);
            hasSoundOne();
            figures.installed(state.manifest().totalBytes());
            later(this::retain);
        }

        private void later(Runnable task) {
            try {
                background.execute(task);
            } catch (RejectedExecutionException e) {
                LOG.debug("the node is closing", e);
                task.run(); // the old state has to be freed
            }
        }

        private void retain() {
            try {
                directory.retain(retained);
            } catch (ClosedByInterruptException e) {
                LOG.debug("the node is closing", e); // they are deleted next time
            } catch (IOException e) {
                LOG.warn("group {}: old checkpoints could not be deleted: {}", group, e.toString());
            }
        }

        @Override
        public void close() {
            state.close();
        }
    }

    // ---- for others

    /**
     * Holds the newest checkpoint, or that of {@code haveIndex} if it is still here, for a reader that needs {@code
     * leastIndex} at least; null if there is none.
     */
    @Nullable
    Hold hold(long leastIndex, long haveIndex) {
        List<CheckpointManifest> manifests = directory.manifests();
        for (CheckpointManifest manifest : manifests) {
            if (manifest.index() == haveIndex && haveIndex >= leastIndex) {
                Hold hold = tryHold(manifest);
                if (hold != null) {
                    return hold;
                }
            }
        }
        return manifests.isEmpty() || manifests.get(0).index() < leastIndex ? null : tryHold(manifests.get(0));
    }

    private @Nullable Hold tryHold(CheckpointManifest manifest) {
        try {
            return directory.hold(manifest);
        } catch (IllegalStateException e) {
            LOG.debug("group {}: a checkpoint went meanwhile", group, e);
            return null;
        }
    }

    void leased(long lease, long index) {
        leasedIndexes.put(lease, index);
    }

    void released(long lease) {
        leasedIndexes.remove(lease);
    }

    @Override
    public long leasedIndex() {
        long least = Long.MAX_VALUE;
        for (long index : leasedIndexes.values()) {
            least = Math.min(least, index);
        }
        return least;
    }

    /** After the group was closed: waits for what is being written, and lets nothing more begin. Idempotent. */
    @Override
    public void close() {
        if (!background.close(CLOSE_NANOS)) {
            LOG.warn("group {}: a checkpoint is still being written", group);
        }
    }
}
