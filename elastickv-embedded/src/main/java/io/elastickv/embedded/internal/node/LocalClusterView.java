package io.elastickv.embedded.internal.node;

import io.elastickv.api.Automation;
import io.elastickv.api.ClusterEvents;
import io.elastickv.api.ClusterLoads;
import io.elastickv.api.ClusterView;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.KeySlot;
import io.elastickv.api.NodeInfo;
import io.elastickv.api.OperationInfo;
import io.elastickv.api.PlanInfo;
import io.elastickv.api.ReplicaInfo;
import io.elastickv.api.ShardInfo;
import io.elastickv.api.UnavailableException;
import io.elastickv.embedded.internal.routing.RouteTable;
import io.elastickv.embedded.internal.routing.ShardRoute;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The cluster as this node sees it. */
final class LocalClusterView implements ClusterView {

    private static final int MAX_ATTRIBUTE_LENGTH = 256;
    private static final int MAX_ATTRIBUTES = 64;

    private final EmbeddedNode node;

    LocalClusterView(EmbeddedNode node) {
        this.node = node;
    }

    @Override
    public String clusterId() {
        return node.clusterId();
    }

    @Override
    public String localNode() {
        return node.name();
    }

    @Override
    public List<NodeInfo> nodes() {
        return node.placement().describe(node.nodes());
    }

    @Override
    public List<ShardInfo> shards() {
        RouteTable table = node.routes();
        if (table == null) {
            return List.of();
        }
        List<ShardInfo> shards = new ArrayList<>();
        for (ShardRoute route : table.shards()) {
            shards.add(info(table, route));
        }
        return List.copyOf(shards);
    }

    @Override
    public ShardInfo shardOfSlot(int slot) {
        if (slot < 0 || slot >= KeySlot.COUNT) {
            throw new InvalidRequestException(
                    InvalidRequestException.Reason.INVALID_ARGUMENT,
                    "slot = " + slot + ": must be within 0-" + (KeySlot.COUNT - 1));
        }
        RouteTable table = openTable();
        return info(table, table.ofSlot(slot));
    }

    private ShardInfo info(RouteTable table, ShardRoute route) {
        String leader = route.leader();
        ShardInfo.State state = leader == null ? ShardInfo.State.NO_LEADER : ShardInfo.State.SERVING;
        if (node.localReplicaFailed(route.id())) {
            state = ShardInfo.State.FAILED;
        }
        return new ShardInfo(
                route.id(),
                table.slotsOf(route),
                route.epoch(),
                route.replicas(),
                Optional.ofNullable(leader),
                route.term(),
                state);
    }

    private RouteTable openTable() {
        RouteTable table = node.routes();
        if (table == null) {
            throw new UnavailableException("node " + node.name() + ": the cluster has not formed yet");
        }
        return table;
    }

    private ShardRoute route(int shardId) {
        for (ShardRoute route : openTable().shards()) {
            if (route.id() == shardId) {
                return route;
            }
        }
        throw new InvalidRequestException(
                InvalidRequestException.Reason.INVALID_ARGUMENT, "shard = " + shardId + ": there is no such shard");
    }

    @Override
    public List<ReplicaInfo> replication(int shardId, Duration timeout) {
        ShardRoute route = route(shardId);
        long deadlineNanos = deadline(timeout);
        String problem = "no leader is known";
        while (System.nanoTime() - deadlineNanos < 0) {
            String leader = route.leader();
            if (leader != null) {
                List<ReplicaInfo> answer = node.control().replication(leader, shardId, deadlineNanos);
                if (answer != null) {
                    return answer;
                }
                problem = "node " + leader + " did not answer as its leader";
            }
            if (!pause()) {
                break;
            }
        }
        throw new UnavailableException("shard " + shardId + ": " + problem + " within " + timeout);
    }

    @Override
    public void transferLeadership(int shardId, String target, Duration timeout) {
        ShardRoute route = route(shardId);
        if (!route.replicas().contains(target)) {
            throw new InvalidRequestException(
                    InvalidRequestException.Reason.INVALID_ARGUMENT,
                    "shard " + shardId + " has no replica on node " + target + ", but on " + route.replicas());
        }
        if (node.drives()) {
            // So that it stays there: the node becomes the preferred leader.
            node.placement().transfer(shardId, target, timeout);
            return;
        }
        long deadlineNanos = deadline(timeout);
        while (System.nanoTime() - deadlineNanos < 0) {
            String leader = route.leader();
            if (target.equals(leader)) {
                return;
            }
            if (leader != null) {
                node.control().transfer(leader, shardId, target, deadlineNanos);
            }
            if (!pause()) {
                break;
            }
        }
        throw new UnavailableException("shard " + shardId + ": its leadership did not go to " + target + " within "
                + timeout + "; it is led by " + route.leader());
    }

