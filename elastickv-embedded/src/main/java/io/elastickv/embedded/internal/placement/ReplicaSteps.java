package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.Operation;
import io.elastickv.embedded.internal.placement.plan.ReplicaState;
import org.jspecify.annotations.Nullable;

/**
 * Adds, removes, moves and replaces replicas: always adds before it removes, and hands the leadership over before it removes
 * a leader. Until the new replica votes it can be taken back; from then on it goes forward.
 */
final class ReplicaSteps implements Steps {

    /** What the operation adds and removes. */
    private record Task(
            int shard, @Nullable String adds, @Nullable String removes) {

        static Task of(Operation operation) {
            if (operation instanceof Operation.AddReplica add) {
                return new Task(add.shard(), add.node(), null);
            } else if (operation instanceof Operation.RemoveReplica remove) {
                return new Task(remove.shard(), null, remove.node());
            } else if (operation instanceof Operation.MoveReplica move) {
                return new Task(move.shard(), move.to(), move.from());
            } else if (operation instanceof Operation.ReplaceDeadReplica replace) {
                return new Task(replace.shard(), replace.to(), replace.dead());
            }
            throw new IllegalArgumentException("not about replicas: " + operation);
        }
    }

    @Override
    public CatalogOperation.At begin(Operation operation, CatalogEdit edit, long now) {
        return CatalogOperation.At.first(Task.of(operation).adds == null ? Phase.REMOVE : Phase.ADD, now);
    }

    @Override
    public Advance step(CatalogOperation operation, Scene scene, Attempt attempt) {
        Task task = Task.of(operation.operation());
        String adds = task.adds;
        String removes = task.removes;
        return switch (operation.at().phase()) {
            case ADD -> adds == null ? Advance.STAY : add(operation, task, adds, scene, attempt);
            case TAKE_BACK -> adds == null ? Advance.STAY : takeBack(operation, task, adds, scene, attempt);
            default -> removes == null ? Advance.STAY : remove(task, removes, scene, attempt);
        };
    }

    @Override
    public Advance giveUp(CatalogOperation operation, Scene scene, Attempt attempt, String why) {
        Task task = Task.of(operation.operation());
        return switch (operation.at().phase()) {
            case ADD -> takingBack(operation, task, scene, why);
            case TAKE_BACK ->
                Advance.failed(
                        operation.at().note() + "; what it had begun could not be taken back: " + why,
                        edit -> Steps.stampFailure(edit, task.shard, scene.now()));
            default ->
                Advance.failed(
                        task.adds == null ? why : "the new replica votes, the old one is still there: " + why,
                        edit -> Steps.stampFailure(edit, task.shard, scene.now()));
        };
    }

    private static Advance add(CatalogOperation operation, Task task, String node, Scene scene, Attempt attempt) {
        CatalogNode target = scene.catalog().nodes().get(node);
        if (target == null) {
            return takingBack(operation, task, scene, "node " + node + " is no member any more");
        }
        Answer answer = attempt.heard(scene.actions().addReplica(task.shard, node), scene.now());
        return switch (answer.result()) {
            case DONE -> added(operation, task, scene);
            case IMPOSSIBLE -> takingBack(operation, task, scene, answer.text());
            default -> Advance.STAY;
        };
    }

    private static Advance added(CatalogOperation operation, Task task, Scene scene) {
        if (task.removes != null) {
            return Advance.to(operation.at().then(Phase.REMOVE, scene.now()));
        }
        return Advance.done("", edit -> stampMove(edit, task.shard, scene.now()));
    }

    private static Advance takingBack(CatalogOperation operation, Task task, Scene scene, String why) {
        return Advance.to(operation.at().then(Phase.TAKE_BACK, scene.now()).noting(why), edit -> {
            CatalogNode target = task.adds == null ? null : edit.node(task.adds);
            if (target != null) {
                edit.put(target.refused(scene.now()));
            }
        });
    }

    private static Advance takeBack(CatalogOperation operation, Task task, String node, Scene scene, Attempt attempt) {
        ReplicaState replica = scene.replica(task.shard, node);
        if (replica != null && replica.voter()) {
            // It came to vote after all. Forward is the shorter way.
            return added(operation, task, scene);
        }
        Answer answer = attempt.heard(scene.actions().removeReplica(task.shard, node), scene.now());
        String why = operation.at().note();
        return switch (answer.result()) {
            case DONE -> {
                // An attempt to add it may still be on its way: only what stays away for a while is gone.
                yield attempt.hasSettled(scene)
                                && scene.now() - operation.at().sinceMillis()
                                        >= scene.settings().settleMillis()
                        ? Advance.undone(why, edit -> Steps.stampFailure(edit, task.shard, scene.now()))
                        : Advance.STAY;
            }
            case IMPOSSIBLE ->
                Advance.failed(
                        why + "; it cannot be taken back: " + answer.text(),
                        edit -> Steps.stampFailure(edit, task.shard, scene.now()));
            default -> Advance.STAY;
        };
    }

    private static Advance remove(Task task, String node, Scene scene, Attempt attempt) {
        String heir = null;
        if (node.equals(scene.leaderOf(task.shard))) {
            heir = task.adds != null ? task.adds : scene.heir(task.shard, node);
            if (heir == null) {
                attempt.heard(Answer.underWay("it leads, and no other replica could"), scene.now());
                return Advance.STAY;
            }
            if (!attempt.heard(scene.actions().transfer(task.shard, heir), scene.now())
                    .isDone()) {
                return Advance.STAY;
            }
        }
        String successor = heir;
        Answer answer = attempt.heard(scene.actions().removeReplica(task.shard, node), scene.now());
        return switch (answer.result()) {
            case DONE ->
                Advance.done("", edit -> {
                    CatalogShard shard = edit.group(task.shard);
                    if (shard != null && node.equals(shard.preferredLeader())) {
                        edit.put(shard.preferring(successor != null ? successor : task.adds));
                    }
                    stampMove(edit, task.shard, scene.now());
                });
            case IMPOSSIBLE -> Advance.failed(answer.text(), edit -> Steps.stampFailure(edit, task.shard, scene.now()));
            default -> Advance.STAY;
        };
    }

    private static void stampMove(CatalogEdit edit, int group, long now) {
        CatalogShard shard = edit.group(group);
        if (shard != null) {
            edit.put(shard.with(shard.stamps().moved(now)));
        }
    }
}
