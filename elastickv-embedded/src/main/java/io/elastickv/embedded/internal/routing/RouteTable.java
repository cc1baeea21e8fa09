package io.elastickv.embedded.internal.routing;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which shard owns which slot. Immutable, but for the leaders that its routes learn. */
public final class RouteTable {

    private final ShardRoute[] bySlot = new ShardRoute[KeySlot.COUNT];
    private final List<ShardRoute> shards;
    private final Map<Integer, ShardRoute> byId = new HashMap<>();

    /**
     * A table of these shards.
     *
     * @throws IllegalArgumentException if a slot has no owner or two
     */
    public RouteTable(List<ShardRoute> shards) {
        this.shards = List.copyOf(shards);
        for (ShardRoute shard : shards) {
            byId.put(shard.id(), shard);
            for (SlotRange range : shard.slots()) {
                for (int slot = range.first(); slot <= range.last(); slot++) {
                    if (bySlot[slot] != null) {
                        throw new IllegalArgumentException("slot " + slot + " is owned by shard " + bySlot[slot].id()
                                + " and by shard " + shard.id());
                    }
                    bySlot[slot] = shard;
                }
            }
        }
        for (int slot = 0; slot < KeySlot.COUNT; slot++) {
            if (bySlot[slot] == null) {
                throw new IllegalArgumentException("slot " + slot + " has no owner");
            }
        }
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
}
