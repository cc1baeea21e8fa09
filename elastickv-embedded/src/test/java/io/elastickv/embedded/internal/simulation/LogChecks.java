package io.elastickv.embedded.internal.simulation;

import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.log.GroupLog;
import io.elastickv.embedded.internal.raft.log.LogException;
import java.util.List;

/** What must be true of a log on a disk. */
final class LogChecks {

    private static final int MANY = 1_000_000;

    private LogChecks() {}

    /** Log matching: what stands at an index in a term is the same everywhere, and so is what stands before it. */
    static void matching(Oracle oracle, int group, String member, GroupLog log) {
        List<LogEntry> entries;
        try {
            entries = log.readNow(log.firstIndex(), log.lastIndex(), MANY, Long.MAX_VALUE);
        } catch (LogException e) {
            oracle.violated("readable logs", member + ", group " + group + ": " + e);
            return;
        }
        long previousTerm = -1;
        for (LogEntry entry : entries) {
            if (previousTerm >= 0 || entry.index() == 1) {
                oracle.stored(group, member, entry, Math.max(0, previousTerm));
            }
            previousTerm = entry.term();
        }
        if (entries.size() != log.lastIndex() - log.firstIndex() + 1) {
            oracle.violated(
                    "readable logs",
                    member + ", group " + group + ": " + entries.size() + " entries can be read from "
                            + log.firstIndex() + " to " + log.lastIndex());
        }
    }
}
