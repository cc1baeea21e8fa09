package io.elastickv.embedded.internal.raft.core;

import java.util.random.RandomGenerator;

/** Makes cores that break one rule, for simulations in other packages that must notice. */
public final class BrokenCores {

    /** Which rule; the letters are the rows of the hazards that the project's tests are named after. */
    public enum Rule {
        /** A: only entries of the own term are committed by counting. */
        COMMIT_OWN_TERM,
        /** B1: a read needs a round of a majority. */
        READ_QUORUM,
        /** B2: only acknowledgements of a round begun after the read confirm it. */
        READ_ROUND,
        /** B4: no read before the term's first entry is committed. */
        READ_AFTER_NOOP,
        /** F: a follower commits only what it has verified. */
        COMMIT_VERIFIED,
        /** H1: a snapshot never takes a state back. */
        SNAPSHOTS_GO_FORWARD,
        /** I1: a configuration is in effect when it is appended. */
        CONFIGURATION_ON_APPEND,
        /** I1: one change at a time. */
        ONE_CHANGE,
        /** Learners count in no majority. */
        LEARNERS_DO_NOT_COUNT,
        /** Who may have forgotten what it acknowledged does not vote. */
        NO_VOTE_WITHOUT_MEMORY,
        /** Only what is durable is read back from the log. */
        READ_BACK_DURABLE
    }

    private BrokenCores() {}

    /** A core that breaks {@code broken}. */
    public static RaftCore create(
            Rule broken,
            RaftConfig config,
            RestoredState restored,
            long nowNanos,
            long wallMillis,
            RandomGenerator random) {
        return new RaftCore(config, restored, nowNanos, wallMillis, random, new Broken(broken));
    }

    private static final class Broken extends Rules {

        private final Rule broken;

        Broken(Rule broken) {
            this.broken = broken;
        }

        @Override
        boolean commitsByCounting(long entryTerm, long currentTerm) {
            return broken == Rule.COMMIT_OWN_TERM || super.commitsByCounting(entryTerm, currentTerm);
        }

        @Override
        long committable(long leaderCommitIndex, long verifiedIndex, long lastIndex) {
            return broken == Rule.COMMIT_VERIFIED
                    ? Math.min(leaderCommitIndex, lastIndex)
                    : super.committable(leaderCommitIndex, verifiedIndex, lastIndex);
        }

        @Override
        boolean servesReads(long commitIndex, long termStartIndex) {
            return broken == Rule.READ_AFTER_NOOP || super.servesReads(commitIndex, termStartIndex);
        }

        @Override
        int readQuorum(int quorum) {
            return broken == Rule.READ_QUORUM ? 1 : super.readQuorum(quorum);
        }

        @Override
        long answeredRound(long roundInAnswer, long currentRound) {
            return broken == Rule.READ_ROUND ? currentRound : super.answeredRound(roundInAnswer, currentRound);
        }

        @Override
        Configuration inEffect(Configurations configurations, long commitIndex) {
            return broken == Rule.CONFIGURATION_ON_APPEND
                    ? configurations.at(commitIndex)
                    : super.inEffect(configurations, commitIndex);
        }

        @Override
        boolean mayChange(long configurationIndex, long commitIndex) {
            return broken == Rule.ONE_CHANGE || super.mayChange(configurationIndex, commitIndex);
        }

        @Override
        boolean learnersCount() {
            return broken == Rule.LEARNERS_DO_NOT_COUNT || super.learnersCount();
        }

        @Override
        boolean votesWithoutMemory() {
            return broken == Rule.NO_VOTE_WITHOUT_MEMORY || super.votesWithoutMemory();
        }

        @Override
        long readable(long durableIndex, long lastIndex) {
            return broken == Rule.READ_BACK_DURABLE ? lastIndex : super.readable(durableIndex, lastIndex);
        }

        @Override
        boolean acceptsSnapshot(long index, long appliedIndex) {
            return broken == Rule.SNAPSHOTS_GO_FORWARD || super.acceptsSnapshot(index, appliedIndex);
        }
    }
}
