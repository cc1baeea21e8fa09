package io.elastickv.embedded.internal.placement;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import java.util.List;

/**
 * The group that agrees on the placement of all others: which nodes and shards there are and what is being done to them. It
 * is a group as those of the shards are, with a key space of its own, on some of the nodes.
 */
public final class Catalog {

    /** Its group's number, above those of all shards. */
    public static final int GROUP = 1 << 30;

    /** It has so many replicas, if there are as many nodes: it survives the loss of two. */
    public static final int REPLICAS = 5;

    private Catalog() {}

    /** How many replicas it should have where {@code nodes} nodes store data: an odd number, except for two nodes. */
    public static int replicas(int nodes) {
        return nodes >= REPLICAS ? REPLICAS : nodes == 4 ? 3 : nodes;
    }

    /** Where it was when the cluster was formed. */
    public static ShardPlacement placement(ClusterLayout layout) {
        List<Member> initial = layout.initialMembers();
        return new ShardPlacement(
                GROUP,
                1,
                List.of(new SlotRange(0, KeySlot.COUNT - 1)),
                initial.subList(0, replicas(initial.size())).stream()
                        .map(Member::name)
                        .toList());
    }
}
