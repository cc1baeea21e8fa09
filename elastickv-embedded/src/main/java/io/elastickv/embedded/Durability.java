package io.elastickv.embedded;

/** What the acknowledgement of a write waits for. */
public enum Durability {
    /** The write is in the log of a majority of replicas, synced to disk. The default. */
    FSYNC,
    /**
     * The write is in the log of a majority of replicas, but perhaps only in the operating system's memory: it survives
     * the end of every process, not the failure of a majority of machines at once.
     */
    MEMORY
}
