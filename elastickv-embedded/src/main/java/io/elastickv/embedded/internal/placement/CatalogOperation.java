package io.elastickv.embedded.internal.placement;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.plan.Operation;
import io.elastickv.embedded.internal.placement.plan.RunningOperation;
import org.jspecify.annotations.Nullable;

/**
 * An operation that has begun and not ended.
 *
 * @param id its number, which no other operation ever has
 * @param operation what is being done
 * @param reason why, in words and figures
 * @param by who asks for it: the name of a {@link io.elastickv.embedded.internal.placement.plan.Rule}, or {@link #OPERATOR}
 * @param startedMillis since when, in milliseconds since 1970
 * @param at how far it is
 */
public record CatalogOperation(long id, Operation operation, String reason, String by, long startedMillis, At at) {

    /** Who asks for what a person or the application asked for. */
    public static final String OPERATOR = "operator";

    /** No shard. */
    public static final int NO_SHARD = -1;

    /**
     * How far an operation is, and what it must not forget about the step that it is about to take.
     *
     * @param phase what it does
     * @param number how many steps were written down before this one
     * @param sinceMillis since when
     * @param note why it is there, if that needs telling: for example why it is being undone; empty otherwise
     * @param child the number of the shard that is being made, {@link #NO_SHARD} if none is
     * @param epoch the epoch that the step leads to, 0 if it leads to none
     * @param piece the slots that the new shard gets, or that are being given; null if none are
     */
    public record At(
            Phase phase,
            int number,
            long sinceMillis,
            String note,
            int child,
            long epoch,
            @Nullable SlotRange piece) {

        /** A first step that needs to remember nothing. */
        static At first(Phase phase, long millis) {
            return new At(phase, 0, millis, "", NO_SHARD, 0, null);
        }

        /** The step after this one; it needs to remember nothing. */
        At then(Phase next, long millis) {
            return new At(next, number + 1, millis, "", NO_SHARD, 0, null);
        }

        At noting(String other) {
            return new At(phase, number, sinceMillis, other, child, epoch, piece);
        }

        At making(int otherChild, long otherEpoch, SlotRange slots) {
            return new At(phase, number, sinceMillis, note, otherChild, otherEpoch, slots);
        }

        At moving(long otherEpoch, SlotRange slots) {
            return making(NO_SHARD, otherEpoch, slots);
        }
    }

    /** At another step. */
    CatalogOperation at(At other) {
        return new CatalogOperation(id, operation, reason, by, startedMillis, other);
    }

    /** As the planner sees it. */
    public RunningOperation toRunning() {
        return new RunningOperation(id, operation, startedMillis);
    }

    /** Ended. */
    PastOperation ended(PastOperation.Outcome outcome, String why, long millis) {
        return new PastOperation(id, operation, reason, by, startedMillis, outcome, why, millis);
    }
}
