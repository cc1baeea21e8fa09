package io.elastickv.embedded.internal.node;

import io.elastickv.api.InvalidRequestException;
import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Succession;
import io.elastickv.embedded.internal.raft.ReplicaGroup;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.Role;
import io.elastickv.embedded.internal.routing.Router;
import io.elastickv.embedded.internal.routing.ShardRoute;
import io.elastickv.embedded.internal.transport.ClusterChannel;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What the nodes tell one another of themselves: attributes, data directories, and the shards they lead with the members of
 * their groups, so that nodes without a replica of a shard know where to go. Only hints: whoever gets a request decides by
 * its own state. Thread-safe.
 */
final class Gossip {

    /** Told that a shard's leader became known, or another. */
    interface LeaderListener {
        void leaderChanged(int shard, long term, @Nullable String leader);
    }

    /** Told of what has to be kept or acted on. */
    interface News {
        /** Another node knows these directories that followed lost ones; not necessarily news. */
        void successions(List<Succession> successions);

        /** The members of a shard's group have changed. */
        void membersChanged(int shard);
    }

    private static final long TIMEOUT_NANOS = 1_000_000_000L;
    private static final byte[] NOTHING = {};

    private final NodeConfig config;
    private final String nodeId;
    private final ClusterChannel channel;
    private final Peers peers;
    private final Identities identities;
    private final ShardMembers members;
    private final Map<Integer, ShardHost> shards;
    private final Router router;
    private final CatalogMirror catalog;
    private final LeaderListener listener;
    private final News news;
    private final Map<String, String> attributes = new ConcurrentHashMap<>();

    Gossip(
            NodeConfig config,
            String nodeId,
            ClusterChannel channel,
            Peers peers,
            Membership membership,
            Map<Integer, ShardHost> shards,
            Router router,
            CatalogMirror catalog,
            LeaderListener listener) {
        this.config = config;
        this.nodeId = nodeId;
        this.channel = channel;
        this.peers = peers;
        this.identities = membership.identities();
        this.members = membership.members();
        this.news = membership;
        this.shards = shards;
        this.router = router;
        this.catalog = catalog;
        this.listener = listener;
    }

    /** What this node would tell now. */
    NodeStatus own() {
        Map<Integer, NodeStatus.Shard> told = new TreeMap<>();
        shards.forEach((id, host) -> {
            ReplicaGroup.Status status = host.group().status();
            boolean leads = status.role() == Role.LEADER;
            if (leads || status.leader() == null) {
                Configuration committed = members.of(id);
                boolean asFormed = committed == null || members.isAsFormed(id, committed);
                told.put(id, new NodeStatus.Shard(status.term(), leads, asFormed ? null : committed));
            }
        });
        return new NodeStatus(
                channel.localAddress().toString(),
                nodeId,
                config.storageless(),
                config.zone(),
                catalog.state().revision(),
                new TreeMap<>(attributes),
                successions(),
                told);
    }

    private List<Succession> successions() {
        ClusterLayout layout = identities.layout();
        return layout == null ? List.of() : layout.successions();
    }

    /** Tells all nodes that are reachable. */
    void tell() {
        byte[] bytes = own().encode();
        for (String peer : peers.others()) {
            channel.rpc().call(peer, ControlProtocol.METHOD_STATUS, bytes, TIMEOUT_NANOS, new RpcCallback() {
                @Override
                public void success(ByteBuffer answer) {
                    if (answer.hasRemaining()) {
                        heard(peer, NodeStatus.decode(answer));
                    }
                }

                @Override
                public void failure(RpcFailure cause) {
                    // It is told again soon.
                }
            });
        }
    }

    /** The answer to what {@code from} told: the own status, if it does not know what it must. */
    byte[] answer(NodeStatus status) {
        boolean knowsAll = status.successions().equals(successions())
                && status.catalogRevision() >= catalog.state().revision();
        return knowsAll ? NOTHING : own().encode();
    }

    /** Takes what {@code from} told. */
    void heard(String from, NodeStatus status) {
        if (!status.successions().equals(successions())) {
            news.successions(status.successions());
        }
        if (identities.isReplaced(from, status.nodeId())) {
            return; // it is being told so
        }
        peers.heard(from, status);
        catalog.heard(from, status.catalogRevision());
        if (router.table() == null) {
            return;
        }
        status.shards().forEach((id, shard) -> {
            Configuration configuration = shard.configuration();
            if (configuration != null && members.learn(id, configuration)) {
                news.membersChanged(id);
            }
            ShardRoute route = router.route(id);
            if (route != null && shard.leads() && route.learn(shard.term(), from)) {
                listener.leaderChanged(id, shard.term(), from);
            }
        });
    }

    /**
     * Attaches a text to this node.
     *
     * @throws InvalidRequestException if there are too many
     */
    void setAttribute(String name, String value, int most) {
        if (!attributes.containsKey(name) && attributes.size() >= most) {
            throw new InvalidRequestException(
                    InvalidRequestException.Reason.INVALID_ARGUMENT,
                    "attribute " + name + ": a node has at most " + most + " attributes");
        }
        attributes.put(name, value);
    }
}
