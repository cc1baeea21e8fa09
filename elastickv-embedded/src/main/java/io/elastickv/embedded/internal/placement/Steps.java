package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.Operation;

/**
 * The steps of one kind of operation. They remember nothing: what a step needs is in the operation's record, so any driver
 * goes on from there; and taking a step twice does no harm.
 */
interface Steps {

    /** The first step; what it needs to remember is taken from the catalog's counters. */
    CatalogOperation.At begin(Operation operation, CatalogEdit edit, long now);

    /** Takes the step that the operation is at, if it was not taken yet, and says what it leads to. */
    Advance step(CatalogOperation operation, Scene scene, Attempt attempt);

    /** Gives the operation up, or says {@link Advance#STAY} if it cannot be given up where it is. */
    Advance giveUp(CatalogOperation operation, Scene scene, Attempt attempt, String why);

    /** Marks the shard: for a while nothing else is tried with it. */
    static void stampFailure(CatalogEdit edit, int group, long now) {
        CatalogShard shard = edit.group(group);
        if (shard != null) {
            edit.put(shard.with(shard.stamps().failed(now)));
        }
    }
}
