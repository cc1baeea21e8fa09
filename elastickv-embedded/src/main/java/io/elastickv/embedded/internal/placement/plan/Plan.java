package io.elastickv.embedded.internal.placement.plan;

import java.util.List;

/**
 * What to do next, and what was left undone, each with the reason.
 *
 * @param operations what to do, the most urgent first; within the budgets even if all are started at once
 * @param notDone what was considered and not done: the first ones of each kind, and how many there are
 * @param summary one line about the cluster as the planner saw it
 */
public record Plan(List<Step> operations, List<NotDone> notDone, String summary) {

    /** Copies the lists. */
    public Plan {
        operations = List.copyOf(operations);
        notDone = List.copyOf(notDone);
    }

    /**
     * An operation to start.
     *
     * @param rule which rule asks for it
     * @param operation what to do
     * @param reason why, in words and figures
     */
    public record Step(Rule rule, Operation operation, String reason) {}

    /**
     * Something that was considered.
     *
     * @param rule which rule asked for it
     * @param subject what it was about, for example "shard 12"; the first one of {@code count}
     * @param reason why it was not done
     * @param count how many others, including this one, were not done for the same reason
     */
    public record NotDone(Rule rule, String subject, String reason, int count) {}

    /** The plan as text, a line for each operation and each thing not done. */
    public String describe() {
        StringBuilder text = new StringBuilder(summary).append('\n');
        for (Step step : operations) {
            text.append("do ")
                    .append(step.operation())
                    .append(" (")
                    .append(step.rule())
                    .append("): ")
                    .append(step.reason())
                    .append('\n');
        }
        for (NotDone not : notDone) {
            text.append("leave ").append(not.subject());
            if (not.count() > 1) {
                text.append(" and ").append(not.count() - 1).append(" more");
            }
            text.append(" (")
                    .append(not.rule())
                    .append("): ")
                    .append(not.reason())
                    .append('\n');
        }
        return text.toString();
    }
}
