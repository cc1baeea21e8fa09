package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.ReplicaKey;
import io.elastickv.embedded.internal.placement.ShardPlacement;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which replicas a data directory holds, each under the key that makes it a member of its group, and up to which keys
 * those that it once held were removed: what may never act again, since what it had promised is gone. Immutable.
 *
 * <p>File {@code replicas}, format 2: a first line {@code elastickv-replicas 2}, lines {@code cluster=} and {@code node=}
 * with the identities it was written for, {@code replica=shard key}, {@code birth=shard} and the text of its
 * {@link ShardBirth} for one that was split off, {@code removed=shard version}, and the checksum of {@link CheckedText}. A
 * replica without a birth is of a shard that the cluster was formed with; in format 1, which is read too, all are.
 *
 * @param clusterId the cluster, 32 hexadecimal digits
 * @param nodeId the directory
 * @param held the keys by shard
 * @param births how those began that were split off, by shard
 * @param removed by shard, the version up to which keys may not come (again)
 */
record HeldReplicas(
        String clusterId,
        String nodeId,
        SortedMap<Integer, ReplicaKey> held,
        SortedMap<Integer, ShardBirth> births,
        SortedMap<Integer, Long> removed) {

    /** The name of the file. */
    static final String FILE = "replicas";

    static final String KIND = "elastickv-replicas";
    static final int VERSION = 2;
    static final int OLDEST_VERSION = 1;

    HeldReplicas {
        held = new TreeMap<>(held);
        births = new TreeMap<>(births);
        removed = new TreeMap<>(removed);
    }

    /**
     * What node {@code name} holds when it becomes part of a cluster: the replicas that the layout puts there, if its
     * directory is the one that the cluster was formed with; nothing, if it followed a lost one.
     */
    static HeldReplicas atTheStart(ClusterLayout layout, String name, String nodeId) {
        SortedMap<Integer, ReplicaKey> held = new TreeMap<>();
        boolean initial = layout.initialMembers().stream()
                .anyMatch(
                        member -> member.name().equals(name) && member.nodeId().equals(nodeId));
        if (initial) {
            for (ShardPlacement placement : layout.groups()) {
                if (placement.replicas().contains(name)) {
                    held.put(placement.id(), ReplicaKey.initial(nodeId));
                }
            }
        }
        return new HeldReplicas(layout.clusterIdText(), nodeId, held, new TreeMap<>(), new TreeMap<>());
    }

    /** The key of the replica of {@code shard}; null if there is none. */
    @Nullable
    ReplicaKey key(int shard) {
        return held.get(shard);
    }

    /** Whether a replica of {@code shard} under {@code key} was removed, or one under a later key. */
    boolean wasRemoved(int shard, ReplicaKey key) {
        Long version = removed.get(shard);
        return version != null && key.version() <= version;
    }

    /** With a replica of a shard that the cluster was formed with. */
    HeldReplicas with(int shard, ReplicaKey key) {
        return with(shard, key, births);
    }

    /** With a replica of a shard that began like this. */
    HeldReplicas with(ShardBirth birth, ReplicaKey key) {
        if (!birth.isSplitOff()) {
            return with(birth.shard(), key);
        }
        SortedMap<Integer, ShardBirth> more = new TreeMap<>(births);
        more.put(birth.shard(), birth);
        return with(birth.shard(), key, more);
    }

    private HeldReplicas with(int shard, ReplicaKey key, SortedMap<Integer, ShardBirth> withBirths) {
        if (held.containsKey(shard) || wasRemoved(shard, key)) {
            throw new IllegalArgumentException("shard " + shard + ": no replica " + key.text() + " beside " + this);
        }
        SortedMap<Integer, ReplicaKey> more = new TreeMap<>(held);
        more.put(shard, key);
        return new HeldReplicas(clusterId, nodeId, more, withBirths, removed);
    }

    /** Without its replica of {@code shard}; no key up to {@code version} may come again. */
    HeldReplicas without(int shard, long version) {
        SortedMap<Integer, ReplicaKey> fewer = new TreeMap<>(held);
        ReplicaKey key = fewer.remove(shard);
        SortedMap<Integer, ShardBirth> fewerBirths = new TreeMap<>(births);
        fewerBirths.remove(shard);
        SortedMap<Integer, Long> more = new TreeMap<>(removed);
        more.merge(shard, Math.max(version, key == null ? 0 : key.version()), Math::max);
        return new HeldReplicas(clusterId, nodeId, fewer, fewerBirths, more);
    }

    /** The text of the file. */
    String toText() {
        StringBuilder text = new StringBuilder(KIND).append(' ').append(VERSION).append('\n');
        text.append("cluster=").append(clusterId).append('\n');
        text.append("node=").append(nodeId).append('\n');
        held.forEach((shard, key) -> text.append("replica=")
                .append(shard)
                .append(' ')
                .append(key.text())
                .append('\n'));
        births.forEach((shard, birth) -> text.append("birth=")
                .append(shard)
                .append(' ')
                .append(birth.text())
                .append('\n'));
        removed.forEach((shard, version) -> text.append("removed=")
                .append(shard)
                .append(' ')
                .append(version)
                .append('\n'));
        return CheckedText.seal(text.toString());
    }

    /**
     * Reads the lines of the file between the first and the last.
     *
     * @throws IllegalArgumentException if one of them makes no sense
     */
    static HeldReplicas ofLines(List<String> lines) {
        String clusterId = "";
        String nodeId = "";
        SortedMap<Integer, ReplicaKey> held = new TreeMap<>();
        SortedMap<Integer, ShardBirth> births = new TreeMap<>();
        SortedMap<Integer, Long> removed = new TreeMap<>();
        for (String line : lines) {
            int equals = line.indexOf('=');
            String field = line.substring(0, Math.max(0, equals));
            String value = line.substring(equals + 1);
            int space = value.indexOf(' ');
            String shard = value.substring(0, Math.max(0, space));
            switch (field) {
                case "cluster" -> clusterId = value;
                case "node" -> nodeId = value;
                case "replica" -> held.put(Integer.parseInt(shard), ReplicaKey.parse(value.substring(space + 1)));
                case "birth" -> {
                    int id = Integer.parseInt(shard);
                    births.put(id, ShardBirth.parse(id, value.substring(space + 1)));
                }
                case "removed" -> removed.put(Integer.parseInt(shard), Long.parseLong(value.substring(space + 1)));
                default -> throw new IllegalArgumentException("unknown line '" + line + "'");
            }
        }
        return new HeldReplicas(clusterId, nodeId, held, births, removed);
    }
}
