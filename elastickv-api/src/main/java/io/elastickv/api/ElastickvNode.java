package io.elastickv.api;

import java.time.Duration;

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

    /** Writes and restores backups of the whole cluster. */
    Backups backups();

    /** What the node has done with its disk so far. Cheap, but not free: for figures a few times a second. */
    NodeMetrics metrics();

    /**
     * Waits until the cluster has formed and this node knows a leader of every shard. Nothing has to wait for it:
     * operations wait by themselves, each until its own timeout.
     *
     * @throws UnavailableException if that is not so within {@code timeout}, or the node has failed; the message says
     *     what is missing
     */
    void awaitReady(Duration timeout);

    /** Leaves the cluster's network and releases everything; idempotent. */
    @Override
    void close();
}
