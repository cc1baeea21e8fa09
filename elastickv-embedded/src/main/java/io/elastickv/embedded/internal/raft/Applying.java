package io.elastickv.embedded.internal.raft;

import io.elastickv.embedded.internal.raft.core.EntryKind;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.core.RaftCore;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Applies committed entries to the state machine, a bounded number per iteration of the loop, and answers their
 * proposers. Entries that are no longer in memory come from the log. On the group's loop.
 */
final class Applying {

    private static final int MAX_ENTRIES_PER_ITERATION = 1024;
    private static final long MAX_BYTES_PER_ITERATION = 8 << 20;
    /** About what the log needs for an entry besides its payload. */
    private static final int ENTRY_OVERHEAD_BYTES = 32;

    /** Reads entries from the log, and hands them to {@link #read} on the loop. */
    interface LogSource {
        void read(long fromIndex, long toIndex, int maxEntries, long maxBytes);
    }

    private final RaftCore core;
    private final StateMachine stateMachine;
    private final ProposalQueue proposals;
    private final GroupCheckpoints checkpoints;
    private final LogSource log;
    private long commitIndex;
    private long index;
    private long term;
    private boolean readingLog;

    Applying(
            RaftCore core,
            StateMachine stateMachine,
            ProposalQueue proposals,
            GroupCheckpoints checkpoints,
            LogSource log,
            long term) {
        this.core = core;
        this.stateMachine = stateMachine;
        this.proposals = proposals;
        this.checkpoints = checkpoints;
        this.log = log;
        this.commitIndex = core.commitIndex();
        this.index = core.appliedIndex();
        this.term = term;
    }

    /** Everything up to here may be applied. */
    void committed(long upTo) {
        commitIndex = Math.max(commitIndex, upTo);
    }

    long commitIndex() {
        return commitIndex;
    }

    /** The last entry applied. */
    long index() {
        return index;
    }

    /** Its term; 0 if there is none. */
    long term() {
        return term;
    }

    /** Applies some; whether there are more that could be applied at once. */
    boolean some() {
        if (core.stateLost()) {
            return false; // the next entry is not in the log: the state comes as a whole
        }
        long budget = MAX_ENTRIES_PER_ITERATION;
        while (index < commitIndex && budget > 0 && !readingLog) {
            int most = (int) Math.min(budget, commitIndex - index);
            List<LogEntry> entries = core.committedEntries(index + 1, most, MAX_BYTES_PER_ITERATION);
            if (entries.isEmpty()) {
                readLog(most);
                break;
            }
            apply(entries);
            budget = Math.max(0, budget - entries.size());
        }
        core.applied(index);
        return budget == 0 && index < commitIndex;
    }

    /** What is committed but not in memory is in the log. */
    private void readLog(int most) {
        long last = Math.min(commitIndex, core.readableIndex());
        if (last > index) {
            readingLog = true;
            log.read(index + 1, last, most, MAX_BYTES_PER_ITERATION);
        }
    }

    /** What the log had; nothing if it no longer goes back so far, as after a snapshot was installed meanwhile. */
    void read(List<LogEntry> entries) {
        readingLog = false;
        if (!entries.isEmpty() && entries.get(0).index() == index + 1) {
            checkTerms(entries);
            apply(entries);
        }
    }

    private void checkTerms(List<LogEntry> entries) {
        for (LogEntry entry : entries) {
            if (entry.term() != core.termAt(entry.index())) {
                throw new IllegalStateException("the log has entry " + entry.index() + " of term " + entry.term()
                        + ", committed is that of term " + core.termAt(entry.index()));
            }
        }
    }

    private void apply(List<LogEntry> entries) {
        String leader = ReplicaGroup.nodeOf(core.leader());
        for (int i = 0; i < entries.size(); i++) {
            LogEntry entry = entries.get(i);
            Object result = apply(entry);
            index = entry.index();
            term = entry.term();
            checkpoints.applied(entry.payload().length + ENTRY_OVERHEAD_BYTES);
            proposals.applied(entry, result, leader);
        }
    }

    private @Nullable Object apply(LogEntry entry) {
        if (entry.kind() == EntryKind.COMMAND) {
            return stateMachine.apply(entry.index(), entry.payload());
        }
        stateMachine.passOver(entry.index());
        // A configuration is in effect since it was appended: its result only says that it is committed.
        return entry.kind() == EntryKind.CONFIGURATION ? entry.kind() : null;
    }

    /** The state of another replica, as of this entry, took the place of the state machine's. */
    void installed(long newIndex, long newTerm) {
        index = newIndex;
        term = newTerm;
        commitIndex = Math.max(commitIndex, newIndex);
        proposals.skipped(newIndex);
    }
}
