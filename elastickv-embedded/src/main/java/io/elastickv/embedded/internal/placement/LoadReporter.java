package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.shard.LoadMeter;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Makes a node's reports: once a second, by one caller at a time. */
public final class LoadReporter {

    /**
     * A replica of the node.
     *
     * @param shard its shard
     * @param term its term
     * @param leads whether it leads
     * @param caughtUp whether it has all but the newest of what it knows to be committed
     * @param entries how many entries it has
     * @param sizeBytes how much another replica would have to fetch
     * @param meter its meter
     */
    public record Metered(
            int shard, long term, boolean leads, boolean caughtUp, long entries, long sizeBytes, LoadMeter meter) {}

    private final String node;
    private final Supplier<List<Metered>> replicas;
    private final LongSupplier freeBytes;
    private final LongSupplier nanoClock;

    /**
     * For a node.
     *
     * @param node its name
     * @param replicas asked for each report
     * @param freeBytes how much the node's disk has room for; asked for each report
     * @param nanoClock the monotonic time
     */
    public LoadReporter(String node, Supplier<List<Metered>> replicas, LongSupplier freeBytes, LongSupplier nanoClock) {
        this.node = node;
        this.replicas = replicas;
        this.freeBytes = freeBytes;
        this.nanoClock = nanoClock;
    }

    /**
     * Ends a window of all meters and tells what they say.
     *
     * @param nowMillis the node's clock
     */
    public LoadReport report(long nowMillis) {
        long nowNanos = nanoClock.getAsLong();
        return new LoadReport(
                node,
                nowMillis,
                freeBytes.getAsLong(),
                replicas.get().stream()
                        .map(replica -> new LoadReport.Replica(
                                replica.shard(),
                                replica.term(),
                                replica.leads(),
                                replica.caughtUp(),
                                replica.entries(),
                                replica.sizeBytes(),
                                replica.meter().roll(nowNanos, replica.leads())))
                        .toList());
    }
}
