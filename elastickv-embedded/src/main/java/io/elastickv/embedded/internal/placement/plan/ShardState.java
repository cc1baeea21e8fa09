package io.elastickv.embedded.internal.placement.plan;

import io.elastickv.api.SlotRange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A shard, as the catalog has it.
 *
 * @param id its number
 * @param epoch the version of its ownership and membership; operations are fenced by it
 * @param slots what it owns, in ascending order
 * @param replicas its replicas
 * @param leader the node that leads it, null if none is known
 * @param preferredLeader the node that should lead it, null if that is all the same. A transfer of leadership makes its
 *     target the preferred one; after an election has put the leader elsewhere it is brought back
 * @param sizeBytes what a new replica has to fetch
 * @param relieved its keys that are being relieved
 * @param stamps when something last happened to it
 */
public record ShardState(
        int id,
        long epoch,
        List<SlotRange> slots,
        List<ReplicaState> replicas,
        @Nullable String leader,
        @Nullable String preferredLeader,
        long sizeBytes,
        List<RelievedKey> relieved,
        ShardStamps stamps) {

    /** Copies the lists. */
    public ShardState {
        slots = List.copyOf(slots);
        replicas = List.copyOf(replicas);
        relieved = List.copyOf(relieved);
    }

    /** How many slots it owns. */
    public int slotCount() {
        int count = 0;
        for (SlotRange range : slots) {
            count += range.size();
        }
        return count;
    }

    /** The replica on {@code node}, null if there is none. */
    public @Nullable ReplicaState replicaOn(String node) {
        for (ReplicaState replica : replicas) {
            if (replica.node().equals(node)) {
                return replica;
            }
        }
        return null;
    }
}
