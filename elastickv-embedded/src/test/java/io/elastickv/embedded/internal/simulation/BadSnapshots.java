package io.elastickv.embedded.internal.simulation;

import io.elastickv.embedded.internal.raft.GroupSnapshots;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.shard.StateCapture;
import io.elastickv.embedded.internal.storage.CheckpointFile;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.storage.CheckpointOutput;
import io.elastickv.embedded.internal.storage.CheckpointSource;
import io.elastickv.embedded.internal.storage.CheckpointWrite;
import io.elastickv.embedded.internal.storage.SlotSpan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes checkpoints of the wrong state, for mutations. */
final class BadSnapshots implements GroupSnapshots {

    /** What is wrong. */
    enum Mistake {
        /** The state is not held: the entries are written as they are when their turn comes. */
        NOT_HELD,
        /** The sessions are not in it. */
        WITHOUT_SESSIONS
    }

    private final Mistake mistake;
    private final Replica replica;
    private final GroupSnapshots real;

    BadSnapshots(Mistake mistake, Replica replica, GroupSnapshots real) {
        this.mistake = mistake;
        this.replica = replica;
        this.real = real;
    }

    @Override
    public Capture capture(long index, long term, Configuration configuration) {
        StateCapture held = replica.machine.beginCapture();
        Source source = new Source(held);
        CheckpointWrite write = replica.directory.startWrite(source, term, configuration.encode());
        if (mistake == Mistake.NOT_HELD) {
            try {
                while (!source.sessionsAreWritten && write.step()) {
                    // they are as of now, the rest will be as of later
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } finally {
                held.close();
            }
        }
        return new Capture() {
            @Override
            public List<Snapshot> write() {
                if (mistake == Mistake.NOT_HELD) {
                    source.later = replica.machine.beginCapture();
                }
                try {
                    while (write.step()) {
                        // one more
                    }
                    replica.directory.retain(2);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                List<Snapshot> kept = new ArrayList<>();
                for (CheckpointManifest manifest : replica.directory.manifests()) {
                    kept.add(new Snapshot(manifest.index(), manifest.term(), manifest.totalBytes()));
                }
                return kept;
            }

            @Override
            public void close() {
                try {
                    write.abandon();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                held.close();
                if (source.later != null) {
                    source.later.close();
                }
            }
        };
    }

    /** A capture of which the parts are others than it says. */
    private final class Source implements CheckpointSource {

        private final StateCapture held;
        private final List<Part> parts = new ArrayList<>();
        private boolean sessionsAreWritten;

        @Nullable
        StateCapture later;

        Source(StateCapture held) {
            this.held = held;
            held.parts().forEach(part -> parts.add(new Altered(part)));
        }

        @Override
        public long index() {
            return held.index();
        }

        @Override
        public long epoch() {
            return held.epoch();
        }

        @Override
        public List<SlotSpan> slots() {
            return held.slots();
        }

        @Override
        public long logTimeMillis() {
            return held.logTimeMillis();
        }

        @Override
        public long keys() {
            return later == null ? held.keys() : later.keys();
        }

        @Override
        public List<Part> parts() {
            return parts;
        }

        @Override
        public @Nullable String failure() {
            return null;
        }

        private final class Altered implements Part {

            private final Part part;

            Altered(Part part) {
                this.part = part;
            }

            private Part now() {
                if (mistake == Mistake.WITHOUT_SESSIONS && part.kind() == CheckpointFile.Kind.SESSIONS) {
                    return replica.emptyMachine().beginCapture().parts().get(0);
                }
                if (later != null) {
                    for (Part other : later.parts()) {
                        if (other.kind() == part.kind() && other.slots().equals(part.slots())) {
                            return other;
                        }
                    }
                }
                return part;
            }

            @Override
            public CheckpointFile.Kind kind() {
                return part.kind();
            }

            @Override
            public SlotSpan slots() {
                return part.slots();
            }

            @Override
            public long lastChange() {
                return part.lastChange();
            }

            @Override
            public long keys() {
                return now().keys();
            }

            @Override
            public boolean step(CheckpointOutput out) throws IOException {
                boolean more = now().step(out);
                sessionsAreWritten |= !more && part.kind() == CheckpointFile.Kind.SESSIONS;
                return more;
            }

            @Override
            public void release() {
                part.release();
            }
        }
    }

    @Override
    public void fetch(String node, long leastIndex, FetchCallback callback) {
        real.fetch(node, leastIndex, callback);
    }

    @Override
    public void cancelFetch() {
        real.cancelFetch();
    }

    @Override
    public long leasedIndex() {
        return real.leasedIndex();
    }
}
