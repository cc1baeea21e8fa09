package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.Automation;

/**
 * What was decided for the whole cluster and can be changed while it runs.
 *
 * @param replicationFactor how many replicas each shard should have, if there are as many nodes
 * @param automation how much is done without an operator
 * @param minShards merges leave at least so many shards: those that the cluster was formed with
 */
public record CatalogSettings(int replicationFactor, Automation automation, int minShards) {

    /** Checks the numbers. */
    public CatalogSettings {
        if (replicationFactor < 1) {
            throw new IllegalArgumentException("replicationFactor = " + replicationFactor + ": must be at least 1");
        }
        if (minShards < 1) {
            throw new IllegalArgumentException("minShards = " + minShards + ": must be at least 1");
        }
    }
}
