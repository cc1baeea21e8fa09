package io.elastickv.embedded.internal.raft.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the core knows about its own log: the term of every entry, as runs of equal terms, and the newest entries
 * themselves in a ring. Older entries live only in the host's log.
 *
 * <p>An entry may leave the ring only when it is durable and committed; so an uncommitted entry of this incarnation can
 * always be sent without reading the disk, and nothing is ever lost from memory before it is on disk.
 */
final class RaftLog {

    /** The term of an index that is not in the log. */
    static final long NO_TERM = -1;

    private final long maxCachedBytes;

    private long firstIndex;
    private long lastIndex;
    private long durableIndex;

    private long[] runFirst;
    private long[] runTerm;
    private int runs;

    private @Nullable LogEntry[] ring = new @Nullable LogEntry[64];
    private long cacheFirst;
    private long cachedBytes;

    RaftLog(RestoredState restored, long maxCachedBytes) {
        this.maxCachedBytes = maxCachedBytes;
        firstIndex = restored.firstIndex();
        lastIndex = restored.lastIndex();
        durableIndex = lastIndex;
        List<TermRun> restoredRuns = restored.termRuns();
        runFirst = new long[Math.max(8, restoredRuns.size() + 2)];
        runTerm = new long[runFirst.length];
        if (restoredRuns.isEmpty() || restoredRuns.get(0).firstIndex() == 1) {
            // Index 0, before the first entry, has term 0 in every log: the induction's base.
            pushRun(0, 0);
        }
        for (int i = 0; i < restoredRuns.size(); i++) {
            pushRun(restoredRuns.get(i).firstIndex(), restoredRuns.get(i).term());
        }
        List<LogEntry> tail = restored.cachedTail();
        cacheFirst = lastIndex + 1 - tail.size();
        for (int i = 0; i < tail.size(); i++) {
            LogEntry entry = tail.get(i);
            if (entry.term() != termAt(entry.index())) {
                throw new IllegalArgumentException("cachedTail has term " + entry.term() + " at index " + entry.index()
                        + " where termRuns say " + termAt(entry.index()));
            }
            putCached(entry);
        }
        evict(lastIndex);
    }

    long firstIndex() {
        return firstIndex;
    }

    long lastIndex() {
        return lastIndex;
    }

    long lastTerm() {
        return runTerm[runs - 1];
    }

    /** Everything up to here is on disk. */
    long durableIndex() {
        return durableIndex;
    }

    /** The term of the entry at {@code index}, or {@link #NO_TERM} if it is not in the log. */
    long termAt(long index) {
        if (index > lastIndex) {
            return NO_TERM;
        }
        int run = runOf(index);
        return run < 0 ? NO_TERM : runTerm[run];
    }

    /**
     * The highest index that is at most {@code index} and whose term is at most {@code term}: no later entry can agree
     * with an entry of that term at that index. Both sides jump over whole terms this way (Ongaro, 3.5, end).
     */
    long lastIndexNotAbove(long index, long term) {
        long at = Math.min(index, lastIndex);
        int run = runOf(at);
        while (run >= 0 && runTerm[run] > term) {
            at = runFirst[run] - 1;
            run--;
        }
        return Math.max(at, 0);
    }

    /** Appends at the end. */
    void append(LogEntry entry) {
        if (entry.index() != lastIndex + 1) {
            throw new IllegalStateException("entry " + entry + " does not follow index " + lastIndex);
        }
        if (entry.term() < lastTerm()) {
            throw new IllegalStateException("entry " + entry + " follows one of the later term " + lastTerm());
        }
        if (entry.term() > lastTerm()) {
            pushRun(entry.index(), entry.term());
        }
        lastIndex = entry.index();
        putCached(entry);
    }

    /** Forgets everything from {@code index} on. */
    void truncateFrom(long index) {
        while (runs > 1 && runFirst[runs - 1] >= index) {
            runs--;
        }
        dropCached(Math.max(index, cacheFirst), lastIndex);
        lastIndex = index - 1;
        cacheFirst = Math.min(cacheFirst, index);
        durableIndex = Math.min(durableIndex, lastIndex);
    }

