package io.elastickv.api;

import java.util.Map;

/**
 * A node of the cluster.
 *
 * @param name its name
 * @param address {@code host:port} of its cluster port
 * @param member whether it stores data; a storage-less node only routes
 * @param state whether it is connected, as seen from here
 * @param attributes what it published with {@link ClusterView#setAttribute}; unmodifiable
 * @param zone what fails together with it, such as a rack or a data centre; empty if none was given
 * @param lifecycle what is meant to become of it; {@link Lifecycle#STORAGELESS} if it stores nothing
 */
public record NodeInfo(
        String name,
        String address,
        boolean member,
        State state,
        Map<String, String> attributes,
        String zone,
        Lifecycle lifecycle) {

    /** A node without a zone, active if it stores data. */
    public NodeInfo(String name, String address, boolean member, State state, Map<String, String> attributes) {
        this(name, address, member, state, attributes, "", member ? Lifecycle.ACTIVE : Lifecycle.STORAGELESS);
    }

    /** Whether a node is connected. */
    public enum State {
        /** Heard from recently. */
        UP,
        /** Not heard from. */
        DOWN
    }

    /** What is meant to become of a node. */
    public enum Lifecycle {
        /** It is known, and not ready for replicas yet. */
        JOINING,
        /** It has replicas, or gets some. */
        ACTIVE,
        /** It gives its replicas away, to leave. */
        DRAINING,
        /** It has been drained and may leave. */
        RELEASED,
        /** It stores no data. */
        STORAGELESS
    }
}
