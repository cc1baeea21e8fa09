package io.elastickv.embedded.internal.raft.core;

import java.util.random.RandomGenerator;

/** A core that breaks one rule, for simulations that must notice. */
public final class BrokenCore extends RaftCore {

    /** Which rule; the rows are those of the hazards that the project's tests are named after. */
    public enum Rule {
        /** Row A: only entries of the own term are committed by counting. */
        COMMIT_OWN_TERM,
        /** Row B1: a read needs a round of a majority. */
        READ_QUORUM,
        /** Row B2: only acknowledgements of a round begun after the read confirm it. */
        READ_ROUND,
        /** Row B4: no read before the term's first entry is committed. */
        READ_AFTER_NOOP,
        /** Row F: a follower commits only what it has verified. */
        COMMIT_VERIFIED
    }

    private final Rule broken;

    public BrokenCore(
            Rule broken,
            RaftConfig config,
            RestoredState restored,
            long nowNanos,
            long wallMillis,
            RandomGenerator random) {
        super(config, restored, nowNanos, wallMillis, random);
        this.broken = broken;
    }

    @Override
    boolean mayCommitByCounting(long index) {
        return broken == Rule.COMMIT_OWN_TERM || super.mayCommitByCounting(index);
    }

    @Override
    int readQuorum() {
        return broken == Rule.READ_QUORUM ? 1 : super.readQuorum();
    }

    @Override
    long answeredRound(RaftMessage.AppendResponse m) {
        return broken == Rule.READ_ROUND ? currentRound() : super.answeredRound(m);
    }

    @Override
    boolean mayServeReads() {
        return broken == Rule.READ_AFTER_NOOP || super.mayServeReads();
    }

    @Override
    long committable(long leaderCommitIndex, long verifiedIndex) {
        return broken == Rule.COMMIT_VERIFIED
                ? Math.min(leaderCommitIndex, lastIndex())
                : super.committable(leaderCommitIndex, verifiedIndex);
    }
}
