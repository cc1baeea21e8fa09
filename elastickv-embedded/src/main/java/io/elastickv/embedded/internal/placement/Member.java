package io.elastickv.embedded.internal.placement;

/**
 * A node that stores data.
 *
 * @param name its name, which is also its identity as a voter
 * @param host the host that other nodes use
 * @param port the port that other nodes use
 * @param nodeId the random identity of its data directory: another directory under the same name is another node
 * @param since when it joined, in milliseconds since 1970; 0 if the cluster was formed with it
 */
public record Member(String name, String host, int port, String nodeId, long since) {

    /** One that the cluster was formed with. */
    public Member(String name, String host, int port, String nodeId) {
        this(name, host, port, nodeId, 0);
    }

    /** The address as {@code host:port}, an IPv6 address in brackets. */
    public String address() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }
}
