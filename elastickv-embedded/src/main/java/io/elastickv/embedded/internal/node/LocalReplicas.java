package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.ReplicaKey;
import io.elastickv.embedded.internal.raft.MemberId;
import io.elastickv.embedded.internal.raft.ReplicaGroup;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.Role;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import io.elastickv.embedded.internal.routing.Router;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
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

    /** Shows a replica to those who use JGroups-raft; what it gives ends that. */
    interface Face {
        AutoCloseable open(ShardHost host);
    }

    private final String self;
    private final ReplicaRegister register;
    private final Map<Integer, ShardHost> hosts;
    private final ShardMembers members;
    private final Router router;
    private final ShardFactory factory;
    private final Face face;
    private final Supplier<List<String>> reachable;
    private final NodeCheckpoints checkpoints;
    private final SplitOffs splitOffs;
    private final Executor births;
    private final ReplicaRemoval removal;

    private final Map<Integer, AutoCloseable> faces = new ConcurrentHashMap<>();
    private final Set<Integer> serving = ConcurrentHashMap.newKeySet();

    /**
     * Nothing is open yet.
     *
     * @param hosts the open replicas by shard; changed here only
     * @param freeing runs what may wait for readers
     * @param births makes replicas of what is split off: one at a time, and for nothing else, as callers wait for it
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
            NodeCheckpoints checkpoints,
            SplitOffs splitOffs,
            Face face,
            Executor freeing,
            Executor births,
            Supplier<List<String>> reachable) {
        this.self = self;
        this.register = new ReplicaRegister(self, directory, log);
        this.hosts = hosts;
        this.members = members;
        this.router = router;
        this.factory = factory;
        this.face = face;
        this.checkpoints = checkpoints;
        this.splitOffs = splitOffs;
        this.births = births;
        this.removal = new ReplicaRemoval(self, log, factory, freeing);
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
    synchronized List<ShardHost> recover(ClusterLayout layout, boolean known) {
        register.open(layout, known);
        removal.finish(register.gone());
        List<ShardHost> made = createAll(register.held().held().keySet());
        splitOffs.live(births, this::born);
        return made;
    }

    /**
     * Makes the replicas of {@code shards}, parents before what was split off from them: their logs may have the beginning of
     * the others, be they known here already or not.
     */
    private List<ShardHost> createAll(Set<Integer> shards) {
        List<ShardHost> made = new ArrayList<>();
        Set<Integer> left = new TreeSet<>(shards);
        try {
            while (!left.isEmpty()) {
                List<Integer> wave = left.stream()
                        .filter(shard -> !left.contains(register.birth(shard).parent()))
                        .toList();
                if (wave.isEmpty()) {
                    throw new IllegalStateException("shards " + left + " were split off from one another");
                }
                wave.forEach(left::remove);
                List<ShardFactory.Request> requests = new ArrayList<>();
                for (int shard : wave) {
                    SplitOffs.Handed handed = splitOffs.take(shard);
                    if (handed == null && isYetToBegin(shard)) {
                        continue;
                    }
                    requests.add(register.request(shard, handed));
                    if (handed != null) {
                        splitOffs.hasReplica(handed);
                    }
                }
                made.addAll(factory.createAll(requests));
                for (SplitOffs.Handed handed : splitOffs.waiting()) {
                    if (register.key(handed.shard()) != null) {
                        continue; // comes in one of the next rounds
                    }
                    if (register.admit(handed)) {
                        left.add(handed.shard());
                    } else {
                        splitOffs.take(handed.shard());
                        handed.drop();
                        handed.settle();
                    }
                }
            }
        } catch (RuntimeException e) {
            made.forEach(ShardHost::close);
            splitOffs.close();
            throw e;
        }
        return made;
    }

    /**
     * Whether a replica was noted whose beginning never came: its parent is yet to split it off, or got a later state without
     * having done so.
     */
    private boolean isYetToBegin(int shard) {
        return register.birth(shard).isSplitOff() && register.isUnwritten(shard) && !factory.hasCheckpoint(shard);
    }

    /** What was split off from a shard here becomes a replica of its own; soon after the split, not on a loop. */
    private synchronized void born(int shard) {
        SplitOffs.Handed handed = splitOffs.take(shard);
        if (handed == null) {
            return;
        }
        ShardHost host;
        try {
            if (register.key(shard) == null && !register.admit(handed)) {
                handed.drop();
                handed.settle();
                LOG.info("node {}: shard {} was split off without a replica here", self, shard);
                return;
            }
            if (hosts.containsKey(shard)) {
                splitOffs.hasReplica(handed);
                handed.drop(); // it has a state of its own, or gets one from its leader
                return;
            }
            host = factory.create(register.request(shard, handed), Math.max(1, hosts.size()));
        } catch (RuntimeException e) {
            LOG.error(
                    "node {}: no replica is made of shard {}, which was split off: the next start tries again, and until"
                            + " then the log of shard {} grows",
                    self,
                    shard,
                    handed.birth().parent(),
                    e);
            return;
        }
        ShardHost parent = hosts.get(handed.birth().parent());
        boolean first = parent != null && parent.group().status().role() == Role.LEADER;
        boolean preferred = handed.birth().preferredLeader().equals(self);
        start(host, group -> {
            if (first) {
                group.campaignAtBirth();
            } else if (preferred) {
                group.campaignSoon();
            }
        });
        try {
            // Only now, as callers wait for its leader: until then the parent's log makes it again after a crash.
            register.save();
            splitOffs.hasReplica(handed);
        } catch (RuntimeException e) {
            LOG.error(
                    "node {}: it could not be kept that there is a replica of shard {} here: the log of shard {} grows",
                    self,
                    shard,
                    handed.birth().parent(),
                    e);
        }
        lookAfterSplits();
        LOG.info(
                "node {}: shard {} is here, split off from shard {}: slots {}, epoch {}, entry {}",
                self,
                shard,
                handed.birth().parent(),
                handed.birth().slots(),
                handed.birth().epoch(),
                host.group().status().appliedIndex());
    }

    /** Sees to it that what was split off gets a checkpoint, and tells its parent of that; a few times a second. */
    void lookAfterSplits() {
        for (SplitOffs.Handed handed : splitOffs.unsafe()) {
            int shard = handed.shard();
            ShardHost host = hosts.get(shard);
            if (host == null ? register.key(shard) == null : host.checkpoints().isSound()) {
                splitOffs.safe(shard);
            } else if (host != null) {
                checkpoints.require(shard);
            }
        }
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
        if (host.birth().isSplitOff()) {
            members.learn(shard, host.birth().members());
        }
        host.loop().execute(() -> {
            host.group().start();
            host.startTidying();
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
        return register.key(shard);
    }

    /**
     * Makes a replica of {@code shard} for its leader, to become a learner under {@code key}.
     *
     * @param told how the shard began, as its leader knows; null for one that the cluster was formed with
     * @return the key of the replica that is here: another one if there was one already
     * @throws IllegalArgumentException if that cannot be now, with the reason
     */
    synchronized ReplicaKey create(int shard, ReplicaKey key, @Nullable ShardBirth told) {
        ShardBirth birth = register.isOpen() ? register.birth(shard, told) : null;
        if (birth == null) {
            throw new IllegalArgumentException("there is no shard " + shard);
        }
        HeldReplicas before = register.held();
        ReplicaKey present = before.key(shard);
        if (present != null && hosts.containsKey(shard)) {
            return present;
        }
        if (isYetToBeSplitOff(birth)) {
            throw new IllegalArgumentException(
                    "its replica of shard " + birth.parent() + " is yet to split off shard " + shard);
        }
        if (present != null) {
            // Noted at a split that this directory's parent has left out since: it never promised anything.
            start(factory.create(register.request(shard, null), Math.max(1, hosts.size())), group -> {});
            return present;
        }
        if (removal.isGoingOn(shard)) {
            throw new IllegalArgumentException("its former replica of shard " + shard + " is still being removed");
        }
        if (before.wasRemoved(shard, key)) {
            throw new IllegalArgumentException("replica " + key.text() + " of shard " + shard + " was removed before");
        }
        register.add(birth, key);
        ShardHost host;
        try {
            host = factory.create(register.request(shard, null), Math.max(1, hosts.size()));
        } catch (RuntimeException e) {
            // It has promised nothing yet, so the key may be tried again.
            register.undo(before);
            throw e;
        }
        start(host, group -> {});
        LOG.info("node {}: a replica of shard {} is made here, {}", self, shard, key.text());
        return key;
    }

    /** Whether the parent's replica here will hand the shard over when it comes by the split in its log. */
    private boolean isYetToBeSplitOff(ShardBirth birth) {
        ShardHost parent = birth.isSplitOff() ? hosts.get(birth.parent()) : null;
        if (parent == null || parent.group().status().failed()) {
            return false;
        }
        ShardStateMachine.Ownership now = parent.stateMachine().ownership();
        return splitOffs.isWaiting(birth.shard())
                || (now.epoch() < birth.epoch()
                        && now.slots().contains(birth.slots().get(0).first()));
    }

    /** Removes the replicas that are no members of their groups any more. */
    synchronized void removeFormerMembers() {
        if (!register.isOpen()) {
            return;
        }
        for (Map.Entry<Integer, ReplicaKey> entry : register.held().held().entrySet()) {
            int shard = entry.getKey();
            Configuration committed = members.of(shard);
            ShardHost host = hosts.get(shard);
            if (committed != null && isGone(committed, entry.getValue())) {
                // A leader that has removed itself still hands its leadership over; a parent stays until its log is not
                // needed for what it split off.
                boolean needed = host != null
                        && (host.group().status().role() == Role.LEADER
                                || !host.stateMachine().unsafeChildren().isEmpty());
                if (!needed) {
                    remove(shard, committed.version());
                }
            }
        }
    }

    /**
     * Removes what is here of a shard that is gone for good, as it owns nothing any more; no replica of it is made again.
     *
     * @return what is still to be waited for; null if nothing is here
     */
    synchronized @Nullable String removeShard(int shard) {
        if (!register.isOpen()) {
            return "it is not open";
        }
        ShardHost host = hosts.get(shard);
        if (host != null) {
            ReplicaGroup.Status status = host.group().status();
            boolean empty = host.stateMachine().ownership().slots().isEmpty();
            if (!empty && status.leader() != null && !status.failed()) {
                return "its replica of shard " + shard + " owns slots";
            }
            if (!host.stateMachine().unsafeChildren().isEmpty()) {
                return "what was split off from shard " + shard + " has no checkpoint yet";
            }
        }
        if (!register.isGoneForGood(shard)) {
            remove(shard, ReplicaRegister.FOR_GOOD);
        }
        return removal.isGoingOn(shard) ? "its replica of shard " + shard + " is being deleted" : null;
    }

    /** See {@link ReplicaKey}. */
    private boolean isGone(Configuration committed, ReplicaKey key) {
        return committed.version() >= key.version() && !committed.contains(MemberId.of(self, key.text()));
    }

    private void remove(int shard, long version) {
        removal.begin(shard);
        register.remove(shard, version);
        LOG.info("node {}: the replica of shard {} was removed from its group, its data is deleted", self, shard);
        ShardHost host = hosts.remove(shard);
        closeFace(shard);
        if (host == null) {
            removal.nothingLeft(shard);
            return;
        }
        onLoop(host, () -> {
            serving.remove(shard);
            router.localGone(shard);
            host.stopTidying();
            host.group().close();
            removal.delete(shard, host);
        });
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
