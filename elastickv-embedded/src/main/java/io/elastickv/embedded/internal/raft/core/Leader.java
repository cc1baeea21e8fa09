package io.elastickv.embedded.internal.raft.core;

import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.MemoryLost;
import io.elastickv.embedded.internal.raft.core.RaftMessage.RecoverUpTo;
import io.elastickv.embedded.internal.raft.core.RaftMessage.TimeoutNow;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a leader decides: what enters the log, what is committed, who is a member, and who leads next. */
final class Leader {

    private static final byte[] NO_PAYLOAD = {};

    private final CoreState s;

    private long termStartIndex;
    private long uncommittedBytes;
    private @Nullable String transferTarget;
    private boolean transferAsked;
    private long transferDeadlineNanos;

    Leader(CoreState state) {
        s = state;
    }

    /** Opens the term that was won. */
    void begin() {
        s.reads.beginTerm();
        transferTarget = null;
        uncommittedBytes = 0;
        termStartIndex = s.log.lastIndex() + 1;
        s.replication.begin(s.election.term(), termStartIndex, s.nowNanos);
        appendOwn(EntryKind.NOOP, NO_PAYLOAD);
    }

    void end() {
        transferTarget = null;
    }

    @Nullable
    String transferTarget() {
        return transferTarget;
    }

    // ------------------------------------------------------------------------------------------------ time

    /**
     * Advances the clock.
     *
     * @return false if this member has to stop leading
     */
    boolean tick() {
        if (!s.replication.quorumActive(s.nowNanos)) {
            return false;
        }
        if (transferTarget != null && s.nowNanos - transferDeadlineNanos >= 0) {
            transferTarget = null;
            if (isNoVoter()) {
                return false; // whoever was to lead next does not answer; the others will find somebody
            }
        }
        if (s.replication.anythingDue(s.commitIndex, s.nowNanos)) {
            transferAsked = false; // the request may have been lost: ask again with the heartbeat
            s.workPending = true;
        }
        return true;
    }

    long dueInNanos() {
        long due = Math.min(s.replication.dueInNanos(s.commitIndex, s.nowNanos), s.config.heartbeatIntervalNanos());
        return transferTarget == null ? due : Math.min(due, transferDeadlineNanos - s.nowNanos);
    }

    // ------------------------------------------------------------------------------------------------ proposals

    Proposal propose(List<byte[]> payloads) {
        if (transferTarget != null) {
            return new Proposal.TransferInProgress(transferTarget);
        }
        long bytes = 0;
        for (int i = 0; i < payloads.size(); i++) {
            bytes += payloads.get(i).length + LogEntry.OVERHEAD_BYTES;
        }
        long uncommitted = s.log.lastIndex() - Math.max(s.commitIndex, termStartIndex - 1);
        if (uncommitted > 0
                && (uncommitted + payloads.size() > s.config.maxUncommittedEntries()
                        || uncommittedBytes + bytes > s.config.maxUncommittedBytes())) {
            return new Proposal.Overloaded();
        }
        long first = s.log.lastIndex() + 1;
        for (int i = 0; i < payloads.size(); i++) {
            appendOwn(EntryKind.COMMAND, payloads.get(i));
        }
        return new Proposal.Accepted(first, s.election.term());
    }

    private void appendOwn(EntryKind kind, byte[] payload) {
        LogEntry entry = new LogEntry(s.log.lastIndex() + 1, s.election.term(), kind, payload);
        s.append(entry);
        uncommittedBytes += entry.countedBytes();
        s.workPending = true;
    }

    // ------------------------------------------------------------------------------------------------ membership

    Proposal change(MemberChange change) {
        if (transferTarget != null) {
            return new Proposal.TransferInProgress(transferTarget);
        }
        if (!s.rules.mayChangeInTerm(s.commitIndex, termStartIndex)) {
            return new Proposal.Refused("the leader has not committed an entry of its term yet");
        }
        if (!s.rules.mayChange(s.configurations.latestIndex(), s.commitIndex)) {
            return new Proposal.Refused("another change of the members is under way");
        }
        Configuration now = s.configurations.latest();
        String refusal = refusal(change, now);
        if (refusal != null) {
            return new Proposal.Refused(refusal);
        }
        Configuration next;
        if (change instanceof MemberChange.AddLearner) {
            next = now.withLearner(change.member());
        } else if (change instanceof MemberChange.Promote) {
            next = now.promoted(change.member());
        } else {
            next = now.without(change.member());
        }
        appendOwn(EntryKind.CONFIGURATION, next.encode());
        return new Proposal.Accepted(s.log.lastIndex(), s.election.term());
    }

