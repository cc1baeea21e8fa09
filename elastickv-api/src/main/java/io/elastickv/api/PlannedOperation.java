package io.elastickv.api;

import java.util.Objects;
import java.util.OptionalInt;

/**
 * An operation that would be started now.
 *
 * @param kind what would be done
 * @param shard the shard it concerns; empty if it concerns a whole node
 * @param what what exactly, for people
 * @param rule the rule that asks for it
 * @param reason why, in words and figures
 */
public record PlannedOperation(OperationInfo.Kind kind, OptionalInt shard, String what, String rule, String reason) {

    /** Checks that nothing is missing. */
    public PlannedOperation {
        Objects.requireNonNull(kind);
        Objects.requireNonNull(shard);
    }
}
