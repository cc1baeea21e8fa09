package io.elastickv.api;

import java.util.Objects;

/**
 * What a node that stores data has to do. Rates are exponentially weighted means over about three seconds.
 *
 * @param node its name
 * @param readsPerSecond reads that its replicas served
 * @param writesPerSecond writes that it took as a leader
 * @param bytesPerSecond bytes of keys and values that it read, or wrote as a leader
 * @param load what the planner weighs, in terms of the mean of all active nodes: 1.3 is 30 % above it; 0 if nothing has any
 *     load
 * @param leaders how many shards it leads
 * @param replicas how many replicas it has
 * @param storedBytes about how much data these have
 * @param freeBytes how much its disk has room for; {@link Long#MAX_VALUE} if unknown
 */
public record NodeLoadInfo(
        String node,
        double readsPerSecond,
        double writesPerSecond,
        double bytesPerSecond,
        double load,
        int leaders,
        int replicas,
        long storedBytes,
        long freeBytes) {

    /** Checks that nothing is missing. */
    public NodeLoadInfo {
        Objects.requireNonNull(node);
    }

    /** Reads and writes per second. */
    public double opsPerSecond() {
        return readsPerSecond + writesPerSecond;
    }
}
