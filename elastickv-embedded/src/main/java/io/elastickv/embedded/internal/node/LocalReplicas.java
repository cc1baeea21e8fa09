package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.ReplicaKey;
import io.elastickv.embedded.internal.placement.ShardPlacement;
import io.elastickv.embedded.internal.raft.MemberId;
import io.elastickv.embedded.internal.raft.ReplicaGroup;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.core.Role;
import io.elastickv.embedded.internal.raft.log.GroupLog;
import io.elastickv.embedded.internal.raft.log.LogBatch;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import io.elastickv.embedded.internal.routing.Router;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The replicas on this node: those that its directory holds are opened at the start, others are made when a shard's leader
 * asks for it, and one that is no member of its group any more is removed with all its data.
 *
 * <p>The directory's file says what there is: it is written before a replica is made, and before the data of a removed one
 * is deleted, which is finished at the next start if need be. So a replica never starts anew under an identity that may have
 * promised something.
 *
 * <p>Changing methods block for the disk; they are called on the node's control thread, or before it runs.
 */
final class LocalReplicas {

    private static final Logger LOG = LoggerFactory.getLogger(LocalReplicas.class);
    private static final long LOG_WAIT_SECONDS = 30;

    /** Shows a replica to those who use JGroups-raft; what it gives ends that. */
    interface Face {
        AutoCloseable open(ShardHost host);
    }

    private final String self;
    private final NodeDirectory directory;
    private final NodeLog log;
    private final Map<Integer, ShardHost> hosts;
    private final ShardMembers members;
    private final Router router;
    private final ShardFactory factory;
    private final Face face;
    private final Executor freeing;
    private final Supplier<List<String>> reachable;

    private final Map<Integer, ShardPlacement> placements = new HashMap<>();
    private final Map<Integer, AutoCloseable> faces = new ConcurrentHashMap<>();
    private final Set<Integer> beingRemoved = ConcurrentHashMap.newKeySet();
    private final Set<Integer> serving = ConcurrentHashMap.newKeySet();
    private @Nullable ClusterLayout layout;
    private volatile @Nullable HeldReplicas held;

    /**
     * Nothing is open yet.
     *
     * @param hosts the open replicas by shard; changed here only
     * @param freeing runs what may wait for readers
     * @param reachable the other nodes that are reachable now
     */
    LocalReplicas(
            String self,
            NodeDirectory directory,
            NodeLog log,
            Map<Integer, ShardHost> hosts,
            ShardMembers members,
            Router router,
            ShardFactory factory,
            Face face,
            Executor freeing,
            Supplier<List<String>> reachable) {
        this.self = self;
        this.directory = directory;
        this.log = log;
        this.hosts = hosts;
        this.members = members;
        this.router = router;
        this.factory = factory;
        this.face = face;
        this.freeing = freeing;
        this.reachable = reachable;
    }

    /**
     * Makes the parts of the replicas that the directory holds; they do not take part yet. A directory that is new in the
     * cluster gets what the layout says, durably; then the caller keeps the layout. Blocks for as long as it takes to read
     * their states.
     *
     * @param known whether the directory had the layout already, so has been part of the cluster before
     * @throws IllegalStateException if the directory's files contradict each other, or a replica cannot be made
     */
    synchronized List<ShardHost> recover(ClusterLayout formed, boolean known) {
        layout = formed;
        formed.groups().forEach(placement -> placements.put(placement.id(), placement));
        HeldReplicas replicas = directory.replicas(formed);
        if (replicas == null) {
            if (known) {
                throw new IllegalStateException("dataDirectory = " + directory.path() + ": file '" + HeldReplicas.FILE
                        + "' is missing; restore it, or give the node an empty directory: it then comes back as a new"
                        + " member");
            }
            replicas = HeldReplicas.atTheStart(formed, self, directory.nodeId());
            directory.saveReplicas(replicas);
        }
        held = replicas;
        finishRemovals(replicas);
        List<ShardFactory.Request> requests = new ArrayList<>();
        replicas.held().forEach((shard, key) -> requests.add(request(shard, key)));
        return factory.createAll(requests);
    }

