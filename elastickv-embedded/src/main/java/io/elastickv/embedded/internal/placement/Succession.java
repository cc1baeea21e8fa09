package io.elastickv.embedded.internal.placement;

/**
 * A data directory that took the place of another one of the same node, because that one was lost.
 *
 * @param node the node's name
 * @param since orders the directories of a node: the later one stands for it. At least one more than that of the
 *     directory it follows, and otherwise about the time of its recognition in milliseconds since 1970, so that a
 *     directory of which only some members had heard before it was lost as well does not outlive its successor
 * @param nodeId the identity of the directory
 */
public record Succession(String node, long since, String nodeId) {}
