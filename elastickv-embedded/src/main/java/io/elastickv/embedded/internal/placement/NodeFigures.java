package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.PlanSettings;
import io.elastickv.embedded.internal.shard.MeterReading;

/**
 * What a node says of itself.
 *
 * @param node its name
 * @param readsPerSecond reads that its replicas served
 * @param writesPerSecond writes of the shards that it leads
 * @param bytesPerSecond bytes read, and written by the shards that it leads
 * @param cost what all that costs it, in nanoseconds of a core per second, applying included
 * @param leaders how many shards it leads
 * @param replicas how many replicas it has
 * @param storedBytes about how much these have
 * @param freeBytes how much its disk has room for; {@link Long#MAX_VALUE} if unknown
 * @param heardMillis when it was last heard
 */
public record NodeFigures(
        String node,
        double readsPerSecond,
        double writesPerSecond,
        double bytesPerSecond,
        double cost,
        int leaders,
        int replicas,
        long storedBytes,
        long freeBytes,
        long heardMillis) {

    static NodeFigures of(LoadReport report, PlanSettings.Costs costs, long heardMillis) {
        double reads = 0;
        double writes = 0;
        double bytes = 0;
        double applying = 0;
        int leaders = 0;
        long stored = 0;
        for (LoadReport.Replica replica : report.replicas()) {
            MeterReading reading = replica.reading();
            reads += reading.readsPerSecond();
            bytes += reading.readBytesPerSecond();
            applying += reading.applyNanosPerSecond();
            stored += replica.sizeBytes();
            if (replica.leads()) {
                leaders++;
                writes += reading.writesPerSecond();
                bytes += reading.writeBytesPerSecond();
            }
        }
        double cost =
                (reads + writes) * costs.nanosPerOp() + bytes * costs.nanosPerByte() + applying * costs.applyFactor();
        return new NodeFigures(
                report.node(),
                reads,
                writes,
                bytes,
                cost,
                leaders,
                report.replicas().size(),
                stored,
                report.freeBytes(),
                heardMillis);
    }
}
