package io.elastickv.embedded.internal.raft.core;

import java.util.List;

/**
 * The voters by ordinal, so that votes and acknowledgements are kept per voter in arrays: who answers twice still
 * counts once. Fixed for now; a membership change will replace it, and with it the quorum.
 */
final class Members {

    private final String[] names;
    private final int self;

    Members(String self, List<String> voters) {
        names = voters.toArray(new String[0]);
        this.self = voters.indexOf(self);
    }

    int count() {
        return names.length;
    }

    int self() {
        return self;
    }

    int quorum() {
        return names.length / 2 + 1;
    }

    String name(int ordinal) {
        return names[ordinal];
    }

    /** The ordinal of a voter, or -1 of a stranger. */
    int ordinal(String name) {
        for (int i = 0; i < names.length; i++) {
            if (names[i].equals(name)) {
                return i;
            }
        }
        return -1;
    }
}
