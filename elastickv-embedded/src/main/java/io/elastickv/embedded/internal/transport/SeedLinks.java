package io.elastickv.embedded.internal.transport;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.jgroups.JChannel;
import org.jgroups.PhysicalAddress;
import org.jgroups.protocols.TCPPING;
import org.jgroups.stack.IpAddress;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The configured seeds: resolves their names, again and again while the name service does not know them, and connects. */
final class SeedLinks {
    private static final Logger log = LoggerFactory.getLogger(SeedLinks.class);
    private static final long RESOLVE_INTERVAL_NANOS = 5_000_000_000L;

    private final LinkContext context;
    private final LinkTable links;
    private final List<PeerAddress> unresolved = new ArrayList<>();
    private volatile boolean stopped;
    private volatile @Nullable Thread resolver;

    SeedLinks(LinkContext context, LinkTable links) {
        this.context = context;
        this.links = links;
    }

    /** What can be resolved now. */
    List<PhysicalAddress> resolve(List<PeerAddress> addresses) {
        Set<PhysicalAddress> found = new LinkedHashSet<>();
        for (PeerAddress address : addresses) {
            IpAddress ip = ipOf(address);
            if (ip == null) {
                unresolved.add(address);
                log.warn(
                        "{}: the seed {} has a host name that is not known now: tried again every {} s",
                        context.nodeName(),
                        address,
                        RESOLVE_INTERVAL_NANOS / 1_000_000_000L);
            } else {
                found.add(ip);
            }
        }
        return new ArrayList<>(found);
    }

    /** Connects to the seeds, and goes on trying those that were not resolved. */
    void connect(JChannel channel, List<PhysicalAddress> found) {
        for (PhysicalAddress seed : found) {
            pin((IpAddress) seed);
        }
        if (!unresolved.isEmpty()) {
            Thread thread = context.thread("resolve", () -> resolveLater(channel));
            resolver = thread;
            thread.start();
        }
    }

    void stop() {
        stopped = true;
        LockSupport.unpark(resolver);
    }

    private void resolveLater(JChannel channel) {
        List<PeerAddress> left = unresolved;
        while (!stopped && !left.isEmpty()) {
            LockSupport.parkNanos(this, RESOLVE_INTERVAL_NANOS);
            List<PeerAddress> still = new ArrayList<>();
            for (PeerAddress address : left) {
                IpAddress ip = stopped ? null : ipOf(address);
                if (ip == null) {
                    still.add(address);
                } else {
                    pin(ip);
                    addToDiscovery(channel, ip);
                    log.info("{}: the seed {} is {}", context.nodeName(), address, ip);
                }
            }
            left = still;
        }
    }

    /** Lets JGroups look for members there too; without that its views would not merge with those of a node that joined. */
    static void addToDiscovery(JChannel channel, IpAddress seed) {
        TCPPING discovery = channel.getProtocolStack().findProtocol(TCPPING.class);
        List<PhysicalAddress> seeds = new ArrayList<>(discovery.getInitialHosts());
        if (seeds.contains(seed)) {
            return;
        }
        seeds.add(seed);
        discovery.setInitialHosts2(seeds); // it is replaced, not changed: others are reading it
    }

    /** Null if the host name is not known. May block for a host name, not for an IP address. */
    static @Nullable IpAddress ipOf(PeerAddress address) {
        try {
            // Not remembered here: InetAddress does so for as long as the machine is configured to.
            return new IpAddress(InetAddress.getByName(address.host()), address.port());
        } catch (UnknownHostException e) {
            return null;
        }
    }

    private void pin(IpAddress address) {
        Link link = context.tcp().isSelf(address) ? null : links.to(address);
        if (link != null) {
            link.seed = true;
            link.greet();
        }
    }
}
