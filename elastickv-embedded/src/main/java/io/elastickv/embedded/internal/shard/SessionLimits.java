package io.elastickv.embedded.internal.shard;

/**
 * How much a shard remembers for retries. Part of the state machine: equal on all replicas of a shard at all times.
 *
 * @param maxSessions beyond, the one used longest ago is closed
 * @param idleMillis a session not used for so long, by the log's time, is closed
 * @param maxResultsPerSession the span of sequences kept; beyond, the oldest results are forgotten
 * @param maxPayloadBytes of all sessions together: what results carry of previous values; beyond, the oldest such results
 *     are forgotten, one at least is kept
 */
public record SessionLimits(int maxSessions, long idleMillis, int maxResultsPerSession, long maxPayloadBytes) {

    /** 10,000 sessions, one hour, 262,144 results (over half a minute of a busy node), 64 MiB. */
    public static final SessionLimits DEFAULTS = new SessionLimits(10_000, 3_600_000, 1 << 18, 64L << 20);

    /** Checks the limits. */
    public SessionLimits {
        if (maxSessions < 1 || idleMillis < 1 || maxResultsPerSession < 1 || maxPayloadBytes < 0) {
            throw new IllegalArgumentException("session limits: " + maxSessions + " sessions, " + idleMillis + " ms, "
                    + maxResultsPerSession + " results, " + maxPayloadBytes + " bytes");
        }
    }
}
