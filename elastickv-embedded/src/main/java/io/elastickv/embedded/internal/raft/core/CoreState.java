package io.elastickv.embedded.internal.raft.core;

import java.util.random.RandomGenerator;

/** What the parts of a core share. Each field has one part that changes it, but for {@link #workPending}. */
final class CoreState {

    final RaftConfig config;
    final Rules rules;
    final Configurations configurations;
    final Members members;
    final ElectionState election;
    final RaftLog log;
    final Replication replication;
    final ReadRounds reads;

    long nowNanos;
    long wallMillis;
    boolean broken;

    /** What is being collected for the next {@link RaftCore#takeEffects()}. */
    Effects out = new Effects();
    /** Messages may have to be built for it. */
    boolean workPending;

    long commitIndex;
    long appliedIndex;
    /** Our term up to which the hard state is on disk. */
    long durableTerm;

    CoreState(
            RaftConfig config,
            RestoredState restored,
            long nowNanos,
            long wallMillis,
            RandomGenerator random,
            Rules rules) {
        this.config = config;
        this.rules = rules;
        this.nowNanos = nowNanos;
        this.wallMillis = wallMillis;
        log = new RaftLog(restored, config.maxCachedEntryBytes());
        commitIndex = Math.max(
                Math.min(restored.commitIndex(), log.lastIndex()),
                Math.max(restored.appliedIndex(), log.firstIndex() - 1));
        appliedIndex = restored.appliedIndex();
        durableTerm = restored.hardState().term();
        configurations = new Configurations(restored.configuration(), restored.configurationEntries());
        members = new Members(config.self(), rules, rules.inEffect(configurations, commitIndex));
        election = new ElectionState(config, members, random, restored.hardState(), nowNanos);
        replication = new Replication(config, members, log, nowNanos);
        reads = new ReadRounds(config, random.nextLong());
        log.evict(commitIndex);
    }

    /** Puts an entry at the end of the log; a configuration is in effect at once. */
    void append(LogEntry entry) {
        log.append(entry);
        out.append(entry);
        if (entry.kind() == EntryKind.CONFIGURATION) {
            configurations.append(entry.index(), Configuration.decode(entry.payload()));
            useConfiguration();
        }
    }

    /** Takes the end of the log away, and the configurations that only stood there. */
    void truncateFrom(long index) {
        log.truncateFrom(index);
        if (configurations.latestIndex() >= index) {
            configurations.truncateFrom(index);
            useConfiguration();
        }
    }

    void useConfiguration() {
        Configuration inEffect = rules.inEffect(configurations, commitIndex);
        if (inEffect.equals(members.configuration())) {
            return;
        }
        members.use(inEffect);
        replication.membersChanged(log.lastIndex() + 1, nowNanos);
        workPending = true;
    }

    void setCommitIndex(long index) {
        long before = commitIndex;
        commitIndex = index;
        log.evict(index);
        long configurationIndex = configurations.latestIndex();
        if (configurationIndex > before && configurationIndex <= index) {
            useConfiguration();
        }
    }

    /** Gives up the log up to {@code index}. */
    void compact(long index) {
        log.compact(index);
        configurations.compact(index);
        out.dropAppendsUpTo(index);
    }

    /** A snapshot at {@code index} has replaced the state, and the log with it unless the suffix is kept. */
    void installSnapshot(long index, long term, Configuration configuration, boolean suffixKept) {
        if (suffixKept) {
            log.compact(index);
            out.dropAppendsUpTo(index);
        } else {
            log.restartAfter(index, term);
            out.dropAppendsUpTo(Long.MAX_VALUE);
        }
        configurations.install(index, configuration, suffixKept);
        appliedIndex = index;
        commitIndex = Math.max(commitIndex, index);
        log.evict(commitIndex);
        useConfiguration();
        workPending = true;
    }

    boolean stateLost() {
        return appliedIndex < log.firstIndex() - 1;
    }

    void checkUsable() {
        if (broken) {
            throw new IllegalStateException("the replica was stopped by an earlier breach of an invariant");
        }
    }

    IllegalStateException broken(String what) {
        broken = true;
        return new IllegalStateException(config.self() + " in term " + election.term() + ": " + what);
    }
}
