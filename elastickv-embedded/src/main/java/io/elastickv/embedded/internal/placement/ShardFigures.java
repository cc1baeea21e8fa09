package io.elastickv.embedded.internal.placement;

import io.elastickv.api.Bytes;
import io.elastickv.embedded.internal.placement.plan.HotKey;
import io.elastickv.embedded.internal.placement.plan.SlotLoads;
import io.elastickv.embedded.internal.shard.MeterReading;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the reports of all its replicas say of a shard: reads are the sum of what each served; writes, which all of them
 * applied, are the leader's.
 *
 * @param shard its number
 * @param leader the node that leads it, null if none says so
 * @param readsPerSecond reads
 * @param writesPerSecond writes
 * @param steadyOpsPerSecond both, over about half a minute
 * @param bytesPerSecond bytes read and written
 * @param applyNanosPerSecond how long one replica applies
 * @param entries how many entries it has
 * @param sizeBytes how much a new replica has to fetch
 * @param slots operations per second by slot
 * @param hotKeys the keys that stand out, the hottest first
 */
public record ShardFigures(
        int shard,
        @Nullable String leader,
        double readsPerSecond,
        double writesPerSecond,
        double steadyOpsPerSecond,
        double bytesPerSecond,
        double applyNanosPerSecond,
        long entries,
        long sizeBytes,
        SlotLoads slots,
        List<HotKey> hotKeys) {

    /** Reads and writes. */
    public double opsPerSecond() {
        return readsPerSecond + writesPerSecond;
    }

    /** A replica and where it is. */
    record Told(String node, LoadReport.Replica replica) {}

    private record KeyOfSlot(int slot, Bytes key) {}

    /** Of what was told of one shard's replicas, at least one. */
    static ShardFigures of(int shard, List<Told> told) {
        Told first = told.stream()
                .max(Comparator.comparing((Told each) -> each.replica().leads())
                        .thenComparing(each -> each.replica().term())
                        .thenComparing(each -> each.replica().reading().writesPerSecond())
                        .thenComparing(Told::node))
                .orElseThrow();
        LoadReport.Replica leader = first.replica();
        double reads = 0;
        double steady = leader.reading().steadyWritesPerSecond();
        double bytes = leader.reading().writeBytesPerSecond();
        SortedMap<Integer, Double> slots = new TreeMap<>();
        Map<KeyOfSlot, Double> keys = new HashMap<>();
        for (Told each : told) {
            MeterReading reading = each.replica().reading();
            boolean isLeader = each.node().equals(first.node());
            reads += reading.readsPerSecond();
            steady += reading.steadyReadsPerSecond();
            bytes += reading.readBytesPerSecond();
            Map<Integer, Double> here = new HashMap<>();
            for (int i = 0; i < reading.slots().length; i++) {
                double ops = reading.slotReads()[i] + (isLeader ? reading.slotWrites()[i] : 0);
                if (ops > 0) {
                    slots.merge(reading.slots()[i], ops, Double::sum);
                    here.put(reading.slots()[i], ops);
                }
            }
            for (MeterReading.Key key : reading.hotKeys()) {
                double ops = key.shareOfSlot() * here.getOrDefault(key.slot(), 0.0);
                keys.merge(new KeyOfSlot(key.slot(), Bytes.copyOf(key.key())), ops, Double::sum);
            }
        }
        return new ShardFigures(
                shard,
                leader.leads() ? first.node() : null,
                reads,
                leader.reading().writesPerSecond(),
                steady,
                bytes,
                leader.reading().applyNanosPerSecond(),
                leader.entries(),
                leader.sizeBytes(),
                slotLoads(slots),
                hotKeys(keys, slots));
    }

    private static SlotLoads slotLoads(SortedMap<Integer, Double> slots) {
        int[] numbers = new int[slots.size()];
        double[] loads = new double[slots.size()];
        int at = 0;
        for (Map.Entry<Integer, Double> slot : slots.entrySet()) {
            numbers[at] = slot.getKey();
            loads[at++] = slot.getValue();
        }
        return SlotLoads.of(numbers, loads);
    }

    private static List<HotKey> hotKeys(Map<KeyOfSlot, Double> keys, Map<Integer, Double> slots) {
        List<Map.Entry<KeyOfSlot, Double>> ordered = new ArrayList<>(keys.entrySet());
        ordered.removeIf(each -> each.getValue() <= 0);
        ordered.sort(Map.Entry.<KeyOfSlot, Double>comparingByValue()
                .reversed()
                .thenComparing(each -> each.getKey().slot()));
        return ordered.stream()
                .map(each -> new HotKey(
                        each.getKey().slot(),
                        each.getKey().key(),
                        Math.min(
                                1,
                                each.getValue()
                                        / slots.getOrDefault(each.getKey().slot(), 1.0))))
                .toList();
    }
}
