package io.elastickv.embedded.internal.transport;

import java.util.Objects;

/**
 * Where a node listens, as other nodes reach it.
 *
 * @param host a host name or an IP address, without brackets
 * @param port 1 to 65535, or 0 for "any free port" (allowed only for the own address of a storage-less member)
 */
public record PeerAddress(String host, int port) {
    /** Checks both parts. */
    public PeerAddress {
        Objects.requireNonNull(host, "host");
        if (host.isBlank()) {
            throw new IllegalArgumentException("the host of an address must not be empty");
        }
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("port " + port + " of host " + host + " is not between 0 and 65535");
        }
    }

    /**
     * Reads {@code host:port} or {@code [ipv6]:port}.
     *
     * @throws IllegalArgumentException naming the text and what is wrong with it
     */
    public static PeerAddress parse(String text) {
        Objects.requireNonNull(text, "text");
        String trimmed = text.trim();
        int colon = trimmed.lastIndexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException("address '" + text + "' has no port: expected host:port");
        }
        String host = trimmed.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            throw new IllegalArgumentException(
                    "address '" + text + "' has more than one colon: write an IPv6 address as [address]:port");
        }
        if (host.isBlank()) {
            throw new IllegalArgumentException("address '" + text + "' has no host: expected host:port");
        }
        String digits = trimmed.substring(colon + 1);
        int port;
        try {
            port = Integer.parseInt(digits);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "address '" + text + "' has the port '" + digits + "', which is not a number", e);
        }
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException(
                    "address '" + text + "' has the port " + port + ", which is not between 1 and 65535");
        }
        return new PeerAddress(host, port);
    }

    @Override
    public String toString() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }
}
