package io.elastickv.embedded.internal.node;

import io.elastickv.api.OperationInfo;
import io.elastickv.api.OperationInfo.Kind;
import io.elastickv.api.OperationInfo.Outcome;
import io.elastickv.api.PlannedOperation;
import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.Catalog;
import io.elastickv.embedded.internal.placement.CatalogOperation;
import io.elastickv.embedded.internal.placement.CatalogState;
import io.elastickv.embedded.internal.placement.PastOperation;
import io.elastickv.embedded.internal.placement.plan.Operation;
import io.elastickv.embedded.internal.placement.plan.Plan;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The catalog's operations as applications see them. */
final class Operations {

    private Operations() {}

    /** The running ones and those that ended, by number. */
    static List<OperationInfo> of(CatalogState state) {
        List<OperationInfo> all = new ArrayList<>();
        state.past().forEach(past -> all.add(of(past)));
        state.running().values().forEach(running -> all.add(of(running)));
        all.sort((one, other) -> Long.compare(one.id(), other.id()));
        return List.copyOf(all);
    }

    static OperationInfo of(CatalogOperation running) {
        CatalogOperation.At at = running.at();
        String note = at.phase() + (at.note().isEmpty() ? "" : ": " + at.note());
        return new OperationInfo(
                running.id(),
                kind(running.operation()),
                shard(running.operation()),
                slots(running.operation()),
                words(running.operation()),
                running.reason(),
                running.by(),
                note,
                Instant.ofEpochMilli(running.startedMillis()),
                Optional.empty(),
                Outcome.RUNNING);
    }

    static OperationInfo of(PastOperation past) {
        return new OperationInfo(
                past.id(),
                kind(past.operation()),
                shard(past.operation()),
                slots(past.operation()),
                words(past.operation()),
                past.reason(),
                past.by(),
                past.why(),
                Instant.ofEpochMilli(past.startedMillis()),
                Optional.of(Instant.ofEpochMilli(past.endedMillis())),
                switch (past.outcome()) {
                    case DONE -> Outcome.DONE;
                    case UNDONE -> Outcome.UNDONE;
                    case FAILED -> Outcome.FAILED;
                });
    }

    static PlannedOperation of(Plan.Step step) {
        return new PlannedOperation(
                kind(step.operation()),
                shard(step.operation()),
                words(step.operation()),
                step.rule().name(),
                step.reason());
    }

    private static Kind kind(Operation operation) {
        if (operation instanceof Operation.AddReplica) {
            return Kind.ADD_REPLICA;
        } else if (operation instanceof Operation.RemoveReplica) {
            return Kind.REMOVE_REPLICA;
        } else if (operation instanceof Operation.MoveReplica) {
            return Kind.MOVE_REPLICA;
        } else if (operation instanceof Operation.ReplaceDeadReplica) {
            return Kind.REPLACE_REPLICA;
        } else if (operation instanceof Operation.TransferLeader) {
            return Kind.TRANSFER_LEADER;
        } else if (operation instanceof Operation.SplitShard) {
            return Kind.SPLIT_SHARD;
        } else if (operation instanceof Operation.MergeShards) {
            return Kind.MERGE_SHARDS;
        } else if (operation instanceof Operation.RelieveKey) {
            return Kind.RELIEVE_KEY;
        } else if (operation instanceof Operation.EndRelief) {
            return Kind.END_RELIEF;
        }
        return Kind.RELEASE_NODE;
    }

    private static OptionalInt shard(Operation operation) {
        return operation instanceof Operation.OfShard ofShard ? OptionalInt.of(ofShard.shard()) : OptionalInt.empty();
    }

    private static Optional<SlotRange> slots(Operation operation) {
        if (operation instanceof Operation.SplitShard split) {
            List<SlotRange> slots = split.childSlots();
            return Optional.of(new SlotRange(
                    slots.get(0).first(), slots.get(slots.size() - 1).last()));
        } else if (operation instanceof Operation.RelieveKey relief) {
            return Optional.of(new SlotRange(relief.slot(), relief.slot()));
        } else if (operation instanceof Operation.EndRelief relief) {
            return Optional.of(new SlotRange(relief.slot(), relief.slot()));
        }
        return Optional.empty();
    }

    private static String words(Operation operation) {
        if (operation instanceof Operation.AddReplica add) {
            return "a replica of " + name(add.shard()) + " on " + add.node();
        } else if (operation instanceof Operation.RemoveReplica remove) {
            return "no replica of " + name(remove.shard()) + " on " + remove.node();
        } else if (operation instanceof Operation.MoveReplica move) {
            return "replica of " + name(move.shard()) + " from " + move.from() + " to " + move.to();
        } else if (operation instanceof Operation.ReplaceDeadReplica replace) {
            return "replica of " + name(replace.shard()) + " on " + replace.to() + " for that of " + replace.dead();
        } else if (operation instanceof Operation.TransferLeader transfer) {
            return name(transfer.shard()) + " led by " + transfer.to() + " instead of " + transfer.from();
        } else if (operation instanceof Operation.SplitShard split) {
            return "slots " + ranges(split.childSlots()) + " of " + name(split.shard()) + " become a shard"
                    + (split.childLeader() == null ? "" : ", led by " + split.childLeader());
        } else if (operation instanceof Operation.MergeShards merge) {
            return name(merge.right()) + " becomes part of " + name(merge.shard());
        } else if (operation instanceof Operation.RelieveKey relief) {
            return "key " + relief.key() + " of " + name(relief.shard()) + " is relieved";
        } else if (operation instanceof Operation.EndRelief relief) {
            return "key " + relief.key() + " of " + name(relief.shard()) + " is relieved no more";
        } else if (operation instanceof Operation.ReleaseNode release) {
            return "node " + release.node() + " may leave";
        }
        return operation.toString();
    }

    private static String name(int group) {
        return group == Catalog.GROUP ? "the catalog" : "shard " + group;
    }

    private static String ranges(List<SlotRange> slots) {
        List<String> texts = new ArrayList<>();
        for (SlotRange range : slots) {
            texts.add(range.first() == range.last() ? "" + range.first() : range.first() + "-" + range.last());
        }
        return String.join(",", texts);
    }
}
