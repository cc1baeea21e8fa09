package io.elastickv.embedded.internal.storage;

/**
 * Sizes of a shard's storage. Capacities reserve address space, not memory: pages become resident as they are written.
 *
 * @param slotsPerBucket the slots of a bucket, a power of two; buckets begin at its multiples
 * @param initialEntries how many entries of average size the first map of a bucket holds before it becomes slower
 * @param growthFactor how many times larger each further map of a bucket is
 * @param maxInlineValueBytes longer values are kept in pieces of this size
 */
public record StorageOptions(int slotsPerBucket, int initialEntries, int growthFactor, int maxInlineValueBytes) {

    /** 256 slots per bucket: 64 buckets on a node, however many shards it has. See the package's description for figures. */
    public static final StorageOptions DEFAULTS = new StorageOptions(256, 16_384, 4, 16 * 1024);

    /** Checks the sizes. */
    public StorageOptions {
        if (slotsPerBucket < 1 || slotsPerBucket > 16384 || Integer.bitCount(slotsPerBucket) != 1) {
            throw new IllegalArgumentException("slotsPerBucket = " + slotsPerBucket + ": must be a power of two");
        }
        if (initialEntries < 1 || growthFactor < 2) {
            throw new IllegalArgumentException(
                    "initialEntries = " + initialEntries + ", growthFactor = " + growthFactor + ": too small");
        }
        if (maxInlineValueBytes < 64 || maxInlineValueBytes > 64 * 1024) {
            throw new IllegalArgumentException(
                    "maxInlineValueBytes = " + maxInlineValueBytes + ": must be within 64-65536");
        }
    }
}
