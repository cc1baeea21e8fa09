package io.elastickv.embedded.internal.placement;

import io.elastickv.api.SlotRange;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Deals with groups that are there and that the catalog does not know: one that owns nothing is the rest of a merge, as of a
 * node that was away when it was deleted, and goes; one that owns the end of a shard that agrees comes from a split that was
 * taken for undone, and becomes a shard. Of others nothing is certain, so they are left alone.
 */
final class Strays {

    private Strays() {}

    /** The groups that neither the catalog nor an operation of it knows, by number. */
    static Map<Integer, Members> find(Scene scene) {
        Map<Integer, Members> strays = new TreeMap<>(scene.members());
        Set<Integer> known = new HashSet<>(scene.catalog().shards().keySet());
        known.add(Catalog.GROUP);
        known.addAll(scene.catalog().graves().keySet());
        known.addAll(Kinds.busy(scene.catalog()));
        strays.keySet().removeAll(known);
        strays.keySet().removeIf(id -> id < 0 || id >= scene.catalog().nextShard());
        strays.values().removeIf(members -> members.replicas().isEmpty());
        return strays;
    }

    /** Deletes what nodes have kept of shards that are no more, once they answer. */
    static void bury(Scene scene, CatalogEdit edit) {
        Set<Integer> busy = Kinds.busy(scene.catalog());
        for (Grave grave : scene.catalog().graves().values()) {
            if (busy.contains(grave.shard())) {
                continue;
            }
            List<String> left = new ArrayList<>(grave.nodes());
            left.retainAll(scene.catalog().nodes().keySet());
            List<String> up = left.stream().filter(scene::isUp).toList();
            if (!up.isEmpty() && scene.actions().removeShard(grave.shard(), up).isDone()) {
                left.removeAll(up);
            }
            if (left.size() < grave.nodes().size()) {
                edit.put(new Grave(grave.shard(), left));
            }
        }
    }

    /** Deals with one; what was decided, null if nothing was. */
    static @Nullable String settle(int stray, Members members, Scene scene, CatalogEdit edit) {
        Ownership owned = scene.actions().ownership(stray);
        if (owned == null) {
            return null;
        }
        if (owned.slots().isEmpty() && owned.given() == null) {
            Answer answer = scene.actions().removeShard(stray, members.nodes());
            return answer.isDone() ? "shard " + stray + ", which owns nothing, is deleted" : null;
        }
        if (owned.slots().size() != 1) {
            return null;
        }
        SlotRange slots = owned.slots().get(0);
        for (CatalogShard parent : List.copyOf(scene.catalog().shards().values())) {
            if (parent.slots().contains(slots.first())
                    && parent.slots().last() == slots.last()
                    && parent.slots().first() < slots.first()
                    && owned.epoch() > parent.epoch()) {
                return adopt(stray, slots, owned.epoch(), parent, scene, edit);
            }
        }
        return null;
    }

    private static @Nullable String adopt(
            int stray, SlotRange slots, long epoch, CatalogShard parent, Scene scene, CatalogEdit edit) {
        Ownership left = scene.actions().ownership(parent.id());
        SlotRange kept = new SlotRange(parent.slots().first(), slots.first() - 1);
        if (left == null
                || !left.owns(kept)
                || left.given() != null
                || Kinds.busy(scene.catalog()).contains(parent.id())) {
            return null;
        }
        edit.put(parent.owning(kept, left.epoch()).with(parent.stamps().split(scene.now())));
        edit.put(new CatalogShard(
                stray,
                epoch,
                slots,
                parent.preferredLeader(),
                parent.stamps().split(scene.now()),
                parent.relieved().stream()
                        .filter(key -> slots.contains(key.slot()))
                        .toList()));
        return "shard " + stray + " with " + Words.slots(slots) + " was split off shard " + parent.id()
                + " by an operation that was given up";
    }
}
