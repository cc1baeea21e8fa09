package io.elastickv.embedded.internal.raft.core;

/**
 * How far a follower is, as its leader knows it.
 *
 * @param peer the follower's name
 * @param voter whether it votes; a learner otherwise
 * @param remembers false for a member that has said that it lost the end of its log, until it has all of it again: it does
 *     not vote meanwhile
 * @param caughtUp whether it is as near as replication gets: a learner may then become a voter (Ongaro, 4.2.1)
 * @param state how entries are sent to it
 * @param matchIndex it has acknowledged everything up to here
 * @param nextIndex the next entry to send
 * @param lastContactNanos when it was last heard from, on the core's clock
 * @param reachable false if the failure detector says it is gone
 * @param inFlightAppends append messages not yet acknowledged
 * @param inFlightBytes bytes of entries in them
 */
public record PeerProgress(
        String peer,
        boolean voter,
        boolean remembers,
        boolean caughtUp,
        State state,
        long matchIndex,
        long nextIndex,
        long lastContactNanos,
        boolean reachable,
        int inFlightAppends,
        long inFlightBytes) {

    /** How entries are sent to a follower. */
    public enum State {
        /** Its log may differ: one message at a time until the place where the logs agree is found. */
        PROBE,
        /** It follows: messages are sent ahead of the acknowledgements, within the window. */
        REPLICATE,
        /** It needs entries that the leader's log no longer has. */
        NEEDS_SNAPSHOT
    }
}
