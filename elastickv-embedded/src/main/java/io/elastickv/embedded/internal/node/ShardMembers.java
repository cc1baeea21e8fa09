package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Member;
import io.elastickv.embedded.internal.placement.ReplicaKey;
import io.elastickv.embedded.internal.placement.ShardPlacement;
import io.elastickv.embedded.internal.raft.MemberId;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.routing.ShardRoute;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The members of each shard's group as far as this node knows, from its own replicas and from what leaders tell. Only
 * committed configurations are in it: they are never taken back, and the later ones have larger versions. Thread-safe.
 */
final class ShardMembers {

    private final Map<Integer, Configuration> known = new ConcurrentHashMap<>();
    /** The groups that the cluster was formed with: everybody knows their first members. */
    private final Set<Integer> formed = ConcurrentHashMap.newKeySet();

    private volatile IntFunction<@Nullable ShardRoute> routes = group -> null;

    /** The members that {@code placement} was formed with. */
    static Configuration initial(ClusterLayout layout, ShardPlacement placement) {
        List<String> voters = new ArrayList<>();
        for (String node : placement.replicas()) {
            for (Member member : layout.initialMembers()) {
                if (member.name().equals(node)) {
                    voters.add(MemberId.of(
                            node, ReplicaKey.initial(member.nodeId()).text()));
                }
            }
        }
        return Configuration.of(voters);
    }

    /** The nodes of the voters, each once. */
    static List<String> nodes(Configuration configuration) {
        return configuration.voters().stream().map(MemberId::node).distinct().toList();
    }

    /** The epoch of a shard whose group has these members. */
    static long epoch(Configuration configuration) {
        return 1 + configuration.version();
    }

    /** Starts with what the cluster was formed with, and tells the groups' routes of changes. */
    void open(ClusterLayout layout, IntFunction<@Nullable ShardRoute> byGroup) {
        for (ShardPlacement placement : layout.groups()) {
            formed.add(placement.id());
            known.merge(placement.id(), initial(layout, placement), ShardMembers::later);
        }
        routes = byGroup;
        known.forEach(this::tellRoute);
    }

    private static Configuration later(Configuration one, Configuration other) {
        return other.version() > one.version() ? other : one;
    }

    /**
     * Learns a committed configuration.
     *
     * @return whether it was news
     */
    boolean learn(int shard, Configuration committed) {
        Configuration before = known.get(shard);
        if (committed.voters().isEmpty() || (before != null && before.version() >= committed.version())) {
            return false;
        }
        Configuration now = known.merge(shard, committed, ShardMembers::later);
        tellRoute(shard, now);
        return now.version() == committed.version();
    }

    /** Whether everybody knows that {@code shard} has these members, because the cluster was formed with them. */
    boolean isAsFormed(int shard, Configuration committed) {
        return committed.version() == 0 && formed.contains(shard);
    }

    /** Tells the routes, some of which may be new, what is known. */
    void tellRoutes() {
        known.forEach(this::tellRoute);
    }

    private void tellRoute(int shard, Configuration configuration) {
        ShardRoute route = routes.apply(shard);
        if (route != null) {
            route.learnReplicas(epoch(configuration), nodes(configuration));
        }
    }

    /** The newest committed members known of; null if the shard is not known. */
    @Nullable
    Configuration of(int shard) {
        return known.get(shard);
    }

    /** The shards that are known, with their members. */
    Map<Integer, Configuration> all() {
        return new TreeMap<>(known);
    }

    /**
     * Why a group with these members can elect no leader any more: too many of the data directories that its voters were
     * in are lost. Null if that is not so.
     */
    static @Nullable String trouble(Configuration configuration, Identities identities) {
        int remembering = 0;
        TreeSet<String> lost = new TreeSet<>();
        for (String voter : configuration.voters()) {
            String nodeId = identities.nodeIdOf(MemberId.node(voter));
            if (nodeId != null && isIn(voter, nodeId)) {
                remembering++;
            } else {
                lost.add(MemberId.node(voter));
            }
        }
        int quorum = configuration.voters().size() / 2 + 1;
        if (configuration.voters().isEmpty() || remembering >= quorum) {
            return null;
        }
        return "no majority of its replicas remembers it: nodes " + lost
                + " have lost the data directories with theirs, "
                + remembering + " of " + configuration.voters().size() + " replicas are left and " + quorum
                + " are needed. Restore the cluster from a backup";
    }

    /** Whether {@code member} is in the data directory {@code nodeId} of its node. */
    static boolean isIn(String member, String nodeId) {
        String key = MemberId.key(member);
        String directory = ReplicaKey.directoryOf(nodeId);
        return key.startsWith(directory)
                && (key.length() == directory.length() || key.charAt(directory.length()) == '.');
    }
}
