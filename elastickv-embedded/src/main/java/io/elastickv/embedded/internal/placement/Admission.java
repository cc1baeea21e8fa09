package io.elastickv.embedded.internal.placement;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.plan.NodeState;
import io.elastickv.embedded.internal.placement.plan.Operation;
import io.elastickv.embedded.internal.placement.plan.RelievedKey;
import io.elastickv.embedded.internal.placement.plan.ReplicaState;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Whether an operation may begin: what it is about exists, is as it was when the operation was thought of, and is not busy. */
final class Admission {

    private final Scene scene;
    private final CatalogState catalog;
    private final Set<Integer> busy;

    Admission(Scene scene) {
        this.scene = scene;
        this.catalog = scene.catalog();
        this.busy = Kinds.busy(catalog);
    }

    /**
     * Lets an operation begin, and keeps what it works on from others.
     *
     * @throws RefusedException if it may not begin now
     */
    void admit(Operation operation) throws RefusedException {
        if (operation instanceof Operation.ReleaseNode release) {
            admit(release);
            return;
        }
        Operation.OfShard of = (Operation.OfShard) operation;
        CatalogShard shard = shard(of.shard(), of.epoch());
        if (operation instanceof Operation.MergeShards merge) {
            merge(shard, shard(merge.right(), merge.rightEpoch()));
        } else if (operation instanceof Operation.SplitShard split) {
            split(shard, split);
        } else if (operation instanceof Operation.RelieveKey relieve) {
            require(
                    shard.slots().contains(relieve.slot()),
                    "slot " + relieve.slot() + " is not one of " + name(shard.id()));
        } else if (operation instanceof Operation.EndRelief end) {
            require(
                    shard.relieved().contains(new RelievedKey(end.slot(), end.key())),
                    "that key of " + name(shard.id()) + " is not being relieved");
        } else {
            replicas(shard, operation);
        }
        Kinds.addTo(busy, operation);
    }

    private CatalogShard shard(int id, long epoch) throws RefusedException {
        CatalogShard shard = catalog.group(id);
        if (shard == null) {
            throw new RefusedException("there is no shard " + id);
        }
        require(shard.epoch() == epoch, name(id) + " is in epoch " + shard.epoch() + ", not in " + epoch + " any more");
        if (busy.contains(id)) {
            throw new RefusedException(name(id) + " is busy: " + doing(id));
        }
        return shard;
    }

    private String doing(int shard) {
        for (Map.Entry<Long, CatalogOperation> running : catalog.running().entrySet()) {
            Set<Integer> its = new HashSet<>();
            Kinds.addTo(its, running.getValue().operation());
            if (its.contains(shard)) {
                return Words.of(running.getValue().operation()) + " (operation " + running.getKey() + ")";
            }
        }
        return "an operation is about to begin with it";
    }

    private void replicas(CatalogShard shard, Operation operation) throws RefusedException {
        int id = shard.id();
        if (operation instanceof Operation.AddReplica add) {
            target(id, add.node());
        } else if (operation instanceof Operation.MoveReplica move) {
            require(scene.replica(id, move.from()) != null, name(id) + " has no replica on " + move.from());
            target(id, move.to());
        } else if (operation instanceof Operation.ReplaceDeadReplica replace) {
            require(scene.replica(id, replace.dead()) != null, name(id) + " has no replica on " + replace.dead());
            target(id, replace.to());
        } else if (operation instanceof Operation.RemoveReplica remove) {
            Members known = scene.members().get(id);
            require(known != null && known.on(remove.node()) != null, name(id) + " has no replica on " + remove.node());
            require(known == null || known.replicas().size() > 1, name(id) + " has no other replica");
        } else if (operation instanceof Operation.TransferLeader transfer) {
            ReplicaState replica = scene.replica(id, transfer.to());
            require(
                    replica != null && replica.voter(),
                    name(id) + " has no replica on " + transfer.to() + " that could lead it");
        }
    }

    private void target(int id, String node) throws RefusedException {
        CatalogNode known = catalog.nodes().get(node);
        require(known != null, "there is no node " + node + " that stores data");
        require(
                known == null || known.lifecycle() == NodeState.Lifecycle.ACTIVE,
                "node " + node + " is to leave, or has only just joined");
        require(scene.isUp(node), "node " + node + " does not answer");
        ReplicaState replica = scene.replica(id, node);
        require(replica == null || !replica.voter(), name(id) + " has a replica on " + node + " already");
    }

    private static void split(CatalogShard shard, Operation.SplitShard split) throws RefusedException {
        require(shard.id() != Catalog.GROUP, "the catalog is never split");
        require(split.childSlots().size() == 1, "a new shard gets one run of slots, not " + split.childSlots());
        SlotRange run = split.childSlots().get(0);
        require(
                shard.slots().contains(run.first())
                        && shard.slots().contains(run.last())
                        && SplitSteps.cut(shard.slots(), run) >= 0,
                name(shard.id()) + " owns " + Words.slots(shard.slots()) + ": " + Words.slots(run)
                        + " must be some of them, and not all");
    }

    private static void merge(CatalogShard left, CatalogShard right) throws RefusedException {
        require(
                left.slots().last() + 1 == right.slots().first(),
                name(right.id()) + " owns " + Words.slots(right.slots()) + ", which do not follow those of "
                        + name(left.id()) + ", " + Words.slots(left.slots()));
    }

    private void admit(Operation.ReleaseNode release) throws RefusedException {
        CatalogNode node = catalog.nodes().get(release.node());
        require(
                node != null && node.lifecycle() == NodeState.Lifecycle.DRAINING,
                "node " + release.node() + " does not drain");
        for (CatalogOperation running : catalog.running().values()) {
            require(
                    !Kinds.concerns(running.operation(), release.node()),
                    Words.of(running.operation()) + " (operation " + running.id() + ")");
        }
        String why = scene.whyNotEmpty(release.node());
        require(why == null, "node " + release.node() + " is not empty: " + why);
    }

    private static void require(boolean condition, String otherwise) throws RefusedException {
        if (!condition) {
            throw new RefusedException(otherwise);
        }
    }

    private static String name(int group) {
        return Words.group(group);
    }
}
