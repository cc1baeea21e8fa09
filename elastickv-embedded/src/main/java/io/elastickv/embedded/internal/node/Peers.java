package io.elastickv.embedded.internal.node;

import io.elastickv.api.NodeInfo;
import io.elastickv.embedded.internal.placement.ClusterLayout;
import io.elastickv.embedded.internal.placement.Member;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Which nodes there are and what they said of themselves. Thread-safe. */
final class Peers {

    private final String self;
    private final Set<String> reachable = ConcurrentHashMap.newKeySet();
    private final Map<String, NodeStatus> statuses = new ConcurrentHashMap<>();
    private final Map<String, String> liveDirectories = new ConcurrentHashMap<>();
    private final Map<String, Long> sinceMillis = new ConcurrentHashMap<>();
    private final LongSupplier wallMillis;
    private volatile @Nullable ClusterLayout layout;

    Peers(String self, LongSupplier wallMillis) {
        this.self = self;
        this.wallMillis = wallMillis;
        sinceMillis.put(self, wallMillis.getAsLong());
    }

    void layout(ClusterLayout formed) {
        layout = formed;
    }

    /** Notes whether {@code node} is reachable; returns whether that is news. */
    boolean reachable(String node, boolean isReachable) {
        sinceMillis.put(node, wallMillis.getAsLong());
        if (isReachable) {
            return reachable.add(node);
        }
        boolean was = reachable.remove(node);
        liveDirectories.remove(node);
        ClusterLayout known = layout;
        if (known == null || known.member(node).isEmpty()) {
            statuses.remove(node);
        }
        return was;
    }

    void heard(String node, NodeStatus status) {
        statuses.put(node, status);
        liveDirectories.put(node, status.nodeId());
    }

    /** The data directory with which {@code node} is reachable; null if it is not, or has not said yet. */
    @Nullable
    String liveDirectory(String node) {
        return reachable.contains(node) ? liveDirectories.get(node) : null;
    }

    /** Whether {@code node} is reachable now; it is itself. */
    boolean isUp(String node) {
        return node.equals(self) || reachable.contains(node);
    }

    /** Since when {@link #isUp} is as it is, in milliseconds since 1970; since now if it was never heard. */
    long sinceMillis(String node) {
        return sinceMillis.computeIfAbsent(node, unheard -> wallMillis.getAsLong());
    }

    /** The zone that {@code node} says it is in; null if it has not said anything. */
    @Nullable
    String zone(String node) {
        NodeStatus status = statuses.get(node);
        return status == null ? null : status.zone();
    }

    /** The nodes to tell of changes: all that are reachable. */
    List<String> others() {
        List<String> names = new ArrayList<>(reachable);
        names.remove(self);
        return names;
    }

    /** All nodes, ordered by name. */
    List<NodeInfo> nodes(NodeStatus own) {
        Map<String, NodeInfo> nodes = new TreeMap<>();
        ClusterLayout known = layout;
        if (known != null) {
            for (Member member : known.members()) {
                nodes.put(member.name(), info(member.name(), member.address(), true, statuses.get(member.name())));
            }
        }
        Set<String> connected = new TreeSet<>(reachable);
        for (String name : connected) {
            NodeStatus status = statuses.get(name);
            if (!nodes.containsKey(name) && status != null) {
                // One that stores data and is not in the layout has left, or is about to join.
                nodes.put(name, info(name, status.address(), known == null && !status.storageless(), status));
            }
        }
        nodes.put(
                self,
                new NodeInfo(
                        self,
                        own.address(),
                        known == null ? !own.storageless() : known.member(self).isPresent(),
                        NodeInfo.State.UP,
                        Collections.unmodifiableMap(own.attributes())));
        return List.copyOf(nodes.values());
    }

    private NodeInfo info(String name, String address, boolean member, @Nullable NodeStatus status) {
        boolean up = reachable.contains(name);
        Map<String, String> attributes =
                up && status != null ? Collections.unmodifiableMap(status.attributes()) : Map.of();
        return new NodeInfo(name, address, member, up ? NodeInfo.State.UP : NodeInfo.State.DOWN, attributes);
    }
}
