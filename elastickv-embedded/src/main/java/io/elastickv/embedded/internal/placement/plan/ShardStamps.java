package io.elastickv.embedded.internal.placement.plan;

/**
 * When operations on a shard last ended, in the milliseconds of the planner's {@code now}; {@link #NEVER} for never.
 * Replicated with the catalog, so that a new leader of it does not start over.
 *
 * @param transferredMillis a transfer of its leadership
 * @param movedMillis a change of its replicas
 * @param splitMillis its split, or its birth in one
 * @param mergedMillis a merge into it
 * @param failedMillis an operation that was given up
 */
public record ShardStamps(
        long transferredMillis, long movedMillis, long splitMillis, long mergedMillis, long failedMillis) {

    /** Longer ago than any cooldown; far enough from the ends of long that differences do not overflow. */
    public static final long NEVER = Long.MIN_VALUE / 4;

    /** Of a shard to which nothing happened yet. */
    public static final ShardStamps NONE = new ShardStamps(NEVER, NEVER, NEVER, NEVER, NEVER);

    /** With a transfer that ended at {@code millis}. */
    public ShardStamps transferred(long millis) {
        return new ShardStamps(millis, movedMillis, splitMillis, mergedMillis, failedMillis);
    }

    /** With a move that ended at {@code millis}. */
    public ShardStamps moved(long millis) {
        return new ShardStamps(transferredMillis, millis, splitMillis, mergedMillis, failedMillis);
    }

    /** With a split that ended at {@code millis}. */
    public ShardStamps split(long millis) {
        return new ShardStamps(transferredMillis, movedMillis, millis, mergedMillis, failedMillis);
    }

    /** With a merge that ended at {@code millis}. */
    public ShardStamps merged(long millis) {
        return new ShardStamps(transferredMillis, movedMillis, splitMillis, millis, failedMillis);
    }

    /** With an operation that was given up at {@code millis}. */
    public ShardStamps failed(long millis) {
        return new ShardStamps(transferredMillis, movedMillis, splitMillis, mergedMillis, millis);
    }
}
