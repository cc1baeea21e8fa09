package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.Plan;
import java.util.List;
import java.util.Map;

/**
 * What would be done now, and what is being done.
 *
 * @param shards the plan for the shards
 * @param catalog the plan for the catalog's own group
 * @param running the operations that have not ended
 * @param progress by their numbers, how far those are that say so
 */
public record DryRun(Plan shards, Plan catalog, List<CatalogOperation> running, Map<Long, String> progress) {

    /** Copies the collections. */
    public DryRun {
        running = List.copyOf(running);
        progress = Map.copyOf(progress);
    }

    /** As text, a line for each operation and each thing that is left. */
    public String describe() {
        StringBuilder text = new StringBuilder(shards.describe());
        catalog.operations()
                .forEach(step -> text.append("do ")
                        .append(Words.of(step.operation()))
                        .append(" (")
                        .append(step.rule())
                        .append("): ")
                        .append(step.reason())
                        .append('\n'));
        for (CatalogOperation operation : running) {
            text.append("running ")
                    .append(operation.id())
                    .append(": ")
                    .append(Words.of(operation.operation()))
                    .append(", ")
                    .append(operation.at().phase());
            String how = progress.get(operation.id());
            text.append(how == null || how.isEmpty() ? "" : ": " + how).append('\n');
        }
        return text.toString();
    }
}
