package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.shard.MeterReading;
import java.util.List;

/**
 * What a node says each second of what its replicas have to do.
 *
 * @param node the node's name
 * @param wallMillis the node's clock when it was made
 * @param freeBytes how much its disk has room for; {@link Long#MAX_VALUE} if unknown
 * @param replicas its replicas
 */
public record LoadReport(String node, long wallMillis, long freeBytes, List<Replica> replicas) {

    /** Copies the list. */
    public LoadReport {
        replicas = List.copyOf(replicas);
    }

    /**
     * A replica.
     *
     * @param shard its shard
     * @param term its term; of two that say that they lead, the one with the larger term does
     * @param leads whether it leads
     * @param caughtUp whether it has all but the newest of what it knows to be committed
     * @param entries how many entries it has
     * @param sizeBytes how much another replica would have to fetch from it
     * @param reading its meter
     */
    public record Replica(
            int shard,
            long term,
            boolean leads,
            boolean caughtUp,
            long entries,
            long sizeBytes,
            MeterReading reading) {}
}
