package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.raft.core.HardState;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the records of one group add up to. The same rules judge a batch before it is written and a log that is read
 * back: term and vote only go forward, entries leave no gap, replace only what is above the commit index, and their terms
 * never fall. Not thread-safe.
 */
final class GroupState {

    final TermRuns terms;
    HardState hardState;
    long firstIndex;
    long lastIndex;
    long commitIndex;

    GroupState() {
        this(new TermRuns(), HardState.INITIAL, 1, 0, 0);
    }

    private GroupState(TermRuns terms, HardState hardState, long firstIndex, long lastIndex, long commitIndex) {
        this.terms = terms;
        this.hardState = hardState;
        this.firstIndex = firstIndex;
        this.lastIndex = lastIndex;
        this.commitIndex = commitIndex;
    }

    GroupState copy() {
        return new GroupState(terms.copy(), hardState, firstIndex, lastIndex, commitIndex);
    }

    /** Takes over the entry, and forgets all entries from its index on; or says why it must not be. */
    @Nullable
    String append(long index, long term) {
        if (index == lastIndex + 1) {
            if (term < terms.lastTerm()) {
                return "entry " + index + " of term " + term + " follows one of term " + terms.lastTerm();
            }
        } else if (index > lastIndex || index < firstIndex) {
            return "entry " + index + " does not fit entries " + firstIndex + " to " + lastIndex;
        } else if (index <= commitIndex) {
            return "entry " + index + " would replace one at or below the commit index " + commitIndex;
        } else if (term < terms.termAt(index - 1)) {
            return "entry " + index + " of term " + term + " follows one of term " + terms.termAt(index - 1);
        } else {
            terms.truncateFrom(index);
        }
        terms.append(index, term);
        lastIndex = index;
        return null;
    }

    /** Takes over term and vote, or says why it must not be. */
    @Nullable
    String hardState(HardState next) {
        String vote = hardState.votedFor();
        if (next.term() < hardState.term()) {
            return "term " + next.term() + " after term " + hardState.term();
        }
        if (next.term() == hardState.term() && vote != null && !Objects.equals(vote, next.votedFor())) {
            return "vote for " + next.votedFor() + " in term " + next.term() + " after one for " + vote;
        }
        hardState = next;
        return null;
    }

    /** A hint: it never falls and never points behind the last entry. */
    void commit(long index) {
        commitIndex = Math.max(commitIndex, Math.min(index, lastIndex));
    }
}
