package io.elastickv.embedded.internal.raft.core;

import java.util.List;

/**
 * What a member found on its disk when it started. Everything in here is durable.
 *
 * @param hardState the last durable term and vote
 * @param firstIndex index of the first entry in the log, 1 if nothing was ever cut away; one past {@code lastIndex} if
 *     the log is empty
 * @param lastIndex index of the last entry in the log, 0 if there never was one
 * @param commitIndex an index known to be committed, 0 if none was recorded; what lies beyond the log is not believed
 * @param appliedIndex what the state machine already contains; the log must reach at least that far. If it is below {@code
 *     firstIndex - 1} the state is lost: the member stores and votes, but does not campaign before it has got a snapshot
 * @param termRuns the terms of all entries, ascending; if {@code firstIndex > 1} the first run must also cover {@code
 *     firstIndex - 1}, the entry a snapshot ended with
 * @param cachedTail the newest entries, for the cache; may be empty, must end at {@code lastIndex} otherwise
 * @param configuration the members as of {@code firstIndex - 1}; {@link Configuration#EMPTY} if they are not known
 * @param configurationEntries all entries of kind {@link EntryKind#CONFIGURATION} in the log, ascending
 * @param memoryLost what this member acknowledged before may be missing at the end of its log (term and vote are not):
 *     it neither campaigns nor votes until it has got back from a leader what it may have had
 */
public record RestoredState(
        HardState hardState,
        long firstIndex,
        long lastIndex,
        long commitIndex,
        long appliedIndex,
        List<TermRun> termRuns,
        List<LogEntry> cachedTail,
        Configuration configuration,
        List<LogEntry> configurationEntries,
        boolean memoryLost) {

    /** Copies the lists and rejects what no log can be. */
    public RestoredState {
        termRuns = List.copyOf(termRuns);
        cachedTail = List.copyOf(cachedTail);
        configurationEntries = List.copyOf(configurationEntries);
        if (firstIndex < 1) {
            throw new IllegalArgumentException("firstIndex " + firstIndex + " is below 1");
        }
        if (lastIndex < firstIndex - 1) {
            throw new IllegalArgumentException(
                    "lastIndex " + lastIndex + " is below firstIndex " + firstIndex + " - 1");
        }
        if (commitIndex < 0) {
            throw new IllegalArgumentException("commitIndex " + commitIndex + " is negative");
        }
        if (appliedIndex < 0 || appliedIndex > lastIndex) {
            throw new IllegalArgumentException("appliedIndex " + appliedIndex + " is not within the log, which ends at "
                    + lastIndex + ": entries that were applied are missing");
        }
        checkRuns(firstIndex, lastIndex, termRuns);
        checkTail(lastIndex, cachedTail);
        checkConfigurations(firstIndex, lastIndex, configurationEntries);
    }

    /**
     * The state of a member that has never run.
     *
     * @param configuration the first members of the group; {@link Configuration#EMPTY} for one that joins later
     */
    public static RestoredState empty(Configuration configuration) {
        return new RestoredState(HardState.INITIAL, 1, 0, 0, 0, List.of(), List.of(), configuration, List.of(), false);
    }

    private static void checkConfigurations(long firstIndex, long lastIndex, List<LogEntry> entries) {
        long previous = firstIndex - 1;
        for (LogEntry entry : entries) {
            if (entry.kind() != EntryKind.CONFIGURATION || entry.index() <= previous || entry.index() > lastIndex) {
                throw new IllegalArgumentException("configurationEntries " + entries
                        + " are not ascending configurations within the log, " + firstIndex + " to " + lastIndex);
            }
            previous = entry.index();
        }
    }

    private static void checkRuns(long firstIndex, long lastIndex, List<TermRun> runs) {
        long covered = firstIndex > 1 ? firstIndex - 1 : firstIndex;
        if (covered <= lastIndex && (runs.isEmpty() || runs.get(0).firstIndex() > covered)) {
            throw new IllegalArgumentException("termRuns " + runs + " do not cover index " + covered);
        }
        long previousIndex = 0;
        long previousTerm = 0;
        for (TermRun run : runs) {
            if (run.firstIndex() <= previousIndex || run.term() <= previousTerm || run.firstIndex() > lastIndex) {
                throw new IllegalArgumentException(
                        "termRuns " + runs + " are not ascending within the log, which ends at " + lastIndex);
            }
            previousIndex = run.firstIndex();
            previousTerm = run.term();
        }
    }

    private static void checkTail(long lastIndex, List<LogEntry> tail) {
        for (int i = 0; i < tail.size(); i++) {
            long expected = lastIndex - tail.size() + 1 + i;
            if (tail.get(i).index() != expected) {
                throw new IllegalArgumentException(
                        "cachedTail has index " + tail.get(i).index() + " where " + expected + " is expected");
            }
        }
    }
}
