package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.Operation;
import java.util.HashSet;
import java.util.Set;

/** The steps of each kind of operation, and what an operation keeps busy. */
final class Kinds {

    private static final Steps REPLICAS = new ReplicaSteps();
    private static final Steps TRANSFER = new TransferSteps();
    private static final Steps SPLIT = new SplitSteps();
    private static final Steps MERGE = new MergeSteps();
    private static final Steps RECORD = new RecordSteps();

    private Kinds() {}

    static Steps of(Operation operation) {
        if (operation instanceof Operation.TransferLeader) {
            return TRANSFER;
        } else if (operation instanceof Operation.SplitShard) {
            return SPLIT;
        } else if (operation instanceof Operation.MergeShards) {
            return MERGE;
        } else if (operation instanceof Operation.OfShard
                && !(operation instanceof Operation.RelieveKey)
                && !(operation instanceof Operation.EndRelief)) {
            return REPLICAS;
        }
        return RECORD;
    }

    /** How long it may be without progress where it is. */
    static long limitMillis(CatalogOperation operation, DriverSettings settings) {
        Phase phase = operation.at().phase();
        return phase == Phase.TRANSFER || phase == Phase.HAND_OVER ? settings.transferMillis() : settings.stallMillis();
    }

    /** The groups that operations work on: no two work on the same one. */
    static Set<Integer> busy(CatalogState catalog) {
        Set<Integer> busy = new HashSet<>();
        catalog.running().values().forEach(operation -> {
            addTo(busy, operation.operation());
            if (operation.operation() instanceof Operation.SplitShard split) {
                busy.add(operation.at().child());
                // Once it is split, what has the slots is to be handed over.
                for (CatalogShard shard : catalog.shards().values()) {
                    if (shard.slots().equals(SplitSteps.run(split))) {
                        busy.add(shard.id());
                    }
                }
            }
        });
        return busy;
    }

    static void addTo(Set<Integer> busy, Operation operation) {
        if (operation instanceof Operation.OfShard of) {
            busy.add(of.shard());
        }
        if (operation instanceof Operation.MergeShards merge) {
            busy.add(merge.right());
        }
    }

    /** Whether it is about a replica on the node, or about the node itself. */
    static boolean concerns(Operation operation, String node) {
        if (operation instanceof Operation.ReleaseNode release) {
            return release.node().equals(node);
        } else if (operation instanceof Operation.AddReplica add) {
            return add.node().equals(node);
        } else if (operation instanceof Operation.RemoveReplica remove) {
            return remove.node().equals(node);
        } else if (operation instanceof Operation.MoveReplica move) {
            return move.from().equals(node) || move.to().equals(node);
        } else if (operation instanceof Operation.ReplaceDeadReplica replace) {
            return replace.dead().equals(node) || replace.to().equals(node);
        }
        return false;
    }
}
