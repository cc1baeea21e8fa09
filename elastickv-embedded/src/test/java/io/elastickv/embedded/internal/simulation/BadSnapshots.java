package io.elastickv.embedded.internal.simulation;

import io.elastickv.embedded.internal.raft.GroupSnapshots;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.shard.StateCapture;
import io.elastickv.embedded.internal.storage.CheckpointFile;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.storage.CheckpointSource;
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
        /** The state is not held: what is written is as of the moment when it is written. */
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
        StateCapture held = mistake == Mistake.NOT_HELD ? null : replica.machine.beginCapture();
        return new Capture() {
            @Override
            public List<Snapshot> write() {
                try (StateCapture source = held == null ? replica.machine.beginCapture() : held) {
                    replica.directory.write(new Altered(source, index), term, configuration.encode());
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
                if (held != null) {
                    held.close();
                }
            }
        };
    }

    private final class Altered implements CheckpointSource {

        private final CheckpointSource source;
        private final long index;

        Altered(CheckpointSource source, long index) {
            this.source = source;
            this.index = index;
        }

        @Override
        public long index() {
            return index;
        }

        @Override
        public long epoch() {
            return source.epoch();
        }

        @Override
        public List<SlotSpan> slots() {
            return source.slots();
        }

        @Override
        public long logTimeMillis() {
            return source.logTimeMillis();
        }

        @Override
        public long keys() {
            return source.keys();
        }

        @Override
        public List<Part> parts() {
            if (mistake != Mistake.WITHOUT_SESSIONS) {
                return source.parts();
            }
            List<Part> parts = new ArrayList<>();
            for (Part part : source.parts()) {
                parts.add(part.kind() == CheckpointFile.Kind.SESSIONS ? emptied(part) : part);
            }
            return parts;
        }

        private Part emptied(Part part) {
            for (Part empty : replica.emptyMachine().beginCapture().parts()) {
                if (empty.kind() == CheckpointFile.Kind.SESSIONS) {
                    return empty;
                }
            }
            return part;
        }

        @Override
        public @Nullable String failure() {
            return source.failure();
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
