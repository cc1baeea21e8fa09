package io.elastickv.embedded.internal.node;

import io.elastickv.api.Bytes;
import io.elastickv.embedded.internal.placement.Catalog;
import io.elastickv.embedded.internal.placement.CatalogNode;
import io.elastickv.embedded.internal.placement.CatalogShard;
import io.elastickv.embedded.internal.placement.CatalogState;
import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Member;
import io.elastickv.embedded.internal.placement.plan.RelievedKey;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.routing.Claim;
import io.elastickv.embedded.internal.routing.Router;
import io.elastickv.embedded.internal.routing.ShardRoute;
import io.elastickv.embedded.internal.transport.ClusterChannel;
import io.elastickv.embedded.internal.transport.PeerAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets the node act on what the catalog says: who is a member, which shard owns which slots, who shall lead; and tells the
 * application's listeners of operations. On the node's control thread.
 */
final class CatalogFollower implements CatalogMirror.Listener {

    private static final Logger LOG = LoggerFactory.getLogger(CatalogFollower.class);

    private final String self;
    private final Membership membership;
    private final Router router;
    private final ClusterChannel channel;
    private final Peers peers;
    private final Map<Integer, ShardHost> hosts;
    private final EventDispatcher events;
    private final Runnable released;
    private volatile @Nullable CatalogFile file;
    private long savedRevision;

    /**
     * Makes it.
     *
     * @param released told once the node, which stores data, is a member no more
     */
    CatalogFollower(
            String self,
            Membership membership,
            Router router,
            ClusterChannel channel,
            Peers peers,
            Map<Integer, ShardHost> hosts,
            EventDispatcher events,
            Runnable released) {
        this.self = self;
        this.membership = membership;
        this.router = router;
        this.channel = channel;
        this.peers = peers;
        this.hosts = hosts;
        this.events = events;
        this.released = released;
    }

    /** Saves what it hears in this file from now on. */
    void saveTo(CatalogFile other) {
        file = other;
    }

    @Override
    public void changed(CatalogState before, CatalogState after) {
        router.learn(claims(after, membership.members()));
        prefer(after);
        relieve(after);
        members(before, after);
        tellOperations(before, after);
    }

    /** Saves what was heard since the last call, if anything was; to be called every now and then, and at the end. */
    void save(CatalogState state) {
        CatalogFile present = file;
        if (present != null && state.revision() > savedRevision) {
            savedRevision = state.revision();
            present.save(state);
        }
    }

    /** Which shard owns what, by the catalog, and where its replicas are, by its group. */
    static List<Claim> claims(CatalogState state, ShardMembers members) {
        List<Claim> claims = new ArrayList<>();
        for (CatalogShard shard : state.shards().values()) {
            Configuration known = members.of(shard.id());
            claims.add(new Claim(
                    shard.id(),
                    shard.epoch(),
                    List.of(shard.slots()),
                    known == null ? List.of() : ShardMembers.nodes(known)));
        }
        return claims;
    }

    private void prefer(CatalogState after) {
        hosts.values().forEach(host -> applyTo(host, after));
    }

    /** Reads of relieved keys go to all replicas, from every node. */
    private void relieve(CatalogState after) {
        for (CatalogShard shard : after.shards().values()) {
            ShardRoute route = router.route(shard.id());
            if (route != null) {
                route.relieved(shard.relieved().stream().map(RelievedKey::key).collect(Collectors.toSet()));
            }
        }
    }

    /** Tells a replica here who shall lead it and which of its keys are relieved, unless it has been told. */
    void applyTo(ShardHost host, CatalogState state) {
        if (!host.follows(state.revision())) {
            return;
        }
        CatalogShard shard = state.group(host.group().groupId());
        if (shard == null || shard.id() == Catalog.GROUP) {
            return;
        }
        host.prefer(shard.preferredLeader());
        List<Bytes> relieved = shard.relieved().stream().map(RelievedKey::key).toList();
        host.loop().executeUnlessEnded(() -> host.endpoint().relieve(relieved));
    }

    private void members(CatalogState before, CatalogState after) {
        if (before.nodes().equals(after.nodes())) {
            return;
        }
        List<Member> members =
                after.nodes().values().stream().map(CatalogNode::toMember).toList();
        ClusterLayout layout = membership.roster(new ClusterLayout.Roster(after.revision(), members));
        if (layout == null) {
            return;
        }
        peers.layout(layout);
        for (CatalogNode node : after.nodes().values()) {
            if (!before.nodes().containsKey(node.name())) {
                if (before.revision() > 0) {
                    LOG.info(
                            "node {}: {} is a member of the cluster now, at {}",
                            self,
                            node.name(),
                            node.host() + ":" + node.port());
                }
                if (!node.name().equals(self)) {
                    channel.learnPeer(node.name(), new PeerAddress(node.host(), node.port()));
                }
            }
        }
        for (CatalogNode node : before.nodes().values()) {
            if (!after.nodes().containsKey(node.name())) {
                LOG.info("node {}: {} is a member of the cluster no more", self, node.name());
                channel.forgetPeer(node.name());
                if (node.name().equals(self)) {
                    released.run();
                }
            }
        }
    }

    private void tellOperations(CatalogState before, CatalogState after) {
        if (before.revision() == 0) {
            return; // all of it is old
        }
        after.running().forEach((id, operation) -> {
            if (id >= before.nextOperation()) {
                events.fire(listener -> listener.operationStarted(Operations.of(operation)));
            }
        });
        after.past().forEach(past -> {
            boolean known = before.past().stream().anyMatch(one -> one.id() == past.id());
            if (!known) {
                events.fire(listener -> listener.operationEnded(Operations.of(past)));
            }
        });
    }
}
