package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.ReplicaKey;
import io.elastickv.embedded.internal.raft.MemberId;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.log.GroupLog;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which replicas the node's directory holds, under which keys, and how their shards began; what is said here of them is
 * durable. Changed by one thread at a time, read by any.
 */
final class ReplicaRegister {

    /** No key has such a version. */
    static final long FOR_GOOD = 999_999_999_999_999_999L;

    private final String self;
    private final NodeDirectory directory;
    private final NodeLog log;
    /** The shards that the cluster was formed with. */
    private final Map<Integer, ShardBirth> formed = new HashMap<>();

    private volatile @Nullable HeldReplicas held;

    /** Nothing is known yet. */
    ReplicaRegister(String self, NodeDirectory directory, NodeLog log) {
        this.self = self;
        this.directory = directory;
        this.log = log;
    }

    /**
     * Reads what the directory holds. One that is new in the cluster gets what the layout says, durably.
     *
     * @param known whether the directory had the layout already, so has been part of the cluster before
     * @throws IllegalStateException if the directory's files contradict each other
     */
    void open(ClusterLayout layout, boolean known) {
        layout.groups().forEach(placement -> formed.put(placement.id(), ShardBirth.formed(layout, placement)));
        HeldReplicas replicas = directory.replicas(layout);
        if (replicas == null) {
            if (known) {
                throw new IllegalStateException("dataDirectory = " + directory.path() + ": file '" + HeldReplicas.FILE
                        + "' is missing; restore it, or give the node an empty directory: it then comes back as a new"
                        + " member");
            }
            replicas = HeldReplicas.atTheStart(layout, self, directory.nodeId());
            directory.saveReplicas(replicas);
        }
        held = replicas;
    }

    /** Whether it was opened. */
    boolean isOpen() {
        return held != null;
    }

    /** What is held; after {@link #open}. */
    HeldReplicas held() {
        return Objects.requireNonNull(held);
    }

    /** The key of the replica of {@code shard} here; null if there is none. */
    @Nullable
    ReplicaKey key(int shard) {
        HeldReplicas replicas = held;
        return replicas == null ? null : replicas.key(shard);
    }

    /** The shards whose replicas were removed, and that have no other one here. */
    Set<Integer> gone() {
        Set<Integer> gone = new TreeSet<>(held().removed().keySet());
        gone.removeAll(held().held().keySet());
        return gone;
    }

    /** How {@code shard} began: as formed, as held, or as {@code told}; null if all of that is unknown. */
    @Nullable
    ShardBirth birth(int shard, @Nullable ShardBirth told) {
        ShardBirth birth = formed.get(shard);
        birth = birth == null ? held().births().get(shard) : birth;
        return birth == null ? told : birth;
    }

    /** How a shard began that has a replica here. */
    ShardBirth birth(int shard) {
        ShardBirth birth = birth(shard, null);
        if (birth == null) {
            throw new IllegalStateException("shard " + shard + ": not in the layout, but a replica of it is here");
        }
        return birth;
    }

    /** Keeps that there is a replica of a shard that began like this. */
    void add(ShardBirth birth, ReplicaKey key) {
        keep(held().with(birth, key));
    }

    /** Takes an {@link #add} back after which nothing was promised. */
    void undo(HeldReplicas before) {
        keep(before);
    }

    /** Keeps that there is no replica of {@code shard} any more; no key up to {@code version} may come again. */
    void remove(int shard, long version) {
        keep(held().without(shard, version));
    }

    /** Whether there is no replica of {@code shard} and never will be. */
    boolean isGoneForGood(int shard) {
        return key(shard) == null && held().removed().getOrDefault(shard, 0L) >= FOR_GOOD;
    }

    private void keep(HeldReplicas replicas) {
        directory.saveReplicas(replicas);
        held = replicas;
    }

    /**
     * Keeps that there is a replica of what was split off.
     *
     * @return false if there is none here, or none any more
     */
    boolean admit(SplitOffs.Handed handed) {
        for (String member : handed.birth().members().members()) {
            if (!MemberId.node(member).equals(self)) {
                continue;
            }
            ReplicaKey key = ReplicaKey.parse(MemberId.key(member));
            if (key.isIn(directory.nodeId()) && !held().wasRemoved(handed.shard(), key)) {
                held = held().with(handed.birth(), key);
                return true;
            }
        }
        return false;
    }

    /** Keeps what was admitted. */
    void save() {
        directory.saveReplicas(held());
    }

    /**
     * What to make of a replica that is held.
     *
     * @param handed what its parent here hands over, if it does
     */
    ShardFactory.Request request(int shard, SplitOffs.@Nullable Handed handed) {
        ShardBirth birth = birth(shard);
        String member = MemberId.of(self, Objects.requireNonNull(key(shard)).text());
        // Without a beginning it must not take itself for one of those who can elect a leader among them.
        boolean begun =
                !birth.isSplitOff() || handed != null || log.group(shard).firstIndex() > 1;
        boolean initial = begun && birth.members().contains(member);
        return new ShardFactory.Request(birth, member, initial ? birth.members() : Configuration.EMPTY, handed);
    }

    /** Whether nothing was ever written of a replica that is held, so that it cannot have promised anything. */
    boolean isUnwritten(int shard) {
        GroupLog group = log.group(shard);
        return group.lastIndex() == 0 && group.hardState().equals(HardState.INITIAL);
    }
}
