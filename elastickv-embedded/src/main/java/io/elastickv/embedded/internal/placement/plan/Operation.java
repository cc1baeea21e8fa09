package io.elastickv.embedded.internal.placement.plan;

import io.elastickv.api.Bytes;
import io.elastickv.api.SlotRange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Something to be done to the placement. Each may take several steps, can be resumed after any of them, does nothing if it
 * is done already, and is given up if the shard's epoch is not the one it was planned for.
 */
public sealed interface Operation {

    /** What concerns one shard. */
    sealed interface OfShard extends Operation {

        /** The shard's number. */
        int shard();

        /** The shard's epoch when this was planned. */
        long epoch();
    }

    /** Adds a replica: as a learner, that catches up, and then votes. Promotes a learner that is there already. */
    record AddReplica(int shard, long epoch, String node) implements OfShard {}

    /** Removes a replica, which is not the leader. */
    record RemoveReplica(int shard, long epoch, String node) implements OfShard {}

    /**
     * Adds a replica on {@code to} and, once it votes, removes the one on {@code from}. If that one leads then, it hands
     * over to {@code to} first.
     */
    record MoveReplica(int shard, long epoch, String from, String to) implements OfShard {}

    /** Adds a replica on {@code to} and, once it votes, removes the one on {@code dead}, which is not coming back. */
    record ReplaceDeadReplica(int shard, long epoch, String dead, String to) implements OfShard {}

    /** Hands the leadership over and makes {@code to} the preferred leader. */
    record TransferLeader(int shard, long epoch, String from, String to) implements OfShard {}

    /**
     * Makes a new shard of some of the slots, on the same nodes, by one entry of the log.
     *
     * @param childSlots what the new shard owns; the old one keeps the rest
     * @param childLeader the preferred leader of the new shard, to which it is handed over at once: a split alone relieves
     *     nothing. Null if there is no other replica that could lead it; then a move of a replica has to follow
     */
    record SplitShard(
            int shard,
            long epoch,
            List<SlotRange> childSlots,
            @Nullable String childLeader) implements OfShard {

        /** Copies the list. */
        public SplitShard {
            childSlots = List.copyOf(childSlots);
        }
    }

    /** Makes one shard of two with adjacent slots, the same replicas and the same leader; {@code right} ceases to be. */
    record MergeShards(int shard, long epoch, int right, long rightEpoch) implements OfShard {}

    /** Spreads the reads of a key over its shard's replicas and admits its writes by a token bucket. */
    record RelieveKey(int shard, long epoch, int slot, Bytes key) implements OfShard {}

    /** Ends that. */
    record EndRelief(int shard, long epoch, int slot, Bytes key) implements OfShard {}

    /** Tells a draining node that it has no replica any more and may leave. */
    record ReleaseNode(String node) implements Operation {}
}
