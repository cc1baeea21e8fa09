package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.NodeState;
import io.elastickv.embedded.internal.placement.plan.Operation;
import io.elastickv.embedded.internal.placement.plan.RelievedKey;

/** What is done by writing it into the catalog, which every node follows: relief of keys, release of nodes. */
final class RecordSteps implements Steps {

    @Override
    public CatalogOperation.At begin(Operation operation, CatalogEdit edit, long now) {
        return CatalogOperation.At.first(Phase.RECORD, now);
    }

    @Override
    public Advance step(CatalogOperation operation, Scene scene, Attempt attempt) {
        if (operation.operation() instanceof Operation.RelieveKey relieve) {
            RelievedKey key = new RelievedKey(relieve.slot(), relieve.key());
            return Advance.done("", edit -> {
                CatalogShard shard = edit.group(relieve.shard());
                if (shard != null) {
                    edit.put(shard.relieving(key));
                }
            });
        }
        if (operation.operation() instanceof Operation.EndRelief end) {
            RelievedKey key = new RelievedKey(end.slot(), end.key());
            return Advance.done("", edit -> {
                CatalogShard shard = edit.group(end.shard());
                if (shard != null) {
                    edit.put(shard.notRelieving(key));
                }
            });
        }
        return release((Operation.ReleaseNode) operation.operation(), scene, attempt);
    }

    private static Advance release(Operation.ReleaseNode release, Scene scene, Attempt attempt) {
        CatalogNode node = scene.catalog().nodes().get(release.node());
        if (node == null) {
            return Advance.done("", edit -> {});
        }
        if (node.lifecycle() != NodeState.Lifecycle.DRAINING) {
            return Advance.undone("it does not drain any more", edit -> {});
        }
        String why = scene.whyNotEmpty(release.node());
        if (why != null) {
            attempt.heard(Answer.underWay(why), scene.now());
            return Advance.STAY;
        }
        return Advance.done("", edit -> edit.removeNode(release.node()));
    }

    @Override
    public Advance giveUp(CatalogOperation operation, Scene scene, Attempt attempt, String why) {
        return Advance.undone(why, edit -> {});
    }
}
