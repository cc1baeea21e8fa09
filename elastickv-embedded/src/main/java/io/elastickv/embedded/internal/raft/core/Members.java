package io.elastickv.embedded.internal.raft.core;

import java.util.List;

/**
 * The configuration in effect by ordinal, so that acknowledgements are kept per member in arrays: who answers twice still
 * counts once. Voters have the ordinals from 0 on, learners those after. Ordinals are good until the next {@link #use}.
 */
final class Members {

    private final String selfName;
    private final boolean learnersCount;

    private Configuration configuration = Configuration.EMPTY;
    private String[] names = {};
    private int voters;
    private int self = -1;

    Members(String self, Rules rules, Configuration configuration) {
        selfName = self;
        learnersCount = rules.learnersCount();
        use(configuration);
    }

    void use(Configuration newConfiguration) {
        configuration = newConfiguration;
        List<String> all = newConfiguration.members();
        names = all.toArray(new String[0]);
        voters = learnersCount ? names.length : newConfiguration.voters().size();
        self = all.indexOf(selfName);
    }

    Configuration configuration() {
        return configuration;
    }

    /** Voters and learners. */
    int count() {
        return names.length;
    }

    /** Whoever has an ordinal below this one votes. */
    int voters() {
        return voters;
    }

    /** This member's own ordinal, or -1 if it is no member. */
    int self() {
        return self;
    }

    boolean selfVotes() {
        return self >= 0 && self < voters;
    }

    int quorum() {
        return voters / 2 + 1;
    }

    String name(int ordinal) {
        return names[ordinal];
    }

    boolean isVoter(String name) {
        int ordinal = ordinal(name);
        return ordinal >= 0 && ordinal < voters;
    }

    /** The ordinal of a member, or -1 of a stranger. */
    int ordinal(String name) {
        for (int i = 0; i < names.length; i++) {
            if (names[i].equals(name)) {
                return i;
            }
        }
        return -1;
    }
}
