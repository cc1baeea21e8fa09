package io.elastickv.embedded.internal.raft.core;

import java.util.ArrayList;
import java.util.List;

/**
 * The configurations that the log knows: the one before its first entry, and those of its entries, committed or not. It
 * follows every change of the log, so a configuration goes when its entry is truncated.
 */
final class Configurations {

    private record At(long index, Configuration configuration) {}

    private Configuration base;
    private final ArrayList<At> inLog = new ArrayList<>();

    /**
     * Restores what was there before a restart.
     *
     * @param base as of the entry before the log's first one
     * @param entries those in the log
     */
    Configurations(Configuration base, List<LogEntry> entries) {
        this.base = base;
        entries.forEach(entry -> append(entry.index(), Configuration.decode(entry.payload())));
    }

    /** The newest one. */
    Configuration latest() {
        return inLog.isEmpty() ? base : inLog.get(inLog.size() - 1).configuration;
    }

    /** Index of the newest one's entry, 0 if that is not in the log. */
    long latestIndex() {
        return inLog.isEmpty() ? 0 : inLog.get(inLog.size() - 1).index;
    }

    /** The one that the entries up to {@code index} leave. */
    Configuration at(long index) {
        Configuration found = base;
        for (At at : inLog) {
            if (at.index > index) {
                break;
            }
            found = at.configuration;
        }
        return found;
    }

    /** Whether {@code member} votes in any of those that may be the last one committed, as far as is known. */
    boolean mayBeVoter(String member, long commitIndex) {
        if (at(commitIndex).isVoter(member)) {
            return true;
        }
        for (At at : inLog) {
            if (at.index > commitIndex && at.configuration.isVoter(member)) {
                return true;
            }
        }
        return false;
    }

    void append(long index, Configuration configuration) {
        inLog.add(new At(index, configuration));
    }

    void truncateFrom(long index) {
        inLog.removeIf(at -> at.index >= index);
    }

    /** The log starts after {@code index} from now on. */
    void compact(long index) {
        base = at(index);
        inLog.removeIf(at -> at.index <= index);
    }

    /** A snapshot at {@code index} has replaced the log up to there, or all of it. */
    void install(long index, Configuration configuration, boolean suffixKept) {
        // Whoever made a snapshot without knowing the members had seen no change of them from the beginning; so what
        // this member knows of the beginning is still true.
        Configuration known = configuration.equals(Configuration.EMPTY) ? base : configuration;
        inLog.removeIf(at -> !suffixKept || at.index <= index);
        base = known;
    }
}
