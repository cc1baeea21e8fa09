package io.elastickv.api;

import java.util.List;
import java.util.Objects;

/**
 * What the cluster would do to its placement now, and what not, each with the reason. A dry run: asking for it changes
 * nothing.
 *
 * @param operations what would be started, the most urgent first; within the budgets even if all are started at once
 * @param notDone what was considered and is not done
 * @param summary one line about the cluster as the planner saw it
 * @param automation how much of this is done without being asked
 */
public record PlanInfo(
        List<PlannedOperation> operations, List<NotDone> notDone, String summary, Automation automation) {

    /** Copies the lists. */
    public PlanInfo {
        operations = List.copyOf(operations);
        notDone = List.copyOf(notDone);
        Objects.requireNonNull(automation);
    }

    /**
     * Something that was considered and is not done.
     *
     * @param rule the rule that asked for it
     * @param subject what it is about, such as "shard 12"; the first of {@code count}
     * @param reason why it is not done
     * @param count how many, this one included, are not done for the same reason
     */
    public record NotDone(String rule, String subject, String reason, int count) {}
}
