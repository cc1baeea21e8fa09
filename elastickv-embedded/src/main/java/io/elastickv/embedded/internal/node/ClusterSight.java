package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Member;
import io.elastickv.embedded.internal.placement.Members;
import io.elastickv.embedded.internal.placement.NodeSight;
import io.elastickv.embedded.internal.placement.Sight;
import io.elastickv.embedded.internal.placement.plan.Loads;
import io.elastickv.embedded.internal.placement.plan.ReplicaState;
import io.elastickv.embedded.internal.raft.MemberId;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.routing.Router;
import io.elastickv.embedded.internal.routing.ShardRoute;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What this node sees of the others, by gossip and by their reports. Thread-safe. */
final class ClusterSight implements Sight {

    private final String self;
    private final String zone;
    private final Membership membership;
    private final Router router;
    private final Peers peers;
    private final Reports reports;

    ClusterSight(NodeConfig config, Membership membership, Router router, Peers peers, Reports reports) {
        this.self = config.name();
        this.zone = config.zone();
        this.membership = membership;
        this.router = router;
        this.peers = peers;
        this.reports = reports;
    }

    @Override
    public Map<Integer, Members> members() {
        Map<Integer, Members> groups = new HashMap<>();
        membership.members().all().forEach((group, configuration) -> {
            ShardRoute route = router.route(group);
            groups.put(
                    group,
                    new Members(
                            replicas(group, configuration),
                            route == null ? null : route.leader(),
                            configuration.version(),
                            route == null ? 0 : route.term()));
        });
        return groups;
    }

    private List<ReplicaState> replicas(int group, Configuration configuration) {
        Map<String, ReplicaState> byNode = new HashMap<>();
        for (String voter : configuration.voters()) {
            add(group, byNode, voter, true);
        }
        for (String learner : configuration.learners()) {
            add(group, byNode, learner, false);
        }
        return new ArrayList<>(byNode.values());
    }

    /** One for each node: where a directory was lost there may be two, of which the one in the present directory counts. */
    private void add(int group, Map<String, ReplicaState> byNode, String member, boolean voter) {
        String node = MemberId.node(member);
        String nodeId = membership.identities().nodeIdOf(node);
        boolean lost = nodeId != null && !ShardMembers.isIn(member, nodeId);
        if (lost && byNode.containsKey(node)) {
            return;
        }
        byNode.put(node, new ReplicaState(node, voter, !lost && reports.caughtUp(node, group, voter)));
    }

    @Override
    public Map<Integer, Long> sizes() {
        return reports.sizes();
    }

    @Override
    public Map<String, NodeSight> nodes() {
        Map<String, NodeSight> nodes = new HashMap<>();
        ClusterLayout layout = membership.layout();
        if (layout != null) {
            for (Member member : layout.members()) {
                String name = member.name();
                String said = name.equals(self) ? zone : peers.zone(name);
                nodes.put(
                        name,
                        new NodeSight(
                                peers.isUp(name),
                                peers.sinceMillis(name),
                                said == null ? "" : said,
                                reports.freeBytes(name)));
            }
        }
        return nodes;
    }

    @Override
    public Loads loads() {
        return reports.loads();
    }
}
