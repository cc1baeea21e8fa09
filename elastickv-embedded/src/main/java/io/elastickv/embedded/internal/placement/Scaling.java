package io.elastickv.embedded.internal.placement;

import io.elastickv.api.ScalingPolicy;
import io.elastickv.embedded.internal.placement.plan.NodeState.Lifecycle;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Decides how many nodes there should be: a pure function of the policy, the nodes, the time, and what was the case before,
 * which it gives back to be given to the next decision. The utilisation must be too high, or too low, without a break for a
 * while; and there is a gap between the two, so that neither decision leads to the other one.
 */
public final class Scaling {

    /**
     * A node that stores data.
     *
     * @param up whether it is heard, and tells its load
     * @param joinedMillis when it joined, 0 if the cluster was formed with it
     * @param opsPerSecond what it has to do
     */
    public record Node(
            String name, String zone, Lifecycle lifecycle, boolean up, long joinedMillis, double opsPerSecond) {}

    /**
     * What was the case before.
     *
     * @param highSinceMillis since when the utilisation has been too high, {@link #NOT} if it is not
     * @param lowSinceMillis since when it has been too low, {@link #NOT} if it is not
     * @param changedMillis when nodes were last asked for, or came, or went; {@link #NOT} if never
     */
    public record Memory(long highSinceMillis, long lowSinceMillis, long changedMillis) {

        /** Not so, or never. */
        public static final long NOT = Long.MIN_VALUE;

        /** Nothing was before. */
        public static final Memory NONE = new Memory(NOT, NOT, NOT);
    }

    /**
     * What to do.
     *
     * @param add how many nodes to add
     * @param remove the nodes to drain
     * @param reason why, or why nothing
     * @param memory for the next decision
     */
    public record Decision(int add, List<String> remove, String reason, Memory memory) {

        /** Copies the list. */
        public Decision {
            remove = List.copyOf(remove);
        }
    }

    private final ScalingPolicy policy;
    private final List<Node> active;
    private final long now;
    private final Memory before;
    private final int least;
    private final double load;

    private Scaling(ScalingPolicy policy, List<Node> active, int replicationFactor, Memory before, long now) {
        this.policy = policy;
        this.active = active;
        this.now = now;
        this.before = before;
        this.least = Math.min(policy.maxNodes(), Math.max(policy.minNodes(), replicationFactor));
        this.load = active.stream().mapToDouble(Node::opsPerSecond).sum();
    }

    /**
     * Decides.
     *
     * @param nodes all that store data
     * @param replicationFactor how many replicas each shard has
     * @param before what the previous decision gave, {@link Memory#NONE} at first
     * @param now in milliseconds
     */
    public static Decision evaluate(
            ScalingPolicy policy, Collection<Node> nodes, int replicationFactor, Memory before, long now) {
        List<Node> active = new ArrayList<>();
        for (Node node : nodes) {
            if (node.lifecycle() == Lifecycle.JOINING) {
                return changing("node " + node.name() + " is joining", now);
            }
            if (node.lifecycle() == Lifecycle.DRAINING) {
                return changing("node " + node.name() + " is draining", now);
            }
            active.add(node);
        }
        return new Scaling(policy, active, replicationFactor, before, now).decide();
    }

    private static Decision changing(String reason, long now) {
        return new Decision(0, List.of(), reason, new Memory(Memory.NOT, Memory.NOT, now));
    }

    private Decision decide() {
        int count = active.size();
        if (isCooling()) {
            return nothing("the nodes changed a moment ago", before.highSinceMillis(), before.lowSinceMillis());
        }
        if (count < policy.minNodes()) {
            return add(policy.minNodes() - count, count + " nodes, at least " + policy.minNodes() + " are wanted");
        }
        for (Node node : active) {
            if (!node.up()) {
                return nothing("node " + node.name() + " does not answer", Memory.NOT, Memory.NOT);
            }
        }
        int enough = nodesFor(policy.targetUtilisation());
        int ample = Math.max(least, nodesFor(policy.targetUtilisation() * ScalingPolicy.SLACK));
        long high = enough > count ? since(before.highSinceMillis()) : Memory.NOT;
        long low = ample < count ? since(before.lowSinceMillis()) : Memory.NOT;
        if (high != Memory.NOT) {
            return tooHigh(enough, high);
        }
        if (low != Memory.NOT) {
            return tooLow(ample, low);
        }
        return nothing(figures(), Memory.NOT, Memory.NOT);
    }

    private boolean isCooling() {
        return before.changedMillis() != Memory.NOT
                && now - before.changedMillis() < policy.cooldown().toMillis();
    }

    private int nodesFor(double utilisation) {
        double nodes = Math.ceil(load / (policy.operationsPerNode() * utilisation) - 1e-9);
        return (int) Math.min(policy.maxNodes() + 1.0, Math.max(1, nodes));
    }

    private long since(long since) {
        return since == Memory.NOT ? now : since;
    }

    private Decision tooHigh(int enough, long since) {
        int count = active.size();
        int wanted = Math.min(enough, policy.maxNodes());
        if (wanted <= count) {
            return nothing(figures() + ", but there may be no more than " + policy.maxNodes(), since, Memory.NOT);
        }
        if (now - since < policy.addAfter().toMillis()) {
            return nothing(figures() + ", for " + (now - since) / 1000 + " s", since, Memory.NOT);
        }
        return add(wanted - count, figures() + " for " + (now - since) / 1000 + " s");
    }

    private Decision tooLow(int ample, long since) {
        if (now - since < policy.removeAfter().toMillis()) {
            return nothing(figures() + ", for " + (now - since) / 1000 + " s", Memory.NOT, since);
        }
        int surplus = active.size() - ample;
        return new Decision(
                0,
                leaving(surplus),
                figures() + " for " + (now - since) / 1000 + " s: " + ample + " are enough",
                new Memory(Memory.NOT, Memory.NOT, now));
    }

    /** From the zone with the most nodes the one that came last, and of those that came together the one with the least to do. */
    private List<String> leaving(int count) {
        List<Node> staying = new ArrayList<>(active);
        List<String> leaving = new ArrayList<>();
        while (leaving.size() < count) {
            Map<String, Integer> inZone = new TreeMap<>();
            staying.forEach(node -> inZone.merge(node.zone(), 1, Integer::sum));
            Node next = staying.stream()
                    .max(Comparator.<Node>comparingInt(node -> inZone.getOrDefault(node.zone(), 0))
                            .thenComparingLong(Node::joinedMillis)
                            .thenComparingDouble(node -> -node.opsPerSecond())
                            .thenComparing(Node::name))
                    .orElseThrow();
            staying.remove(next);
            leaving.add(next.name());
        }
        return leaving;
    }

    private Decision add(int count, String reason) {
        return new Decision(count, List.of(), reason, new Memory(Memory.NOT, Memory.NOT, now));
    }

    private Decision nothing(String reason, long high, long low) {
        return new Decision(0, List.of(), reason, new Memory(high, low, before.changedMillis()));
    }

    private String figures() {
        double utilisation = load / (policy.operationsPerNode() * active.size());
        return Math.round(load) + " operations/s on " + active.size() + " nodes are " + Math.round(utilisation * 100)
                + " % of what they can do, the target is " + Math.round(policy.targetUtilisation() * 100) + " %";
    }
}
