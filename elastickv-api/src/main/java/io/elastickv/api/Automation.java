package io.elastickv.api;

/**
 * The kill switch: how much the cluster does to its placement without being asked. Whatever it says, {@link
 * ClusterView#plan} tells what would be done, and what an operator asks for by name is done.
 */
public enum Automation {
    /** Nothing. Operations that have begun are brought to their end. */
    OFF,
    /**
     * What keeps the data safe and what an operator asked for: dead replicas are replaced, the replication factor is
     * followed, replicas are spread over the zones, nodes are drained.
     */
    REPAIRS,
    /** All: also splits, merges, relief of hot keys, and balancing. */
    ALL
}
