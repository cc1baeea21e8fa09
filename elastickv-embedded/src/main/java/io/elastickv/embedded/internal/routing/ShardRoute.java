package io.elastickv.embedded.internal.routing;

import io.elastickv.api.Bytes;
import io.elastickv.api.SlotRange;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A shard as the router knows it: what it owns, which nodes have a replica and who leads it, as far as known. There is one
 * for a shard as long as it owns anything. Thread-safe.
 */
public final class ShardRoute {

    private record Leader(long term, @Nullable String node) {}

    private record Replicas(long epoch, List<String> nodes) {}

    private final int id;
    private volatile long ownershipEpoch;
    private volatile List<SlotRange> slots;
    private volatile Replicas replicas;
    private volatile Set<Bytes> relieved = Set.of();
    /** Set by the router before anybody else sees the route. */
    private volatile @Nullable ShardClient client;

    private volatile Leader leader = new Leader(0, null);
    private volatile @Nullable String trouble;

    /**
     * A shard whose leader is not known yet.
     *
     * @param ownershipEpoch of what it owns
     * @param replicas where its replicas may be; any news of them count more
     */
    public ShardRoute(int id, long ownershipEpoch, List<SlotRange> slots, List<String> replicas) {
        this.id = id;
        this.ownershipEpoch = ownershipEpoch;
        this.slots = List.copyOf(slots);
        this.replicas = new Replicas(1, List.copyOf(replicas));
    }

    /** The shard's number. */
    public int id() {
        return id;
    }

    /** The version of its ownership and membership. */
    public long epoch() {
        return ownershipEpoch + replicas.epoch - 1;
    }

    /** The version of its ownership alone. */
    public long ownershipEpoch() {
        return ownershipEpoch;
    }

    /** By the one who keeps the book. */
    void ownershipEpoch(long epoch) {
        ownershipEpoch = epoch;
    }

    /** By the one who keeps the book. */
    void slots(List<SlotRange> owned) {
        slots = List.copyOf(owned);
    }

    /**
     * The keys whose linearizable reads all replicas share, because they are too many for one. Each reads at its own
     * confirmed point, so the answers are as good as the leader's.
     */
    public Set<Bytes> relieved() {
        return relieved;
    }

    /** Sets {@link #relieved()}. */
    public void relieved(Set<Bytes> keys) {
        relieved = Set.copyOf(keys);
    }

    /** The way there; null before the router has one. */
    @Nullable
    ShardClient client() {
        return client;
    }

    /** By the router. */
    void client(ShardClient way) {
        client = way;
    }

    /** What it owns, ordered; also what nobody else claims yet that it has lost. */
    public List<SlotRange> slots() {
        return slots;
    }

    /** The nodes that have a replica, of those that vote. */
    public List<String> replicas() {
        return replicas.nodes;
    }

    /**
     * Learns where the replicas are; {@code epoch} is one more than the version of the group's configuration, and news of an
     * older one are ignored. What is known may be out of date at any time: a
     * node that has no replica any more says so.
     *
     * @return whether anything changed
     */
    public synchronized boolean learnReplicas(long epoch, List<String> nodes) {
        if (epoch <= replicas.epoch || nodes.isEmpty()) {
            return false;
        }
        replicas = new Replicas(epoch, List.copyOf(nodes));
        return true;
    }

    /** Why the shard cannot have a leader, as far as known; part of what callers are told who waited in vain. */
    public @Nullable String trouble() {
        return trouble;
    }

    /** Notes why the shard cannot have a leader; null if it can. */
    public void trouble(@Nullable String reason) {
        trouble = reason;
    }

    /** Who leads, as far as known. */
    public @Nullable String leader() {
        return leader.node;
    }

    /** The term in which {@link #leader()} leads. */
    public long term() {
        return leader.term;
    }

    /**
     * Learns who leads; news of an older term are ignored, and so is "nobody" where a leader of the same term is known.
     *
     * @return whether anything changed
     */
    public synchronized boolean learn(long term, @Nullable String node) {
        Leader known = leader;
        if (term < known.term || (term == known.term && (node == null || node.equals(known.node)))) {
            return false;
        }
        leader = new Leader(term, node);
        return true;
    }

    /**
     * The replica here has lost touch with the leader of {@code term}, or never knew one.
     *
     * @return whether anything changed
     */
    public synchronized boolean lost(long term) {
        Leader known = leader;
        if (term < known.term || (term == known.term && known.node == null)) {
            return false;
        }
        leader = new Leader(term, null);
        return true;
    }

    /** Forgets that {@code node} leads, because it is gone. */
    public synchronized boolean forget(String node) {
        Leader known = leader;
        if (node.equals(known.node)) {
            leader = new Leader(known.term, null);
            return true;
        }
        return false;
    }

    /** The replica after {@code node} in the order of replicas, or the first; null if none is known. */
    @Nullable
    String replicaAfter(@Nullable String node) {
        List<String> nodes = replicas.nodes;
        if (nodes.isEmpty()) {
            return null;
        }
        int place = node == null ? -1 : nodes.indexOf(node);
        return nodes.get((place + 1) % nodes.size());
    }
}