    private @Nullable String refusal(MemberChange change, Configuration now) {
        String member = change.member();
        if (change instanceof MemberChange.AddLearner) {
            return now.contains(member) ? member + " is a member already" : null;
        }
        if (change instanceof MemberChange.Promote) {
            if (!now.isLearner(member)) {
                return member + " is no learner";
            }
            int ordinal = s.members.ordinal(member);
            return ordinal >= 0 && s.replication.peer(ordinal).isCaughtUp(s.config.electionTimeoutNanos(), s.nowNanos)
                    ? null
                    : member + " has not caught up yet";
        }
        if (!now.contains(member)) {
            return member + " is no member";
        }
        return now.isVoter(member) && now.voters().size() == 1 ? member + " is the last voter" : null;
    }

    /** Whether this leader does not vote, and that is decided: it has taken itself out, or led as a last resort. */
    private boolean isNoVoter() {
        return !s.members.selfVotes() && s.configurations.latestIndex() <= s.commitIndex;
    }

    // ------------------------------------------------------------------------------------------------ commit

    void onAppendResponse(int sender, AppendResponse m) {
        long round = s.rules.answeredRound(m.round(), s.reads.round());
        if (s.replication.onResponse(sender, m, round, s.reads.round(), s.nowNanos)) {
            advanceCommit();
        }
        confirmRound();
        s.workPending = true;
    }

    /** Ongaro, 3.6.2: only entries of the own term are committed by counting, and older ones with them. */
    void advanceCommit() {
        long index = s.replication.majorityIndex(s.log.durableIndex());
        if (index <= s.commitIndex || !s.rules.commitsByCounting(s.log.termAt(index), s.election.term())) {
            return;
        }
        commit(index);
    }

    private void commit(long index) {
        for (long i = Math.max(s.commitIndex + 1, termStartIndex); i <= index; i++) {
            uncommittedBytes -= s.log.require(i).countedBytes();
        }
        s.setCommitIndex(index);
        if (!s.members.selfVotes() && isNoVoter() && transferTarget == null) {
            String successor = s.replication.bestVoter();
            if (successor != null) {
                transfer(successor);
            }
        }
        s.workPending |= s.reads.hasWaiting();
    }

    /** A snapshot that was fetched before this member led has what follows from its log up to {@code index}. */
    void snapshotCommits(long index) {
        if (index > s.commitIndex) {
            commit(index);
        }
    }

    /** A member that has lost the end of its log starts anew. */
    void onMemoryLost(String from, int sender, MemoryLost m) {
        s.replication.forget(sender, s.nowNanos);
        s.out.send(from, new RecoverUpTo(s.election.term(), m.context(), s.log.lastIndex()));
        s.workPending = true;
    }

    // ------------------------------------------------------------------------------------------------ reads

    private void confirmRound() {
        if (s.reads.roundUnderWay()
                && s.replication.answersToRound(s.reads.round()) >= s.rules.readQuorum(s.members.quorum())) {
            s.reads.roundConfirmed(s.election.term(), s.out);
            s.workPending |= s.reads.hasWaiting();
        }
    }

    // ------------------------------------------------------------------------------------------------ transfer

    void transfer(String target) {
        if (target.equals(transferTarget)) {
            return;
        }
        transferTarget = target;
        transferAsked = false;
        transferDeadlineNanos = s.nowNanos + s.config.electionTimeoutNanos();
        s.workPending = true;
    }

    void buildMessages() {
        confirmRound(); // the voters may have changed
        while (s.rules.servesReads(s.commitIndex, termStartIndex) && s.reads.startRound(s.commitIndex, s.wallMillis)) {
            confirmRound(); // at once in a group of one
        }
        s.replication.send(s.out, s.commitIndex, s.reads.round(), s.nowNanos);
        if (transferTarget == null || transferAsked) {
            return;
        }
        int target = s.members.ordinal(transferTarget);
        if (target < 0 || target >= s.members.voters()) {
            transferTarget = null; // no longer a voter
        } else if (s.replication.peer(target).matchIndex == s.log.lastIndex()) {
            transferAsked = true;
            s.out.send(transferTarget, new TimeoutNow(s.election.term()));
        }
    }
}
