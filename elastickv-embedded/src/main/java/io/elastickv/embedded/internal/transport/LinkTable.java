package io.elastickv.embedded.internal.transport;

import java.util.Arrays;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jgroups.stack.IpAddress;
import org.jspecify.annotations.Nullable;

/**
 * The peers of a node, by address and by name.
 *
 * <p>Addresses come first: seeds, and whoever sends a frame. A name belongs to the link over which its newest incarnation
 * was heard. Lookups take no lock; changes take this object's.
 */
final class LinkTable {
    private final ConcurrentHashMap<IpAddress, Link> byAddress = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<String, Link> byName = new ConcurrentHashMap<>();
    private final LinkContext context;
    private boolean closed;

    LinkTable(LinkContext context) {
        this.context = context;
    }

    /** The link to an address, made if there is none; null after the channel was closed. */
    @Nullable
    Link to(IpAddress address) {
        Link link = byAddress.get(address);
        return link != null ? link : create(address);
    }

    /** The link to an address, if there is one. */
    @Nullable
    Link at(IpAddress address) {
        return byAddress.get(address);
    }

    private synchronized @Nullable Link create(IpAddress address) {
        Link link = byAddress.get(address);
        if (link == null && !closed) {
            link = new Link(address, context.tcp().isSelf(address), context);
            byAddress.put(address, link);
            link.start();
        }
        return link;
    }

    @Nullable
    Link named(String name) {
        return byName.get(name);
    }

    Collection<Link> all() {
        return byAddress.values();
    }

    Iterable<Map.Entry<String, Link>> names() {
        return byName.entrySet();
    }

    /** JGroups' view, or the catalog, says that this name is found at this link. What a frame said counts for more. */
    synchronized void suggest(String name, Link link) {
        Link known = byName.get(name);
        if (known == link) {
            return;
        }
        if (known == null || (!known.reachable && link.incarnation >= known.incarnation)) {
            byName.put(name, link);
            if (link.name == null) {
                link.nameBytes = Frames.nameBytes(name);
                link.name = name;
            }
        }
    }

    /** What {@link #identify} found out. */
    enum Sender {
        /** As before. */
        KNOWN,
        /** A node that was not known, or a new life of one: calls to its former life have no answer. */
        NEW,
        /** A former life of a node: what it sends is to be ignored. */
        STALE
    }

    /** Learns from the header of a frame who is at the other end of a link. */
    Sender identify(Link link, Frames.Header header, byte[] frame) {
        if (header.incarnation() == link.incarnation && header.named(frame, link.nameBytes)) {
            return Sender.KNOWN;
        }
        return identifyChanged(link, header, frame);
    }

    private synchronized Sender identifyChanged(Link link, Frames.Header header, byte[] frame) {
        String name = header.name(frame);
        Link known = byName.get(name);
        long newest = known == null || !name.equals(known.name) ? Long.MIN_VALUE : known.incarnation;
        if (header.incarnation() < newest) {
            return Sender.STALE;
        }
        if (known != null && known != link && header.incarnation() == newest) {
            // The same process over two addresses of it: the first one stays its own unless it went silent.
            if (known.reachable) {
                String formerName = link.name;
                setIdentity(link, header, name, frame);
                if (formerName != null && !formerName.equals(name) && byName.remove(formerName, link)) {
                    findAgain(formerName);
                }
                return Sender.KNOWN;
            }
        }
        String formerName = link.name;
        boolean sameLife = name.equals(formerName) && link.incarnation == header.incarnation();
        boolean firstTime = link.incarnation == Long.MIN_VALUE;
        setIdentity(link, header, name, frame);
        if (formerName != null && !formerName.equals(name) && byName.remove(formerName, link)) {
            findAgain(formerName);
        }
        byName.put(name, link);
        if (known != null && known != link) {
            known.failAll();
        }
        return sameLife || firstTime ? Sender.KNOWN : Sender.NEW;
    }

    /** The address that had this name belongs to another node now: the node may be known at a second address. */
    private void findAgain(String name) {
        Link best = null;
        for (Link link : byAddress.values()) {
            if (name.equals(link.name) && (best == null || link.incarnation > best.incarnation)) {
                best = link;
            }
        }
        if (best != null) {
            byName.put(name, best);
        }
    }

    private static void setIdentity(Link link, Frames.Header header, String name, byte[] frame) {
        link.storageless = header.storageless();
        link.nameBytes = Arrays.copyOfRange(frame, header.nameStart(), header.nameStart() + header.nameLength());
        link.name = name;
        link.incarnation = header.incarnation();
        link.token = Frames.token(link.nameBytes, header.incarnation());
    }

    /** The layers above know where a name is found; what they said of it before is void. */
    synchronized void learn(String name, Link link) {
        for (Link other : byAddress.values()) {
            if (other != link && name.equals(other.name)) {
                other.learned = false;
            }
        }
        suggest(name, link);
        link.learned = true;
    }

    synchronized void remove(Link link) {
        byAddress.remove(link.address, link);
        String name = link.name;
        if (name != null && byName.remove(name, link)) {
            findAgain(name);
        }
        link.stop();
    }

    /** No link is made from now on. */
    synchronized void close() {
        closed = true;
    }
}
