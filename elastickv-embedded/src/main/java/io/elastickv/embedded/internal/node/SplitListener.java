package io.elastickv.embedded.internal.node;

import io.elastickv.api.SlotRange;
import java.util.List;

/**
 * Told when slots change hands, on every node with a replica of a shard that has to do with it: whoever brings operations to shards must know the new
 * owner before anybody is told that the old one is none.
 */
interface SplitListener {

    /** Nobody. */
    SplitListener NONE = (child, parent) -> {};

    /**
     * Who owns what.
     *
     * @param shard its number
     * @param epoch of its ownership: of two that claim a slot the one with the larger epoch is right
     * @param slots all that it has
     * @param replicas the nodes of its voters, the one that should lead it first
     */
    record Owner(int shard, long epoch, List<SlotRange> slots, List<String> replicas) {}

    /**
     * A shard was split. On the loop of the parent, within the apply of the split; must neither block nor throw.
     *
     * @param child what was split off; its replica here will take part in a moment
     * @param parent what is left
     */
    void onShardBorn(Owner child, Owner parent);

    /**
     * A shard took slots in, or gave some away and has others left. On its loop, within the apply of that; must neither block
     * nor throw.
     */
    default void onOwnerChanged(Owner owner) {}
}
