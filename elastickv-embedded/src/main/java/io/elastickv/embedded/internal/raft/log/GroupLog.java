package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.core.TermRun;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One group's part of the node's log. It shows what is durable: what a batch adds becomes visible just before the batch's
 * completion is called. Thread-safe.
 */
public final class GroupLog {

    private final int groupId;
    private final NodeLog log;

    /** With what is being written; only the writer thread touches it. */
    private GroupState pending = new GroupState();

    /** What is durable; guarded by this. */
    private final GroupState durable = new GroupState();

    /** Guarded by this. */
    private final SparseIndex positions = new SparseIndex();

    GroupLog(int groupId, NodeLog log) {
        this.groupId = groupId;
        this.log = log;
    }

    public int groupId() {
        return groupId;
    }

    /** Term and vote; term 0 without a vote if none was ever written. */
    public synchronized HardState hardState() {
        return durable.hardState;
    }

    /** The first index that can be read: one past the base, 1 without one. */
    public synchronized long firstIndex() {
        return durable.firstIndex;
    }

    /** The index of the last entry, {@code firstIndex() - 1} if there is none. */
    public synchronized long lastIndex() {
        return durable.lastIndex;
    }

    /** The highest commit index that was written, at most {@link #lastIndex}: the real one may be higher. */
    public synchronized long commitIndex() {
        return durable.commitIndex;
    }

    /** The term of the entry at {@code firstIndex() - 1}, 0 if that is 0. */
    public synchronized long baseTerm() {
        return durable.terms.termAt(durable.firstIndex - 1);
    }

    /** The entries of kind CONFIGURATION from {@link #firstIndex} on, ascending. */
    public synchronized List<LogEntry> configurationEntries() {
        return List.of();
    }

    /**
     * Whether entries that this group acknowledged may be missing (term and vote never are). Stays so over further
     * restarts, until {@link LogBatch#addMemoryRecovered}. False for a group of which the log never held anything.
     */
    public synchronized boolean memoryLost() {
        return false;
    }

    /**
     * The terms of the entries and of the one before the first, ascending by index; a run ends where the next one begins,
     * or at {@link #lastIndex}.
     */
    public synchronized List<TermRun> termRuns() {
        return durable.terms.toList();
    }

    /**
     * Reads entries asynchronously.
     *
     * @param fromIndex the first index wanted; the result is empty if it is behind the last entry
     * @param toIndexInclusive the last index wanted
     * @param maxEntries at most so many entries; positive
     * @param maxBytes at most so many bytes of payload, but always one entry
     */
    public void read(long fromIndex, long toIndexInclusive, int maxEntries, long maxBytes, ReadCallback callback) {
        log.reader().read(this, fromIndex, toIndexInclusive, maxEntries, maxBytes, callback);
    }

    /**
     * Like {@link #read}, but waits: for recovery and tests, never on an event loop.
     *
     * @throws LogException if the entries cannot be read
     */
    public List<LogEntry> readNow(long fromIndex, long toIndexInclusive, int maxEntries, long maxBytes) {
        return log.reader().readNow(this, fromIndex, toIndexInclusive, maxEntries, maxBytes);
    }

    /** How many points the index on the heap has. */
    synchronized int indexPoints() {
        return positions.size();
    }

    /** Writer thread: whether record {@code i} of {@code batch} may be written; null, or what is wrong. */
    @Nullable
    String accept(LogBatch batch, int i) {
        Object item = batch.item(i);
        if (item instanceof LogEntry entry) {
            return pending.append(entry.index(), entry.term());
        }
        if (item instanceof HardState hardState) {
            return pending.hardState(hardState);
        }
        if (item != null) {
            return "bases and removals are not written yet";
        }
        pending.commit(batch.commitIndex(i));
        return null;
    }

    /**
     * Writer thread: records {@code from} to {@code to - 1} of the batch are durable, the first of them at {@code
     * position}; gives the position behind the last one.
     */
    synchronized long publish(LogBatch batch, int from, int to, long position) {
        long at = position;
        for (int i = from; i < to; i++) {
            Object item = batch.item(i);
            long bytes = batch.recordBytes(i);
            String refusal = null;
            if (item instanceof LogEntry entry) {
                refusal = appended(entry.index(), entry.term(), at, bytes);
            } else if (item instanceof HardState hardState) {
                refusal = persisted(hardState);
            } else {
                committed(batch.commitIndex(i));
            }
            if (refusal != null) {
                throw new IllegalStateException("group " + groupId + ": written, although " + refusal);
            }
            at += bytes;
        }
        return at;
    }

    /** Recovery: an entry is durable at {@code position}. */
    synchronized @Nullable String appended(long index, long term, long position, long bytes) {
        boolean replaces = index <= durable.lastIndex;
        String refusal = durable.append(index, term);
        if (refusal == null) {
            positions.add(index, position, bytes, replaces);
        }
        return refusal;
    }

    /** Recovery: term and vote are durable. */
    synchronized @Nullable String persisted(HardState hardState) {
        return durable.hardState(hardState);
    }

    /** Recovery: the hint is durable. */
    synchronized void committed(long index) {
        durable.commit(index);
    }

    /** After recovery, before the writer thread starts. */
    synchronized void recovered() {
        pending = durable.copy();
    }

    /** What the reader needs to read these entries without any lock; null if there are none. */
    synchronized @Nullable ReadPlan plan(long from, long to, int maxEntries) {
        if (from < durable.firstIndex) {
            throw new IllegalArgumentException(
                    "group " + groupId + ": asked for entry " + from + ", the first is " + durable.firstIndex);
        }
        if (maxEntries < 1) {
            throw new IllegalArgumentException("maxEntries is " + maxEntries + ", must be positive");
        }
        long last = Math.min(Math.min(to, durable.lastIndex), from - 1 + maxEntries);
        if (last < from) {
            return null;
        }
        return new ReadPlan(groupId, from, last, positions.points(from, last), durable.terms.copy());
    }

    /** Entries {@code from} to {@code to}, and where they were when the plan was made: the log never changes in place. */
    record ReadPlan(int groupId, long from, long to, SparseIndex.Points points, TermRuns terms) {}
}
