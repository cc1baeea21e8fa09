package io.elastickv.embedded.internal.shard;

import java.util.List;

/**
 * What a {@link LoadMeter} says: means over about three seconds, unless something else is said. The arrays are whoever's it
 * was made for.
 *
 * @param readsPerSecond reads that this replica served
 * @param writesPerSecond writes that were applied
 * @param steadyReadsPerSecond reads, over about half a minute
 * @param steadyWritesPerSecond writes, over about half a minute
 * @param readBytesPerSecond bytes of keys and values that were read
 * @param writeBytesPerSecond bytes of commands that were applied
 * @param applyNanosPerSecond how long applying took, in nanoseconds per second
 * @param slots the slots with any load, ascending
 * @param slotReads reads per second of each of them
 * @param slotWrites writes per second of each of them
 * @param hotKeys the keys that stand out in hot slots
 */
public record MeterReading(
        double readsPerSecond,
        double writesPerSecond,
        double steadyReadsPerSecond,
        double steadyWritesPerSecond,
        double readBytesPerSecond,
        double writeBytesPerSecond,
        double applyNanosPerSecond,
        int[] slots,
        double[] slotReads,
        double[] slotWrites,
        List<Key> hotKeys) {

    /** Of nothing. */
    public static final MeterReading NONE =
            new MeterReading(0, 0, 0, 0, 0, 0, 0, new int[0], new double[0], new double[0], List.of());

    /**
     * A key that stands out.
     *
     * @param slot its slot
     * @param key the key; must not be changed
     * @param shareOfSlot which part of the slot's operations counted here it has at least
     */
    public record Key(int slot, byte[] key, double shareOfSlot) {}
}
