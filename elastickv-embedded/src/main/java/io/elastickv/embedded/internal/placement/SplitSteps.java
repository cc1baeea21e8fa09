package io.elastickv.embedded.internal.placement;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.plan.Operation;
import io.elastickv.embedded.internal.placement.plan.RelievedKey;
import io.elastickv.embedded.internal.placement.plan.ShardStamps;
import java.util.ArrayList;
import java.util.List;

/**
 * Takes a run of slots out of a shard. As a shard's log can only give away what is behind some slot, that is at most two
 * splits: behind the run, then before it. The number and the epoch of the shard that a split makes are written down before
 * it, so whoever comes later makes the same one or sees that it is made. Then the shard that has the run, which is the old
 * one if the run was at its beginning, is handed to its leader.
 */
final class SplitSteps implements Steps {

    /** The first slot that the next split gives away; -1 if the run is alone. */
    static int cut(SlotRange owned, SlotRange run) {
        if (run.last() < owned.last()) {
            return run.last() + 1;
        }
        return run.first() > owned.first() ? run.first() : -1;
    }

    /** The run of an operation, which has exactly one. */
    static SlotRange run(Operation.SplitShard split) {
        return split.childSlots().get(0);
    }

    @Override
    public CatalogOperation.At begin(Operation operation, CatalogEdit edit, long now) {
        Operation.SplitShard split = (Operation.SplitShard) operation;
        CatalogShard parent = edit.group(split.shard());
        if (parent == null) {
            throw new IllegalArgumentException("there is no shard " + split.shard());
        }
        return splitting(CatalogOperation.At.first(Phase.SPLIT, now), parent, run(split), edit);
    }

    private static CatalogOperation.At splitting(
            CatalogOperation.At at, CatalogShard parent, SlotRange run, CatalogEdit edit) {
        int cut = cut(parent.slots(), run);
        return at.making(
                edit.takeShard(),
                parent.epoch() + 1,
                new SlotRange(cut, parent.slots().last()));
    }

    @Override
    public Advance step(CatalogOperation operation, Scene scene, Attempt attempt) {
        Operation.SplitShard split = (Operation.SplitShard) operation.operation();
        return operation.at().phase() == Phase.HAND_OVER
                ? handOver(split, scene, attempt)
                : split(operation, split, scene, attempt);
    }

    @Override
    public Advance giveUp(CatalogOperation operation, Scene scene, Attempt attempt, String why) {
        Operation.SplitShard split = (Operation.SplitShard) operation.operation();
        if (operation.at().phase() == Phase.HAND_OVER) {
            return Advance.done("it is split, but not handed over: " + why, edit -> {});
        }
        CatalogShard parent = scene.catalog().group(split.shard());
        if (parent == null) {
            return givenUp(operation, split, scene, why);
        }
        // Whether it is split, only the shard can tell.
        Ownership owned = scene.actions().ownership(parent.id());
        return owned != null && owned.epoch() == parent.epoch() && attempt.hasSettled(scene)
                ? givenUp(operation, split, scene, why)
                : Advance.STAY;
    }

    private static Advance givenUp(CatalogOperation operation, Operation.SplitShard split, Scene scene, String why) {
        boolean half = operation.at().number() > 0;
        return half
                ? Advance.failed(
                        "only one of two splits is done: " + why,
                        edit -> Steps.stampFailure(edit, split.shard(), scene.now()))
                : Advance.undone(why, edit -> Steps.stampFailure(edit, split.shard(), scene.now()));
    }

    private static Advance split(CatalogOperation operation, Operation.SplitShard split, Scene scene, Attempt attempt) {
        CatalogOperation.At at = operation.at();
        CatalogShard parent = scene.catalog().group(split.shard());
        SlotRange piece = at.piece();
        if (parent == null || piece == null) {
            return Advance.failed("there is no shard " + split.shard(), edit -> {});
        }
        Answer answer = attempt.heard(
                scene.actions().split(parent.id(), parent.epoch(), at.epoch(), piece.first(), at.child(), at.epoch()),
                scene.now());
        if (answer.result() == Answer.Result.UNDER_WAY) {
            return Advance.STAY;
        }
        // The shard itself is asked: an answer may be about an attempt that was given up.
        Ownership owned = scene.actions().ownership(parent.id());
        if (owned == null) {
            return Advance.STAY;
        }
        SlotRange kept = new SlotRange(parent.slots().first(), piece.first() - 1);
        if (owned.epoch() == at.epoch() && owned.owns(kept)) {
            return isSplit(operation, split, parent, kept, scene);
        }
        if (owned.epoch() != parent.epoch()) {
            return Advance.failed(
                    "the shard is in epoch " + owned.epoch() + " and owns " + owned.slots()
                            + ", which no operation that is known led to",
                    edit -> Steps.stampFailure(edit, parent.id(), scene.now()));
        }
        return answer.result() == Answer.Result.IMPOSSIBLE && attempt.hasSettled(scene)
                ? givenUp(operation, split, scene, answer.text())
                : Advance.STAY;
    }

    private static Advance isSplit(
            CatalogOperation operation, Operation.SplitShard split, CatalogShard parent, SlotRange kept, Scene scene) {
        CatalogOperation.At at = operation.at();
        long now = scene.now();
        CatalogShard left = parent.owning(kept, at.epoch()).with(parent.stamps().split(now));
        CatalogShard child = child(parent, at, now);
        int next = cut(kept, run(split));
        boolean again = kept.last() >= run(split).first() && next >= 0;
        if (again) {
            return new Advance(
                    edit -> splitting(at.then(Phase.SPLIT, now), left, run(split), edit),
                    null,
                    "",
                    edit -> edit.put(left).put(child));
        }
        if (split.childLeader() == null) {
            return Advance.done("", edit -> edit.put(left).put(child));
        }
        return Advance.to(at.then(Phase.HAND_OVER, now), edit -> edit.put(left).put(child));
    }

    /** It inherits when things happened, what is relieved, and for now who should lead. */
    private static CatalogShard child(CatalogShard parent, CatalogOperation.At at, long now) {
        SlotRange slots = at.piece();
        if (slots == null) {
            throw new IllegalStateException("a split without slots: " + at);
        }
        List<RelievedKey> relieved = new ArrayList<>(parent.relieved());
        relieved.removeIf(key -> !slots.contains(key.slot()));
        ShardStamps stamps = parent.stamps().split(now);
        return new CatalogShard(at.child(), at.epoch(), slots, parent.preferredLeader(), stamps, relieved);
    }

    private static Advance handOver(Operation.SplitShard split, Scene scene, Attempt attempt) {
        String leader = split.childLeader();
        CatalogShard subject = scene.catalog().shards().values().stream()
                .filter(shard -> shard.slots().equals(run(split)))
                .findFirst()
                .orElse(null);
        if (leader == null || subject == null) {
            return Advance.done("it is split; nothing has these slots alone any more", edit -> {});
        }
        Answer answer = attempt.heard(scene.actions().transfer(subject.id(), leader), scene.now());
        return switch (answer.result()) {
            case DONE ->
                Advance.done("", edit -> {
                    CatalogShard shard = edit.group(subject.id());
                    if (shard != null) {
                        edit.put(shard.preferring(leader));
                    }
                });
            case IMPOSSIBLE -> {
                // A replica that has not split yet is not there yet: it is asked for until that is unlikely.
                yield attempt.hasStalled(scene.settings().settleMillis(), scene.now())
                        ? Advance.done("it is split, but not handed over: " + answer.text(), edit -> {})
                        : Advance.STAY;
            }
            default -> Advance.STAY;
        };
    }
}
