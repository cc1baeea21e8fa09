package io.elastickv.embedded.internal.raft;

import io.elastickv.embedded.internal.raft.ProposalCallback.Refusal;
import io.elastickv.embedded.internal.raft.core.Effects.ReadFailed;
import io.elastickv.embedded.internal.raft.core.Effects.ReadReady;
import io.elastickv.embedded.internal.raft.core.RaftCore;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The reads of a group on their way: those of one iteration ask for a read point together, wait for it, and then for the
 * state machine to reach it. On the group's loop.
 */
final class PendingReads {

    private record Asked(long askedAtNanos, List<ReadCallback> callbacks) {}

    private record Waiting(long index, long wallMillis, Asked asked) {}

    private final Answers answers;
    private ArrayList<ReadCallback> waitingToAsk = new ArrayList<>();
    private final Map<Long, Asked> asked = new HashMap<>();
    private final ArrayDeque<Waiting> waitingToApply = new ArrayDeque<>();
    private long nextContext = 1;
    private long freshAsOfNanos = Long.MIN_VALUE;

    PendingReads(Answers answers) {
        this.answers = answers;
    }

    void add(ReadCallback callback) {
        waitingToAsk.add(callback);
    }

    /** Asks the core for a read point for all that came. */
    void submit(RaftCore core, long nowNanos) {
        if (waitingToAsk.isEmpty()) {
            return;
        }
        long context = nextContext++;
        asked.put(context, new Asked(nowNanos, waitingToAsk));
        waitingToAsk = new ArrayList<>();
        core.read(context);
    }

    void ready(ReadReady ready) {
        Asked reads = asked.remove(ready.context());
        if (reads != null) {
            waitingToApply.add(new Waiting(ready.index(), ready.leaderWallMillis(), reads));
        }
    }

    void failed(ReadFailed readFailed, @Nullable String leaderHint) {
        Asked reads = asked.remove(readFailed.context());
        if (reads != null) {
            for (ReadCallback callback : reads.callbacks()) {
                answers.tell(() -> callback.failed(Refusal.NOT_LEADER, leaderHint));
            }
        }
    }

    /** The state machine has reached {@code appliedIndex}. */
    void serve(long appliedIndex) {
        Waiting head;
        while ((head = waitingToApply.peek()) != null && head.index <= appliedIndex) {
            waitingToApply.poll();
            freshAsOfNanos = head.asked.askedAtNanos();
            List<ReadCallback> callbacks = head.asked.callbacks();
            for (int i = 0; i < callbacks.size(); i++) {
                try {
                    callbacks.get(i).ready(head.wallMillis);
                } catch (RuntimeException | Error e) {
                    answers.notTaken(e);
                }
            }
        }
    }

    /** See {@link ReplicaGroup#freshAsOfNanos()}. */
    long freshAsOfNanos() {
        return freshAsOfNanos;
    }

    /** The replica serves no more. */
    void failAll() {
        List<ReadCallback> reads = new ArrayList<>(waitingToAsk);
        asked.values().forEach(one -> reads.addAll(one.callbacks()));
        waitingToApply.forEach(waiting -> reads.addAll(waiting.asked.callbacks()));
        waitingToAsk = new ArrayList<>();
        asked.clear();
        waitingToApply.clear();
        for (ReadCallback callback : reads) {
            answers.tell(() -> callback.failed(Refusal.FAILED, null));
        }
    }
}
