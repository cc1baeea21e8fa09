package io.elastickv.embedded.internal.storage;

/**
 * One file of a checkpoint, as its manifest describes it.
 *
 * @param kind what is in it
 * @param number its name within the directory; each replica numbers its own files
 * @param length in bytes
 * @param crc32c of all its bytes
 * @param slots of a bucket: those that its entries may have; otherwise from the shard's first slot to its last
 * @param lastChange the index of the last entry of the log that changed the bucket; two files of a group with equal slots
 *     and last change have the same contents. Of other files: the checkpoint's index
 * @param keys how many keys are in it; 0 in other files than buckets
 * @param keyBytes about the sum of their lengths, for the sizes of maps
 * @param valueBytes likewise of the values; no value counts with more than 16 KiB
 */
public record CheckpointFile(
        Kind kind,
        long number,
        long length,
        int crc32c,
        SlotSpan slots,
        long lastChange,
        long keys,
        long keyBytes,
        long valueBytes) {

    /** What a file can hold. */
    public enum Kind {
        /** The entries of a bucket. */
        BUCKET(1, ".bucket"),
        /** What is remembered for retries. */
        SESSIONS(2, ".sessions");

        final int code;
        final String suffix;

        Kind(int code, String suffix) {
            this.code = code;
            this.suffix = suffix;
        }
    }

    /** The file's name in the directory. */
    public String name() {
        return name(kind, number);
    }

    static String name(Kind kind, long number) {
        return String.format("%016x", number) + kind.suffix;
    }

    CheckpointFile withNumber(long other) {
        return new CheckpointFile(kind, other, length, crc32c, slots, lastChange, keys, keyBytes, valueBytes);
    }
}
