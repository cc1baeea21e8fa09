package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.raft.core.EntryKind;
import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.core.TermRun;
import java.util.ArrayList;
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
    private GroupState durable = new GroupState();

    /** Guarded by this, like all that follows. */
    private final SparseIndex positions = new SparseIndex();

    private final List<LogEntry> configurations = new ArrayList<>();
    private boolean memoryLost;

    /** In which segments the newest records are that say what the state is; 0 if none does. */
    private long hardStateSegment;

    private long commitSegment;
    private long baseSegment;
    private long memorySegment;

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
        return durable.baseTerm;
    }

    /** The entries of kind CONFIGURATION from {@link #firstIndex} on, ascending. */
    public synchronized List<LogEntry> configurationEntries() {
        return List.copyOf(configurations);
    }

    /**
     * Whether entries that this group acknowledged may be missing (term and vote never are). Stays so over further
     * restarts, until {@link LogBatch#addMemoryRecovered}. False for a group of which the log never held anything.
     */
    public synchronized boolean memoryLost() {
        return memoryLost;
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
     * <p>If entries were compacted meanwhile, the callback gets an {@link EntriesGoneException}.
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
     * @throws EntriesGoneException if they are not in the log any more
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
        if (item instanceof LogBatch.Base base) {
            base.replacesAll = pending.baseReplacesAll(base.index, base.term);
            return pending.base(base.index, base.term, base.replacesAll);
        }
        if (item == LogBatch.Control.REMOVED) {
            pending = new GroupState();
        } else if (item == null) {
            pending.commit(batch.commitIndex(i));
        }
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
                if (entry.kind() == EntryKind.CONFIGURATION) {
                    configured(entry);
                }
            } else if (item instanceof HardState hardState) {
                refusal = persisted(hardState, at);
            } else if (item instanceof LogBatch.Base base) {
                refusal = based(base.index, base.term, base.replacesAll, at);
            } else if (item == LogBatch.Control.REMOVED) {
                removed();
            } else if (item == null) {
                committed(batch.commitIndex(i), at);
            } else {
                memory(item == LogBatch.Control.MEMORY_LOST, at);
            }
            if (refusal != null) {
                throw new IllegalStateException("group " + groupId + ": written, although " + refusal);
            }
            at += bytes;
        }
        return at;
    }

    /** An entry is durable at {@code position}. This and what follows are called by recovery, too. */
    synchronized @Nullable String appended(long index, long term, long position, long bytes) {
        boolean replaces = index <= durable.lastIndex;
        String refusal = durable.append(index, term);
        if (refusal != null) {
            return refusal;
        }
        if (durable.restarted) {
            positions.clear();
            configurations.clear();
        } else if (replaces) {
            configurations.removeIf(entry -> entry.index() >= index);
        }
        positions.add(index, position, bytes, replaces);
        return null;
    }

    /** The entry appended last is a configuration. */
    synchronized void configured(LogEntry entry) {
        configurations.add(entry);
    }

    /** Term and vote are durable. */
    synchronized @Nullable String persisted(HardState hardState, long position) {
        hardStateSegment = SparseIndex.sequence(position);
        return durable.hardState(hardState);
    }

    /** The hint is durable. */
    synchronized void committed(long index, long position) {
        durable.commit(index);
        if (index >= durable.commitIndex) {
            commitSegment = SparseIndex.sequence(position);
        }
    }

    /** The base is durable. */
    synchronized @Nullable String based(long index, long term, boolean replacesAll, long position) {
        String refusal = durable.base(index, term, replacesAll);
        if (refusal == null && index == durable.base) {
            baseSegment = SparseIndex.sequence(position);
            configurations.removeIf(entry -> entry.index() <= index || replacesAll);
            if (replacesAll || !durable.hasEntries()) {
                positions.clear();
            } else if (durable.firstIndex == index + 1) {
                positions.dropBefore(durable.firstIndex);
            }
        }
        return refusal;
    }

    /** The group's end is durable. */
    synchronized void removed() {
        durable = new GroupState();
        positions.clear();
        configurations.clear();
        memoryLost = false;
        hardStateSegment = 0;
        commitSegment = 0;
        baseSegment = 0;
        memorySegment = 0;
    }

    /** That memory was lost, or recovered, is durable. */
    synchronized void memory(boolean lost, long position) {
        memoryLost = lost;
        memorySegment = SparseIndex.sequence(position);
    }

    /** Before the first record of a log whose beginning is gone. */
    synchronized void setAdrift() {
        durable.setAdrift();
    }

    /** After recovery, before the writer thread starts; null, or what is wrong. */
    synchronized @Nullable String recovered() {
        String problem = durable.settle();
        pending = durable.copy();
        return problem;
    }

    /** Whether there is anything that the log has to remember. */
    synchronized boolean isKnown() {
        return durable.lastIndex > 0 || !durable.hardState.equals(HardState.INITIAL);
    }

    /** The segment of the first entry, {@link Long#MAX_VALUE} without any. */
    synchronized long firstSegment() {
        return durable.hasEntries() ? positions.segmentOf(durable.firstIndex) : Long.MAX_VALUE;
    }

    /** Adds again what is written only in segments before {@code start}, entries apart. Nothing may be being written. */
    synchronized void carryOver(LogBatch batch, long start) {
        if (hardStateSegment != 0 && hardStateSegment < start) {
            batch.add(groupId, durable.hardState);
        }
        if (baseSegment != 0 && baseSegment < start) {
            batch.addBase(groupId, durable.base, durable.baseTerm);
        }
        if (durable.commitIndex > durable.base && commitSegment < start) {
            batch.addCommit(groupId, durable.commitIndex);
        }
        if (memoryLost && memorySegment < start) {
            batch.addMemoryLost(groupId);
        }
    }

    /** What the reader needs to read these entries without any lock; null if there are none. */
    synchronized @Nullable ReadPlan plan(long from, long to, int maxEntries) {
        if (from < durable.firstIndex) {
            throw gone(from);
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

    /** Entry {@code index} was there and is not any more. */
    synchronized EntriesGoneException gone(long index) {
        return new EntriesGoneException(groupId, index, durable.firstIndex);
    }

    /**
     * Entries {@code from} to {@code to}, and where they were when the plan was made: the log never changes in place, but a
     * segment that is not needed any more is written again.
     */
    record ReadPlan(int groupId, long from, long to, SparseIndex.Points points, TermRuns terms) {

        /** The first segment to read. */
        long firstSegment() {
            return SparseIndex.sequence(points.positions()[0]);
        }
    }
}
