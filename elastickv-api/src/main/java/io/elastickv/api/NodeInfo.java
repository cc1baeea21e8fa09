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
 */
public record NodeInfo(String name, String address, boolean member, State state, Map<String, String> attributes) {

    /** Whether a node is connected. */
    public enum State {
        /** Heard from recently. */
        UP,
        /** Not heard from. */
        DOWN
    }
}
