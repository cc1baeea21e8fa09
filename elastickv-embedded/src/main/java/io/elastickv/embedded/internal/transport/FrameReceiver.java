package io.elastickv.embedded.internal.transport;

import java.nio.ByteBuffer;
import org.jgroups.blocks.cs.Connection;
import org.jgroups.stack.IpAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes what the transport receives: finds out who sent a frame, whether it is meant for this life of this node, and gives its
 * items to whom they are for. Runs on the reader threads of the connections; nothing that it calls throws through it.
 */
final class FrameReceiver implements NodeTcp.Wire {
    private static final Logger log = LoggerFactory.getLogger(FrameReceiver.class);

    private final LinkContext context;
    private final LinkTable links;
    private final LinkMonitor monitor;
    private final NodeRpc rpc;
    private final SendScopes sends;
    private final ClusterListener listener;
    private final LinkFilter filter;
    private final long ownIncarnation;
    private final long ownToken;
    private final RateLimit strangerWarnings = new RateLimit();
    private final RateLimit namesakeWarnings = new RateLimit();
    private final RateLimit malformedWarnings = new RateLimit();

    private volatile ClusterId clusterId = ClusterId.NONE;

    private record ClusterId(long high, long low) {
        static final ClusterId NONE = new ClusterId(0, 0);

        /** Nodes that are forming a cluster have no id yet and may talk to anyone. */
        boolean accepts(long otherHigh, long otherLow) {
            return (high == otherHigh && low == otherLow)
                    || (otherHigh == 0 && otherLow == 0)
                    || (high == 0 && low == 0);
        }
    }

    FrameReceiver(
            ChannelConfig config,
            ClusterListener listener,
            LinkContext context,
            LinkTable links,
            LinkMonitor monitor,
            NodeRpc rpc,
            SendScopes sends) {
        this.listener = listener;
        this.context = context;
        this.links = links;
        this.monitor = monitor;
        this.rpc = rpc;
        this.sends = sends;
        this.filter = config.linkFilter();
        this.ownIncarnation = config.incarnation();
        this.ownToken = Frames.token(Frames.nameBytes(config.nodeName()), config.incarnation());
    }

    void setClusterId(byte[] id) {
        ByteBuffer in = ByteBuffer.wrap(id);
        clusterId = new ClusterId(in.getLong(), in.getLong());
    }

    @Override
    public boolean accepts(IpAddress from) {
        if (filter == LinkFilter.OPEN || context.tcp().isSelf(from)) {
            return true;
        }
        Link link = links.to(from);
        return link == null || context.mayHear(link);
    }

    @Override
    public void sendJGroups(IpAddress to, byte[] data, int offset, int length) {
        Link link = links.to(to);
        if (link == null) {
            return;
        }
        if (link.outbox.addJGroups(data, offset, length)) {
            link.signal();
        } else {
            context.stats().messagesDropped.increment();
        }
    }

    @Override
    public void connectionClosed(IpAddress peer, Connection connection) {
        Link link = links.at(peer);
        if (link != null) {
            link.connectionClosed(connection);
        }
    }

    @Override
    public void frame(IpAddress from, byte[] bytes, int length) {
        try {
            take(from, bytes, length);
        } catch (RuntimeException | Error e) {
            context.callbackFailed(e); // the reader thread of the connection goes on
        }
    }

