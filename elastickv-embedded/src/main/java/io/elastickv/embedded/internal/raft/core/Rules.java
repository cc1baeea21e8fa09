package io.elastickv.embedded.internal.raft.core;

/**
 * The points on which Raft's safety hangs, one question each. There is one set of answers; that they can be overridden is
 * for tests, which give a wrong one and watch whether the simulation notices.
 */
class Rules {

    static final Rules RAFT = new Rules();

    Rules() {}

    /** Ongaro, 3.6.2: whether a leader commits an entry of {@code entryTerm} by counting its copies. */
    boolean commitsByCounting(long entryTerm, long currentTerm) {
        return entryTerm == currentTerm;
    }

    /** Ongaro, figure 3.1: how far a follower commits. */
    long committable(long leaderCommitIndex, long verifiedIndex, long lastIndex) {
        return Math.min(leaderCommitIndex, verifiedIndex);
    }

    /** Ongaro, 6.4: before its term's first entry is committed, a leader does not know what is. */
    boolean servesReads(long commitIndex, long termStartIndex) {
        return commitIndex >= termStartIndex;
    }

    /** Ongaro, 6.4: how many voters confirm a read round. */
    int readQuorum(int quorum) {
        return quorum;
    }

    /** The read round that an answer confirms. */
    long answeredRound(long roundInAnswer, long currentRound) {
        return roundInAnswer;
    }

    /** Ongaro, 4.1: a configuration is in effect from the moment it is in the log, committed or not. */
    Configuration inEffect(Configurations configurations, long commitIndex) {
        return configurations.latest();
    }

    /** Ongaro, 4.1: whether there may be another change now. */
    boolean mayChange(long configurationIndex, long commitIndex) {
        return configurationIndex <= commitIndex;
    }

    /** The errata of Ongaro, 4.1: no change before an entry of the own term is committed. */
    boolean mayChangeInTerm(long commitIndex, long termStartIndex) {
        return commitIndex >= termStartIndex;
    }

    /** Ongaro, 4.2.1: whether learners count in majorities. */
    boolean learnersCount() {
        return false;
    }

    /** Whether a member that may have forgotten what it acknowledged votes all the same. */
    boolean votesWithoutMemory() {
        return false;
    }

    /** Whether a snapshot at {@code index} may replace a state at {@code appliedIndex}. */
    boolean acceptsSnapshot(long index, long appliedIndex) {
        return index > appliedIndex;
    }

    /**
     * How far the log on the disk is what the core says it is: behind that, entries of a deposed leader may still stand
     * where those that are committed are being written.
     */
    long readable(long durableIndex, long lastIndex) {
        return durableIndex;
    }

    /** Ongaro, figure 5.3: whether what follows a snapshot's last entry in the log stays. */
    boolean keepsSuffix(boolean entryMatches) {
        return entryMatches;
    }
}
