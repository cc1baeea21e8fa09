package io.elastickv.embedded.internal.transport;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * All that a {@link ClusterChannel} needs to know. Use {@link #builder}.
 *
 * @param clusterName nodes with different names do not see one another
 * @param nodeName unique in the cluster, at most 255 bytes in UTF-8
 * @param bindAddress the address to listen on, which is also the one that others use; port 0 only if storage-less
 * @param seeds where other nodes are found; the own address among them does no harm
 * @param storageless a member that keeps no data, such as a client
 * @param incarnation larger at every start of the node of this name
 * @param timeouts how patient the network is
 * @param maxOutboxBytesPerPeer how much may wait for one peer before more of it is dropped
 * @param maxMessageBytes the largest payload, sent or received
 * @param linkFilter what may pass: for tests
 * @param diagnostics whether JGroups' probe socket is opened (it uses multicast)
 */
public record ChannelConfig(
        String clusterName,
        String nodeName,
        PeerAddress bindAddress,
        List<PeerAddress> seeds,
        boolean storageless,
        long incarnation,
        Timeouts timeouts,
        int maxOutboxBytesPerPeer,
        int maxMessageBytes,
        LinkFilter linkFilter,
        boolean diagnostics) {

    /** Default of {@link #maxOutboxBytesPerPeer}: three of the largest values. */
    public static final int DEFAULT_MAX_OUTBOX_BYTES_PER_PEER = 64 << 20;

    /** Default of {@link #maxMessageBytes}: the largest value (16 MB) and what surrounds it. */
    public static final int DEFAULT_MAX_MESSAGE_BYTES = 32 << 20;

    /** Checks the fields against one another. */
    public ChannelConfig {
        Objects.requireNonNull(timeouts, "timeouts");
        Objects.requireNonNull(linkFilter, "linkFilter");
        Objects.requireNonNull(bindAddress, "bindAddress");
        if (clusterName.isBlank()) {
            throw new IllegalArgumentException("clusterName must not be empty");
        }
        int nameBytes = Frames.nameBytes(nodeName).length;
        if (nodeName.isBlank() || nameBytes > Frames.MAX_NAME_BYTES) {
            throw new IllegalArgumentException("nodeName '" + nodeName + "' has " + nameBytes
                    + " bytes; allowed are 1 to " + Frames.MAX_NAME_BYTES);
        }
        if (bindAddress.port() == 0 && !storageless) {
            throw new IllegalArgumentException("bindAddress " + bindAddress
                    + " has port 0: a node that stores data needs a port that others know; only a storage-less"
                    + " member may take any");
        }
        if (maxMessageBytes < 1 || maxOutboxBytesPerPeer < maxMessageBytes) {
            throw new IllegalArgumentException("maxOutboxBytesPerPeer is " + maxOutboxBytesPerPeer
                    + ", which does not hold one message of maxMessageBytes " + maxMessageBytes);
        }
        seeds = List.copyOf(seeds);
    }

    /** A configuration with the defaults. */
    public static Builder builder(String clusterName, String nodeName, PeerAddress bindAddress, long incarnation) {
        return new Builder(clusterName, nodeName, bindAddress, incarnation);
    }

    /**
     * How patient the network is, in milliseconds.
     *
     * @param pingIntervalMillis how often a quiet peer is asked whether it is there
     * @param unreachableAfterMillis a peer not heard of for so long counts as unreachable
     * @param connectTimeoutMillis how long one attempt to connect may take
     * @param reconnectDelayMillis after a failed attempt nothing is sent to the peer for so long
     * @param joinTimeoutMillis how long JGroups waits for a coordinator's answer before it goes on alone
     * @param verifySuspectMillis how long JGroups asks a suspected member before it excludes it
     * @param mergeMinMillis the shortest interval at which separate views look for one another
     * @param mergeMaxMillis the longest such interval
     * @param heartbeatMillis JGroups' own heartbeats
     * @param heartbeatTimeoutMillis a member whose heartbeats stay away for so long is suspected by JGroups
     */
    public record Timeouts(
            int pingIntervalMillis,
            int unreachableAfterMillis,
            int connectTimeoutMillis,
            int reconnectDelayMillis,
            int joinTimeoutMillis,
            int verifySuspectMillis,
            int mergeMinMillis,
            int mergeMaxMillis,
            int heartbeatMillis,
            int heartbeatTimeoutMillis) {

        /** The defaults. */
        public static final Timeouts DEFAULT = new Timeouts(200, 1_000, 1_000, 100, 500, 200, 300, 1_000, 1_000, 4_000);

        /** Checks that no interval exceeds the timeout that counts it. */
        public Timeouts {
            if (pingIntervalMillis < 1 || unreachableAfterMillis < 2 * pingIntervalMillis) {
                throw new IllegalArgumentException("unreachableAfterMillis is " + unreachableAfterMillis
                        + ", which is less than two times pingIntervalMillis " + pingIntervalMillis);
            }
            if (heartbeatMillis < 1 || heartbeatTimeoutMillis < 2 * heartbeatMillis) {
                throw new IllegalArgumentException("heartbeatTimeoutMillis is " + heartbeatTimeoutMillis
                        + ", which is less than two times heartbeatMillis " + heartbeatMillis);
            }
        }
    }

    /** Builds a {@link ChannelConfig}. */
    public static final class Builder {
        private final String clusterName;
        private final String nodeName;
        private final PeerAddress bindAddress;
        private final long incarnation;
        private final List<PeerAddress> seeds = new ArrayList<>();
        private boolean storageless;
        private Timeouts timeouts = Timeouts.DEFAULT;
        private int maxOutboxBytesPerPeer = DEFAULT_MAX_OUTBOX_BYTES_PER_PEER;
        private int maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES;
        private LinkFilter linkFilter = LinkFilter.OPEN;
        private boolean diagnostics;

        private Builder(String clusterName, String nodeName, PeerAddress bindAddress, long incarnation) {
            this.clusterName = clusterName;
            this.nodeName = nodeName;
            this.bindAddress = bindAddress;
            this.incarnation = incarnation;
        }

        public Builder seeds(List<PeerAddress> addresses) {
            seeds.addAll(addresses);
            return this;
        }

        public Builder storageless(boolean value) {
            storageless = value;
            return this;
        }

        public Builder timeouts(Timeouts value) {
            timeouts = value;
            return this;
        }

        public Builder maxOutboxBytesPerPeer(int value) {
            maxOutboxBytesPerPeer = value;
            return this;
        }

        public Builder maxMessageBytes(int value) {
            maxMessageBytes = value;
            return this;
        }

        public Builder linkFilter(LinkFilter value) {
            linkFilter = value;
            return this;
        }

        public Builder diagnostics(boolean value) {
            diagnostics = value;
            return this;
        }

        public ChannelConfig build() {
            return new ChannelConfig(
                    clusterName,
                    nodeName,
                    bindAddress,
                    seeds,
                    storageless,
                    incarnation,
                    timeouts,
                    maxOutboxBytesPerPeer,
                    maxMessageBytes,
                    linkFilter,
                    diagnostics);
        }
    }
}