    private void take(IpAddress from, byte[] bytes, int length) {
        Link link = links.to(from);
        if (link == null) {
            return;
        }
        context.stats().framesReceived.increment();
        context.stats().bytesReceived.add(length);
        ByteBuffer in = ByteBuffer.wrap(bytes, 0, length).asReadOnlyBuffer();
        Frames.Header received = Frames.readHeader(in);
        if (received == null) {
            malformed(from);
            return;
        }
        if (!clusterId.accepts(received.clusterHigh(), received.clusterLow())) {
            context.stats().framesOfStrangers.increment();
            if (strangerWarnings.pass(context.nanos())) {
                log.warn(
                        "{}: drops what {} at {} sends: it belongs to the cluster {}, this node to {}. Is its list"
                                + " of seeds right?",
                        context.nodeName(),
                        received.name(bytes),
                        from,
                        clusterIdText(received.clusterHigh(), received.clusterLow()),
                        clusterIdText(clusterId.high(), clusterId.low()));
            }
            return;
        }
        LinkTable.Sender sender = links.identify(link, received, bytes);
        if (sender == LinkTable.Sender.STALE || link.token == link.leftToken) {
            context.stats().framesStale.increment();
            warnOfNamesake(link, received, bytes);
            return;
        }
        if (sender == LinkTable.Sender.NEW) {
            link.failAll();
            link.assembly.clear();
        }
        boolean news = !link.reachable;
        link.heardNanos = context.nanos();
        if (news) {
            monitor.wake();
        }
        if (received.destination() != 0 && received.destination() != ownToken) {
            // Meant for whoever was at this address before. Tell the sender who is there now.
            context.stats().framesStale.increment();
            link.outbox.addStamp(Frames.PONG, -1);
            link.signal();
            return;
        }
        sends.batched(() -> {
            if (!Frames.readItems(in, new Items(link))) {
                malformed(from);
            }
        });
    }

    private void warnOfNamesake(Link link, Frames.Header received, byte[] bytes) {
        Link known = links.named(received.name(bytes));
        if (known != null && known != link && known.reachable && namesakeWarnings.pass(context.nanos())) {
            log.warn(
                    "{}: drops what {} sends as incarnation {} of {}: incarnation {} is alive at {}. Do two nodes"
                            + " have the same name?",
                    context.nodeName(),
                    link.peerAddress,
                    received.incarnation(),
                    received.name(bytes),
                    known.incarnation,
                    known.peerAddress);
        }
    }

    private void malformed(IpAddress from) {
        context.stats().framesMalformed.increment();
        if (malformedWarnings.pass(context.nanos())) {
            log.warn(
                    "{}: a frame from {} is malformed or of another version; such frames are dropped",
                    context.nodeName(),
                    from);
        }
    }

    private static String clusterIdText(long high, long low) {
        return String.format("%016x%016x", high, low);
    }

    /** Takes the items of one frame. */
    private final class Items implements Frames.Items {
        private final Link link;
        private boolean insideChunks;

        Items(Link link) {
            this.link = link;
        }

        private String from() {
            String name = link.name;
            return name == null ? "" : name;
        }

        @Override
        public void group(int groupId, ByteBuffer payload) {
            try {
                listener.groupMessage(from(), groupId, payload);
            } catch (RuntimeException | Error e) {
                context.callbackFailed(e);
            }
        }

        @Override
        public void request(long id, int method, ByteBuffer payload) {
            rpc.request(link, from(), id, method, payload);
        }

        @Override
        public void response(long id, long incarnation, byte status, ByteBuffer payload) {
            if (incarnation == ownIncarnation) {
                rpc.response(link, id, status, payload);
            } else {
                context.stats().framesStale.increment();
            }
        }

        @Override
        public void ping(long stamp) {
            link.outbox.addStamp(Frames.PONG, stamp);
            sends.send(link);
        }

        @Override
        public void pong(long stamp) {
            if (stamp >= 0) {
                link.roundTripNanos = Math.max(0, context.nanos() - stamp);
            }
        }

        @Override
        public void chunk(int transfer, int total, int offset, ByteBuffer part) {
            if (insideChunks) {
                context.stats().framesMalformed.increment();
                return;
            }
            ByteBuffer item = link.assembly.add(transfer, total, offset, part);
            if (item != null) {
                insideChunks = true;
                if (!Frames.readItems(item, this)) {
                    context.stats().framesMalformed.increment();
                }
                insideChunks = false;
            }
        }

        @Override
        public void goodbye() {
            link.leftToken = link.token;
            link.markSilent();
        }
    }
}
