package io.elastickv.embedded.internal.routing;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All that is known of who owns what, slot by slot, from which the tables are made. Claims may come in any order, late or
 * more than once, and may tell of some of a shard's slots only: each slot has the owner of the largest epoch that any claim
 * for it had. That of an older epoch is of use as well: the shard that had the slot last is nearest to who has it now. Not
 * thread-safe.
 */
final class RouteBook {

    private final @Nullable ShardRoute[] owners = new ShardRoute[KeySlot.COUNT];
    private final long[] epochs = new long[KeySlot.COUNT];
    private final Map<Integer, ShardRoute> routes = new HashMap<>();

    /**
     * Takes claims.
     *
     * @return whether a slot has another owner than before
     */
    boolean learn(Collection<Claim> claims) {
        boolean changed = false;
        for (Claim claim : claims) {
            changed |= learn(claim);
        }
        if (changed) {
            tellRoutes();
        }
        return changed;
    }

    private boolean learn(Claim claim) {
        ShardRoute known = routes.get(claim.shard());
        ShardRoute route = known != null ? known : newRoute(claim);
        boolean changed = false;
        for (SlotRange range : claim.slots()) {
            for (int slot = range.first(); slot <= range.last(); slot++) {
                // Of equal epochs the first counts: there are none of different shards, and nothing must go to and fro.
                if (owners[slot] == null || epochs[slot] < claim.epoch()) {
                    changed |= owners[slot] != route;
                    owners[slot] = route;
                    epochs[slot] = claim.epoch();
                }
            }
        }
        if (known != null || changed) {
            routes.put(claim.shard(), route);
            route.ownershipEpoch(Math.max(route.ownershipEpoch(), claim.epoch()));
        }
        return changed;
    }

    private ShardRoute newRoute(Claim claim) {
        List<String> replicas = claim.replicas();
        if (replicas.isEmpty() && !claim.slots().isEmpty()) {
            ShardRoute before = owners[claim.slots().get(0).first()];
            replicas = before == null ? List.of() : before.replicas();
        }
        return new ShardRoute(claim.shard(), claim.epoch(), claim.slots(), replicas);
    }

    /** Each route has what it owns; those that own nothing any more are forgotten. */
    private void tellRoutes() {
        Map<ShardRoute, List<SlotRange>> owned = new HashMap<>();
        int first = 0;
        for (int slot = 1; slot <= KeySlot.COUNT; slot++) {
            ShardRoute owner = owners[first];
            if (slot < KeySlot.COUNT && owners[slot] == owner) {
                continue;
            }
            if (owner != null) {
                owned.computeIfAbsent(owner, o -> new ArrayList<>()).add(new SlotRange(first, slot - 1));
            }
            first = slot;
        }
        routes.values().removeIf(route -> {
            List<SlotRange> slots = owned.getOrDefault(route, List.of());
            route.slots(slots);
            return slots.isEmpty();
        });
    }

    /**
     * The table as of now.
     *
     * @throws IllegalArgumentException if a slot has no owner
     */
    RouteTable table() {
        return new RouteTable(owners.clone(), epochs);
    }
}
