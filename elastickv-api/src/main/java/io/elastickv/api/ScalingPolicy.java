package io.elastickv.api;

import java.time.Duration;
import java.util.Objects;

/**
 * When the cluster wants more or fewer nodes. It goes by the operations per second of all nodes, in terms of what they can do:
 * their utilisation.
 *
 * <p>Above {@code targetUtilisation} for {@code addAfter}, so many nodes are asked for that it is not above it any more. Nodes are drained
 * only if it has been so low for {@code removeAfter} that those that remain are clearly below the target, by {@link #SLACK}: what was just
 * removed is not asked for again. While nodes join, drain, or are missed, nothing is decided; after a decision neither, for {@code
 * cooldown}. Nodes fewer than {@code minNodes} are asked for at once.
 *
 * @param operationsPerNode how many operations per second a node can do: measured with the application's load, on its machines
 * @param targetUtilisation how much of that it should do, above 0 and up to 1
 * @param minNodes never fewer; nor fewer than there are replicas of each shard
 * @param maxNodes never more
 * @param addAfter how long it must be too high
 * @param removeAfter how long it must be too low
 * @param cooldown how long after a change nothing is changed
 */
public record ScalingPolicy(
        double operationsPerNode,
        double targetUtilisation,
        int minNodes,
        int maxNodes,
        Duration addAfter,
        Duration removeAfter,
        Duration cooldown) {

    /** After a removal the nodes that remain are at most at this part of the target. */
    public static final double SLACK = 0.85;

    /**
     * Checks the figures.
     *
     * @throws IllegalArgumentException if one is out of range; the message says which
     */
    public ScalingPolicy {
        if (!(operationsPerNode > 0) || Double.isInfinite(operationsPerNode)) {
            throw new IllegalArgumentException("operationsPerNode = " + operationsPerNode + ": must be above 0");
        }
        if (!(targetUtilisation > 0) || targetUtilisation > 1) {
            throw new IllegalArgumentException(
                    "targetUtilisation = " + targetUtilisation + ": must be above 0 and at most 1");
        }
        if (minNodes < 1 || maxNodes < minNodes) {
            throw new IllegalArgumentException(
                    "minNodes = " + minNodes + ", maxNodes = " + maxNodes + ": must be 1 <= minNodes <= maxNodes");
        }
        if (Objects.requireNonNull(addAfter, "addAfter").isNegative()
                || Objects.requireNonNull(removeAfter, "removeAfter").isNegative()
                || Objects.requireNonNull(cooldown, "cooldown").isNegative()) {
            throw new IllegalArgumentException("addAfter = " + addAfter + ", removeAfter = " + removeAfter
                    + ", cooldown = " + cooldown + ": must not be negative");
        }
    }

    /**
     * With a target of 60 %, after half a minute for more and five for fewer nodes, and a cooldown of two minutes.
     *
     * @param operationsPerNode how many operations per second a node can do
     * @param minNodes never fewer
     * @param maxNodes never more
     */
    public static ScalingPolicy of(double operationsPerNode, int minNodes, int maxNodes) {
        return new ScalingPolicy(
                operationsPerNode,
                0.6,
                minNodes,
                maxNodes,
                Duration.ofSeconds(30),
                Duration.ofMinutes(5),
                Duration.ofMinutes(2));
    }

    /** With another target. */
    public ScalingPolicy withTargetUtilisation(double other) {
        return new ScalingPolicy(operationsPerNode, other, minNodes, maxNodes, addAfter, removeAfter, cooldown);
    }

    /** With other times. */
    public ScalingPolicy withTimes(Duration otherAddAfter, Duration otherRemoveAfter, Duration otherCooldown) {
        return new ScalingPolicy(
                operationsPerNode,
                targetUtilisation,
                minNodes,
                maxNodes,
                otherAddAfter,
                otherRemoveAfter,
                otherCooldown);
    }
}
