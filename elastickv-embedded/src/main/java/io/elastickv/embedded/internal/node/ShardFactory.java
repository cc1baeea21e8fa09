package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.files.NodeFiles;
import io.elastickv.embedded.internal.raft.EventLoop;
import io.elastickv.embedded.internal.raft.GroupListener;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.log.LogBatch;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.shard.SplitHost;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.transport.ClusterChannel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes the replicas of a node, each with what its checkpoints and its log remember. Thread-safe. */
final class ShardFactory {

    private static final Logger LOG = LoggerFactory.getLogger(ShardFactory.class);

    /**
     * A replica to make.
     *
     * @param birth of its shard
     * @param memberId its id as a member of the group
     * @param initial the members before the first entry of its log; {@link Configuration#EMPTY} for one added later
     * @param handed its state as of the split that made it, if a parent here hands it over; passes to the replica
     */
    record Request(ShardBirth birth, String memberId, Configuration initial, SplitOffs.@Nullable Handed handed) {}

    private final NodeConfig config;
    private final NodeDirectory directory;
    private final NodeLog log;
    private final ClusterChannel channel;
    private final List<EventLoop> loops;
    private final GroupListener listener;
    private final NodeThreads threads;
    private final NodeCheckpoints checkpoints;
    private final SplitHost splitHost;
    private final LongAdder checkpointBytes = new LongAdder();
    private final LongAdder replayedEntries = new LongAdder();

    ShardFactory(
            NodeConfig config,
            NodeDirectory directory,
            NodeLog log,
            ClusterChannel channel,
            List<EventLoop> loops,
            GroupListener listener,
            NodeThreads threads,
            NodeCheckpoints checkpoints,
            SplitHost splitHost) {
        this.config = config;
        this.directory = directory;
        this.log = log;
        this.channel = channel;
        this.loops = loops;
        this.listener = listener;
        this.threads = threads;
        this.checkpoints = checkpoints;
        this.splitHost = splitHost;
    }

    /**
     * Makes the replicas, several at a time. Blocks for as long as it takes to read their states.
     *
     * @throws IllegalStateException if one of them cannot be made; then there is none
     */
    List<ShardHost> createAll(List<Request> requests) {
        if (requests.isEmpty()) {
            return List.of();
        }
        long start = System.nanoTime();
        int count = Math.min(requests.size(), Math.max(2, Runtime.getRuntime().availableProcessors()));
        AtomicInteger next = new AtomicInteger();
        ExecutorService pool = Executors.newFixedThreadPool(count, task -> {
            Thread thread = new Thread(task, "elastickv-" + config.name() + "-recovery-" + next.getAndIncrement());
            thread.setDaemon(true);
            return thread;
        });
        List<ShardHost> made = new ArrayList<>();
        try {
            List<CompletableFuture<ShardHost>> making = requests.stream()
                    .map(request -> CompletableFuture.supplyAsync(() -> create(request, requests.size()), pool))
                    .toList();
            CompletionException failure = null;
            for (CompletableFuture<ShardHost> one : making) {
                try {
                    made.add(one.join());
                } catch (CompletionException e) {
                    failure = failure == null ? e : failure;
                }
            }
            if (failure != null) {
                made.forEach(ShardHost::close);
                throw failure.getCause() instanceof RuntimeException cause
                        ? cause
                        : new IllegalStateException(failure.getCause());
            }
        } finally {
            pool.shutdown();
            awaitEnd(pool);
        }
        LOG.info(
                "node {}: recovered {} replicas in {} ms: {} MB of checkpoints, {} entries of the log after them",
                config.name(),
                made.size(),
                (System.nanoTime() - start) / 1_000_000,
                String.format("%.1f", checkpointBytes.sum() / 1e6),
                replayedEntries.sum());
        return made;
    }

    /**
     * Deletes what is left of the checkpoints of a replica that is not here any more.
     *
     * @throws UncheckedIOException if that does not work; the next start tries again
     */
    void deleteCheckpoints(int group) {
        try {
            CheckpointDirectory.open(NodeFiles.system(), directory.checkpoints(group), group)
                    .delete();
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "the checkpoints in " + directory.checkpoints(group) + " cannot be deleted", e);
        }
    }

    private static void awaitEnd(ExecutorService pool) {
        try {
            pool.awaitTermination(1, TimeUnit.SECONDS); // nothing is left to be done, the threads only have to go
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Makes a replica.
     *
     * @param replicasHere how many share the node's memory
     * @throws IllegalStateException if its state is lost, or cannot be read
     */
    ShardHost create(Request request, int replicasHere) {
        int group = request.birth().shard();
        SplitOffs.Handed handed = request.handed();
        ShardStateMachine machine = handed == null ? ShardHosts.stateMachine(config, request.birth()) : handed.child();
        machine.onSplit(splitHost);
        boolean made = false;
        try {
            if (handed != null) {
                // Before the child's log gets anything: a restart that finds the child then replays as far as its
                // split.
                log.submit(committed(handed));
            }
            CheckpointDirectory kept =
                    CheckpointDirectory.open(NodeFiles.system(), directory.checkpoints(group), group);
            ShardRecovery.Recovered recovered = ShardRecovery.recover(
                    group, request.memberId(), request.initial(), log, kept, machine, config.acceptMemoryLoss());
            checkpointBytes.add(recovered.checkpointBytes());
            replayedEntries.add(recovered.replayedEntries());
            ShardCheckpoints own = checkpoints.of(group, machine, kept);
            if (recovered.checkpointBytes() > 0) {
                own.hasSoundOne();
            }
            ShardHost host = ShardHosts.assemble(
                    config,
                    request,
                    replicasHere,
                    loops.get(group % loops.size()),
                    log,
                    channel,
                    listener,
                    threads.readers(),
                    machine,
                    own,
                    recovered);
            made = true;
            return host;
        } catch (IOException e) {
            throw new IllegalStateException(
                    "the checkpoints in " + directory.checkpoints(group) + " cannot be read: " + e.getMessage(), e);
        } finally {
            if (!made) {
                machine.close();
            }
        }
    }

    private static LogBatch committed(SplitOffs.Handed handed) {
        LogBatch batch = new LogBatch(new LogBatch.Completion() {
            @Override
            public void durable() {
                // The batches after it wait for it.
            }

            @Override
            public void failed(Throwable cause) {
                LOG.debug("the log was not told that a split is committed, nor will it be of anything else", cause);
            }
        });
        return batch.addCommit(handed.parent().shardId(), handed.child().appliedIndex());
    }

    /**
     * Whether there is a checkpoint of a replica, sound or not.
     *
     * @throws UncheckedIOException if its directory cannot be read
     */
    boolean hasCheckpoint(int group) {
        try {
            return !CheckpointDirectory.open(NodeFiles.system(), directory.checkpoints(group), group)
                    .manifests()
                    .isEmpty();
        } catch (IOException e) {
            throw new UncheckedIOException("the checkpoints in " + directory.checkpoints(group) + " cannot be read", e);
        }
    }
}
