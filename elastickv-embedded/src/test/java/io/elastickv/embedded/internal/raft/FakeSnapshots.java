package io.elastickv.embedded.internal.raft;

import io.elastickv.embedded.internal.raft.core.Configuration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Copies of a state that exist in name only; the test says what becomes of captures and fetches. */
public final class FakeSnapshots implements GroupSnapshots {

    /** How many copies are kept. */
    int retained = 2;

    /** What a capture or a write fails with. */
    @Nullable
    RuntimeException captureFailure;

    @Nullable
    RuntimeException writeFailure;

    long leased = Long.MAX_VALUE;
    final List<Snapshot> kept = new ArrayList<>();
    final List<Configuration> configurations = new ArrayList<>();
    final List<Fetch> fetches = new ArrayList<>();
    int openCaptures;
    int cancelled;

    /** A fetch that was asked for. */
    record Fetch(String node, long leastIndex, FetchCallback callback) {}

    @Override
    public Capture capture(long index, long term, Configuration configuration) {
        if (captureFailure != null) {
            throw captureFailure;
        }
        openCaptures++;
        configurations.add(configuration);
        return new Capture() {

            private boolean closed;

            @Override
            public List<Snapshot> write() {
                if (writeFailure != null) {
                    throw writeFailure;
                }
                kept.add(0, new Snapshot(index, term, 100));
                while (kept.size() > retained) {
                    kept.remove(kept.size() - 1);
                }
                return List.copyOf(kept);
            }

            @Override
            public void close() {
                if (!closed) {
                    closed = true;
                    openCaptures--;
                }
            }
        };
    }

    @Override
    public void fetch(String node, long leastIndex, FetchCallback callback) {
        fetches.add(new Fetch(node, leastIndex, callback));
    }

    @Override
    public void cancelFetch() {
        cancelled++;
    }

    @Override
    public long leasedIndex() {
        return leased;
    }

    /** A state as of {@code index} that came from elsewhere. */
    static final class Arrived implements Incoming {

        private final Snapshot snapshot;
        private final Configuration configuration;
        private final Runnable onInstall;
        boolean installed;
        boolean closed;

        Arrived(long index, long term, Configuration configuration, Runnable onInstall) {
            this.snapshot = new Snapshot(index, term, 100);
            this.configuration = configuration;
            this.onInstall = onInstall;
        }

        @Override
        public Snapshot snapshot() {
            return snapshot;
        }

        @Override
        public Configuration configuration() {
            return configuration;
        }

        @Override
        public void install() {
            onInstall.run();
            installed = true;
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
