package io.elastickv.embedded.internal.placement;

import java.util.List;

/**
 * A shard that is no more because all its slots were merged into another one. A node that has a replica of it may delete it.
 *
 * @param shard the shard's number, which no other one ever has
 * @param nodes the nodes that may have a replica of it left
 */
public record Grave(int shard, List<String> nodes) {

    /** Copies the list. */
    public Grave {
        nodes = List.copyOf(nodes);
    }
}
