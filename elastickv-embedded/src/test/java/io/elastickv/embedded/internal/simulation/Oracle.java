package io.elastickv.embedded.internal.simulation;

import io.elastickv.embedded.internal.raft.core.EntryKind;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.core.RaftCore;
import io.elastickv.embedded.internal.raft.core.RaftMessage;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Sees everything and forgets nothing: Raft's safety properties (Ongaro, figure 3.2) over all groups, checked at the event
 * that breaks them. It only takes note of a violation, because what is thrown within a loop would be caught there.
 */
final class Oracle {

    private static final class Facts {

        /** Who led a term. */
        final Map<Long, String> leaders = new HashMap<>();
        /** Whom somebody voted for in a term. */
        final Map<String, String> votes = new HashMap<>();
        /** What stands at an index in a term, as a digest of the entry and of the term before it. */
        final Map<Long, Long> entries = new HashMap<>();

        // By index: what was applied there first, the entry's term, and the term in which it was.
        long[] applied = new long[256];
        long[] appliedTerm = new long[256];
        long[] appliedInTerm = new long[256];
        long last;
    }

    private final Facts[] groups;

    @Nullable
    Violation violation;

    long appliedEntries;
    long elections;

    Oracle(int groups) {
        this.groups = new Facts[groups];
        for (int i = 0; i < groups; i++) {
            this.groups[i] = new Facts();
        }
    }

    void violated(String promise, String what) {
        if (violation == null) {
            violation = new Violation(promise, what);
        }
    }

    void violated(Violation found) {
        if (violation == null) {
            violation = found;
        }
    }

    /** Election safety, and leader completeness. */
    void leads(int group, String member, long term, RaftCore core) {
        Facts facts = groups[group];
        String other = facts.leaders.putIfAbsent(term, member);
        if (other != null && !other.equals(member)) {
            violated("election safety", "group " + group + ": " + other + " and " + member + " both lead term " + term);
        }
        if (other != null) {
            return;
        }
        elections++;
        for (long index = 1; index <= facts.last; index++) {
            long expected = facts.appliedTerm[(int) index];
            if (expected == 0 || facts.appliedInTerm[(int) index] >= term) {
                continue;
            }
            if (index > core.lastIndex() || (knows(core, index) && core.termAt(index) != expected)) {
                violated(
                        "leader completeness",
                        "group " + group + ": " + member + " leads term " + term + " without entry " + index
                                + " of term " + expected + "; its log ends at " + core.lastIndex());
                return;
            }
        }
    }

    private static boolean knows(RaftCore core, long index) {
        return index >= core.firstIndex() - 1 && index <= core.lastIndex();
    }

    /** Log matching, and that nobody votes twice. */
    void sent(int group, String from, String to, RaftMessage message) {
        if (message instanceof RaftMessage.AppendRequest append) {
            long previousTerm = append.prevTerm();
            for (LogEntry entry : append.entries()) {
                stored(group, from, entry, previousTerm);
                previousTerm = entry.term();
            }
        } else if (message instanceof RaftMessage.VoteResponse vote && vote.granted()) {
            String voteOf = from + " in term " + vote.term();
            String other = groups[group].votes.putIfAbsent(voteOf, to);
            if (other != null && !other.equals(to)) {
                violated("one vote", "group " + group + ": " + voteOf + " votes for " + other + " and for " + to);
            }
        }
    }

    void stored(int group, String member, LogEntry entry, long previousTerm) {
        long digest = entry.kind() == EntryKind.COMMAND
                ? Arrays.hashCode(entry.payload())
                : entry.kind().code();
        digest = mix(digest, previousTerm);
        Long other = groups[group].entries.putIfAbsent(entry.index() << 24 | entry.term(), digest);
        if (other != null && other != digest) {
            violated(
                    "log matching",
                    "group " + group + ": " + member + " has another entry " + entry.index() + " of term "
                            + entry.term() + " than somebody else");
        }
    }

    /** State machine safety: at each index everybody applies the same, with the same result. */
    void applied(int group, String member, long index, long entryTerm, long inTerm, long digest) {
        Facts facts = groups[group];
        int at = (int) index;
        if (at >= facts.applied.length) {
            facts.applied = Arrays.copyOf(facts.applied, 2 * at);
            facts.appliedTerm = Arrays.copyOf(facts.appliedTerm, 2 * at);
            facts.appliedInTerm = Arrays.copyOf(facts.appliedInTerm, 2 * at);
        }
        if (facts.appliedTerm[at] == 0) {
            facts.applied[at] = digest;
            facts.appliedTerm[at] = Math.max(1, entryTerm);
            facts.appliedInTerm[at] = inTerm;
            facts.last = Math.max(facts.last, index);
            appliedEntries++;
        } else if (facts.applied[at] != digest) {
            violated(
                    "state machine safety",
                    "group " + group + ": " + member + " applies another entry " + index
                            + ", or with another result, than somebody before: here it is of term " + entryTerm
                            + ", there of " + facts.appliedTerm[at]);
        }
    }

    /** The highest index that was applied anywhere. */
    long lastApplied(int group) {
        return groups[group].last;
    }

    static long mix(long digest, long value) {
        long mixed = (digest ^ value) * 0x9E3779B97F4A7C15L;
        return mixed ^ mixed >>> 29;
    }
}
