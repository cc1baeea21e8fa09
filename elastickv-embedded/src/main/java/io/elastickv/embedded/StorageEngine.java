package io.elastickv.embedded;

/** Where a node keeps the values that it serves. The log on disk makes them durable in either case. */
public enum StorageEngine {
    /** Chronicle Map, outside the heap. Needs JVM flags; starting without them fails and names them. The default. */
    OFF_HEAP,
    /** The Java heap: needs no flags, but every entry costs the garbage collector. */
    HEAP
}
