package io.elastickv.embedded.internal.storage;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A state held still for being written, beside the thread that goes on changing it. Used by one thread at a time. */
public interface CheckpointSource {

    /** The entries of the log up to here are in it. */
    long index();

    /** Of the shard's ownership. */
    long epoch();

    /** The slots that the shard owns. */
    List<SlotSpan> slots();

    /** The log's time. */
    long logTimeMillis();

    /** How many keys there are. */
    long keys();

    /** See {@link CheckpointManifest#versionOffset}. */
    default long versionOffset() {
        return 0;
    }

    /** See {@link CheckpointManifest#given}. */
    default @Nullable GivenSlots given() {
        return null;
    }

    /** What becomes a file each. */
    List<Part> parts();

    /** Why the state could not be held; null while it is. Any thread. */
    @Nullable
    String failure();

    /** What becomes one file. Either written to its end, or skipped. */
    interface Part {

        /** What it is. */
        CheckpointFile.Kind kind();

        /** Its slots; see {@link CheckpointFile#slots}. */
        SlotSpan slots();

        /** See {@link CheckpointFile#lastChange}. */
        long lastChange();

        /** See {@link CheckpointFile#keys}. */
        long keys();

        /**
         * Writes a piece of it, of bounded size.
         *
         * @return whether there is more
         * @throws CaptureFailedException if the state could not be held
         */
        boolean step(CheckpointOutput out) throws IOException;

        /** As {@link #step}, of a bucket and for whoever wants the entries themselves; an entry may come twice, equally. */
        default boolean stepEntries(EntrySink sink) throws IOException {
            throw new IllegalStateException("a part of kind " + kind() + " has no entries");
        }

        /** It need not be held any longer. */
        void release();
    }
}
