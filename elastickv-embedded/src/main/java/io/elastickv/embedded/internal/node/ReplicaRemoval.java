package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.log.GroupLog;
import io.elastickv.embedded.internal.raft.log.LogBatch;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes the data of replicas that are not here any more: what their logs have, then their checkpoints. That they are not
 * here is durable before; what a crash leaves undone the next start does. Thread-safe.
 */
final class ReplicaRemoval {

    private static final Logger LOG = LoggerFactory.getLogger(ReplicaRemoval.class);
    private static final long LOG_WAIT_SECONDS = 30;

    private final String self;
    private final NodeLog log;
    private final ShardFactory factory;
    private final Executor freeing;
    private final Set<Integer> beingRemoved = ConcurrentHashMap.newKeySet();

    /**
     * Makes it.
     *
     * @param freeing runs what may wait for readers
     */
    ReplicaRemoval(String self, NodeLog log, ShardFactory factory, Executor freeing) {
        this.self = self;
        this.log = log;
        this.factory = factory;
        this.freeing = freeing;
    }

    /** Whether the data of a replica of {@code shard} is still being deleted. */
    boolean isGoingOn(int shard) {
        return beingRemoved.contains(shard);
    }

    /**
     * Does what the last run may have left undone. Blocks for the disk.
     *
     * @param shards those whose replicas were removed and that have no other one
     */
    void finish(Collection<Integer> shards) {
        List<CompletableFuture<Boolean>> ends = new ArrayList<>();
        for (int shard : shards) {
            GroupLog group = log.group(shard);
            if (group.lastIndex() > 0 || !group.hardState().equals(HardState.INITIAL)) {
                LOG.info("node {}: the replica of shard {} was being removed at the end of the last run", self, shard);
                ends.add(end(shard));
            }
            factory.deleteCheckpoints(shard);
        }
        try {
            for (CompletableFuture<Boolean> end : ends) {
                end.get(LOG_WAIT_SECONDS, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the log was written", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("the log could not be written: " + e, e);
        }
    }

    /** Has the log forget the group, behind whatever this thread has had written of it. */
    private CompletableFuture<Boolean> end(int shard) {
        CompletableFuture<Boolean> end = new CompletableFuture<>();
        LogBatch batch = new LogBatch(new LogBatch.Completion() {
            @Override
            public void durable() {
                end.complete(true);
            }

            @Override
            public void failed(Throwable cause) {
                end.completeExceptionally(cause);
            }
        });
        batch.addRemoved(shard);
        log.submit(batch);
        return end;
    }

    /** A replica is going to be removed. */
    void begin(int shard) {
        beingRemoved.add(shard);
    }

    /** There was nothing of it but its name. */
    void nothingLeft(int shard) {
        beingRemoved.remove(shard);
    }

    /** Deletes all of it; on the loop of its group, which is closed. */
    void delete(int shard, ShardHost host) {
        // The batches of one loop are kept in order.
        CompletableFuture<Boolean> unused = end(shard).whenComplete((done, failure) -> {
            if (failure != null) {
                LOG.warn("node {}: shard {}: the log could not be told of the removal", self, shard, failure);
            }
            free(shard, host, failure == null);
        });
    }

    private void free(int shard, ShardHost host, boolean deleting) {
        try {
            freeing.execute(() -> {
                try {
                    host.close();
                    if (deleting) {
                        factory.deleteCheckpoints(shard);
                        beingRemoved.remove(shard);
                    }
                } catch (RuntimeException e) {
                    LOG.warn("node {}: data of shard {} is left until the next start", self, shard, e);
                }
            });
        } catch (RejectedExecutionException e) {
            LOG.debug("the node is closing; the next start deletes what is left", e);
            host.close();
        }
    }
}
