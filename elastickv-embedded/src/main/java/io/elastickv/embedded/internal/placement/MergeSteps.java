package io.elastickv.embedded.internal.placement;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.plan.Operation;
import io.elastickv.embedded.internal.placement.plan.RelievedKey;
import java.util.List;

/**
 * Moves the slots of the right shard into the left one, a piece at a time from the boundary on: the right one gives the piece
 * away, the left one takes it in, the right one deletes it. Between pieces both shards are whole and it may stop. From the
 * moment a piece may have been given it only goes forward: the piece is served by nobody until it is taken in. A right shard
 * that owns nothing leaves the catalog, and then its replicas are deleted.
 */
final class MergeSteps implements Steps {

    @Override
    public CatalogOperation.At begin(Operation operation, CatalogEdit edit, long now) {
        return CatalogOperation.At.first(Phase.MEASURE, now);
    }

    @Override
    public Advance step(CatalogOperation operation, Scene scene, Attempt attempt) {
        Operation.MergeShards merge = (Operation.MergeShards) operation.operation();
        CatalogShard left = scene.catalog().group(merge.shard());
        CatalogShard right = scene.catalog().group(merge.right());
        if (left == null) {
            return Advance.failed("there is no shard " + merge.shard(), edit -> {});
        }
        return switch (operation.at().phase()) {
            case MEASURE -> right == null ? Advance.STAY : measure(operation, left, right, scene, attempt);
            case GIVE -> right == null ? Advance.STAY : give(operation, left, right, scene, attempt);
            case ABSORB -> right == null ? Advance.STAY : absorb(operation, left, right, scene, attempt);
            case DROP -> drop(operation, merge, scene, attempt);
            default -> delete(merge, scene, attempt);
        };
    }

    @Override
    public Advance giveUp(CatalogOperation operation, Scene scene, Attempt attempt, String why) {
        Operation.MergeShards merge = (Operation.MergeShards) operation.operation();
        CatalogShard right = scene.catalog().group(merge.right());
        return switch (operation.at().phase()) {
            case MEASURE -> givenUp(operation, merge, scene, why);
            case GIVE -> {
                Ownership owned = right == null ? null : scene.actions().ownership(right.id());
                yield right != null && owned != null && owned.epoch() == right.epoch() && attempt.hasSettled(scene)
                        ? givenUp(operation, merge, scene, why)
                        : Advance.STAY;
            }
            case ABSORB -> Advance.STAY;
            case DROP -> {
                // The next merge deletes it before it gives anything; a shard that owns nothing is deleted as a whole.
                yield Advance.failed(
                        "slots that were taken in are not deleted yet in shard " + merge.right() + ": " + why,
                        edit -> merged(edit, merge, scene));
            }
            default ->
                Advance.done(
                        "its slots are merged, but not all replicas of shard " + merge.right() + " are deleted yet: "
                                + why,
                        edit -> merged(edit, merge, scene));
        };
    }

    private static Advance givenUp(CatalogOperation operation, Operation.MergeShards merge, Scene scene, String why) {
        boolean some = operation.at().number() > 1;
        return some
                ? Advance.failed(
                        "some slots are merged, the others stay: " + why, edit -> stampBoth(edit, merge, scene.now()))
                : Advance.undone(why, edit -> stampBoth(edit, merge, scene.now()));
    }

    private static void stampBoth(CatalogEdit edit, Operation.MergeShards merge, long now) {
        Steps.stampFailure(edit, merge.shard(), now);
        Steps.stampFailure(edit, merge.right(), now);
    }

    private static Advance measure(
            CatalogOperation operation, CatalogShard left, CatalogShard right, Scene scene, Attempt attempt) {
        Operation.MergeShards merge = (Operation.MergeShards) operation.operation();
        Ownership owned = scene.actions().ownership(right.id());
        if (owned == null) {
            attempt.heard(Answer.none("shard " + right.id() + " does not answer"), scene.now());
            return Advance.STAY;
        }
        if (owned.given() != null) {
            // What a merge that was given up has left: its slots were taken in, as an operation does not end before.
            attempt.heard(scene.actions().drop(right.id(), owned.given().epoch()), scene.now());
            return Advance.STAY;
        }
        Actions.Measure measured =
                scene.actions().measure(right.id(), right.slots().first());
        Answer answer = attempt.heard(measured.answer(), scene.now());
        return switch (answer.result()) {
            case DONE -> {
                int last = Math.min(measured.last(), right.slots().last());
                SlotRange piece = new SlotRange(right.slots().first(), last);
                long epoch = Math.max(left.epoch(), right.epoch()) + 1;
                yield Advance.to(operation.at().then(Phase.GIVE, scene.now()).moving(epoch, piece));
            }
            case IMPOSSIBLE -> givenUp(operation, merge, scene, answer.text());
            default -> Advance.STAY;
        };
    }

