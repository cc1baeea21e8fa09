package io.elastickv.embedded.internal.placement;

import io.elastickv.api.SlotRange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What can be done to the cluster. Each is done again without harm, by this or another node, and blocks for at most about a
 * second; what has begun then goes on and is asked for again. What was not answered happens within {@link
 * DriverSettings#settleMillis()} or not at all. Thread-safe.
 */
public interface Actions {

    /** Adds a replica: as a learner that catches up and then votes. Done once it votes. */
    Answer addReplica(int shard, String node);

    /** Removes a replica, voter or learner. Done once there is none on the node. */
    Answer removeReplica(int shard, String node);

    /** Hands the leadership over. Done once the node leads. */
    Answer transfer(int shard, String node);

    /**
     * Splits a shard by an entry of its log: the slots from {@code firstSlot} on go to a new shard on the same nodes.
     *
     * @param expectedEpoch the parent's epoch, or the entry does nothing
     * @param epoch the parent's epoch afterwards
     */
    Answer split(int parent, long expectedEpoch, long epoch, int firstSlot, int child, long childEpoch);

    /** What a shard owns, after all that was done to it before the call; null if it does not answer. */
    @Nullable
    Ownership ownership(int shard);

    /** How many of a shard's slots from {@code first} on are given away at a time. */
    Measure measure(int shard, int first);

    /**
     * The answer to {@link #measure}.
     *
     * @param answer done if it is known
     * @param last the last slot of the piece
     */
    record Measure(Answer answer, int last) {}

    /**
     * Makes a shard give away a piece of its slots. It keeps their data, and serves them no more.
     *
     * @param expectedEpoch its epoch, or nothing happens
     * @param epoch its epoch afterwards
     */
    Answer give(int shard, long expectedEpoch, long epoch, SlotRange piece, int to);

    /** Takes in the piece that {@code from} gave away in {@code epoch}, which is the epoch of {@code shard} afterwards. */
    Answer absorb(int shard, int from, long epoch, SlotRange piece);

    /** Deletes the data of the piece that was given away in {@code epoch}. */
    Answer drop(int shard, long epoch);

    /** Deletes the replicas of a shard that owns nothing any more, on these nodes, for good. */
    Answer removeShard(int shard, List<String> nodes);
}
