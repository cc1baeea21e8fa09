package io.elastickv.embedded.internal.placement.plan;

/** The kill switch: how much of a {@link Plan} may be carried out without an operator. */
public enum Automation {
    /** Nothing. A plan still says what would be done. */
    OFF,
    /** What keeps the data safe and what an operator asked for: repairs, changed replication factors, zones, drains. */
    REPAIRS,
    /** All: also splits, merges and balancing. */
    ALL
}
