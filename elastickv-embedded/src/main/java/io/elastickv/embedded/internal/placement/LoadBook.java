package io.elastickv.embedded.internal.placement;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.placement.plan.Loads;
import io.elastickv.embedded.internal.placement.plan.PlanSettings;
import io.elastickv.embedded.internal.placement.plan.ShardLoad;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What all nodes say of their loads, put together. Kept where the driver is; a new one knows everything again as soon as each
 * node has reported once, but for how long shards have been cold. Whatever a silent node said last counts until it is
 * forgotten. Thread-safe. It reads no clock.
 */
public final class LoadBook {

    /** A node that missed so many reports in a row has something to do with its silence; what it said is not true any more. */
    public static final long SILENT_MILLIS = 5_000;

    private static final int VERSION = 1;
    private static final int MAX_REPORT_BYTES = 16 << 20;

    private record Heard(LoadReport report, long atMillis) {}

    private final PlanSettings.Costs costs;
    private final double coldOpsPerSecond;
    private final Map<String, Heard> byNode = new TreeMap<>();
    private final Map<Integer, Long> coldSince = new HashMap<>();
    /** The sums of what is in {@link #byNode}, until that changes. */
    private @Nullable SortedMap<Integer, ShardFigures> figures;

    /**
     * Without any report.
     *
     * @param costs what a load costs a node
     * @param coldOpsPerSecond below this a shard is cold
     */
    public LoadBook(PlanSettings.Costs costs, double coldOpsPerSecond) {
        this.costs = costs;
        this.coldOpsPerSecond = coldOpsPerSecond;
    }

    /** As the planner has it by default. */
    public LoadBook() {
        this(PlanSettings.DEFAULT.costs(), PlanSettings.DEFAULT.merging().coldOpsPerSecond());
    }

    /**
     * Takes a report. One that was overtaken by a later one of the same node is ignored.
     *
     * @param nowMillis by the clock that all other calls go by
     */
    public synchronized void heard(LoadReport report, long nowMillis) {
        Heard before = byNode.get(report.node());
        boolean overtaken = before != null
                && report.wallMillis() < before.report.wallMillis()
                && nowMillis - before.atMillis < SILENT_MILLIS; // otherwise its clock was set back
        if (!overtaken) {
            byNode.put(report.node(), new Heard(report, nowMillis));
            figures = null;
        }
    }

    /** Forgets everything, for example because the driver is somewhere else now. */
    public synchronized void clear() {
        byNode.clear();
        coldSince.clear();
        figures = null;
    }

    /** What the planner wants to know. */
    public synchronized Loads loads(long nowMillis) {
        Map<Integer, ShardLoad> loads = new HashMap<>();
        for (ShardFigures shard : shards(nowMillis).values()) {
            loads.put(
                    shard.shard(),
                    new ShardLoad(
                            shard.opsPerSecond(),
                            shard.steadyOpsPerSecond(),
                            shard.bytesPerSecond(),
                            shard.applyNanosPerSecond(),
                            shard.slots(),
                            shard.hotKeys(),
                            coldSince(shard, nowMillis)));
        }
        coldSince.keySet().retainAll(loads.keySet());
        return new Loads(loads);
    }

    private long coldSince(ShardFigures shard, long nowMillis) {
        if (shard.opsPerSecond() >= coldOpsPerSecond) {
            coldSince.remove(shard.shard());
            return ShardLoad.NOT_COLD;
        }
        return coldSince.computeIfAbsent(shard.shard(), unseen -> nowMillis);
    }

    /** How much a new replica of each shard would have to fetch. */
    public synchronized Map<Integer, Long> sizes(long nowMillis) {
        Map<Integer, Long> sizes = new HashMap<>();
        shards(nowMillis).values().forEach(shard -> sizes.put(shard.shard(), shard.sizeBytes()));
        return sizes;
    }

    /** The shards of which anything is known, by number. */
    public synchronized SortedMap<Integer, ShardFigures> shards(long nowMillis) {
        forgetSilent(nowMillis);
        SortedMap<Integer, ShardFigures> known = figures;
        if (known == null) {
            SortedMap<Integer, List<ShardFigures.Told>> told = new TreeMap<>();
            byNode.forEach((node, heard) -> heard.report
                    .replicas()
                    .forEach(replica -> told.computeIfAbsent(replica.shard(), unseen -> new ArrayList<>())
                            .add(new ShardFigures.Told(node, replica))));
            known = new TreeMap<>();
            for (Map.Entry<Integer, List<ShardFigures.Told>> shard : told.entrySet()) {
                known.put(shard.getKey(), ShardFigures.of(shard.getKey(), shard.getValue()));
            }
            figures = known;
        }
        return new TreeMap<>(known);
    }

    /** The nodes that report, by name. */
    public synchronized SortedMap<String, NodeFigures> nodes(long nowMillis) {
        forgetSilent(nowMillis);
        SortedMap<String, NodeFigures> nodes = new TreeMap<>();
        byNode.forEach((node, heard) -> nodes.put(node, NodeFigures.of(heard.report, costs, heard.atMillis)));
        return nodes;
    }

    /** Whether the replica of {@code shard} on {@code node} says that it has all but the newest; null if it says nothing. */
    public synchronized @Nullable Boolean caughtUp(String node, int shard, long nowMillis) {
        forgetSilent(nowMillis);
        Heard heard = byNode.get(node);
        if (heard != null) {
            for (LoadReport.Replica replica : heard.report.replicas()) {
                if (replica.shard() == shard) {
                    return replica.caughtUp();
                }
            }
        }
        return null;
    }

    /** The operations per second of each slot. */
    public synchronized double[] slotLoads(long nowMillis) {
        double[] loads = new double[KeySlot.COUNT];
        for (ShardFigures shard : shards(nowMillis).values()) {
            shard.slots().forEach((slot, load) -> {
                if (slot >= 0 && slot < loads.length) {
                    loads[slot] += load;
                }
            });
        }
        return loads;
    }

    private void forgetSilent(long nowMillis) {
        if (byNode.values().removeIf(heard -> nowMillis - heard.atMillis > SILENT_MILLIS)) {
            figures = null;
        }
    }

    // ---- for whoever asks from another node

    /** All reports as bytes, for {@link #decode} on another node. */
    public synchronized byte[] encode(long nowMillis) {
        forgetSilent(nowMillis);
        LoadReportCodec.Out out = new LoadReportCodec.Out();
        out.write(VERSION);
        out.varint(byNode.size());
        for (Heard heard : byNode.values()) {
            out.varint(Math.max(0, nowMillis - heard.atMillis));
            out.bytes(LoadReportCodec.encode(heard.report));
        }
        return out.toByteArray();
    }

    /**
     * A book with the reports that {@link #encode} gave, for figures, not for plans: it does not know since when shards are cold.
     *
     * @param nowMillis by the clock that calls of the new book go by
     * @throws IllegalArgumentException if it is damaged or of another version
     */
    public static LoadBook decode(byte[] bytes, long nowMillis) {
        LoadReportCodec.In in = new LoadReportCodec.In(ByteBuffer.wrap(bytes));
        int version = in.one();
        if (version != VERSION) {
            throw new IllegalArgumentException("loads of version " + version + ", this library reads " + VERSION);
        }
        LoadBook book = new LoadBook();
        int count = in.count(2);
        for (int i = 0; i < count; i++) {
            long age = in.varint();
            book.heard(LoadReportCodec.decode(in.bytes(MAX_REPORT_BYTES)), nowMillis - Math.min(age, SILENT_MILLIS));
        }
        in.expectEnd();
        return book;
    }
}
