package io.elastickv.api;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Something that is or was done to the placement. Operations are persisted: one that has begun is brought to its end, or
 * undone, whichever nodes fail meanwhile.
 *
 * @param id its number; later operations have larger ones
 * @param kind what is done
 * @param shard the shard it concerns; empty if it concerns a whole node. Of a merge the left one
 * @param slots the slots that change hands: those of the new shard of a split, those of the right shard of a merge, that of
 *     a relieved key. Empty for the other kinds
 * @param what what exactly, for people, such as "replica of shard 12 from n1 to n4"
 * @param reason why, in words and figures
 * @param by the rule that asked for it, such as "SPLIT", or "operator"
 * @param note how far it is, or why it failed; may be empty
 * @param started when it began, by the clock of the node that began it
 * @param ended when it ended; empty while it is running
 * @param outcome how it ended
 */
public record OperationInfo(
        long id,
        Kind kind,
        OptionalInt shard,
        Optional<SlotRange> slots,
        String what,
        String reason,
        String by,
        String note,
        Instant started,
        Optional<Instant> ended,
        Outcome outcome) {

    /** What is done. */
    public enum Kind {
        /** A replica is added: it gets the data and then votes. */
        ADD_REPLICA,
        /** A replica is removed. */
        REMOVE_REPLICA,
        /** A replica moves from one node to another. */
        MOVE_REPLICA,
        /** The replica of a node that is not coming back is replaced by one on another node. */
        REPLACE_REPLICA,
        /** The leadership of a shard is handed over. */
        TRANSFER_LEADER,
        /** A new shard is made of some of the slots of another. */
        SPLIT_SHARD,
        /** Two shards with adjacent slots become one. */
        MERGE_SHARDS,
        /** A hot key's reads are spread over the replicas and its writes are limited. */
        RELIEVE_KEY,
        /** That ends. */
        END_RELIEF,
        /** A drained node is told that it may leave. */
        RELEASE_NODE
    }

    /** How an operation ended. */
    public enum Outcome {
        /** It has not ended. */
        RUNNING,
        /** It did what it was to do. */
        DONE,
        /** It was given up, and what it had done was taken back. */
        UNDONE,
        /** It was given up; what is left of it will be cleared away by others. {@link OperationInfo#note} says why. */
        FAILED
    }

    /**
     * Checks that it has an end exactly if it is not running.
     *
     * @throws IllegalArgumentException if not
     */
    public OperationInfo {
        Objects.requireNonNull(kind);
        Objects.requireNonNull(slots);
        if (ended.isEmpty() != (outcome == Outcome.RUNNING)) {
            throw new IllegalArgumentException("operation " + id + " is " + outcome + ", ended = " + ended);
        }
    }

    /** Whether it has not ended. */
    public boolean isRunning() {
        return outcome == Outcome.RUNNING;
    }

    /** How long it took, or has taken at {@code now}. */
    public Duration duration(Instant now) {
        return Duration.between(started, ended.orElse(now));
    }
}