    @Override
    public void addReplica(int shardId, String target, Duration timeout) {
        change(shardId, true, target, timeout);
    }

    @Override
    public void removeReplica(int shardId, String target, Duration timeout) {
        change(shardId, false, target, timeout);
    }

    private void change(int shardId, boolean add, String target, Duration timeout) {
        ShardRoute route = route(shardId);
        ReplicaProtocol.Change change = new ReplicaProtocol.Change(shardId, add, target);
        long deadlineNanos = deadline(timeout);
        boolean begun = false;
        String problem = "no leader is known";
        while (System.nanoTime() - deadlineNanos < 0) {
            String leader = route.leader();
            if (leader != null) {
                ReplicaProtocol.Changed answer = node.control().change(leader, change, deadlineNanos);
                if (answer == null) {
                    problem = "node " + leader + " did not answer as its leader";
                    begun = true; // perhaps
                } else {
                    switch (answer.state()) {
                        case DONE -> {
                            if (begun) {
                                return;
                            }
                            throw invalid("shard " + shardId + ": " + answer.text() + (add ? " already" : ""));
                        }
                        case IMPOSSIBLE -> throw invalid("shard " + shardId + ": " + answer.text());
                        case UNDER_WAY -> {
                            begun = true;
                            problem = answer.text();
                        }
                        case NOT_LEADER -> problem = "node " + leader + " does not lead it any more";
                    }
                }
            }
            if (!pause()) {
                break;
            }
        }
        String trouble = route.trouble();
        throw new UnavailableException(
                "shard " + shardId + ": " + (add ? "no replica on node " : "a replica still on node ") + target
                        + " after " + timeout + ": " + problem + (trouble == null ? "" : "; " + trouble));
    }

    private static InvalidRequestException invalid(String message) {
        return new InvalidRequestException(InvalidRequestException.Reason.INVALID_ARGUMENT, message);
    }

    private static long deadline(Duration timeout) {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout = " + timeout + ": must be positive");
        }
        return System.nanoTime() + timeout.toNanos();
    }

    private static boolean pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(10);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public ClusterLoads loads(Duration timeout) {
        return node.placement().loads(timeout);
    }

    @Override
    public double[] slotLoads(Duration timeout) {
        return node.placement().slotLoads(timeout);
    }

    @Override
    public List<OperationInfo> operations() {
        return node.placement().operations();
    }

    @Override
    public PlanInfo plan(Duration timeout) {
        return node.placement().plan(timeout);
    }

    @Override
    public Automation automation() {
        return node.placement().automation();
    }

    @Override
    public void setAutomation(Automation automation, Duration timeout) {
        node.placement().setAutomation(automation, timeout);
    }

    @Override
    public int replicationFactor() {
        return node.placement().replicationFactor();
    }

    @Override
    public void setReplicationFactor(int replicas, Duration timeout) {
        node.placement().setReplicationFactor(replicas, timeout);
    }

    @Override
    public void drainNode(String target, Duration timeout) {
        node.placement().drain(target, timeout);
    }

    @Override
    public int splitShard(int shardId, int firstSlot, Duration timeout) {
        return node.placement().split(shardId, firstSlot, timeout);
    }

    @Override
    public void mergeShards(int leftShardId, Duration timeout) {
        node.placement().merge(leftShardId, timeout);
    }

    @Override
    public void moveReplica(int shardId, String from, String to, Duration timeout) {
        node.placement().move(shardId, from, to, timeout);
    }

    @Override
    public void setAttribute(String name, String value) {
        checkAttribute("attribute name", name);
        checkAttribute("attribute value", value);
        node.setAttribute(name, value, MAX_ATTRIBUTES);
    }

    private static void checkAttribute(String field, @Nullable String text) {
        if (text == null || text.length() > MAX_ATTRIBUTE_LENGTH) {
            throw new InvalidRequestException(
                    InvalidRequestException.Reason.INVALID_ARGUMENT,
                    field + " has " + (text == null ? "no" : text.length()) + " characters: must have at most "
                            + MAX_ATTRIBUTE_LENGTH);
        }
    }

    @Override
    public void addListener(ClusterEvents listener) {
        node.events().add(listener);
        String failure = node.failure();
        if (failure != null) {
            // It would never hear of what it most needs to know.
            node.events().fireTo(listener, late -> late.nodeFailed(failure));
        }
    }

    @Override
    public void removeListener(ClusterEvents listener) {
        node.events().remove(listener);
    }
}