    /** Gives up the entries up to {@code index}, which is in the log; the term of that one is kept. */
    void compact(long index) {
        int run = runOf(index);
        if (run > 0) {
            System.arraycopy(runFirst, run, runFirst, 0, runs - run);
            System.arraycopy(runTerm, run, runTerm, 0, runs - run);
            runs -= run;
        }
        runFirst[0] = index;
        firstIndex = index + 1;
        durableIndex = Math.max(durableIndex, index);
        dropCached(cacheFirst, index);
        cacheFirst = Math.max(cacheFirst, index + 1);
    }

    /** Gives up everything: the log goes on after {@code index}, an entry of {@code term} that is in a snapshot. */
    void restartAfter(long index, long term) {
        dropCached(cacheFirst, lastIndex);
        runs = 0;
        pushRun(index, term);
        firstIndex = index + 1;
        lastIndex = index;
        durableIndex = index;
        cacheFirst = index + 1;
    }

    private void dropCached(long from, long to) {
        for (long i = from; i <= Math.min(to, lastIndex); i++) {
            LogEntry dropped = ring[slot(i)];
            if (dropped != null) {
                cachedBytes -= dropped.countedBytes();
            }
            ring[slot(i)] = null;
        }
    }

    /**
     * Notes that the log is on disk up to {@code index}, if the entry there still is the one of {@code term}: a notice
     * for an entry that was overwritten in the meantime says nothing about what stands there now.
     *
     * @return whether anything new is durable
     */
    boolean markDurable(long index, long term) {
        if (index <= durableIndex || termAt(index) != term) {
            return false;
        }
        durableIndex = index;
        return true;
    }

    /** Whether the entry is in memory. */
    boolean isCached(long index) {
        return index >= cacheFirst && index <= lastIndex;
    }

    /** The entry, if it is in memory. */
    @Nullable
    LogEntry cached(long index) {
        return isCached(index) ? ring[slot(index)] : null;
    }

    /** The entry, which must be in memory. */
    LogEntry require(long index) {
        LogEntry entry = cached(index);
        if (entry == null) {
            throw new IllegalStateException("entry " + index + " is not in memory, which starts at " + cacheFirst);
        }
        return entry;
    }

    /** Entries from {@code from} to at most {@code to} within the limits, at least one; empty if it is not in memory. */
    List<LogEntry> slice(long from, long to, int maxEntries, long maxBytes) {
        if (from > to || !isCached(from)) {
            return List.of();
        }
        int count = 0;
        long bytes = 0;
        long end = Math.min(to, lastIndex);
        for (long i = from; i <= end && count < maxEntries; i++) {
            bytes += require(i).countedBytes();
            if (count > 0 && bytes > maxBytes) {
                break;
            }
            count++;
        }
        ArrayList<LogEntry> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            entries.add(require(from + i));
        }
        return entries;
    }

    /** Drops the oldest entries from memory while it holds too much, but none that is not durable and committed. */
    void evict(long commitIndex) {
        long limit = Math.min(durableIndex, commitIndex);
        while (cachedBytes > maxCachedBytes && cacheFirst <= limit) {
            LogEntry dropped = ring[slot(cacheFirst)];
            if (dropped != null) {
                cachedBytes -= dropped.countedBytes();
            }
            ring[slot(cacheFirst)] = null;
            cacheFirst++;
        }
    }

    long cachedBytes() {
        return cachedBytes;
    }

    private void putCached(LogEntry entry) {
        long size = entry.index() - cacheFirst + 1;
        if (size > ring.length) {
            @Nullable LogEntry[] larger = new @Nullable LogEntry[ring.length * 2];
            for (long i = cacheFirst; i < entry.index(); i++) {
                larger[(int) (i & (larger.length - 1))] = ring[slot(i)];
            }
            ring = larger;
        }
        ring[slot(entry.index())] = entry;
        cachedBytes += entry.countedBytes();
    }

    private int slot(long index) {
        return (int) (index & (ring.length - 1));
    }

    private int runOf(long index) {
        if (index >= runFirst[runs - 1]) {
            return runs - 1;
        }
        int low = 0;
        int high = runs - 2;
        while (low <= high) {
            int mid = (low + high) >>> 1;
            if (runFirst[mid] <= index) {
                low = mid + 1;
            } else {
                high = mid - 1;
            }
        }
        return high;
    }

    private void pushRun(long first, long term) {
        if (runs == runFirst.length) {
            runFirst = Arrays.copyOf(runFirst, runs * 2);
            runTerm = Arrays.copyOf(runTerm, runs * 2);
        }
        runFirst[runs] = first;
        runTerm[runs] = term;
        runs++;
    }
}
