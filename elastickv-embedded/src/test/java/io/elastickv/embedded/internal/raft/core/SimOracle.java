package io.elastickv.embedded.internal.raft.core;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Raft's safety properties (Ongaro, figure 3.2) over a whole simulated cluster, checked at the event that breaks them. */
final class SimOracle {

    /** A property does not hold. */
    static final class Violation extends AssertionError {
        private static final long serialVersionUID = 1;

        Violation(String message) {
            super(message);
        }
    }

    /** Who has, or had before it was lost, an entry on its disk. */
    interface Copies {
        boolean has(String member, long index, long term);
    }

    private record Placed(LogEntry entry, long previousTerm) {}

    private record Committed(LogEntry entry, long byTerm) {}

    private final Map<Long, String> leaders = new HashMap<>();
    private final Map<Long, Placed> entries = new HashMap<>();
    private final List<Committed> committed = new ArrayList<>();
    private final Copies copies;

    /** By the index from which on they are committed. */
    private final TreeMap<Long, Configuration> configurations = new TreeMap<>();
    /** Everything that somebody may take to be in effect; by index. */
    private final TreeMap<Long, Set<Configuration>> proposed = new TreeMap<>();

    private long acknowledgedIndex;
    int leaderChanges;
    int changesCommitted;

    SimOracle(Configuration initial, Copies copies) {
        configurations.put(0L, initial);
        this.copies = copies;
    }

    /** Election safety, and leader completeness. */
    void leads(String node, long term, SimLog log) {
        String other = leaders.putIfAbsent(term, node);
        if (other == null) {
            leaderChanges++;
        }
        if (other != null && !other.equals(node)) {
            throw new Violation("election safety: " + other + " and " + node + " both lead term " + term);
        }
        for (int i = (int) Math.max(0, log.baseIndex() - 1); i < committed.size(); i++) {
            Committed c = committed.get(i);
            if (c.byTerm < term && log.termAt(c.entry.index()) != c.entry.term()) {
                throw new Violation("leader completeness: " + node + " leads term " + term + " without " + c);
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
        if (other == null && entry.kind() == EntryKind.CONFIGURATION) {
            proposed.computeIfAbsent(entry.index(), i -> new HashSet<>()).add(Configuration.decode(entry.payload()));
        }
    }

    /** State machine safety, and that what is committed is durable on a majority of the voters. */
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
        boolean onMajority = false;
        for (Configuration c : possible(entry.index())) {
            onMajority |= isOnMajority(c, entry);
        }
        if (!onMajority) {
            throw new Violation("durability: " + node + " applies " + entry
                    + " which is on the disks of no majority of " + possible(entry.index()));
        }
        committed.add(new Committed(entry, nodeTerm));
        if (entry.kind() == EntryKind.CONFIGURATION) {
            configurationCommitted(entry);
        }
    }

    private boolean isOnMajority(Configuration c, LogEntry entry) {
        int found = 0;
        for (String voter : c.voters()) {
            if (copies.has(voter, entry.index(), entry.term())) {
                found++;
            }
        }
        return found > c.voters().size() / 2;
    }

    /** Committed configurations differ from each other by one member. */
    private void configurationCommitted(LogEntry entry) {
        Configuration before = configurations.lastEntry().getValue();
        Configuration now = Configuration.decode(entry.payload());
        Set<String> difference = new HashSet<>(before.voters());
        difference.addAll(now.voters());
        difference.removeIf(m -> before.isVoter(m) && now.isVoter(m));
        if (difference.size() > 1) {
            throw new Violation("committed configurations: " + now + " follows " + before);
        }
        configurations.put(entry.index(), now);
        proposed.headMap(entry.index(), true).clear();
        changesCommitted++;
    }

    /** What may be in effect for somebody who has an entry at {@code index}: what is committed there, or proposed since. */
    Collection<Configuration> possible(long index) {
        Set<Configuration> all = new HashSet<>();
        all.add(configurations.floorEntry(index).getValue());
        configurations.tailMap(index, false).values().forEach(all::add);
        proposed.values().forEach(all::addAll);
        return all;
    }

    /** What may be in effect for anybody from now on. */
    Collection<Configuration> possible() {
        return possible(configurations.lastKey());
    }

    Configuration committedConfiguration() {
        return configurations.lastEntry().getValue();
    }

    /** A checkpoint holds what was committed up to its index, and the members as of then if they are known at all. */
    void checkpoint(String node, long index, long term, Configuration configuration) {
        if (committed.get((int) index - 1).entry.term() != term) {
            throw new Violation("checkpoint: " + node + " has term " + term + " at " + index);
        }
        Configuration then = configurations.floorEntry(index).getValue();
        if (!configuration.equals(then) && !configuration.equals(Configuration.EMPTY)) {
            throw new Violation("checkpoint: " + node + " has " + configuration + " at " + index + ", not " + then);
        }
    }

    void installed(String node, long index, long appliedIndex) {
        if (index < appliedIndex) {
            throw new Violation("state machine safety: " + node + " goes back from " + appliedIndex + " to " + index);
        }
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
