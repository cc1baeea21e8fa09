package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.node.ReplicaProtocol.Made;
import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Succession;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.routing.RouteTable;
import io.elastickv.embedded.internal.routing.Router;
import io.elastickv.embedded.internal.routing.ShardRoute;
import io.elastickv.embedded.internal.transport.NodeRpc;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node knows and does about who is a member of what: which data directories stand for the cluster's members, which
 * replicas the groups have, those of them that are here, and the changes of groups that it leads. Thread-safe.
 */
final class Membership implements Gossip.News {

    private static final Logger LOG = LoggerFactory.getLogger(Membership.class);

    private final String self;
    private final @Nullable NodeDirectory directory;
    private final @Nullable LocalReplicas replicas;
    private final ShardMembers members;
    private final Identities identities;
    private final ReplicaChanges changes;
    private final Peers peers;
    private final Router router;
    private final NodeThreads threads;
    private final BooleanSupplier open;
    private final Runnable tellOthers;

    /**
     * Makes it.
     *
     * @param directory null if the node is storage-less; likewise {@code replicas}
     * @param open whether the node takes part
     * @param tellOthers tells the other nodes what is new
     * @param refused told why the node may take part no more
     */
    Membership(
            NodeConfig config,
            @Nullable NodeDirectory directory,
            @Nullable LocalReplicas replicas,
            ShardMembers members,
            Map<Integer, ShardHost> shards,
            Peers peers,
            Router router,
            NodeRpc rpc,
            NodeThreads threads,
            BooleanSupplier open,
            Runnable tellOthers,
            Consumer<String> refused) {
        this.self = config.name();
        this.directory = directory;
        this.replicas = replicas;
        this.members = members;
        this.peers = peers;
        this.router = router;
        this.threads = threads;
        this.open = open;
        this.tellOthers = tellOthers;
        this.identities = new Identities(
                self,
                directory == null ? null : directory.nodeId(),
                layout -> {
                    if (directory != null) {
                        directory.saveLayout(layout);
                    }
                },
                config.wallMillis(),
                refused);
        this.changes = new ReplicaChanges(
                self,
                shards,
                identities,
                peers,
                rpc::call,
                config.electionTimeout().toNanos() / 2);
        rpc.register(OwnershipProtocol.METHOD_REMOVE, (from, payload, responder) -> {
            int shard = payload.getInt();
            threads.control(() -> responder.reply(removeShard(shard).encode()));
        });
        rpc.register(ReplicaProtocol.METHOD_MAKE, (from, payload, responder) -> {
            ReplicaProtocol.Make request = ReplicaProtocol.Make.decode(payload);
            threads.control(() -> responder.reply(make(request).encode()));
        });
    }

    Identities identities() {
        return identities;
    }

    ShardMembers members() {
        return members;
    }

    ReplicaChanges changes() {
        return changes;
    }

    /** The replicas of the node's directory; null if it is storage-less. */
    @Nullable
    LocalReplicas replicas() {
        return replicas;
    }

    /** The layout as known now; null until the cluster has formed. */
    @Nullable
    ClusterLayout layout() {
        return identities.layout();
    }

    /** Whether this node may take part in a cluster of this layout, with the directory that it has. */
    void checkIdentity(ClusterLayout formed) {
        if (directory != null && !directory.nodeId().equals(formed.nodeIdOf(self))) {
            throw new IllegalStateException("refused: " + Identities.replaced(formed, self, directory.nodeId()));
        }
    }

    /** Takes a node that comes with an empty directory for the member that it was, if it may; then goes on. */
    void greet(Hello hello, Runnable then) {
        if (identities.layout() == null || directory == null || hello.storageless() || hello.layout() != null) {
            then.run();
            return;
        }
        // What is answered must be durable.
        threads.control(() -> {
            String live = peers.liveDirectory(hello.name());
            boolean heardOfFormer = live != null && live.equals(identities.nodeIdOf(hello.name()));
            if (open.getAsBoolean() && identities.recognise(hello, heardOfFormer)) {
                tellOthers.run();
            }
            then.run();
        });
    }

    @Override
    public void successions(List<Succession> successions) {
        threads.control(() -> {
            if (identities.heard(successions)) {
                tellOthers.run();
            }
        });
    }

    /**
     * Takes who is a member as of some revision of the catalog; on the control thread.
     *
     * @return the layout as known then; null before the formation
     */
    @Nullable
    ClusterLayout roster(ClusterLayout.Roster roster) {
        return identities.roster(roster);
    }

    @Override
    public void membersChanged(int shard) {
        if (replicas != null) {
            replicas.refresh(shard);
        }
    }

    /** The group of {@code shard} here has these members for sure. */
    void committed(int shard, Configuration configuration) {
        if (members.learn(shard, configuration)) {
            LOG.info(
                    "node {}: the members of shard {} are {}, learners {} (version {})",
                    self,
                    shard,
                    configuration.voters(),
                    configuration.learners(),
                    configuration.version());
            threads.control(tellOthers);
        }
        membersChanged(shard);
    }

    private ReplicaProtocol.Changed removeShard(int shard) {
        if (replicas == null || !open.getAsBoolean()) {
            return replicas == null
                    ? new ReplicaProtocol.Changed(ReplicaProtocol.State.DONE, "it keeps no data")
                    : new ReplicaProtocol.Changed(ReplicaProtocol.State.UNDER_WAY, "it is not open");
        }
        String hindrance = replicas.removeShard(shard);
        return hindrance == null
                ? new ReplicaProtocol.Changed(ReplicaProtocol.State.DONE, "it has no replica of shard " + shard)
                : new ReplicaProtocol.Changed(ReplicaProtocol.State.UNDER_WAY, hindrance);
    }

    private Made make(ReplicaProtocol.Make request) {
        if (replicas == null || directory == null || !open.getAsBoolean()) {
            return new Made(false, "it is not open");
        }
        if (!directory.nodeId().equals(request.nodeId())) {
            return new Made(false, "its data directory is " + directory.nodeId());
        }
        try {
            if (members.learn(request.shard(), request.committed())) {
                membersChanged(request.shard());
            }
            replicas.removeFormerMembers();
            return new Made(
                    true,
                    replicas.create(request.shard(), request.key(), request.birth())
                            .text());
        } catch (IllegalArgumentException e) {
            LOG.info("node {}: no replica of shard {} is made: {}", self, request.shard(), e.getMessage());
            return new Made(false, String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            LOG.warn("node {}: no replica of shard {} is made", self, request.shard(), e);
            return new Made(false, String.valueOf(e.getMessage()));
        }
    }

    /**
     * Brings whatever is not as it should be with the replicas here and the shards led here one step forward; on the control
     * thread, a few times a second.
     */
    void repair() {
        if (!open.getAsBoolean()) {
            return;
        }
        if (replicas != null) {
            replicas.removeFormerMembers();
        }
        changes.repair();
        RouteTable table = router.table();
        if (table != null) {
            members.all().forEach((shard, configuration) -> {
                ShardRoute route = router.route(shard);
                if (route != null) {
                    route.trouble(ShardMembers.trouble(configuration, identities));
                }
            });
        }
    }

    /** Why these shards have no leader, for those of which that is known; a text to append to a message. */
    String troubles(List<Integer> shardIds) {
        RouteTable table = router.table();
        Set<String> reasons = new TreeSet<>();
        for (int shard : shardIds) {
            ShardRoute route = table == null ? null : table.ofShard(shard);
            String trouble = route == null ? null : route.trouble();
            if (trouble != null) {
                reasons.add("; shard " + shard + ": " + trouble);
            }
        }
        return String.join("", reasons);
    }
}
