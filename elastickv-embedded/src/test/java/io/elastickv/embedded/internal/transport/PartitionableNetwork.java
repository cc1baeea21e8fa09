package io.elastickv.embedded.internal.transport;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The network between the nodes of a test, by node name. One object for all channels of the cluster: put it into each {@link
 * ChannelConfig.Builder#linkFilter}. What is cut vanishes without an error, JGroups' own messages included.
 */
public final class PartitionableNetwork implements LinkFilter {
    private final Map<PeerAddress, String> names = new ConcurrentHashMap<>();
    private final Set<String> isolated = ConcurrentHashMap.newKeySet();
    private final Set<String> cut = ConcurrentHashMap.newKeySet();

    @Override
    public void nodeStarted(String nodeName, PeerAddress address) {
        names.put(address, nodeName);
    }

    @Override
    public boolean allows(PeerAddress from, PeerAddress to) {
        if (isolated.isEmpty() && cut.isEmpty()) {
            return true;
        }
        return allows(names.get(from), names.get(to));
    }

    private boolean allows(@Nullable String from, @Nullable String to) {
        if (from == null || to == null || from.equals(to)) {
            return true;
        }
        return !isolated.contains(from) && !isolated.contains(to) && !cut.contains(from + "\n" + to);
    }

    /** Cuts a node off from all others, both ways. */
    public void partition(String node) {
        isolated.add(node);
    }

    /** Cuts the messages from one node to another; the way back stays open. */
    public void dropOneWay(String from, String to) {
        cut.add(from + "\n" + to);
    }

    /** Cuts two nodes off from each other, both ways. */
    public void drop(String one, String other) {
        dropOneWay(one, other);
        dropOneWay(other, one);
    }

    /** Everything passes again. */
    public void heal() {
        isolated.clear();
        cut.clear();
    }
}
