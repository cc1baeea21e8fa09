package io.elastickv.embedded.internal.raft.core;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** A log as a host keeps it: entries after a base, of which index and term are known. */
final class SimLog {

    private long baseIndex;
    private long baseTerm;
    private final ArrayList<LogEntry> entries = new ArrayList<>();
    /** As of the base; only where it is asked for. */
    private Configuration baseConfiguration = Configuration.EMPTY;

    private final TreeMap<Long, Configuration> configurations = new TreeMap<>();

    SimLog copy() {
        SimLog copy = new SimLog();
        copy.baseIndex = baseIndex;
        copy.baseTerm = baseTerm;
        copy.baseConfiguration = baseConfiguration;
        copy.entries.addAll(entries);
        copy.configurations.putAll(configurations);
        return copy;
    }

    long baseIndex() {
        return baseIndex;
    }

    long lastIndex() {
        return baseIndex + entries.size();
    }

    List<LogEntry> entries() {
        return entries;
    }

    boolean has(long index) {
        return index > baseIndex && index <= lastIndex();
    }

    LogEntry get(long index) {
        return entries.get((int) (index - baseIndex - 1));
    }

    /** -1 if it is not known. */
    long termAt(long index) {
        return index == baseIndex ? baseTerm : has(index) ? get(index).term() : -1;
    }

    /** Adds an entry, in the place of whatever stands there and after. */
    void put(LogEntry entry) {
        if (entry.index() <= baseIndex || entry.index() > lastIndex() + 1) {
            throw new SimOracle.Violation(
                    "an append of " + entry + " to a log from " + baseIndex + " to " + lastIndex());
        }
        truncateTo(entry.index() - 1);
        entries.add(entry);
        if (entry.kind() == EntryKind.CONFIGURATION) {
            configurations.put(entry.index(), Configuration.decode(entry.payload()));
        }
    }

    void truncateTo(long lastIndex) {
        if (lastIndex < lastIndex()) {
            entries.subList((int) (lastIndex - baseIndex), entries.size()).clear();
            configurations.tailMap(lastIndex, false).clear();
        }
    }

    /** Entries up to {@code index} are gone; the rest stays only if it follows. */
    void base(long index, long term, Configuration configuration) {
        if (index < baseIndex) {
            throw new SimOracle.Violation("the log's base goes back from " + baseIndex + " to " + index);
        }
        if (termAt(index) == term) {
            entries.subList(0, (int) (index - baseIndex)).clear();
            configurations.headMap(index, true).clear();
        } else {
            entries.clear();
            configurations.clear();
        }
        baseIndex = index;
        baseTerm = term;
        baseConfiguration = configuration;
    }

    void setBaseConfiguration(Configuration configuration) {
        baseConfiguration = configuration;
    }

    Configuration configurationAt(long index) {
        var at = configurations.floorEntry(index);
        return at == null ? baseConfiguration : at.getValue();
    }

    List<LogEntry> configurationEntries() {
        List<LogEntry> found = new ArrayList<>();
        configurations.keySet().forEach(index -> found.add(get(index)));
        return found;
    }

    List<TermRun> runs() {
        List<TermRun> runs = new ArrayList<>();
        if (baseIndex > 0) {
            runs.add(new TermRun(baseIndex, baseTerm));
        }
        for (LogEntry e : entries) {
            if (runs.isEmpty() || runs.get(runs.size() - 1).term() != e.term()) {
                runs.add(new TermRun(e.index(), e.term()));
            }
        }
        return runs;
    }
}
