package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.raft.core.TermRun;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The terms of a group's entries, run-length encoded: a run per leadership, not per entry. Not thread-safe. */
final class TermRuns {

    private long[] firsts = new long[4];
    private long[] terms = new long[4];
    private int size;

    /** The term of the last run, 0 without any. */
    long lastTerm() {
        return size == 0 ? 0 : terms[size - 1];
    }

    /** The term of the entry at {@code index}, 0 before the first run; the last run has no end. */
    long termAt(long index) {
        for (int i = size - 1; i >= 0; i--) {
            if (firsts[i] <= index) {
                return terms[i];
            }
        }
        return 0;
    }

    void append(long index, long term) {
        if (size > 0 && terms[size - 1] == term) {
            return;
        }
        if (size == firsts.length) {
            firsts = Arrays.copyOf(firsts, size * 2);
            terms = Arrays.copyOf(terms, size * 2);
        }
        firsts[size] = index;
        terms[size] = term;
        size++;
    }

    /** Forgets the terms of {@code index} and all after it. */
    void truncateFrom(long index) {
        while (size > 0 && firsts[size - 1] >= index) {
            size--;
        }
    }

    /** Forgets the terms before {@code index}, whose own term is {@code term}, also where it was not known. */
    void beginAt(long index, long term) {
        int drop = 0;
        while (drop < size && (firsts[drop] <= index || terms[drop] == term)) {
            drop++;
        }
        long[] newFirsts = new long[Math.max(4, size - drop + 2)];
        long[] newTerms = new long[newFirsts.length];
        newFirsts[0] = index;
        newTerms[0] = term;
        System.arraycopy(firsts, drop, newFirsts, 1, size - drop);
        System.arraycopy(terms, drop, newTerms, 1, size - drop);
        firsts = newFirsts;
        terms = newTerms;
        size += 1 - drop;
    }

    void clear() {
        size = 0;
    }

    List<TermRun> toList() {
        List<TermRun> runs = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            runs.add(new TermRun(firsts[i], terms[i]));
        }
        return List.copyOf(runs);
    }

    TermRuns copy() {
        TermRuns copy = new TermRuns();
        copy.firsts = firsts.clone();
        copy.terms = terms.clone();
        copy.size = size;
        return copy;
    }
}
