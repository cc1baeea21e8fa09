package io.elastickv.api;

import java.time.Duration;

/**
 * How far a replica is, as its shard's leader sees it.
 *
 * @param node the node it is on
 * @param leader whether it is the leader
 * @param voter whether it votes and its acknowledgements count; otherwise it is a learner: it is being added, and gets
 *     its vote once it has caught up. While a node's lost replica is replaced both are there
 * @param matchIndex the log index up to which it is known to agree with the leader
 * @param commitIndex the leader's commit index at the time of the answer
 * @param sinceLastContact how long ago the leader heard from it; zero for the leader itself
 */
public record ReplicaInfo(
        String node, boolean leader, boolean voter, long matchIndex, long commitIndex, Duration sinceLastContact) {

    /** How many committed entries it may still lack. */
    public long lag() {
        return Math.max(0, commitIndex - matchIndex);
    }
}
