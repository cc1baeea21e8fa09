package io.elastickv.embedded.internal.placement.plan;

import java.util.Map;

/**
 * The loads of all shards.
 *
 * @param byShard by the shard's number; a shard that is missing has no load
 */
public record Loads(Map<Integer, ShardLoad> byShard) {

    /** Nothing has any load. */
    public static final Loads NONE = new Loads(Map.of());

    /** Copies the map. */
    public Loads {
        byShard = Map.copyOf(byShard);
    }

    /** The load of a shard. */
    public ShardLoad of(int shard) {
        return byShard.getOrDefault(shard, ShardLoad.NONE);
    }
}
