package io.elastickv.embedded.internal.placement;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.plan.RelievedKey;
import io.elastickv.embedded.internal.placement.plan.ShardStamps;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A shard, as the catalog has it. Where its replicas are, and who leads, is not here: its group says that.
 *
 * @param id its number, which no other shard ever has
 * @param epoch the version of its ownership: of two claims to a slot the one with the larger epoch is right
 * @param slots what it owns
 * @param preferredLeader the node that should lead it, null if that is all the same
 * @param stamps when something last happened to it
 * @param relieved its keys that are being relieved
 */
public record CatalogShard(
        int id,
        long epoch,
        SlotRange slots,
        @Nullable String preferredLeader,
        ShardStamps stamps,
        List<RelievedKey> relieved) {

    /** Copies the list. */
    public CatalogShard {
        relieved = List.copyOf(relieved);
    }

    /** With other slots in another epoch; keys in slots that it does not own any more are not its concern. */
    CatalogShard owning(SlotRange other, long otherEpoch) {
        List<RelievedKey> kept = new ArrayList<>(relieved);
        kept.removeIf(key -> !other.contains(key.slot()));
        return new CatalogShard(id, otherEpoch, other, preferredLeader, stamps, kept);
    }

    CatalogShard preferring(@Nullable String node) {
        return new CatalogShard(id, epoch, slots, node, stamps, relieved);
    }

    CatalogShard with(ShardStamps other) {
        return new CatalogShard(id, epoch, slots, preferredLeader, other, relieved);
    }

    CatalogShard relieving(RelievedKey key) {
        if (relieved.contains(key)) {
            return this;
        }
        List<RelievedKey> more = new ArrayList<>(relieved);
        more.add(key);
        return new CatalogShard(id, epoch, slots, preferredLeader, stamps, more);
    }

    CatalogShard notRelieving(RelievedKey key) {
        List<RelievedKey> fewer = new ArrayList<>(relieved);
        fewer.remove(key);
        return new CatalogShard(id, epoch, slots, preferredLeader, stamps, fewer);
    }
}
