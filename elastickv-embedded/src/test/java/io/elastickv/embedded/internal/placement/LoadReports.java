package io.elastickv.embedded.internal.placement;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.embedded.internal.shard.MeterReading;
import java.util.List;

/** Reports for tests. */
final class LoadReports {

    private LoadReports() {}

    static LoadReport report(String node, long wallMillis, LoadReport.Replica... replicas) {
        return new LoadReport(node, wallMillis, 1L << 40, List.of(replicas));
    }

    static LoadReport.Replica leader(int shard, MeterReading reading) {
        return new LoadReport.Replica(shard, 5, true, true, 1000, 100_000, reading);
    }

    static LoadReport.Replica follower(int shard, MeterReading reading) {
        return new LoadReport.Replica(shard, 5, false, true, 990, 90_000, reading);
    }

    /** Everything in one slot. */
    static MeterReading slot(int slot, double reads, double writes, MeterReading.Key... keys) {
        return new MeterReading(
                reads,
                writes,
                reads / 2,
                writes / 2,
                reads * 100,
                writes * 200,
                writes * 3_000,
                new int[] {slot},
                new double[] {reads},
                new double[] {writes},
                List.of(keys));
    }

    static MeterReading.Key key(int slot, String key, double share) {
        return new MeterReading.Key(slot, key.getBytes(UTF_8), share);
    }
}
