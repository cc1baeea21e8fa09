package io.elastickv.embedded.internal.routing;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which shard owns which slot, as of one moment. Immutable, but for what its routes learn. */
public final class RouteTable {

    /** A run of slots and the shard that owns them, as of an epoch of its ownership. */
    record Run(int first, int last, ShardRoute owner, long epoch) {

        /** What others may be told. */
        Claim claim() {
            return new Claim(owner.id(), epoch, List.of(new SlotRange(first, last)), owner.replicas());
        }
    }

    private final ShardRoute[] bySlot;
    private final List<ShardRoute> shards;
    private final List<Run> runs = new ArrayList<>();
    private final Map<Integer, ShardRoute> byId = new HashMap<>();
    private final Map<ShardRoute, List<SlotRange>> slots = new HashMap<>();

    /**
     * A table of these shards with the slots that they own now.
     *
     * @throws IllegalArgumentException if a slot has no owner or two
     */
    public RouteTable(List<ShardRoute> shards) {
        this(ownersIn(shards), epochsIn(shards));
    }

    /**
     * A table of these owners, which pass to it.
     *
     * @throws IllegalArgumentException if a slot has none
     */
    @SuppressWarnings("NullAway") // once all are checked there is no null in the array
    RouteTable(@Nullable ShardRoute[] owners, long[] epochs) {
        int first = 0;
        for (int slot = 1; slot <= KeySlot.COUNT; slot++) {
            ShardRoute owner = owners[first];
            if (owner == null) {
                throw new IllegalArgumentException("slot " + first + " has no owner");
            }
            if (slot < KeySlot.COUNT && owners[slot] == owner && epochs[slot] == epochs[first]) {
                continue;
            }
            runs.add(new Run(first, slot - 1, owner, epochs[first]));
            byId.put(owner.id(), owner);
            addRange(slots.computeIfAbsent(owner, o -> new ArrayList<>()), first, slot - 1);
            first = slot;
        }
        this.bySlot = owners;
        this.shards = runs.stream().map(Run::owner).distinct().toList();
    }

    private static void addRange(List<SlotRange> ranges, int first, int last) {
        int end = ranges.size() - 1;
        if (end >= 0 && ranges.get(end).last() == first - 1) {
            ranges.set(end, new SlotRange(ranges.get(end).first(), last));
        } else {
            ranges.add(new SlotRange(first, last));
        }
    }

    private static @Nullable ShardRoute[] ownersIn(List<ShardRoute> shards) {
        @Nullable ShardRoute[] owners = new ShardRoute[KeySlot.COUNT];
        for (ShardRoute shard : shards) {
            for (SlotRange range : shard.slots()) {
                for (int slot = range.first(); slot <= range.last(); slot++) {
                    ShardRoute other = owners[slot];
                    if (other != null) {
                        throw new IllegalArgumentException(
                                "slot " + slot + " is owned by shard " + other.id() + " and by shard " + shard.id());
                    }
                    owners[slot] = shard;
                }
            }
        }
        return owners;
    }

    private static long[] epochsIn(List<ShardRoute> shards) {
        long[] epochs = new long[KeySlot.COUNT];
        for (ShardRoute shard : shards) {
            for (SlotRange range : shard.slots()) {
                Arrays.fill(epochs, range.first(), range.last() + 1, shard.ownershipEpoch());
            }
        }
        return epochs;
    }

    /** The owner of {@code slot}. */
    public ShardRoute ofSlot(int slot) {
        return bySlot[slot];
    }

    /** The shard of this number; null if there is none. */
    public @Nullable ShardRoute ofShard(int id) {
        return byId.get(id);
    }

    /** All shards, ordered by their first slot. */
    public List<ShardRoute> shards() {
        return shards;
    }

    /** What {@code shard} owns by this table, ordered: together with the others', every slot once. */
    public List<SlotRange> slotsOf(ShardRoute shard) {
        return slots.getOrDefault(shard, List.of());
    }

    /** The run that {@code slot} is in. */
    Run runOf(int slot) {
        int low = 0;
        int high = runs.size() - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (runs.get(middle).first <= slot) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return runs.get(low);
    }

    /** All slots in order, divided among their owners. */
    List<Run> runs() {
        return runs;
    }
}
