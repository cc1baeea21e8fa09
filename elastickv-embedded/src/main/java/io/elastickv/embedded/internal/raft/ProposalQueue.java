package io.elastickv.embedded.internal.raft;

import io.elastickv.embedded.internal.raft.ProposalCallback.Refusal;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.core.Proposal;
import io.elastickv.embedded.internal.raft.core.RaftCore;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The proposals of a group on their way: those that wait to be put into the log, and those in the log that wait to be
 * applied. On the group's loop.
 */
final class ProposalQueue {

    private static final int MAX_PROPOSAL_ENTRIES = 1024;
    private static final long MAX_PROPOSAL_BYTES = 1 << 20;

    private record Proposed(byte[] payload, ProposalCallback callback) {}

    private record Pending(long index, long term, ProposalCallback callback) {}

    private final Answers answers;
    private ArrayList<Proposed> waiting = new ArrayList<>();
    private final ArrayDeque<Pending> pending = new ArrayDeque<>();

    ProposalQueue(Answers answers) {
        this.answers = answers;
    }

    void add(byte[] payload, ProposalCallback callback) {
        waiting.add(new Proposed(payload, callback));
    }

    /** Puts what waits into the log, or refuses it. */
    void submit(RaftCore core) {
        if (waiting.isEmpty()) {
            return;
        }
        ArrayList<Proposed> batch = waiting;
        waiting = new ArrayList<>();
        // In portions, because the core takes all of one proposal or nothing.
        int from = 0;
        while (from < batch.size()) {
            int to = from;
            long bytes = 0;
            List<byte[]> payloads = new ArrayList<>(Math.min(batch.size() - from, MAX_PROPOSAL_ENTRIES));
            while (to < batch.size()
                    && to - from < MAX_PROPOSAL_ENTRIES
                    && (to == from || bytes < MAX_PROPOSAL_BYTES)) {
                byte[] payload = batch.get(to++).payload;
                payloads.add(payload);
                bytes += payload.length;
            }
            Proposal outcome;
            try {
                outcome = core.propose(payloads);
            } catch (RuntimeException | Error e) {
                // The replica fails and answers these too; nothing of them has left the core.
                waiting.addAll(0, batch.subList(from, batch.size()));
                throw e;
            }
            for (int i = from; i < to; i++) {
                ProposalCallback callback = batch.get(i).callback;
                if (outcome instanceof Proposal.Accepted accepted) {
                    accepted(accepted.firstIndex() + i - from, accepted.term(), callback);
                } else if (outcome instanceof Proposal.NotLeader notLeader) {
                    answers.tell(() -> callback.notProposed(Refusal.NOT_LEADER, node(notLeader.leaderHint())));
                } else {
                    answers.tell(() -> callback.notProposed(Refusal.OVERLOADED, null));
                }
            }
            from = to;
        }
    }

    private static @Nullable String node(@Nullable String member) {
        return member == null ? null : MemberId.node(member);
    }

    /** The entry at {@code index} is in the log; told in the order of the indexes. */
    void accepted(long index, long term, ProposalCallback callback) {
        pending.add(new Pending(index, term, callback));
    }

    /** The entry was applied: answers whoever proposed it, or something else at its index. */
    void applied(LogEntry entry, @Nullable Object result, @Nullable String leader) {
        Pending head;
        while ((head = pending.peek()) != null && head.index <= entry.index()) {
            pending.poll();
            try {
                if (head.index == entry.index() && head.term == entry.term() && result != null) {
                    head.callback.applied(result);
                } else {
                    // Another leader's entry stands in its place, so this one can never be committed.
                    head.callback.notProposed(Refusal.NOT_LEADER, leader);
                }
            } catch (RuntimeException | Error e) {
                answers.notTaken(e);
            }
        }
    }

    /**
     * The leadership is lost. What is committed will still be applied here and answered then; whether the rest will be is
     * up to the next leader. Sessions make asking again safe.
     */
    void leadershipLost(long commitIndex) {
        Pending last;
        ArrayDeque<Pending> lost = new ArrayDeque<>();
        while ((last = pending.peekLast()) != null && last.index > commitIndex) {
            lost.addFirst(last);
            pending.pollLast();
        }
        lost.forEach(one -> answers.tell(one.callback::unknown));
    }

    /** The state of another replica took the place of applying entries up to {@code index} one by one. */
    void skipped(long index) {
        Pending head;
        while ((head = pending.peek()) != null && head.index <= index) {
            pending.poll();
            answers.tell(head.callback::unknown);
        }
    }

    /** The replica serves no more. */
    void failAll() {
        ArrayList<Proposed> refused = waiting;
        waiting = new ArrayList<>();
        for (Proposed proposed : refused) {
            answers.tell(() -> proposed.callback.notProposed(Refusal.FAILED, null));
        }
        Pending head;
        while ((head = pending.poll()) != null) {
            answers.tell(head.callback::unknown);
        }
    }
}
