package io.elastickv.embedded.internal.placement.plan;

/** Why an operation is planned: the rules of the planner in the order in which they are applied. */
public enum Rule {
    /** A shard has the number of replicas it should have, and none on a node that is gone. */
    REPLICATION(true),
    /** The replicas of a shard are spread over the zones. */
    ZONES(true),
    /** A node that is to leave hands over its leaderships and then its replicas. */
    DRAIN(true),
    /** A single hot key is relieved, not split. */
    HOT_KEY(false),
    /** A shard that is too hot or too large is split. */
    SPLIT(false),
    /** Adjacent shards that were cold for long become one. */
    MERGE(false),
    /** Leaders are spread by load. */
    LEADER_BALANCE(false),
    /** Replicas are spread by load. */
    LOAD_BALANCE(false),
    /** Replicas are spread by count, where load says nothing. */
    COUNT_BALANCE(false);

    private final boolean repair;

    Rule(boolean repair) {
        this.repair = repair;
    }

    /** Whether {@link Automation#REPAIRS} covers it. */
    public boolean isRepair() {
        return repair;
    }
}
