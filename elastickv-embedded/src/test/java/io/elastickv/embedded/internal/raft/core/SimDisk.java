package io.elastickv.embedded.internal.raft.core;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What survives a crash of one replica. */
final class SimDisk {

    /** A state at an index: its bytes are a matter of course, since they follow from what was committed up to there. */
    record Checkpoint(long index, long term, Configuration configuration) {}

    HardState state = HardState.INITIAL;
    SimLog log = new SimLog();
    long commitIndex;
    /** Newest first, two at most. */
    final List<Checkpoint> checkpoints = new ArrayList<>();

    /** The members that the replica was made with. */
    final Configuration born;
    /** The end of the log may be missing, until the core says that it has recovered. */
    boolean memoryLost;
    /** What was durable before the memory was lost: it has been acknowledged. */
    final Map<Long, Long> forgotten = new TreeMap<>();

    SimDisk(Configuration born) {
        this.born = born;
    }

    void add(Checkpoint checkpoint) {
        checkpoints.removeIf(c -> c.index == checkpoint.index);
        checkpoints.add(checkpoint);
        checkpoints.sort(Comparator.comparingLong(Checkpoint::index).reversed());
        while (checkpoints.size() > 2) {
            checkpoints.remove(2);
        }
    }

    /** The end of the log from {@code lastIndex} on is lost, and the replica knows that something may be. */
    void loseMemory(long lastIndex) {
        memoryLost = true;
        for (long i = lastIndex + 1; i <= log.lastIndex(); i++) {
            forgotten.put(i, log.termAt(i));
        }
        log.truncateTo(lastIndex);
    }

    /** Whether the replica has, or had before it lost its memory, an entry. */
    boolean hasHad(long index, long term) {
        return log.termAt(index) == term
                || index < log.baseIndex()
                || (!checkpoints.isEmpty() && index <= checkpoints.get(0).index)
                || forgotten.getOrDefault(index, -1L) == term;
    }
}
