package io.elastickv.embedded.internal.raft.core;

import org.jspecify.annotations.Nullable;

/**
 * Read points (Ongaro, 6.4): linearizable reads without log entries and without trust in clocks.
 *
 * <p>On the leader, all waiting reads, its own and those forwarded by followers, join the next round. A round has a
 * number that every append message carries and every answer echoes; it is confirmed when a majority has answered to a
 * message of that round or a later one, which shows that no newer leader existed when the round began. One round is
 * under way at a time: what arrives meanwhile shares the next one, so their number adapts to the load.
 *
 * <p>On a follower, all waiting reads share one request to the leader, again one at a time.
 */
final class ReadRounds {

    private final long timeoutNanos;
    private final long resendNanos;

    // The leader's side.
    private long round;
    private ReadQueue waiting = new ReadQueue();
    private ReadQueue inRound = new ReadQueue();
    private long roundReadIndex;
    private long roundWallMillis;

    // The follower's side.
    private ReadQueue toForward = new ReadQueue();
    private ReadQueue forwarded = new ReadQueue();
    private long forwardContext;
    private long forwardSentNanos;

    /**
     * Creates the state of one incarnation.
     *
     * @param firstContext random, so that an answer to a request from before a restart is not taken for one to a
     *     request of after it
     */
    ReadRounds(RaftConfig config, long firstContext) {
        timeoutNanos = config.electionTimeoutNanos();
        resendNanos = config.heartbeatIntervalNanos();
        forwardContext = firstContext;
    }

    long round() {
        return round;
    }

    /** A new term counts its rounds from 0. */
    void beginTerm() {
        round = 0;
    }

    /** Takes a read of the follower {@code origin}, or of this member if that is null. */
    void addOnLeader(@Nullable String origin, long context, long nowNanos) {
        waiting.add(origin, context, nowNanos + timeoutNanos);
    }

    void addOnFollower(long context, long nowNanos) {
        toForward.add(null, context, nowNanos + timeoutNanos);
    }

    /** Starts a round if reads wait and none is under way. To be called only when reads may be served at all. */
    boolean startRound(long commitIndex, long wallMillis) {
        if (waiting.isEmpty() || !inRound.isEmpty()) {
            return false;
        }
        ReadQueue free = inRound;
        inRound = waiting;
        waiting = free;
        round++;
        roundReadIndex = commitIndex;
        roundWallMillis = wallMillis;
        return true;
    }

    boolean roundUnderWay() {
        return !inRound.isEmpty();
    }

    /** Answers all reads of the round. */
    void roundConfirmed(long term, Effects out) {
        for (int i = 0; i < inRound.size(); i++) {
            String origin = inRound.origin(i);
            if (origin == null) {
                out.readReady(inRound.context(i), roundReadIndex, roundWallMillis);
            } else {
                out.send(
                        origin,
                        new RaftMessage.ReadIndexResponse(
                                term, inRound.context(i), roundReadIndex, roundWallMillis, true));
            }
        }
        inRound.clear();
    }

    boolean hasWaiting() {
        return !waiting.isEmpty();
    }

    /** The request to send to the leader now, or null. */
    RaftMessage.@Nullable ReadIndexRequest nextRequest(long term, long nowNanos) {
        if (forwarded.isEmpty()) {
            if (toForward.isEmpty()) {
                return null;
            }
            ReadQueue free = forwarded;
            forwarded = toForward;
            toForward = free;
            forwardContext++;
        } else if (nowNanos - forwardSentNanos < resendNanos) {
            return null;
        }
        forwardSentNanos = nowNanos;
        return new RaftMessage.ReadIndexRequest(term, forwardContext);
    }

    boolean requestDue(long nowNanos) {
        return forwarded.isEmpty() ? !toForward.isEmpty() : nowNanos - forwardSentNanos >= resendNanos;
    }

    /** Whether {@code context} is that of the request under way. */
    boolean isCurrentRequest(long context) {
        return !forwarded.isEmpty() && context == forwardContext;
    }

    void requestAnswered(long index, long leaderWallMillis, Effects out) {
        for (int i = 0; i < forwarded.size(); i++) {
            out.readReady(forwarded.context(i), index, leaderWallMillis);
        }
        forwarded.clear();
    }

    void requestRefused(ReadFailure reason, @Nullable String leaderHint, Effects out) {
        fail(forwarded, reason, leaderHint, out);
    }

    /** Ends every read of this member; followers learn through their own timeout or change of term. */
    void failAll(ReadFailure reason, @Nullable String leaderHint, Effects out) {
        fail(inRound, reason, leaderHint, out);
        fail(waiting, reason, leaderHint, out);
        fail(forwarded, reason, leaderHint, out);
        fail(toForward, reason, leaderHint, out);
    }

    void expire(long nowNanos, @Nullable String leaderHint, Effects out) {
        expire(inRound, nowNanos, leaderHint, out);
        expire(waiting, nowNanos, leaderHint, out);
        expire(forwarded, nowNanos, leaderHint, out);
        expire(toForward, nowNanos, leaderHint, out);
    }

    /** Nanoseconds until a read's time is over or a request must be sent again; {@link Long#MAX_VALUE} for never. */
    long dueInNanos(long nowNanos) {
        long due = Math.min(
                Math.min(deadlineIn(inRound, nowNanos), deadlineIn(waiting, nowNanos)),
                Math.min(deadlineIn(forwarded, nowNanos), deadlineIn(toForward, nowNanos)));
        return forwarded.isEmpty() ? due : Math.min(due, forwardSentNanos + resendNanos - nowNanos);
    }

    private static long deadlineIn(ReadQueue queue, long nowNanos) {
        return queue.isEmpty() ? Long.MAX_VALUE : queue.firstDeadlineNanos() - nowNanos;
    }

    private void expire(ReadQueue queue, long nowNanos, @Nullable String leaderHint, Effects out) {
        while (!queue.isEmpty() && nowNanos - queue.firstDeadlineNanos() >= 0) {
            if (queue.origin(0) == null) {
                out.readFailed(queue.context(0), ReadFailure.TIMEOUT, leaderHint);
            }
            queue.removeFirst();
        }
    }

    private void fail(ReadQueue queue, ReadFailure reason, @Nullable String leaderHint, Effects out) {
        for (int i = 0; i < queue.size(); i++) {
            if (queue.origin(i) == null) {
                out.readFailed(queue.context(i), reason, leaderHint);
            }
        }
        queue.clear();
    }
}