    private void finishRemovals(HeldReplicas replicas) {
        List<CompletableFuture<Boolean>> ends = new ArrayList<>();
        for (int shard : replicas.removed().keySet()) {
            if (replicas.key(shard) != null) {
                continue;
            }
            GroupLog group = log.group(shard);
            if (group.lastIndex() > 0 || !group.hardState().equals(HardState.INITIAL)) {
                LOG.info("node {}: the replica of shard {} was being removed at the end of the last run", self, shard);
                CompletableFuture<Boolean> end = new CompletableFuture<>();
                log.submit(removal(shard, end));
                ends.add(end);
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

    private static LogBatch removal(int shard, CompletableFuture<Boolean> end) {
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
        return batch;
    }

    private ShardFactory.Request request(int shard, ReplicaKey key) {
        ShardPlacement placement = placements.get(shard);
        ClusterLayout formed = layout;
        if (placement == null || formed == null) {
            throw new IllegalStateException("shard " + shard + ": not in the layout, but a replica of it is here");
        }
        Configuration initial = key.isInitial() ? ShardMembers.initial(formed, placement) : Configuration.EMPTY;
        return new ShardFactory.Request(placement, MemberId.of(self, key.text()), initial);
    }

    /**
     * Lets a replica take part.
     *
     * @param first what its group does on its loop right after its start
     */
    void start(ShardHost host, Consumer<ReplicaGroup> first) {
        int shard = host.group().groupId();
        hosts.put(shard, host);
        faces.put(shard, face.open(host));
        host.loop().execute(() -> {
            host.group().start();
            first.accept(host.group());
            reachable.get().forEach(node -> host.group().peerReachable(node, true));
        });
        refresh(shard);
    }

    /**
     * Lets the replica of {@code shard} serve this node's callers while it is one of the voters: one that does not have
     * everything yet, or that is no member any more, would only delay them. Any thread.
     */
    void refresh(int shard) {
        ShardHost host = hosts.get(shard);
        if (host == null) {
            return;
        }
        onLoop(host, () -> {
            Configuration committed = members.of(shard);
            boolean serves = committed != null && committed.isVoter(host.member()) && hosts.get(shard) == host;
            if (serves && serving.add(shard)) {
                router.localAdded(shard, host.endpoint());
            } else if (!serves && serving.remove(shard)) {
                router.localGone(shard);
            }
        });
    }

    /** The key of the replica of {@code shard} here; null if there is none. */
    @Nullable
    ReplicaKey key(int shard) {
        HeldReplicas replicas = held;
        return replicas == null ? null : replicas.key(shard);
    }

    /**
     * Makes a replica of {@code shard} for its leader, to become a learner under {@code key}.
     *
     * @return the key of the replica that is here: another one if there was one already
     * @throws IllegalArgumentException if that cannot be now, with the reason
     */
    synchronized ReplicaKey create(int shard, ReplicaKey key) {
        HeldReplicas replicas = held;
        if (replicas == null || !placements.containsKey(shard)) {
            throw new IllegalArgumentException("there is no shard " + shard);
        }
        ReplicaKey present = replicas.key(shard);
        if (present != null) {
            return present;
        }
        if (beingRemoved.contains(shard)) {
            throw new IllegalArgumentException("its former replica of shard " + shard + " is still being removed");
        }
        if (replicas.wasRemoved(shard, key)) {
            throw new IllegalArgumentException("replica " + key.text() + " of shard " + shard + " was removed before");
        }
        HeldReplicas more = replicas.with(shard, key);
        directory.saveReplicas(more);
        held = more;
        ShardHost host;
        try {
            host = factory.create(request(shard, key), Math.max(1, hosts.size()));
        } catch (RuntimeException e) {
            // It has promised nothing yet, so the key may be tried again.
            directory.saveReplicas(replicas);
            held = replicas;
            throw e;
        }
        start(host, group -> {});
        LOG.info("node {}: a replica of shard {} is made here, {}", self, shard, key.text());
        return key;
    }

    /** Removes the replicas that are no members of their groups any more. */
    synchronized void removeFormerMembers() {
        HeldReplicas replicas = held;
        if (replicas == null) {
            return;
        }
        for (Map.Entry<Integer, ReplicaKey> entry : replicas.held().entrySet()) {
            int shard = entry.getKey();
            Configuration committed = members.of(shard);
            ShardHost host = hosts.get(shard);
            if (committed != null && isGone(committed, entry.getValue())) {
                // A leader that has removed itself still hands its leadership over.
                if (host == null || host.group().status().role() != Role.LEADER) {
                    remove(shard, committed.version());
                }
            }
        }
    }

    /** See {@link ReplicaKey}. */
    private boolean isGone(Configuration committed, ReplicaKey key) {
        return committed.version() >= key.version() && !committed.contains(MemberId.of(self, key.text()));
    }

    private void remove(int shard, long version) {
        HeldReplicas fewer = Objects.requireNonNull(held).without(shard, version);
        beingRemoved.add(shard);
        directory.saveReplicas(fewer);
        held = fewer;
        LOG.info("node {}: the replica of shard {} was removed from its group, its data is deleted", self, shard);
        ShardHost host = hosts.remove(shard);
        closeFace(shard);
        if (host == null) {
            beingRemoved.remove(shard);
            return;
        }
        CompletableFuture<Boolean> end = new CompletableFuture<>();
        onLoop(host, () -> {
            serving.remove(shard);
            router.localGone(shard);
            host.group().close();
            // Behind whatever the group has written: the batches of one loop are kept in order.
            log.submit(removal(shard, end));
        });
        CompletableFuture<Boolean> unused = end.whenComplete((done, failure) -> {
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

    private void closeFace(int shard) {
        AutoCloseable open = faces.remove(shard);
        if (open != null) {
            try {
                open.close();
            } catch (Exception e) {
                LOG.warn("node {}: the channel of shard {} did not close", self, shard, e);
            }
        }
    }

    private static void onLoop(ShardHost host, Runnable task) {
        try {
            host.loop().execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("a loop has ended already", e);
        }
    }
}
