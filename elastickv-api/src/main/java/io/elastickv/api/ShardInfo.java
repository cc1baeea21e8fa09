package io.elastickv.api;

import java.util.List;
import java.util.Optional;

/**
 * A shard: a Raft group that owns ranges of slots.
 *
 * @param id its number
 * @param slots the slots it owns, ordered
 * @param epoch the version of its ownership and membership; grows with each change of either
 * @param replicas the names of the nodes that have a replica with a vote
 * @param leader the node that leads it, as far as known
 * @param term the Raft term in which the leader was last seen
 * @param state whether it serves
 */
public record ShardInfo(
        int id,
        List<SlotRange> slots,
        long epoch,
        List<String> replicas,
        Optional<String> leader,
        long term,
        State state) {

    /** Whether a shard serves. */
    public enum State {
        /** A leader is known. */
        SERVING,
        /** No leader is known: an election is running, or a majority is missing. */
        NO_LEADER,
        /** The replica on this node has failed and serves no more; see the log. */
        FAILED
    }

    /** Whether the shard owns {@code slot}. */
    public boolean owns(int slot) {
        for (SlotRange range : slots) {
            if (range.contains(slot)) {
                return true;
            }
        }
        return false;
    }
}
