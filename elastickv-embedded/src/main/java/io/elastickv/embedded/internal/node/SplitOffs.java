package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.shard.SplitHost;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the splits of this node's shards hand over, until it is a replica of its own, and until that one's state is safe
 * without the parent's log. Thread-safe; the order of things is in ADR 0013.
 */
final class SplitOffs implements SplitHost, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(SplitOffs.class);

    /**
     * What a split handed over.
     *
     * @param parent whose log has the split
     * @param birth of the child
     * @param child its state as of the split; whoever takes it closes it
     */
    record Handed(ShardStateMachine parent, ShardBirth birth, ShardStateMachine child) {

        /** The number of the shard that was split off. */
        int shard() {
            return birth.shard();
        }

        /** It is safe, or there will be no replica of it here. */
        void settle() {
            parent.childIsSafe(shard());
        }

        /** There will be no replica of it here that needs this state. */
        void drop() {
            child.close();
        }
    }

    private final Map<Integer, Handed> waiting = new ConcurrentHashMap<>();
    /** Those with a replica here of which no checkpoint is durable yet. */
    private final Map<Integer, Handed> unsafe = new ConcurrentHashMap<>();

    private volatile @Nullable Executor live;
    private volatile IntConsumer taker = shard -> {};
    private volatile SplitListener listener = SplitListener.NONE;
    private volatile boolean closed;

    /** Who is told of splits that happen from now on; those of a replay are over. */
    void onSplit(SplitListener told) {
        listener = told;
    }

    /** The replicas are recovered: from now on each split calls {@code by} soon, by way of {@code executor}. */
    void live(Executor executor, IntConsumer by) {
        taker = by;
        live = executor;
    }

    @Override
    public void split(ShardStateMachine parent, Command.SplitShard split, ShardStateMachine child) {
        ShardBirth birth =
                ShardBirth.of(parent.shardId(), split, child.ownership().slots());
        waiting.put(birth.shard(), new Handed(parent, birth, child));
        Executor executor = live;
        if (executor == null) {
            return; // whoever recovers looks for it
        }
        ShardStateMachine.Ownership left = parent.ownership();
        listener.onShardBorn(
                new SplitListener.Owner(birth.shard(), birth.epoch(), birth.slots(), birth.nodes()),
                new SplitListener.Owner(
                        parent.shardId(), left.epoch(), left.slots().ranges(), birth.nodes()));
        try {
            executor.execute(() -> taker.accept(birth.shard()));
        } catch (RejectedExecutionException e) {
            LOG.debug("the node is closing; the next start finds the split in the log", e);
        }
    }

    @Override
    public void ownerChanged(ShardStateMachine shard) {
        ShardStateMachine.Ownership now = shard.ownership();
        if (live != null && !now.slots().isEmpty()) {
            // Where its replicas are is not known here, and has not changed.
            listener.onOwnerChanged(new SplitListener.Owner(
                    shard.shardId(), now.epoch(), now.slots().ranges(), List.of()));
        }
    }

    /** Those handed over that nobody has taken. */
    Iterable<Handed> waiting() {
        return waiting.values();
    }

    /** Whether {@code shard} was handed over and nobody has taken it. */
    boolean isWaiting(int shard) {
        return waiting.containsKey(shard);
    }

    /** Takes what was handed over; null if nothing was. */
    @Nullable
    Handed take(int shard) {
        return waiting.remove(shard);
    }

    /** There is a replica of it here; its state is not safe before it has a checkpoint. */
    void hasReplica(Handed handed) {
        unsafe.put(handed.shard(), handed);
    }

    /** Those with a replica here and without a checkpoint, as far as known. */
    Iterable<Handed> unsafe() {
        return unsafe.values();
    }

    /** The state of {@code shard} is safe without its parent's log, or not needed here any more. */
    void safe(int shard) {
        Handed handed = unsafe.remove(shard);
        if (handed != null) {
            handed.settle();
        }
    }

    /** Frees what nobody has taken; the next start has it again. After the loops have ended. Idempotent. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (int shard : waiting.keySet()) {
            Handed handed = take(shard);
            if (handed != null) {
                try {
                    handed.drop();
                } catch (RuntimeException e) {
                    LOG.warn("shard {}: its storage did not close", shard, e);
                }
            }
        }
    }
}
