package io.elastickv.embedded.internal.transport;

import java.nio.ByteBuffer;
import java.util.Set;

/**
 * What a node hears from its network.
 *
 * <p>Called on transport threads: a method must not block and must be quick, it holds up everything else that comes from
 * the same peer. What it throws is counted and logged, and stops nothing.
 */
public interface ClusterListener {
    /**
     * A message for a group. Messages may be lost, repeated or overtake one another; each that arrives is whole.
     *
     * @param from the sender's node name
     * @param groupId the group it is for
     * @param payload read-only, position 0; valid only during the call
     */
    void groupMessage(String from, int groupId, ByteBuffer payload);

    /**
     * JGroups installed a view. A node that restarted between two views is in {@code left} and in {@code joined}.
     *
     * @param joined names that are new in the view
     * @param left names that are no longer in it
     * @param members all names in it, this node's included, storage-less members too
     */
    void viewChanged(Set<String> joined, Set<String> left, Set<String> members);

    /**
     * The failure detector changed its mind about a peer. For one peer the calls alternate, beginning with
     * {@code true}; a peer that came back with a new incarnation gives {@code false}, then {@code true}. All these
     * calls come from one thread.
     */
    void peerReachable(String peer, boolean reachable);
}
