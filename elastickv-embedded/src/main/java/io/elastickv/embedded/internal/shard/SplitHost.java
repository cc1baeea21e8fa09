package io.elastickv.embedded.internal.shard;

import io.elastickv.embedded.internal.command.Command;

/**
 * Makes a replica of what a split took from a shard. What it has to do, in which order, and what becomes of a crash in
 * between, is in docs/adr/0013-splits-in-the-parents-log.md.
 */
@FunctionalInterface
public interface SplitHost {

    /** A host that knows of no splits: such an entry of the log is fatal for the replica. */
    SplitHost NONE = (parent, split, child) -> {
        child.close();
        throw new IllegalStateException(
                "shard " + split.newShard() + " was split off, and nothing here makes a replica of it");
    };

    /**
     * Takes over the state of a shard that was split off. Called on the thread that applies the parent's log, within the
     * apply of the split's entry, be it live or in a replay; must not block. An exception is fatal for the parent's replica.
     *
     * <p>The child's {@link ShardStateMachine#appliedIndex} is the index of the split in the parent's log: its own log
     * begins behind that, with the term {@link #FIRST_TERM}. So versions and session ids go on growing where the parent's
     * were. From the return of this call on, the child may be applied to by another thread that learns of it in an orderly
     * way; it is the host's, which closes it.
     *
     * <p>Once the child's state is safe without the parent's log - its first checkpoint is durable, or there is no replica of
     * it here, or not any more - the host says so to {@code parent} with {@link ShardStateMachine#childIsSafe}.
     *
     * @param parent has the left part only from now on
     * @param split what the log says: the new shard's id, epoch and members
     * @param child has the right part
     */
    void split(ShardStateMachine parent, Command.SplitShard split, ShardStateMachine child);

    /**
     * The shard gave slots away, or took some in. On the thread that applies, in a replay too; must neither block nor throw.
     */
    default void ownerChanged(ShardStateMachine shard) {}

    /** The term of the entry before the first one of the log of a shard that was split off. */
    long FIRST_TERM = 1;
}
