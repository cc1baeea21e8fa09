package io.elastickv.embedded.internal.placement.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The nodes in columns, by name: index 0 has the first name. A node that the catalog does not know is {@link #UNKNOWN}. */
final class NodeTable {

    static final int UNKNOWN = -1;

    final int size;
    /** Live and meant to stay; counts when means are taken. */
    final boolean[] active;
    /** May be given replicas: active, and did not refuse one a moment ago. */
    final boolean[] hostable;
    /** What its expected load, leaderships included, costs. */
    final double[] load;
    /** The part of it that is for leading. */
    final double[] leadLoad;
    /** As {@link #load}, over a longer time. */
    final double[] steadyLoad;
    /** As {@link #leadLoad}, over a longer time. */
    final double[] steadyLead;
    /** How many replicas it is expected to have. */
    final double[] replicas;
    /** How many shards it is expected to lead. */
    final double[] leaders;
    /** What is expected to remain free. */
    final long[] freeBytes;

    final int[] zone;
    final int zones;
    final int activeCount;
    /** How many do not answer, and may come back. */
    final int awaited;

    private final NodeState[] states;
    private final boolean[] up;
    private final boolean[] lost;
    private final boolean[] draining;
    private final Map<String, Integer> byName;

    NodeTable(List<NodeState> nodes, PlanSettings settings, long now) {
        List<NodeState> sorted = new ArrayList<>(nodes);
        sorted.sort(Comparator.comparing(NodeState::name));
        size = sorted.size();
        states = sorted.toArray(new NodeState[0]);
        byName = new HashMap<>(size * 2);
        up = new boolean[size];
        lost = new boolean[size];
        draining = new boolean[size];
        active = new boolean[size];
        hostable = new boolean[size];
        load = new double[size];
        leadLoad = new double[size];
        steadyLoad = new double[size];
        steadyLead = new double[size];
        replicas = new double[size];
        leaders = new double[size];
        freeBytes = new long[size];
        zone = new int[size];
        Map<String, Integer> zoneNumbers = new HashMap<>();
        int alive = 0;
        int absent = 0;
        for (int i = 0; i < size; i++) {
            NodeState node = states[i];
            if (byName.put(node.name(), i) != null) {
                throw new IllegalArgumentException("two nodes are named " + node.name());
            }
            zone[i] = zoneNumbers.computeIfAbsent(node.zone(), unused -> zoneNumbers.size());
            draining[i] = node.lifecycle() == NodeState.Lifecycle.DRAINING;
            up[i] = node.liveness() == NodeState.Liveness.UP;
            // Nobody waits for a node that was to leave anyway.
            lost[i] = node.liveness() == NodeState.Liveness.DOWN
                    && (draining[i] || now - node.livenessSinceMillis() >= settings.graceMillis());
            active[i] = up[i] && node.lifecycle() == NodeState.Lifecycle.ACTIVE;
            hostable[i] = active[i]
                    && now - node.refusedMillis() >= settings.cooldowns().failureMillis();
            freeBytes[i] = node.freeBytes();
            alive += active[i] ? 1 : 0;
            absent += !up[i] && !lost[i] ? 1 : 0;
        }
        zones = zoneNumbers.size();
        activeCount = alive;
        awaited = absent;
    }

    int indexOf(String name) {
        return byName.getOrDefault(name, UNKNOWN);
    }

    String name(int node) {
        return states[node].name();
    }

    NodeState state(int node) {
        return states[node];
    }

    /** Adds to what it carries; a negative cost takes off. */
    void carry(int node, double cost, double steadiness) {
        load[node] += cost;
        steadyLoad[node] += cost * steadiness;
    }

    /** Adds to what it carries for leading. */
    void lead(int node, double cost, double steadiness) {
        carry(node, cost, steadiness);
        leadLoad[node] += cost;
        steadyLead[node] += cost * steadiness;
    }

    /** Whether it answers. */
    boolean isUp(int node) {
        return node != UNKNOWN && up[node];
    }

    /** Whether its replicas are not coming back. */
    boolean isLost(int node) {
        return node == UNKNOWN || lost[node];
    }

    boolean isDraining(int node) {
        return node != UNKNOWN && draining[node];
    }

    /** The mean over the active nodes of what all nodes that are not lost carry: it has to be carried by the former. */
    double mean(double[] metric) {
        double sum = 0;
        for (int i = 0; i < size; i++) {
            if (!lost[i]) {
                sum += metric[i];
            }
        }
        return activeCount == 0 ? 0 : sum / activeCount;
    }
}
