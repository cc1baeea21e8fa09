package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.raft.core.HardState;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the records of one group add up to. The same rules judge a batch before it is written and a log that is read
 * back: term and vote only go forward, entries leave no gap, replace only what is above the commit index, and their terms
 * never fall; a base never goes back behind what is committed.
 *
 * <p>A log whose oldest segments are freed is read from the middle. Until a record says where the group stands, it is
 * <em>adrift</em>: what is not known of it was in the freed segments, and so is at or below the base it will have in the end.
 * Entries may then begin anywhere, and even skip some: what they skip was freed, and so were those before. {@link #settle}
 * checks in the end that nothing is missing above the base. Not thread-safe.
 */
final class GroupState {

    final TermRuns terms;
    HardState hardState;

    /** Entries up to this index are gone. */
    long base;

    /** The term of the entry at {@link #base}, 0 if that is 0. */
    long baseTerm;

    /** The first entry there is; {@code base + 1}, unless adrift. */
    long firstIndex;

    /** {@code firstIndex - 1} if there is no entry. */
    long lastIndex;

    long commitIndex;

    /** Not cut off from what an entry says, but begun with it: its positions and configurations go too. */
    boolean restarted;

    private boolean adrift;

    GroupState() {
        this(new TermRuns(), HardState.INITIAL);
        firstIndex = 1;
    }

    private GroupState(TermRuns terms, HardState hardState) {
        this.terms = terms;
        this.hardState = hardState;
    }

    GroupState copy() {
        GroupState copy = new GroupState(terms.copy(), hardState);
        copy.base = base;
        copy.baseTerm = baseTerm;
        copy.firstIndex = firstIndex;
        copy.lastIndex = lastIndex;
        copy.commitIndex = commitIndex;
        copy.adrift = adrift;
        return copy;
    }

    /** Before the first record of a log that is read from the middle. */
    void setAdrift() {
        adrift = true;
    }

    boolean hasEntries() {
        return lastIndex >= firstIndex;
    }

    /** Takes over the entry, and forgets all entries from its index on; or says why it must not be. */
    @Nullable
    String append(long index, long term) {
        restarted = adrift && index > 0 && (index < firstIndex || index > lastIndex + 1);
        if (restarted) {
            terms.clear();
            firstIndex = index;
            lastIndex = index - 1;
        }
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

    /** Whether a base at {@code index} leaves nothing of the entries there are. */
    boolean baseReplacesAll(long index, long term) {
        return index > lastIndex || (index > base && terms.termAt(index) != term);
    }

    /** Takes over the base, or says why it must not be. */
    @Nullable
    String base(long index, long term, boolean replacesAll) {
        if (index < 0 || (index > 0 && term < 1)) {
            return "base " + index + " of term " + term;
        }
        if (replacesAll) {
            if (index <= commitIndex) {
                return "base " + index + " of term " + term + " contradicts what is committed up to " + commitIndex;
            }
            terms.clear();
            lastIndex = index;
            adrift = false;
        } else if (index < base || index == 0) {
            return null;
        } else if (contradicts(index, term)) {
            return "base " + index + " of term " + term + " fits none of the entries " + firstIndex + " to "
                    + lastIndex;
        } else if (hasEntries() && index < firstIndex - 1) {
            setBase(index, term); // adrift: a later one, or an earlier entry, must close the gap
            return null;
        } else if (hasEntries()) {
            adrift = false;
        } else {
            lastIndex = index;
        }
        setBase(index, term);
        terms.beginAt(index, term);
        firstIndex = index + 1;
        return null;
    }

    /** Whether a base that is said to be one of the entries, or the base already, is none. */
    private boolean contradicts(long index, long term) {
        if (index == base) {
            return term != baseTerm;
        }
        if (index > lastIndex) {
            return hasEntries() || !adrift;
        }
        return index >= firstIndex && terms.termAt(index) != term;
    }

    private void setBase(long index, long term) {
        base = index;
        baseTerm = term;
        commitIndex = Math.max(commitIndex, index);
    }

    /** When all is read: from here on nothing is adrift; or says what is missing. */
    @Nullable
    String settle() {
        if (base > 0 && firstIndex == base + 1) {
            terms.beginAt(base, baseTerm);
        }
        adrift = false;
        return firstIndex == base + 1
                ? null
                : "entries " + (base + 1) + " to " + (firstIndex - 1) + " are missing before entry " + firstIndex;
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
