package io.elastickv.embedded.internal.placement;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.plan.Automation;
import io.elastickv.embedded.internal.placement.plan.NodeState.Lifecycle;
import io.elastickv.embedded.internal.placement.plan.Operation;
import io.elastickv.embedded.internal.placement.plan.ShardStamps;
import java.util.ArrayList;
import java.util.List;

/** Turns what is asked for into a change of the catalog, or says why not. */
final class Requests {

    private static final int MAX_REPLICAS = 7;

    private final Scene scene;
    private final CatalogState catalog;
    private final CatalogEdit edit;
    private final List<String> decisions = new ArrayList<>();

    Requests(Scene scene, CatalogEdit edit) {
        this.scene = scene;
        this.catalog = scene.catalog();
        this.edit = edit;
    }

    /** What was decided, in sentences. */
    List<String> decisions() {
        return decisions;
    }

    /** The operation that the request asks for. */
    Operation operation(Request request) throws RefusedException {
        if (request instanceof Request.Split split) {
            CatalogShard shard = shard(split.shard());
            int last = shard.slots().last();
            if (split.firstSlot() <= shard.slots().first() || split.firstSlot() > last) {
                throw new RefusedException("shard " + shard.id() + " owns " + Words.slots(shard.slots())
                        + ": the first slot of the new one must be one of them, but not the first");
            }
            return new Operation.SplitShard(
                    shard.id(), shard.epoch(), List.of(new SlotRange(split.firstSlot(), last)), null);
        } else if (request instanceof Request.Merge merge) {
            CatalogShard left = shard(merge.left());
            for (CatalogShard right : catalog.shards().values()) {
                if (right.slots().first() == left.slots().last() + 1) {
                    return new Operation.MergeShards(left.id(), left.epoch(), right.id(), right.epoch());
                }
            }
            throw new RefusedException(
                    "no shard follows shard " + left.id() + ", which owns " + Words.slots(left.slots()));
        } else if (request instanceof Request.Add add) {
            return new Operation.AddReplica(add.shard(), shard(add.shard()).epoch(), add.node());
        } else if (request instanceof Request.Remove remove) {
            return new Operation.RemoveReplica(
                    remove.shard(), shard(remove.shard()).epoch(), remove.node());
        } else if (request instanceof Request.Move move) {
            return new Operation.MoveReplica(move.shard(), shard(move.shard()).epoch(), move.from(), move.to());
        } else if (request instanceof Request.Transfer transfer) {
            String leader = scene.leaderOf(transfer.shard());
            if (leader == null) {
                throw new RefusedException("shard " + transfer.shard() + " has no leader just now");
            }
            return new Operation.TransferLeader(
                    transfer.shard(), shard(transfer.shard()).epoch(), leader, transfer.to());
        }
        throw new IllegalArgumentException("no operation: " + request);
    }

    private CatalogShard shard(int id) throws RefusedException {
        CatalogShard shard = catalog.group(id);
        if (shard == null) {
            throw new RefusedException("there is no shard " + id);
        }
        return shard;
    }

    void join(Request.Join join) throws RefusedException {
        if (join.name().isEmpty() || join.nodeId().isEmpty() || join.host().isEmpty()) {
            throw new RefusedException("a node that joins needs a name, an address and a data directory");
        }
        CatalogNode known = catalog.nodes().get(join.name());
        if (known != null && !known.nodeId().equals(join.nodeId())) {
            throw new RefusedException(
                    "a node named " + join.name() + " is a member, with another data directory: start"
                            + " it under the address " + known.toMember().address()
                            + " if it is that node without its data, drain that node first, or take another name");
        }
        for (CatalogNode other : catalog.nodes().values()) {
            if (other.name().equals(join.name())) {
                continue;
            }
            if (other.nodeId().equals(join.nodeId())) {
                throw new RefusedException("the data directory is that of node " + other.name() + ", not of "
                        + join.name() + ": start it under its name");
            }
            if (other.host().equals(join.host()) && other.port() == join.port()) {
                throw new RefusedException("the address " + other.toMember().address() + " is that of node "
                        + other.name() + ": drain it first, or take another one");
            }
        }
        if (known == null) {
            long joined = Math.max(1, scene.now());
            edit.put(new CatalogNode(
                    join.name(),
                    join.host(),
                    join.port(),
                    join.nodeId(),
                    join.zone(),
                    joined,
                    Lifecycle.JOINING,
                    scene.now(),
                    ShardStamps.NEVER));
            decisions.add("node " + join.name() + " joins");
        } else {
            CatalogNode now = known.at(join.host(), join.port()).withZone(join.zone());
            if (!now.equals(known)) {
                edit.put(now);
                decisions.add("node " + join.name() + " is at " + now.toMember().address()
                        + (join.zone().isEmpty() ? "" : " in zone " + join.zone()));
            }
        }
    }

    void drain(Request.Drain drain) throws RefusedException {
        CatalogNode node = node(drain.node());
        if (node.lifecycle() == Lifecycle.DRAINING) {
            return;
        }
        if (catalog.settings().automation() == Automation.OFF) {
            throw new RefusedException("automation is OFF, so nothing would empty the node: set it to REPAIRS first");
        }
        long others = catalog.nodes().values().stream()
                .filter(other -> !other.name().equals(node.name()) && other.lifecycle() == Lifecycle.ACTIVE)
                .count();
        int factor = catalog.settings().replicationFactor();
        if (others < factor) {
            throw new RefusedException("node " + node.name() + " cannot leave: " + others
                    + " nodes would be left, and each shard has " + factor
                    + " replicas. Add a node, or lower the replication factor first");
        }
        edit.put(node.with(Lifecycle.DRAINING, scene.now()));
        decisions.add("node " + node.name() + " drains");
    }

    void stay(Request.Stay stay) throws RefusedException {
        CatalogNode node = node(stay.node());
        if (node.lifecycle() == Lifecycle.DRAINING) {
            edit.put(node.with(Lifecycle.ACTIVE, scene.now()));
            decisions.add("node " + node.name() + " stays");
        }
    }

    private CatalogNode node(String name) throws RefusedException {
        CatalogNode node = catalog.nodes().get(name);
        if (node == null) {
            throw new RefusedException("there is no node " + name + " that stores data");
        }
        return node;
    }

    void set(Request.SetReplicationFactor set) throws RefusedException {
        if (set.replicas() < 1 || set.replicas() > MAX_REPLICAS) {
            throw new RefusedException("replication factor " + set.replicas() + ": must be within 1-" + MAX_REPLICAS);
        }
        CatalogSettings settings = catalog.settings();
        if (settings.replicationFactor() != set.replicas()) {
            edit.put(new CatalogSettings(set.replicas(), settings.automation(), settings.minShards()));
            decisions.add("the replication factor is " + set.replicas() + ", it was " + settings.replicationFactor());
        }
    }

    void set(Request.SetAutomation set) {
        CatalogSettings settings = catalog.settings();
        if (settings.automation() != set.automation()) {
            edit.put(new CatalogSettings(settings.replicationFactor(), set.automation(), settings.minShards()));
            decisions.add("automation is " + set.automation() + ", it was " + settings.automation());
        }
    }
}
