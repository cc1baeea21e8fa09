package io.elastickv.redis.internal.server;

import io.elastickv.api.ElastickvNode;
import io.elastickv.api.NodeInfo;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/** Under which host clients are told to reach the adapter. */
final class AdvertisedHost {

    private AdvertisedHost() {}

    /** As configured; else as bound; if that means every interface, the host under which the cluster knows the node. */
    static String choose(@Nullable String configured, InetSocketAddress bound, ElastickvNode node) {
        if (configured != null) {
            return configured;
        }
        InetAddress address = bound.getAddress();
        if (!address.isAnyLocalAddress()) {
            return address.getHostAddress();
        }
        for (NodeInfo info : node.cluster().nodes()) {
            if (info.name().equals(node.name())) {
                int colon = info.address().lastIndexOf(':');
                String host = colon > 0 ? info.address().substring(0, colon) : "";
                if (usable(host)) {
                    return host;
                }
            }
        }
        return InetAddress.getLoopbackAddress().getHostAddress();
    }

    private static boolean usable(String host) {
        try {
            return !host.isEmpty() && !InetAddress.getByName(host).isAnyLocalAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }
}
