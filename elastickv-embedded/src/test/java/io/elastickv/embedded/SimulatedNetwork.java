package io.elastickv.embedded;

import io.elastickv.embedded.internal.transport.LinkFilter;
import io.elastickv.embedded.internal.transport.PeerAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What of the network between the nodes of a {@link LocalCluster} works. What is cut vanishes without an error, as on a
 * network that drops packets. Thread-safe.
 */
final class SimulatedNetwork implements LinkFilter {

    private record Direction(String from, String to) {}

    private final Map<PeerAddress, String> names = new ConcurrentHashMap<>();
    private final Set<String> dead = ConcurrentHashMap.newKeySet();
    private volatile Set<Direction> cut = Set.of();
    private volatile boolean allOpen = true;

    @Override
    public void nodeStarted(String nodeName, PeerAddress address) {
        names.put(address, nodeName);
    }

    @Override
    public boolean allows(PeerAddress from, PeerAddress to) {
        if (allOpen) {
            return true;
        }
        String source = names.get(from);
        String target = names.get(to);
        if (source == null || target == null || source.equals(target)) {
            return true;
        }
        return !dead.contains(source) && !dead.contains(target) && !cut.contains(new Direction(source, target));
    }

    /** Only nodes of the same group hear each other; replaces all earlier cuts. */
    synchronized void partition(List<Set<String>> groups) {
        Set<Direction> cuts = new HashSet<>();
        for (Set<String> one : groups) {
            for (Set<String> other : groups) {
                if (one != other) {
                    one.forEach(from -> other.forEach(to -> cuts.add(new Direction(from, to))));
                }
            }
        }
        replace(cuts);
    }

    /** Nothing gets from one node to the other any more; the way back stays as it is. */
    synchronized void cutOneWay(String from, String to) {
        Set<Direction> cuts = new HashSet<>(cut);
        cuts.add(new Direction(from, to));
        replace(cuts);
    }

    /** Everything passes again, but to and from the dead. */
    synchronized void heal() {
        replace(Set.of());
    }

    /** A node's process has ended: nobody hears of it. */
    synchronized void kill(String node) {
        dead.add(node);
        replace(cut);
    }

    /** A node's process starts anew. */
    synchronized void revive(String node) {
        dead.remove(node);
        replace(cut);
    }

    private void replace(Set<Direction> cuts) {
        cut = Set.copyOf(cuts);
        allOpen = cuts.isEmpty() && dead.isEmpty();
    }
}
