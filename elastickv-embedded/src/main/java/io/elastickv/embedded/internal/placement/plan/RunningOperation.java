package io.elastickv.embedded.internal.placement.plan;

/**
 * An operation that was started and has not ended.
 *
 * @param id its number in the catalog
 * @param operation what is being done
 * @param startedMillis since when
 */
public record RunningOperation(long id, Operation operation, long startedMillis) {}
