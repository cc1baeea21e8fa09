package io.elastickv.embedded.internal.storage;

import java.util.List;

/**
 * What a checkpoint consists of. Once its manifest is durable, a checkpoint exists. Immutable; arrays must not be changed.
 *
 * @param group the id of the Raft group
 * @param index the entries of the log up to here are in it
 * @param term the term of the entry at {@code index}
 * @param configuration of the group at {@code index}, as the consensus encodes it
 * @param epoch of the shard's ownership
 * @param slots those that the shard owns, in order
 * @param logTimeMillis the log's time at {@code index}
 * @param keys how many keys there are
 * @param files in the order in which they are read; the position in this list is what "file" means to readers
 */
public record CheckpointManifest(
        int group,
        long index,
        long term,
        byte[] configuration,
        long epoch,
        List<SlotSpan> slots,
        long logTimeMillis,
        long keys,
        List<CheckpointFile> files) {

    /** Copies the lists. */
    public CheckpointManifest {
        slots = List.copyOf(slots);
        files = List.copyOf(files);
    }

    /** The bytes of all files together, without the manifest. */
    public long totalBytes() {
        long sum = 0;
        for (CheckpointFile file : files) {
            sum += file.length();
        }
        return sum;
    }

    /** As bytes, with version and checksum. */
    public byte[] encode() {
        throw new UnsupportedOperationException();
    }

    /**
     * From bytes.
     *
     * @throws MalformedCheckpointException if they are no manifest of a known version
     */
    public static CheckpointManifest decode(byte[] bytes) {
        throw new UnsupportedOperationException();
    }
}
