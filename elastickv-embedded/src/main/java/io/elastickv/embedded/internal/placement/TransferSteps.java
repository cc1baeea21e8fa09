package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.Operation;

/** Hands the leadership of a shard over and makes the new leader the preferred one. */
final class TransferSteps implements Steps {

    @Override
    public CatalogOperation.At begin(Operation operation, CatalogEdit edit, long now) {
        return CatalogOperation.At.first(Phase.TRANSFER, now);
    }

    @Override
    public Advance step(CatalogOperation operation, Scene scene, Attempt attempt) {
        Operation.TransferLeader transfer = (Operation.TransferLeader) operation.operation();
        String leader = scene.leaderOf(transfer.shard());
        if (leader != null && !leader.equals(transfer.from()) && !leader.equals(transfer.to())) {
            return undone(transfer, scene, leader + " has come to lead it meanwhile");
        }
        Answer answer = attempt.heard(scene.actions().transfer(transfer.shard(), transfer.to()), scene.now());
        return switch (answer.result()) {
            case DONE ->
                Advance.done("", edit -> {
                    CatalogShard shard = edit.group(transfer.shard());
                    if (shard != null) {
                        edit.put(shard.preferring(transfer.to())
                                .with(shard.stamps().transferred(scene.now())));
                    }
                });
            case IMPOSSIBLE -> undone(transfer, scene, answer.text());
            default -> Advance.STAY;
        };
    }

    @Override
    public Advance giveUp(CatalogOperation operation, Scene scene, Attempt attempt, String why) {
        return undone((Operation.TransferLeader) operation.operation(), scene, why);
    }

    private static Advance undone(Operation.TransferLeader transfer, Scene scene, String why) {
        return Advance.undone(why, edit -> Steps.stampFailure(edit, transfer.shard(), scene.now()));
    }
}
