package io.elastickv.embedded.internal.node;

/**
 * When checkpoints are made. The work of writing the state is spread over at least as much work of writing the log, so
 * what it costs per write does not grow with the state; and the log that a restart replays stays in proportion to the
 * state.
 *
 * @param minimumBytes how many bytes of log a group writes at least before its next checkpoint
 * @param stateRatio how many times the size of its state
 * @param logLimitBytes when the node's log is larger than this, and than its groups need by the above, the groups that
 *     pin its oldest part are checkpointed no matter how little they wrote
 * @param retained how many checkpoints a group keeps; the log reaches back to the oldest of them
 */
public record CheckpointPolicy(long minimumBytes, double stateRatio, long logLimitBytes, int retained) {

    /** 16 MiB: about 100,000 small writes, replayed in some 0.2 s. */
    public static final long DEFAULT_MINIMUM_BYTES = 16L << 20;

    /** 512 MiB: read back in about a second. */
    public static final long DEFAULT_LOG_LIMIT_BYTES = 512L << 20;

    /** The defaults. */
    public static final CheckpointPolicy DEFAULT =
            new CheckpointPolicy(DEFAULT_MINIMUM_BYTES, 1.0, DEFAULT_LOG_LIMIT_BYTES, 2);

    public CheckpointPolicy {
        if (minimumBytes < 1 || logLimitBytes < 1) {
            throw new IllegalArgumentException(
                    "minimumBytes = " + minimumBytes + ", logLimitBytes = " + logLimitBytes + ": must be positive");
        }
        if (!(stateRatio >= 0) || retained < 2) {
            throw new IllegalArgumentException(
                    "stateRatio = " + stateRatio + ", retained = " + retained + ": must be at least 0, and at least 2");
        }
    }

    /** How many bytes of log make a checkpoint due for a group whose newest one has {@code stateBytes}. */
    long dueBytes(long stateBytes) {
        return Math.max(minimumBytes, (long) (stateRatio * stateBytes));
    }

    /**
     * How many times as long as the work a pause is while checkpoints are written: the less, the further behind they are,
     * and none if somebody waits for one or the log is too large. Three times is what writers hardly notice on busy
     * processors (docs/benchmarks.md).
     *
     * @param urgency the log written as a multiple of what makes a checkpoint due
     */
    static int pauses(double urgency) {
        return urgency < 2 ? 3 : urgency < 3 ? 1 : 0;
    }
}
