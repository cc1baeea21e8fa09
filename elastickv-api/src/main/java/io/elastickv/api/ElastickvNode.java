package io.elastickv.api;

/**
 * A node running in this process: the way to the store and to the cluster. Thread-safe.
 *
 * <p>Closing it hands its leaderships over, completes pending calls with an error and releases its threads, files and
 * ports; it is idempotent.
 */
public interface ElastickvNode extends AutoCloseable {

    /** The name of this node, unique in the cluster. */
    String name();

    /** The store, blocking. */
    KeyValueStore store();

    /** The store with futures. */
    default AsyncKeyValueStore asyncStore() {
        return store().async();
    }

    /** The cluster as this node sees it. */
    ClusterView cluster();

    /** Leaves the cluster's network and releases everything; idempotent. */
    @Override
    void close();
}
