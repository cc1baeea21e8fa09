package io.elastickv.embedded.internal.raft.core;

import java.util.ArrayList;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Term, vote, role and the election timer (Ongaro, 3.4, 6.2, 9.6), with the ballot of the election that is under way. */
final class ElectionState {

    private final RaftConfig config;
    private final Members members;
    private final RandomGenerator random;
    private final ArrayList<String> granted = new ArrayList<>();

    private Role role = Role.FOLLOWER;
    private long term;
    private @Nullable String votedFor;
    private @Nullable String leader;

    private long timerStartNanos;
    private long timeoutNanos;
    private long leaderContactNanos;

    ElectionState(RaftConfig config, Members members, RandomGenerator random, HardState restored, long nowNanos) {
        this.config = config;
        this.members = members;
        this.random = random;
        term = restored.term();
        votedFor = restored.votedFor();
        timerStartNanos = nowNanos;
        timeoutNanos = firstTimeout();
    }

    Role role() {
        return role;
    }

    long term() {
        return term;
    }

    @Nullable
    String votedFor() {
        return votedFor;
    }

    @Nullable
    String leader() {
        return leader;
    }

    boolean isLeader() {
        return role == Role.LEADER;
    }

    HardState hardState() {
        return new HardState(term, votedFor);
    }

    /** The only way a term changes: up, and with it the vote is free again. */
    void enterTerm(long newTerm) {
        if (newTerm <= term) {
            throw new IllegalStateException("term " + newTerm + " after term " + term);
        }
        term = newTerm;
        votedFor = null;
        leader = null;
    }

    void vote(String candidate) {
        if (votedFor != null && !votedFor.equals(candidate)) {
            throw new IllegalStateException(
                    "second vote in term " + term + ": for " + candidate + " after " + votedFor);
        }
        votedFor = candidate;
    }

    void become(Role newRole, @Nullable String newLeader) {
        role = newRole;
        leader = newLeader;
        granted.clear();
    }

    /**
     * Counts a vote by voter: a second one of the same voter changes nothing, and those of members that do not vote in
     * the configuration in effect, or no longer do, change nothing either.
     *
     * @return whether a majority has granted it
     */
    boolean grantAndCount(String voter) {
        if (!granted.contains(voter)) {
            granted.add(voter);
        }
        int votes = 0;
        for (String name : granted) {
            if (members.isVoter(name)) {
                votes++;
            }
        }
        return votes >= members.quorum();
    }

    void restartTimer(long nowNanos) {
        if (timeoutNanos < config.electionTimeoutNanos()) {
            restartTimerAnew(nowNanos); // it was in a hurry; it no longer is
        } else {
            timerStartNanos = nowNanos;
        }
    }

    void restartTimerAnew(long nowNanos) {
        timerStartNanos = nowNanos;
        timeoutNanos = config.electionTimeoutNanos() + random.nextLong(config.electionTimeoutNanos());
    }

    /** Lets the timer expire within {@code nanos} from now, at a random moment. */
    void hurry(long nowNanos, long nanos) {
        long remaining = random.nextLong(Math.max(1, nanos));
        if (remaining < timerEndNanos() - nowNanos) {
            timerStartNanos = nowNanos;
            timeoutNanos = remaining;
        }
    }

    boolean timerExpired(long nowNanos) {
        return nowNanos - timerEndNanos() >= 0;
    }

    long timerEndNanos() {
        return timerStartNanos + timeoutNanos;
    }

    void heardFromLeader(long nowNanos) {
        leaderContactNanos = nowNanos;
        restartTimer(nowNanos);
    }

    /** Whether a leader other than us was heard of within the minimum election timeout (Ongaro, 4.2.3). */
    boolean leaderHeardRecently(long nowNanos) {
        return role == Role.FOLLOWER && leader != null && nowNanos - leaderContactNanos < config.electionTimeoutNanos();
    }

    void forgivePause(long nanos, long nowNanos) {
        timerStartNanos = earlier(timerStartNanos + nanos, nowNanos);
        leaderContactNanos = earlier(leaderContactNanos + nanos, nowNanos);
    }

    /** The earlier of two readings of a clock that may wrap around. */
    static long earlier(long aNanos, long bNanos) {
        return aNanos - bNanos < 0 ? aNanos : bNanos;
    }

    /** Only the very first timeout knows about the preferred leader; safety never does. */
    private long firstTimeout() {
        long timeout = config.electionTimeoutNanos();
        String preferred = config.preferredLeader();
        if (preferred == null) {
            return timeout + random.nextLong(timeout);
        }
        return preferred.equals(config.self())
                ? timeout + random.nextLong(Math.max(1, timeout / 5))
                : timeout + timeout / 2 + random.nextLong(Math.max(1, timeout / 2));
    }
}
