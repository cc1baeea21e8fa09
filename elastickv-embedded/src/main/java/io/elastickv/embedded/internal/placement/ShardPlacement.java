package io.elastickv.embedded.internal.placement;

import io.elastickv.api.SlotRange;
import java.util.List;

/**
 * Where a shard lives.
 *
 * @param id its number
 * @param epoch the version of its ownership and membership
 * @param slots what it owns
 * @param replicas the names of the nodes with a replica; the first is the preferred leader
 */
public record ShardPlacement(int id, long epoch, List<SlotRange> slots, List<String> replicas) {

    /** The node that should lead, so that leaders are spread evenly. */
    public String preferredLeader() {
        return replicas.get(0);
    }
}
