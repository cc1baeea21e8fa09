package io.elastickv.embedded.internal.transport;

/**
 * Decides which bytes cross the network: the seam through which tests partition a cluster.
 *
 * <p>Asked for every message before it is sent (by the sender) and after it has arrived (by the receiver), JGroups' own
 * traffic included. A message that is not allowed vanishes, as on a network that drops packets. Called on transport
 * threads, concurrently.
 */
@FunctionalInterface
public interface LinkFilter {
    /** Everything passes. */
    LinkFilter OPEN = (from, to) -> true;

    /** Whether a message from one node's address to another's may pass. */
    boolean allows(PeerAddress from, PeerAddress to);

    /** A node listens at this address from now on. */
    default void nodeStarted(String nodeName, PeerAddress address) {}
}
