package io.elastickv.embedded.internal.raft.core;

import io.elastickv.embedded.internal.raft.core.PeerProgress.State;

/** One follower as its leader sees it, with the window of appends in flight to it. Belongs to one term. */
final class Progress {

    int ordinal;
    final String name;

    State state = State.PROBE;
    long matchIndex;
    long nextIndex;
    /** In PROBE: a message is under way, nothing more is sent before its answer or the next heartbeat. */
    boolean probeOutstanding;

    boolean reachable = true;
    long lastContactNanos;
    long lastSentNanos;
    long sentCommitIndex;
    long sentRound;
    long ackedRound;

    /** First index of the outstanding read of old entries, or 0. */
    long logReadFrom;

    /** Whether the follower is to be told that it needs a snapshot. */
    boolean tellSnapshot;

    /** The follower has lost the end of its log, and has recovered when it has the entries up to here. */
    private long recoverUpTo;

    private long catchUpTarget;
    private long catchUpStartNanos;
    private boolean caughtUp;

    boolean logReadFailed;
    long logReadRetryAtNanos;

    private final long[] flightEnd;
    private final long[] flightBytes;
    private int flightHead;
    private int flights;
    private long bytesInFlight;

    Progress(int ordinal, String name, int maxInFlightAppends) {
        this.ordinal = ordinal;
        this.name = name;
        flightEnd = new long[maxInFlightAppends];
        flightBytes = new long[maxInFlightAppends];
    }

    /** Starts anew at the beginning of a term; whether the peer is reachable is not a matter of terms. */
    void begin(long next, long nowNanos) {
        matchIndex = 0;
        lastContactNanos = nowNanos;
        lastSentNanos = nowNanos;
        sentCommitIndex = 0;
        sentRound = 0;
        ackedRound = 0;
        logReadFrom = 0;
        logReadFailed = false;
        catchUpTarget = next - 1;
        catchUpStartNanos = nowNanos;
        caughtUp = false;
        recoverUpTo = 0;
        probeFrom(next);
    }

    /** The follower has forgotten part of what it acknowledged: only what it says from now on counts. */
    void forget(long lastIndex, long nowNanos) {
        begin(lastIndex + 1, nowNanos);
        recoverUpTo = lastIndex;
    }

    void needSnapshot() {
        state = State.NEEDS_SNAPSHOT;
        tellSnapshot = true;
        logReadFrom = 0;
        clearFlights();
    }

    /**
     * Ongaro, 4.2.1: catching up goes in rounds, each of them up to where the log ended when it began. The follower has
     * caught up when a round took less than an election timeout.
     */
    void noteCatchUp(long lastIndex, long timeoutNanos, long nowNanos) {
        if (matchIndex >= catchUpTarget) {
            caughtUp = nowNanos - catchUpStartNanos < timeoutNanos;
            catchUpTarget = lastIndex;
            catchUpStartNanos = nowNanos;
        }
    }

    boolean isCaughtUp(long timeoutNanos, long nowNanos) {
        return caughtUp && reachable && state == State.REPLICATE && nowNanos - catchUpStartNanos < timeoutNanos;
    }

    void probeFrom(long next) {
        state = State.PROBE;
        nextIndex = next;
        probeOutstanding = false;
        tellSnapshot = false;
        clearFlights();
    }

    void replicateFrom(long next) {
        state = State.REPLICATE;
        nextIndex = next;
        probeOutstanding = false;
        tellSnapshot = false;
    }

    boolean windowOpen() {
        return flights < flightEnd.length;
    }

    int flights() {
        return flights;
    }

    long bytesInFlight() {
        return bytesInFlight;
    }

    void flightSent(long endIndex, long bytes) {
        int slot = (flightHead + flights) % flightEnd.length;
        flightEnd[slot] = endIndex;
        flightBytes[slot] = bytes;
        flights++;
        bytesInFlight += bytes;
    }

    void flightsLandedUpTo(long index) {
        while (flights > 0 && flightEnd[flightHead] <= index) {
            bytesInFlight -= flightBytes[flightHead];
            flightHead = (flightHead + 1) % flightEnd.length;
            flights--;
        }
    }

    private void clearFlights() {
        flights = 0;
        bytesInFlight = 0;
    }

    PeerProgress snapshot(boolean voter, long timeoutNanos, long nowNanos) {
        return new PeerProgress(
                name,
                voter,
                matchIndex >= recoverUpTo,
                isCaughtUp(timeoutNanos, nowNanos),
                state,
                matchIndex,
                nextIndex,
                lastContactNanos,
                reachable,
                flights,
                bytesInFlight);
    }
}
