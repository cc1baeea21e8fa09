package io.elastickv.embedded.internal.raft.log;

/** What must have happened before a batch counts as durable. */
public enum Durability {
    /** Written and synced to the disk: survives a power cut. */
    FSYNC,
    /** Handed to the operating system: survives the end of the process, not a power cut. */
    MEMORY
}
