package io.elastickv.embedded.internal.simulation;

import java.util.TreeSet;

/** A client's session with one group. */
final class Session {

    /** 0 until it is open. */
    long id;

    private long nextSequence = 1;
    private final TreeSet<Long> outstanding = new TreeSet<>();

    long take() {
        outstanding.add(nextSequence);
        return nextSequence++;
    }

    void done(long sequence) {
        outstanding.remove(sequence);
    }

    /** Answers to all smaller sequences have come, or are not waited for any more. */
    long ackedBelow(long sequence) {
        return outstanding.isEmpty() ? sequence : Math.min(sequence, outstanding.first());
    }
}
