package io.elastickv.embedded.internal.node;

import io.elastickv.api.InvalidRequestException;
import io.elastickv.embedded.internal.raft.ReplicaGroup;
import io.elastickv.embedded.internal.raft.core.Role;
import io.elastickv.embedded.internal.routing.RouteTable;
import io.elastickv.embedded.internal.routing.Router;
import io.elastickv.embedded.internal.routing.ShardRoute;
import io.elastickv.embedded.internal.transport.ClusterChannel;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What the nodes tell one another of themselves: attributes, and the shards they lead, so that nodes without a replica of
 * a shard know where to go. Only hints: whoever gets a request decides by its own state. Thread-safe.
 */
final class Gossip {

    /** Told that a shard's leader became known, or another. */
    interface LeaderListener {
        void leaderChanged(int shard, long term, @Nullable String leader);
    }

    private static final long TIMEOUT_NANOS = 1_000_000_000L;

    private final boolean storageless;
    private final ClusterChannel channel;
    private final Peers peers;
    private final Map<Integer, ShardHost> shards;
    private final Router router;
    private final LeaderListener listener;
    private final Map<String, String> attributes = new ConcurrentHashMap<>();

    Gossip(
            boolean storageless,
            ClusterChannel channel,
            Peers peers,
            Map<Integer, ShardHost> shards,
            Router router,
            LeaderListener listener) {
        this.storageless = storageless;
        this.channel = channel;
        this.peers = peers;
        this.shards = shards;
        this.router = router;
        this.listener = listener;
    }

    /** What this node would tell now. */
    NodeStatus own() {
        Map<Integer, Long> leads = new TreeMap<>();
        shards.forEach((id, host) -> {
            ReplicaGroup.Status status = host.group().status();
            if (status.role() == Role.LEADER) {
                leads.put(id, status.term());
            }
        });
        return new NodeStatus(channel.localAddress().toString(), storageless, new TreeMap<>(attributes), leads);
    }

    /** Tells all nodes that are reachable. */
    void tell() {
        byte[] bytes = own().encode();
        for (String peer : peers.others()) {
            channel.rpc().call(peer, ControlProtocol.METHOD_STATUS, bytes, TIMEOUT_NANOS, new RpcCallback() {
                @Override
                public void success(ByteBuffer answer) {
                    // Nothing to learn from it.
                }

                @Override
                public void failure(RpcFailure cause) {
                    // It is told again soon.
                }
            });
        }
    }

    /** Takes what {@code from} told. */
    void heard(String from, NodeStatus status) {
        peers.heard(from, status);
        RouteTable table = router.table();
        if (table == null) {
            return;
        }
        for (ShardRoute route : table.shards()) {
            Long term = status.leads().get(route.id());
            if (term != null && route.learn(term, from)) {
                listener.leaderChanged(route.id(), term, from);
            }
        }
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