    private static Advance give(
            CatalogOperation operation, CatalogShard left, CatalogShard right, Scene scene, Attempt attempt) {
        CatalogOperation.At at = operation.at();
        SlotRange piece = piece(at);
        Answer answer = attempt.heard(
                scene.actions().give(right.id(), right.epoch(), at.epoch(), piece, left.id()), scene.now());
        if (answer.result() == Answer.Result.UNDER_WAY) {
            return Advance.STAY;
        }
        Ownership owned = scene.actions().ownership(right.id());
        if (owned == null) {
            return Advance.STAY;
        }
        Ownership.Given given = owned.given();
        if (given != null && given.epoch() == at.epoch() && given.slots().equals(piece) && given.to() == left.id()) {
            return Advance.to(at.then(Phase.ABSORB, scene.now()).moving(at.epoch(), piece));
        }
        return answer.result() == Answer.Result.IMPOSSIBLE
                        && owned.epoch() == right.epoch()
                        && attempt.hasSettled(scene)
                ? givenUp(operation, (Operation.MergeShards) operation.operation(), scene, answer.text())
                : Advance.STAY;
    }

    private static Advance absorb(
            CatalogOperation operation, CatalogShard left, CatalogShard right, Scene scene, Attempt attempt) {
        CatalogOperation.At at = operation.at();
        SlotRange piece = piece(at);
        Answer answer = attempt.heard(scene.actions().absorb(left.id(), right.id(), at.epoch(), piece), scene.now());
        if (!answer.isDone()) {
            return Advance.STAY;
        }
        return Advance.to(at.then(Phase.DROP, scene.now()).moving(at.epoch(), piece), edit -> {
            CatalogShard taking = left.owning(new SlotRange(left.slots().first(), piece.last()), at.epoch());
            for (RelievedKey key : right.relieved()) {
                taking = piece.contains(key.slot()) ? taking.relieving(key) : taking;
            }
            edit.put(taking);
            if (piece.last() == right.slots().last()) {
                edit.removeShard(right.id());
                edit.put(new Grave(right.id(), whereTheyAre(right.id(), scene)));
            } else {
                edit.put(right.owning(
                        new SlotRange(piece.last() + 1, right.slots().last()), at.epoch()));
            }
        });
    }

    private static Advance drop(CatalogOperation operation, Operation.MergeShards merge, Scene scene, Attempt attempt) {
        CatalogOperation.At at = operation.at();
        boolean empty = scene.catalog().group(merge.right()) == null;
        if (!empty
                && !attempt.heard(scene.actions().drop(merge.right(), at.epoch()), scene.now())
                        .isDone()) {
            return Advance.STAY;
        }
        // Nothing has to be dropped from what is deleted as a whole.
        return Advance.to(at.then(empty ? Phase.DELETE : Phase.MEASURE, scene.now()));
    }

    /** Where replicas of the shard are; everywhere, if that is not known. */
    private static List<String> whereTheyAre(int shard, Scene scene) {
        Members known = scene.members().get(shard);
        return known == null || known.replicas().isEmpty()
                ? List.copyOf(scene.catalog().nodes().keySet())
                : known.nodes();
    }

    private static Advance delete(Operation.MergeShards merge, Scene scene, Attempt attempt) {
        Grave grave = scene.catalog().graves().get(merge.right());
        if (grave != null
                && !attempt.heard(scene.actions().removeShard(merge.right(), grave.nodes()), scene.now())
                        .isDone()) {
            return Advance.STAY;
        }
        return Advance.done("", edit -> {
            edit.put(new Grave(merge.right(), List.of()));
            merged(edit, merge, scene);
        });
    }

    private static void merged(CatalogEdit edit, Operation.MergeShards merge, Scene scene) {
        CatalogShard left = edit.group(merge.shard());
        if (left != null) {
            edit.put(left.with(left.stamps().merged(scene.now())));
        }
    }

    private static SlotRange piece(CatalogOperation.At at) {
        SlotRange piece = at.piece();
        if (piece == null) {
            throw new IllegalStateException("a piece is given without slots: " + at);
        }
        return piece;
    }
}
