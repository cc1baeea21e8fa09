package io.elastickv.embedded.internal.placement.plan;

import java.util.List;

/**
 * The load of a shard: exponentially weighted means of one-second windows, over some seconds unless something else is said.
 *
 * @param opsPerSecond operations, reads and writes
 * @param steadyOpsPerSecond the same over about half a minute: what is dear to correct is only done where both agree
 * @param bytesPerSecond bytes read and written
 * @param applyNanosPerSecond how long one replica applies, in nanoseconds per second
 * @param slots operations per second by slot, where known
 * @param hotKeys keys that stand out
 * @param coldSinceMillis since when the load has been below {@link PlanSettings.Merging#coldOpsPerSecond()} without a
 *     break, {@link #NOT_COLD} if it is not
 */
public record ShardLoad(
        double opsPerSecond,
        double steadyOpsPerSecond,
        double bytesPerSecond,
        double applyNanosPerSecond,
        SlotLoads slots,
        List<HotKey> hotKeys,
        long coldSinceMillis) {

    /** Of a shard that is not cold. */
    public static final long NOT_COLD = Long.MAX_VALUE;

    /** Of a shard without load of which nothing else is known. */
    public static final ShardLoad NONE = new ShardLoad(0, 0, 0, 0, SlotLoads.UNKNOWN, List.of(), NOT_COLD);

    /** Copies the list. */
    public ShardLoad {
        hotKeys = List.copyOf(hotKeys);
    }

    /** How much of the load is there to stay, in terms of the load; more than 1 if it is falling. */
    double steadiness() {
        return opsPerSecond > 0 ? steadyOpsPerSecond / opsPerSecond : 1;
    }

    /** Of operations alone. */
    public static ShardLoad ofOps(double opsPerSecond) {
        return new ShardLoad(opsPerSecond, opsPerSecond, 0, 0, SlotLoads.UNKNOWN, List.of(), NOT_COLD);
    }
}
