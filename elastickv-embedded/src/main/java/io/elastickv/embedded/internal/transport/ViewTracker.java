package io.elastickv.embedded.internal.transport;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jgroups.Address;
import org.jgroups.Receiver;
import org.jgroups.View;
import org.jgroups.protocols.raft.RAFT;
import org.jgroups.stack.IpAddress;
import org.jgroups.util.ExtendedUUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Follows JGroups' views: tells the listener by name who came and went, and the links who is a member. */
final class ViewTracker implements Receiver {
    private static final Logger log = LoggerFactory.getLogger(ViewTracker.class);

    private final LinkContext context;
    private final LinkTable links;
    private final ClusterListener listener;
    private volatile Set<String> view = Set.of();
    private @Nullable View lastView;

    ViewTracker(LinkContext context, LinkTable links, ClusterListener listener) {
        this.context = context;
        this.links = links;
        this.listener = listener;
    }

    Set<String> names() {
        return view;
    }

    @Override
    public void viewAccepted(View newView) {
        View before = lastView;
        lastView = newView;
        Set<Address> oldMembers = before == null ? Set.of() : Set.copyOf(before.getMembers());
        Set<String> members = new LinkedHashSet<>();
        Set<String> joined = new LinkedHashSet<>();
        Set<String> left = new LinkedHashSet<>();
        for (Address address : newView.getMembers()) {
            members.add(nameOf(address));
            if (!oldMembers.contains(address)) {
                joined.add(nameOf(address));
            }
        }
        for (Address address : oldMembers) {
            if (!newView.containsMember(address)) {
                left.add(nameOf(address));
            }
        }
        view = Set.copyOf(members);
        linkMembers(newView);
        for (String name : left) {
            Link link = links.named(name);
            if (link != null && !link.self) {
                link.failAll();
            }
        }
        log.debug(
                "{}: view {} has {}, joined {}, left {}",
                context.nodeName(),
                newView.getViewId().getId(),
                members,
                joined,
                left);
        try {
            listener.viewChanged(Set.copyOf(joined), Set.copyOf(left), view);
        } catch (RuntimeException | Error e) {
            context.callbackFailed(e);
        }
    }

    private void linkMembers(View newView) {
        Set<Link> present = new HashSet<>();
        for (Address address : newView.getMembers()) {
            if (context.tcp().getPhysicalAddressFromCache(address) instanceof IpAddress ip
                    && !context.tcp().isSelf(ip)) {
                Link link = links.to(ip);
                if (link != null) {
                    if (address instanceof ExtendedUUID uuid && uuid.get(ChannelStack.STORAGELESS_KEY) != null) {
                        link.storageless = true;
                    }
                    link.inView = true;
                    present.add(link);
                    links.suggest(nameOf(address), link);
                }
            }
        }
        for (Link link : links.all()) {
            if (link.inView && !present.contains(link)) {
                link.inView = false;
            }
        }
    }

    /** The node name in an address. */
    static String nameOf(Address address) {
        if (address instanceof ExtendedUUID uuid) {
            byte[] name = uuid.get(RAFT.raft_id_key);
            if (name != null) {
                return new String(name, StandardCharsets.UTF_8);
            }
        }
        return String.valueOf(address);
    }
}
