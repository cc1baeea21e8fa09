package io.elastickv.embedded.internal.raft.core;

import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.PreVoteRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.PreVoteResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.ReadIndexRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.ReadIndexResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.TimeoutNow;
import io.elastickv.embedded.internal.raft.core.RaftMessage.VoteRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.VoteResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The consensus of one Raft group member: events in, {@link Effects} out.
 *
 * <p>The host calls the event methods, then {@link #takeEffects()} once per iteration of its loop, and carries the
 * effects out. Events only note what is to be done; messages are built when the effects are taken, so that everything
 * an iteration brought leaves in one message per peer. Given the same configuration, restored state, events and random
 * generator, a core always produces the same effects.
 *
 * <p>What it adds to basic Raft (Ongaro, chapter 3): pre-vote (9.6), voters that hold on to a live leader (4.2.3),
 * check-quorum (6.2), a no-op in each term and reads in confirmed rounds (6.4), leadership transfer (3.10), pipelined
 * appends and a leader that writes its disk while its followers write theirs (10.2).
 *
 * <p>Durability is never assumed: votes and acknowledgements count only what {@link #durable} and {@link
 * #hardStateDurable} have reported. A breach of Raft's invariants, which only a lost disk or a bug can cause, throws
 * {@link IllegalStateException}; from then on every event does, and the host stops the replica.
 *
 * <p>Not thread-safe: one thread at a time. Not meant to be extended; the package-private methods that could be
 * overridden exist for tests which show that breaking a rule is noticed.
 */
public class RaftCore {

    private static final int NOBODY = -1;
    private static final byte[] NO_PAYLOAD = {};

    private final RaftConfig config;
    private final Configuration configuration;
    private final Members members;
    private final ElectionState election;
    private final RaftLog log;
    private final Replication replication;
    private final ReadRounds reads;

    private long nowNanos;
    private long wallMillis;
    private boolean broken;

    private Effects current = new Effects();
    private Effects handedOut = new Effects();
    /** The next {@link #takeEffects()} may have something to build. */
    private boolean workPending;

    private long toldCommitIndex;
    private Role toldRole = Role.FOLLOWER;
    private long toldTerm;
    private @Nullable String toldLeader;

    private long commitIndex;
    private long appliedIndex;
    private long durableTerm;

    // As a leader.
    private long termStartIndex;
    private long uncommittedBytes;
    private int transferTarget = NOBODY;
    private boolean transferAsked;
    private long transferDeadlineNanos;

    // As a follower; all of it about the leader of this term.
    private long verifiedIndex;
    private long leaderCommitIndex;
    private long leaderRound;
    private long ackedIndex;
    private long ackedRound;
    private boolean ackPending;
    private boolean unanswered;
    private long unansweredSinceNanos;
    private @Nullable AppendResponse rejection;

    /**
     * Starts a member from what its disk holds.
     *
     * @param nowNanos monotonic clock, as in {@link #tick}
     * @param wallMillis wall clock, as in {@link #tick}
     * @param random for election timeouts and identifiers; must not repeat itself across restarts
     * @throws IllegalArgumentException if {@code restored} contradicts itself
     */
    public RaftCore(RaftConfig config, RestoredState restored, long nowNanos, long wallMillis, RandomGenerator random) {
        this.config = config;
        this.nowNanos = nowNanos;
        this.wallMillis = wallMillis;
        configuration = restored.configuration();
        members = new Members(config.self(), configuration.voters());
        log = new RaftLog(restored, config.maxCachedEntryBytes());
        election = new ElectionState(config, members, random, restored.hardState(), nowNanos);
        durableTerm = restored.hardState().term();
        if (log.lastTerm() > election.term()) {
            // Whoever stored an entry of a term has been in that term; it may have voted in it, so it must not vote
            // in it again, nor listen to older leaders.
            election.enterTerm(log.lastTerm());
            election.vote(config.self());
            current.setPersist(election.hardState());
        }
        replication = new Replication(config, members, log);
        reads = new ReadRounds(config, members, random.nextLong());
        commitIndex = Math.max(
                Math.min(restored.commitIndex(), log.lastIndex()),
                Math.max(restored.appliedIndex(), log.firstIndex() - 1));
        appliedIndex = restored.appliedIndex();
        toldTerm = restored.hardState().term();
        toldCommitIndex = 0;
        log.evict(commitIndex);
    }

    // ------------------------------------------------------------------------------------------------ events

    /**
     * Advances the clock; to be called before the other events of a loop iteration, and at least every half heartbeat
     * interval or at {@link #nextDeadlineNanos()}.
     *
     * @param nowNanos monotonic clock; a value before the last one is ignored
     * @param wallMillis wall clock, milliseconds since 1970; only handed on with read points
     */
    public void tick(long nowNanos, long wallMillis) {
        checkUsable();
        this.wallMillis = wallMillis;
        long gap = nowNanos - this.nowNanos;
        if (gap <= 0) {
            return;
        }
        long late = Math.min(gap, nowNanos - nextDeadlineNanos());
        this.nowNanos = nowNanos;
        if (late > config.heartbeatIntervalNanos()) {
            // This process stood still past a deadline, so it cannot tell who else was silent: what others said in
            // that time is still to be handed in.
            election.forgivePause(late + 2 * config.heartbeatIntervalNanos(), nowNanos);
            replication.forgivePause(late + 2 * config.heartbeatIntervalNanos(), nowNanos);
        }
        reads.expire(nowNanos, election.leader(), current);
        if (election.isLeader()) {
            tickLeader();
        } else if (election.timerExpired(nowNanos)) {
            startPreVote();
        } else if (election.leader() != null && reads.requestDue(nowNanos)) {
            workPending = true;
        }
    }

    private void tickLeader() {
        if (!replication.quorumActive(nowNanos)) {
            becomeFollower(election.term(), null);
            return;
        }
        if (transferTarget != NOBODY && nowNanos - transferDeadlineNanos >= 0) {
            transferTarget = NOBODY;
        }
        if (replication.anythingDue(commitIndex, nowNanos)) {
            transferAsked = false; // the request may have been lost: ask again with the heartbeat
            workPending = true;
        }
    }

    /** Campaigns now if there is no leader: for the first formation of a group. Starts with a pre-vote. */
    public void campaign() {
        checkUsable();
        if (!election.isLeader()) {
            startPreVote();
        }
    }

    /** Takes a message of the member named {@code from}. Messages of strangers are ignored. */
    public void step(String from, RaftMessage message) {
        checkUsable();
        int sender = members.ordinal(from);
        if (sender < 0 || sender == members.self()) {
            return;
        }
        replication.peer(sender).reachable = true;
        if (message instanceof PreVoteRequest m) {
            onPreVoteRequest(from, m); // its term is a question, not a fact
            return;
        }
        if (message instanceof VoteRequest m
                && m.term() > election.term()
                && !m.leadershipTransfer()
                && holdsOnToLeader()) {
            return;
        }
        if (message.term() > election.term()) {
            becomeFollower(message.term(), message instanceof AppendRequest ? from : null);
        }
        try {
            dispatch(from, sender, message);
        } catch (IllegalStateException e) {
            broken = true;
            throw e;
        }
    }

    private void dispatch(String from, int sender, RaftMessage message) {
        if (message instanceof AppendRequest m) {
            onAppendRequest(from, m);
        } else if (message instanceof AppendResponse m) {
            onAppendResponse(sender, m);
        } else if (message instanceof ReadIndexRequest m) {
            onReadIndexRequest(sender, m);
        } else if (message instanceof ReadIndexResponse m) {
            onReadIndexResponse(m);
        } else if (message instanceof VoteRequest m) {
            onVoteRequest(from, m);
        } else if (message instanceof VoteResponse m) {
            onVoteResponse(sender, m);
        } else if (message instanceof PreVoteResponse m) {
            onPreVoteResponse(sender, m);
        } else if (message instanceof TimeoutNow m) {
            onTimeoutNow(from, m);
        } else {
            throw new AssertionError(message);
        }
    }

    /**
     * Proposes commands for the log, all or none.
     *
     * @param payloads at least one; the arrays are given away, the list is not kept
     */
    public Proposal propose(List<byte[]> payloads) {
        checkUsable();
        if (payloads.isEmpty()) {
            throw new IllegalArgumentException("payloads is empty");
        }
        if (!election.isLeader()) {
            return new Proposal.NotLeader(election.leader());
        }
        if (transferTarget != NOBODY) {
            return new Proposal.TransferInProgress(members.name(transferTarget));
        }
        long bytes = 0;
        for (int i = 0; i < payloads.size(); i++) {
            bytes += payloads.get(i).length + LogEntry.OVERHEAD_BYTES;
        }
        long uncommitted = log.lastIndex() - Math.max(commitIndex, termStartIndex - 1);
        if (uncommitted > 0
                && (uncommitted + payloads.size() > config.maxUncommittedEntries()
                        || uncommittedBytes + bytes > config.maxUncommittedBytes())) {
            return new Proposal.Overloaded();
        }
        long first = log.lastIndex() + 1;
        for (int i = 0; i < payloads.size(); i++) {
            appendOwn(EntryKind.COMMAND, payloads.get(i));
        }
        return new Proposal.Accepted(first, election.term());
    }

    /**
     * Changes the group by one member (Ongaro, chapter 4). The new configuration is in effect on this leader at once; the
     * change is decided when the entry is committed, and undone if another leader replaces it.
     *
     * @return {@link Proposal.Accepted}, {@link Proposal.NotLeader}, {@link Proposal.TransferInProgress} or {@link
     *     Proposal.Refused}
     */
    public Proposal changeMembers(MemberChange change) {
        checkUsable();
        return new Proposal.Refused(change + " is not supported yet");
    }

    /**
     * The host has a durable checkpoint of the state at {@code index} and gives up the log up to there: the first index
     * becomes the one after. Without effect if the log is shorter already.
     *
     * @throws IllegalArgumentException if {@code index} has not been applied
     */
    public void compact(long index) {
        checkUsable();
    }

    /**
     * Whether a snapshot at {@code index} may be installed: it takes nothing back, and leaves no gap before the log. To be
     * asked right before the state machine is replaced, in the same turn as {@link #snapshotInstalled}.
     */
    public boolean acceptsSnapshot(long index) {
        return index > appliedIndex && index >= log.firstIndex() - 1;
    }

    /**
     * The state machine is that of a snapshot now, and the snapshot is durable. If the log has the entry at {@code index}
     * with {@code term} what follows it stays; otherwise all of it goes.
     *
     * @param index the last entry in the snapshot; {@link #acceptsSnapshot} holds for it
     * @param term the term of that entry
     * @param configuration the members as of that entry
     */
    public void snapshotInstalled(long index, long term, Configuration configuration) {
        checkUsable();
    }

    /** The snapshot asked for could not be had, or came too late; asked for again after a heartbeat interval if need be. */
    public void snapshotFailed() {
        checkUsable();
    }

    /**
     * Asks for a linearizable read point, in any role. Ends in exactly one {@link Effects.ReadReady} or {@link
     * Effects.ReadFailed}, at the latest one election timeout from now.
     *
     * @param context returned with the end; the caller's business
     */
    public void read(long context) {
        checkUsable();
        if (election.isLeader()) {
            reads.addOnLeader(members.self(), context, nowNanos);
        } else if (election.leader() != null) {
            reads.addOnFollower(context, nowNanos);
        } else {
            current.readFailed(context, ReadFailure.NO_LEADER, null);
            return;
        }
        workPending = true;
    }

    /**
     * Hands leadership to {@code to} (Ongaro, 3.10): stops accepting proposals, brings it up to date, lets it campaign.
     * After one election timeout without success proposals are accepted again. Without effect on a member that does
     * not lead, and towards itself.
     *
     * @throws IllegalArgumentException if {@code to} is no voter
     */
    public void transferLeadership(String to) {
        checkUsable();
        int target = members.ordinal(to);
        if (target < 0) {
            throw new IllegalArgumentException("to " + to + " is not among voters " + configuration.voters());
        }
        if (!election.isLeader() || target == members.self() || target == transferTarget) {
            return;
        }
        transferTarget = target;
        transferAsked = false;
        transferDeadlineNanos = nowNanos + config.electionTimeoutNanos();
        workPending = true;
    }

    /**
     * The log is durable up to {@code index}, whose entry has {@code term}. A notice about an entry that has been
     * replaced since is ignored. The host tells only of entries whose preceding {@link Effects#persist()} is durable too.
     */
    public void durable(long index, long term) {
        checkUsable();
        if (!log.markDurable(index, term)) {
            return;
        }
        if (election.isLeader()) {
            advanceCommit();
        } else if (ackableIndex() > ackedIndex) {
            ackPending = true;
            workPending = true;
        }
    }

    /** The term and vote of an {@link Effects#persist()} are durable. */
    public void hardStateDurable(HardState state) {
        checkUsable();
        durableTerm = Math.max(durableTerm, state.term());
        if (election.role() == Role.CANDIDATE
                && state.term() == election.term()
                && config.self().equals(state.votedFor())) {
            countVote(members.self());
        } else if (ackableIndex() > ackedIndex) {
            ackPending = true;
            workPending = true;
        }
    }

    /** The state machine has applied everything up to {@code index}. */
    public void applied(long index) {
        checkUsable();
        if (index > commitIndex) {
            throw broken("applied index " + index + " is beyond commit index " + commitIndex);
        }
        appliedIndex = Math.max(appliedIndex, index);
    }

    /**
     * Answers an {@link Effects.LogRead}.
     *
     * @param peer that of the request
     * @param fromIndex that of the request
     * @param entries what was read, without gaps from {@code fromIndex}; empty if it could not be read, which makes the
     *     core ask again after a heartbeat interval
     */
    public void logRead(String peer, long fromIndex, List<LogEntry> entries) {
        checkUsable();
        int target = members.ordinal(peer);
        if (target < 0 || !election.isLeader()) {
            return;
        }
        replication.onLogRead(target, fromIndex, entries, current, commitIndex, reads.round(), nowNanos);
        workPending = true;
    }

    /**
     * A hint of the node's failure detector. It only speeds things up: a follower whose leader is gone campaigns at
     * once, a leader does not count a peer that is gone, nor stream to it. A message of the peer withdraws the hint.
     */
    public void peerReachable(String peer, boolean reachable) {
        checkUsable();
        int target = members.ordinal(peer);
        if (target < 0 || target == members.self()) {
            return;
        }
        Progress progress = replication.peer(target);
        if (progress.reachable == reachable) {
            return;
        }
        progress.reachable = reachable;
        if (election.isLeader()) {
            if (!reachable) {
                progress.probeFrom(progress.matchIndex + 1);
            }
            workPending = true;
        } else if (!reachable && peer.equals(election.leader())) {
            // A random moment, so that the survivors do not all campaign at the same instant.
            election.hurry(nowNanos, config.heartbeatIntervalNanos());
        }
    }

    // ------------------------------------------------------------------------------------------------ effects

    /** Whether {@link #takeEffects()} has anything to give. */
    public boolean hasEffects() {
        return workPending
                || !current.isEmpty()
                || commitIndex != toldCommitIndex
                || election.role() != toldRole
                || election.term() != toldTerm
                || !Objects.equals(election.leader(), toldLeader);
    }

    /**
     * Everything to be done since the last call, in one go.
     *
     * @return valid until the second next call; see {@link Effects}
     */
    public Effects takeEffects() {
        checkUsable();
        if (workPending) {
            workPending = false;
            if (election.isLeader()) {
                buildLeaderMessages();
            } else {
                buildFollowerMessages();
            }
        }
        boolean changed = election.role() != toldRole
                || election.term() != toldTerm
                || !Objects.equals(election.leader(), toldLeader);
        toldRole = election.role();
        toldTerm = election.term();
        toldLeader = election.leader();
        toldCommitIndex = commitIndex;
        Effects taken = current;
        taken.conclude(commitIndex, changed, toldRole, toldTerm, toldLeader);
        current = handedOut;
        current.clear();
        handedOut = taken;
        return taken;
    }

    private void buildLeaderMessages() {
        while (mayServeReads() && reads.startRound(commitIndex, wallMillis)) {
            confirmRound(); // at once in a group of one
        }
        replication.send(current, commitIndex, reads.round(), nowNanos);
        if (transferTarget != NOBODY
                && !transferAsked
                && replication.peer(transferTarget).matchIndex == log.lastIndex()) {
            transferAsked = true;
            current.send(members.name(transferTarget), new TimeoutNow(election.term()));
        }
    }

    private void buildFollowerMessages() {
        String leader = election.leader();
        if (leader == null) {
            return;
        }
        if (rejection != null) {
            if (rejection.rejectedIndex() > verifiedIndex) {
                current.send(leader, rejection);
            } // else what was missing came right after
            rejection = null;
        }
        if (ackPending) {
            ackPending = false;
            ackedIndex = ackableIndex();
            ackedRound = leaderRound;
            unanswered = false;
            current.send(
                    leader, new AppendResponse(election.term(), leaderRound, true, ackedIndex, verifiedIndex, 0, 0, 0));
        }
        ReadIndexRequest request = reads.nextRequest(election.term(), nowNanos);
        if (request != null) {
            current.send(leader, request);
        }
    }

    // ------------------------------------------------------------------------------------------------ elections

    private void becomeFollower(long term, @Nullable String leader) {
        Role before = election.role();
        boolean newTerm = term > election.term();
        boolean otherLeader = !Objects.equals(leader, election.leader());
        if (newTerm) {
            election.enterTerm(term);
            current.setPersist(election.hardState());
        }
        if (newTerm || otherLeader) {
            reads.failAll(ReadFailure.LEADER_CHANGED, leader, current);
            forgetLeader();
        }
        transferTarget = NOBODY;
        election.become(Role.FOLLOWER, leader);
        if (before != Role.FOLLOWER || (otherLeader && leader != null)) {
            election.restartTimerAnew(nowNanos);
        }
    }

    private void forgetLeader() {
        verifiedIndex = 0;
        leaderRound = 0;
        ackedIndex = 0;
        ackedRound = 0;
        ackPending = false;
        unanswered = false;
        rejection = null;
    }

    /** Ongaro, 9.6: ask first, so that a member that cannot win does not disturb the others with its term. */
    private void startPreVote() {
        reads.failAll(ReadFailure.NO_LEADER, null, current);
        forgetLeader();
        election.become(Role.PRE_CANDIDATE, null);
        election.restartTimerAnew(nowNanos);
        if (election.grantAndCount(members.self())) {
            startElection(false);
            return;
        }
        broadcast(new PreVoteRequest(election.term() + 1, log.lastIndex(), log.lastTerm()), false);
    }

    /** Ongaro, 3.4. Our own vote counts when it is durable, as everybody else's. */
    private void startElection(boolean leadershipTransfer) {
        reads.failAll(ReadFailure.NO_LEADER, null, current);
        forgetLeader();
        election.enterTerm(election.term() + 1);
        election.vote(config.self());
        election.become(Role.CANDIDATE, null);
        election.restartTimerAnew(nowNanos);
        current.setPersist(election.hardState());
        broadcast(new VoteRequest(election.term(), log.lastIndex(), log.lastTerm(), leadershipTransfer), true);
    }

    private void broadcast(RaftMessage message, boolean afterDurable) {
        for (int i = 0; i < members.count(); i++) {
            if (i == members.self()) {
                continue;
            }
            if (afterDurable) {
                current.sendAfterDurable(members.name(i), message);
            } else {
                current.send(members.name(i), message);
            }
        }
    }

    private void countVote(int voter) {
        if (election.grantAndCount(voter)) {
            becomeLeader();
        }
    }

    private void becomeLeader() {
        election.become(Role.LEADER, config.self());
        reads.beginTerm();
        transferTarget = NOBODY;
        uncommittedBytes = 0;
        termStartIndex = log.lastIndex() + 1;
        replication.begin(election.term(), termStartIndex, nowNanos);
        appendOwn(EntryKind.NOOP, NO_PAYLOAD);
    }

    /** Ongaro, 4.2.3 and 6.2: who has a live leader, or is one, does not help to depose it. */
    private boolean holdsOnToLeader() {
        if (election.isLeader()) {
            return true;
        }
        String leader = election.leader();
        return leader != null
                && replication.peer(members.ordinal(leader)).reachable
                && election.leaderHeardRecently(nowNanos);
    }

    /** Ongaro, 3.6.1. */
    private boolean upToDate(long lastIndex, long lastTerm) {
        return lastTerm > log.lastTerm() || (lastTerm == log.lastTerm() && lastIndex >= log.lastIndex());
    }

    private void onPreVoteRequest(String from, PreVoteRequest m) {
        if (m.term() > election.term() && from.equals(election.leader())) {
            // Who asks for the term after ours has stopped leading ours; it has been restarted, most likely.
            becomeFollower(election.term(), null);
        }
        boolean granted = m.term() > election.term() && upToDate(m.lastIndex(), m.lastTerm()) && !holdsOnToLeader();
        current.send(from, new PreVoteResponse(election.term(), m.term(), granted));
    }

    private void onPreVoteResponse(int sender, PreVoteResponse m) {
        if (election.role() == Role.PRE_CANDIDATE
                && m.granted()
                && m.campaignTerm() == election.term() + 1
                && election.grantAndCount(sender)) {
            startElection(false);
        }
    }

    private void onVoteRequest(String from, VoteRequest m) {
        if (m.term() < election.term()) {
            current.send(from, new VoteResponse(election.term(), false));
            return;
        }
        String votedFor = election.votedFor();
        boolean free = from.equals(votedFor) || (votedFor == null && election.leader() == null);
        boolean granted = free && upToDate(m.lastIndex(), m.lastTerm());
        if (granted) {
            if (votedFor == null) {
                election.vote(from);
                current.setPersist(election.hardState());
            }
            election.restartTimer(nowNanos);
        }
        current.sendAfterDurable(from, new VoteResponse(election.term(), granted));
    }

    private void onVoteResponse(int sender, VoteResponse m) {
        if (election.role() == Role.CANDIDATE && m.term() == election.term() && m.granted()) {
            countVote(sender);
        }
    }

    private void onTimeoutNow(String from, TimeoutNow m) {
        if (m.term() == election.term() && from.equals(election.leader())) {
            startElection(true);
        }
    }

    // ------------------------------------------------------------------------------------------------ replication

    private void appendOwn(EntryKind kind, byte[] payload) {
        LogEntry entry = new LogEntry(log.lastIndex() + 1, election.term(), kind, payload);
        log.append(entry);
        current.append(entry);
        uncommittedBytes += entry.countedBytes();
        workPending = true;
    }

    private void onAppendResponse(int sender, AppendResponse m) {
        if (!election.isLeader() || m.term() != election.term()) {
            return;
        }
        if (replication.onResponse(sender, m, answeredRound(m), reads.round(), nowNanos)) {
            advanceCommit();
        }
        if (reads.roundUnderWay()) {
            confirmRound();
        }
        workPending = true;
    }

    /** Ongaro, 3.6.2: only entries of the own term are committed by counting, and older ones with them. */
    private void advanceCommit() {
        long index = replication.majorityIndex(log.durableIndex());
        if (index <= commitIndex || !mayCommitByCounting(index)) {
            return;
        }
        for (long i = Math.max(commitIndex + 1, termStartIndex); i <= index; i++) {
            uncommittedBytes -= log.require(i).countedBytes();
        }
        setCommitIndex(index);
        workPending |= reads.hasWaiting();
    }

    boolean mayCommitByCounting(long index) {
        return log.termAt(index) == election.term();
    }

    private void setCommitIndex(long index) {
        commitIndex = index;
        log.evict(index);
    }

    private void onAppendRequest(String from, AppendRequest m) {
        if (m.term() < election.term()) {
            // Tells a leader of the past that it is one, and one that is stuck in an old term how far we are.
            current.send(from, new AppendResponse(election.term(), 0, false, 0, 0, m.prevIndex(), 0, 0));
            return;
        }
        if (election.isLeader()) {
            throw broken("member " + from + " leads term " + m.term() + ", and so does this one");
        }
        if (!from.equals(election.leader())) {
            if (election.leader() != null) {
                throw broken("members " + election.leader() + " and " + from + " both lead term " + m.term());
            }
            becomeFollower(m.term(), from);
        }
        election.heardFromLeader(nowNanos);
        leaderRound = Math.max(leaderRound, m.round());
        workPending = true;
        if (!verifyPrefix(m)) {
            return;
        }
        storeEntries(m);
        verifiedIndex = Math.max(verifiedIndex, m.prevIndex() + m.entries().size());
        leaderCommitIndex = Math.max(leaderCommitIndex, m.commitIndex());
        advanceFollowerCommit();
        // Entries are acknowledged when they are durable. Until then there is an answer only if it says anything else:
        // to a heartbeat, to a read round, or that we are alive although the disk takes its time.
        if (m.entries().isEmpty()
                || ackableIndex() >= m.prevIndex() + m.entries().size()
                || leaderRound > ackedRound
                || (unanswered && nowNanos - unansweredSinceNanos >= config.heartbeatIntervalNanos())) {
            ackPending = true;
        } else if (!unanswered) {
            unanswered = true;
            unansweredSinceNanos = nowNanos;
        }
    }

    /** Whether our log agrees with the leader's at {@code prevIndex}, and so everywhere before (Ongaro, 3.5). */
    private boolean verifyPrefix(AppendRequest m) {
        long known = log.termAt(m.prevIndex());
        if (known == m.prevTerm() || (known == RaftLog.NO_TERM && m.prevIndex() < log.firstIndex())) {
            return true; // what a snapshot replaced was committed, and so agrees
        }
        if (m.prevIndex() <= commitIndex) {
            throw broken("the leader has term " + m.prevTerm() + " at committed index " + m.prevIndex()
                    + ", this member has " + known);
        }
        long hint = log.lastIndexNotAbove(Math.min(m.prevIndex() - 1, log.lastIndex()), m.prevTerm());
        rejection = new AppendResponse(
                election.term(),
                leaderRound,
                false,
                ackableIndex(),
                0,
                m.prevIndex(),
                hint,
                Math.max(0, log.termAt(hint)));
        return false;
    }

    /** Stores what is missing; the tail goes only from the first proven conflict on (Ongaro, figure 3.1). */
    private void storeEntries(AppendRequest m) {
        List<LogEntry> entries = m.entries();
        long previousTerm = m.prevTerm();
        for (int i = 0; i < entries.size(); i++) {
            LogEntry entry = entries.get(i);
            long index = m.prevIndex() + 1 + i;
            if (entry.index() != index || entry.term() < previousTerm || entry.term() > m.term()) {
                throw broken("entry " + entry + " cannot stand at index " + index + " after term " + previousTerm
                        + " in a message of term " + m.term());
            }
            previousTerm = entry.term();
            if (index <= log.lastIndex()) {
                long known = log.termAt(index);
                if (known == entry.term() || index < log.firstIndex()) {
                    continue;
                }
                if (index <= commitIndex) {
                    throw broken("the leader has term " + entry.term() + " at committed index " + index
                            + ", this member has " + known);
                }
                log.truncateFrom(index);
            }
            log.append(entry);
            current.append(entry);
        }
    }

    /** Ongaro, figure 3.1: the leader's commit index, but nothing that is not verified against this leader. */
    private void advanceFollowerCommit() {
        long index = committable(leaderCommitIndex, verifiedIndex);
        if (index > commitIndex) {
            setCommitIndex(index);
        } else {
            log.evict(commitIndex);
        }
    }

    long committable(long leaderCommitIndex, long verifiedIndex) {
        return Math.min(leaderCommitIndex, verifiedIndex);
    }

    /** What we may acknowledge: verified against this leader in this term, and durable, as is the term itself. */
    private long ackableIndex() {
        return durableTerm < election.term() ? 0 : Math.min(verifiedIndex, log.durableIndex());
    }

    // ------------------------------------------------------------------------------------------------ reads

    /** Ongaro, 6.4: before its term's first entry is committed, a leader does not know what is. */
    boolean mayServeReads() {
        return commitIndex >= termStartIndex;
    }

    int readQuorum() {
        return members.quorum();
    }

    long answeredRound(AppendResponse m) {
        return m.round();
    }

    long currentRound() {
        return reads.round();
    }

    private void confirmRound() {
        if (replication.answersToRound(reads.round()) >= readQuorum()) {
            reads.roundConfirmed(election.term(), members, current);
            workPending |= reads.hasWaiting();
        }
    }

    private void onReadIndexRequest(int sender, ReadIndexRequest m) {
        if (!election.isLeader() || m.term() != election.term()) {
            current.send(
                    members.name(sender), new ReadIndexResponse(election.term(), m.context(), 0, wallMillis, false));
            return;
        }
        reads.addOnLeader(sender, m.context(), nowNanos);
        workPending = true;
    }

    private void onReadIndexResponse(ReadIndexResponse m) {
        if (m.term() != election.term() || election.isLeader() || !reads.isCurrentRequest(m.context())) {
            return;
        }
        if (!m.accepted()) {
            reads.requestRefused(ReadFailure.LEADER_CHANGED, null, current);
        } else {
            reads.requestAnswered(m.index(), m.leaderWallMillis(), current);
            leaderCommitIndex = Math.max(leaderCommitIndex, m.index());
            advanceFollowerCommit();
        }
        workPending = true;
    }

    // ------------------------------------------------------------------------------------------------ views

    /** This member's role. */
    public Role role() {
        return election.role();
    }

    /** This member's term. */
    public long term() {
        return election.term();
    }

    /** The leader of this term, as far as this member knows, or null. */
    public @Nullable String leader() {
        return election.leader();
    }

    /** Everything up to here is committed. Never goes down. */
    public long commitIndex() {
        return commitIndex;
    }

    /** The members in effect: those of the newest configuration in the log, committed or not. */
    public Configuration configuration() {
        return configuration;
    }

    /**
     * Index of the entry that set {@link #configuration()}; it is committed when {@link #commitIndex()} is there. At most
     * {@code firstIndex() - 1} if the entry is no longer in the log.
     */
    public long configurationIndex() {
        return 0;
    }

    /**
     * The members as of a committed entry, for a checkpoint there.
     *
     * @param index from {@code firstIndex() - 1} to {@link #commitIndex()}
     */
    public Configuration configurationAt(long index) {
        return configuration;
    }

    /** Index of the first entry in the log; one past the last if there is none. */
    public long firstIndex() {
        return log.firstIndex();
    }

    /**
     * Whether the state of before the log's first entry is missing: nothing can be applied before a snapshot is installed.
     */
    public boolean stateLost() {
        return appliedIndex < log.firstIndex() - 1;
    }

    /**
     * Whether this member still has to recover what it may have acknowledged before it lost its memory. The host keeps
     * this in mind across restarts: a member that is restarted while it is true starts with {@link
     * RestoredState#memoryLost()} again.
     */
    public boolean memoryLost() {
        return false;
    }

    /** Index of the last entry, durable or not. */
    public long lastIndex() {
        return log.lastIndex();
    }

    /** Everything up to here is in this member's durable log. */
    public long durableIndex() {
        return log.durableIndex();
    }

    /** What {@link #applied} told last. */
    public long appliedIndex() {
        return appliedIndex;
    }

    /** The term of the entry at {@code index}, or -1 if the log has no such entry. */
    public long termAt(long index) {
        return log.termAt(index);
    }

    /** The member leadership is being handed to, or null. */
    public @Nullable String transferTarget() {
        return transferTarget == NOBODY ? null : members.name(transferTarget);
    }

    /** Where the followers are; empty on a member that does not lead. For status, not for the hot path. */
    public List<PeerProgress> progress() {
        List<PeerProgress> list = new ArrayList<>();
        if (election.isLeader()) {
            for (int i = 0; i < members.count(); i++) {
                if (i != members.self()) {
                    list.add(replication.peer(i).snapshot());
                }
            }
        }
        return list;
    }

    /** When {@link #tick} has something to do next, on the clock it is given. */
    public long nextDeadlineNanos() {
        long due = reads.dueInNanos(nowNanos);
        if (election.isLeader()) {
            due = Math.min(due, replication.dueInNanos(commitIndex, nowNanos));
            due = Math.min(due, config.heartbeatIntervalNanos());
            if (transferTarget != NOBODY) {
                due = Math.min(due, transferDeadlineNanos - nowNanos);
            }
        } else {
            due = Math.min(due, election.timerEndNanos() - nowNanos);
        }
        return nowNanos + due;
    }

    /**
     * Committed entries from memory, oldest first.
     *
     * @param fromIndex the first one wanted
     * @param maxEntries at most so many
     * @param maxBytes at most so many bytes, overheads included, but always one entry
     * @return a new list; empty if the entry at {@code fromIndex} is not committed or no longer in memory, in which case
     *     it is in the durable log
     */
    public List<LogEntry> committedEntries(long fromIndex, int maxEntries, long maxBytes) {
        return log.slice(fromIndex, commitIndex, maxEntries, maxBytes);
    }

    private void checkUsable() {
        if (broken) {
            throw new IllegalStateException("the replica was stopped by an earlier breach of an invariant");
        }
    }

    private IllegalStateException broken(String what) {
        broken = true;
        return new IllegalStateException(config.self() + " in term " + election.term() + ": " + what);
    }
}
