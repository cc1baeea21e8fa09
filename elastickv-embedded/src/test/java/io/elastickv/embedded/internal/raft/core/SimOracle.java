package io.elastickv.embedded.internal.raft.core;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntBiFunction;

/** Raft's safety properties (Ongaro, figure 3.2) over a whole simulated cluster, checked at the event that breaks them. */
final class SimOracle {

    /** A property does not hold. */
    static final class Violation extends AssertionError {
        private static final long serialVersionUID = 1;

        Violation(String message) {
            super(message);
        }
    }

    private record Placed(LogEntry entry, long previousTerm) {}

    private record Committed(LogEntry entry, long byTerm) {}

    private final Map<Long, String> leaders = new HashMap<>();
    private final Map<Long, Placed> entries = new HashMap<>();
    private final List<Committed> committed = new ArrayList<>();
    private final int quorum;
    /** How many members have an entry in their durable logs: (index, term). */
    private final ToIntBiFunction<Long, Long> durableCopies;

    private long acknowledgedIndex;
    int leaderChanges;

    SimOracle(int quorum, ToIntBiFunction<Long, Long> durableCopies) {
        this.quorum = quorum;
        this.durableCopies = durableCopies;
    }

    /** Election safety, and leader completeness. */
    void leads(String node, long term, List<LogEntry> log) {
        String other = leaders.putIfAbsent(term, node);
        if (other == null) {
            leaderChanges++;
        }
        if (other != null && !other.equals(node)) {
            throw new Violation("election safety: " + other + " and " + node + " both lead term " + term);
        }
        for (Committed c : committed) {
            if (c.byTerm < term) {
                long index = c.entry.index();
                if (index > log.size() || log.get((int) index - 1).term() != c.entry.term()) {
                    throw new Violation("leader completeness: " + node + " leads term " + term + " without " + c);
                }
            }
        }
    }

    /** Log matching: index and term name one entry with one history. Also: a leader never uses them twice (D2). */
    void appended(String node, LogEntry entry, long previousTerm) {
        Placed placed = new Placed(entry, previousTerm);
        Placed other = entries.putIfAbsent(entry.index() << 20 | entry.term(), placed);
        if (other != null && !other.equals(placed)) {
            throw new Violation("log matching: " + node + " has " + placed + ", elsewhere it is " + other);
        }
    }

    /** State machine safety, and that what is committed is durable on a majority. */
    void applied(String node, LogEntry entry, long nodeTerm) {
        int at = (int) entry.index() - 1;
        if (at > committed.size()) {
            throw new Violation("state machine safety: " + node + " applies " + entry + " after a gap");
        }
        if (at < committed.size()) {
            LogEntry other = committed.get(at).entry;
            if (!other.equals(entry)) {
                throw new Violation("state machine safety: " + node + " applies " + entry + ", others " + other);
            }
            return;
        }
        int copies = durableCopies.applyAsInt(entry.index(), entry.term());
        if (copies < quorum) {
            throw new Violation(
                    "durability: " + node + " applies " + entry + " with " + copies + " durable copies of " + quorum);
        }
        committed.add(new Committed(entry, nodeTerm));
    }

    void acknowledged(LogEntry entry) {
        acknowledgedIndex = Math.max(acknowledgedIndex, entry.index());
    }

    /** A read was served from a state that contains everything up to {@code index}. */
    void served(long index) {
        acknowledgedIndex = Math.max(acknowledgedIndex, index);
    }

    /** What a read that starts now must see: all that was acknowledged to anybody, or seen by an earlier read. */
    long readFloor() {
        return acknowledgedIndex;
    }

    void readPoint(String node, long floor, long index) {
        if (index < floor) {
            throw new Violation("linearizable read: " + node + " reads at " + index + " what was complete at " + floor);
        }
    }

    int committedCount() {
        return committed.size();
    }
}
