package io.elastickv.embedded.internal.placement;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.plan.Operation;

/** Operations in words, for people. */
final class Words {

    private Words() {}

    static String group(int group) {
        return group == Catalog.GROUP ? "the catalog" : "shard " + group;
    }

    static String slots(SlotRange range) {
        return range.size() == 1 ? "slot " + range.first() : "slots " + range.first() + "-" + range.last();
    }

    static String of(Operation operation) {
        if (operation instanceof Operation.AddReplica add) {
            return "replica of " + group(add.shard()) + " on " + add.node() + " is added";
        } else if (operation instanceof Operation.RemoveReplica remove) {
            return "replica of " + group(remove.shard()) + " on " + remove.node() + " is removed";
        } else if (operation instanceof Operation.MoveReplica move) {
            return "replica of " + group(move.shard()) + " moves from " + move.from() + " to " + move.to();
        } else if (operation instanceof Operation.ReplaceDeadReplica replace) {
            return "replica of " + group(replace.shard()) + " on " + replace.dead() + " is replaced by one on "
                    + replace.to();
        } else if (operation instanceof Operation.TransferLeader transfer) {
            return group(transfer.shard()) + " is handed over from " + transfer.from() + " to " + transfer.to();
        } else if (operation instanceof Operation.SplitShard split) {
            StringBuilder slots = new StringBuilder();
            split.childSlots()
                    .forEach(range ->
                            slots.append(slots.length() == 0 ? "" : ", ").append(slots(range)));
            return group(split.shard()) + " is split: a new one gets " + slots
                    + (split.childLeader() == null ? "" : " and is handed to " + split.childLeader());
        } else if (operation instanceof Operation.MergeShards merge) {
            return group(merge.right()) + " is merged into " + group(merge.shard());
        } else if (operation instanceof Operation.RelieveKey relieve) {
            return "a key in slot " + relieve.slot() + " of " + group(relieve.shard()) + " is relieved";
        } else if (operation instanceof Operation.EndRelief end) {
            return "relief of a key in slot " + end.slot() + " of " + group(end.shard()) + " ends";
        } else if (operation instanceof Operation.ReleaseNode release) {
            return "node " + release.node() + " is released";
        }
        return operation.toString();
    }
}
