package io.elastickv.embedded.internal.raft.core;

import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.MemoryLost;
import io.elastickv.embedded.internal.raft.core.RaftMessage.PreVoteRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.PreVoteResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.ReadIndexRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.ReadIndexResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.RecoverUpTo;
import io.elastickv.embedded.internal.raft.core.RaftMessage.SnapshotRequired;
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
 * appends and a leader that writes its disk while its followers write theirs (10.2), changes of the members one at a time
 * (chapter 4), log compaction and snapshots that the follower fetches (chapter 5).
 *
 * <p>Durability is never assumed: votes and acknowledgements count only what {@link #durable} and {@link
 * #hardStateDurable} have reported. A breach of Raft's invariants, which only a lost disk or a bug can cause, throws
 * {@link IllegalStateException}; from then on every event does, and the host stops the replica.
 *
 * <p>This class takes the events apart; what is decided is in {@link Elections}, {@link Leader} with {@link Replication},
 * and {@link Follower}. Not thread-safe: one thread at a time.
 */
public final class RaftCore {

    private final CoreState s;
    private final Follower follower;
    private final Leader leader;
    private final SnapshotNeed snapshotNeed;
    private final LostMemory lostMemory;
    private final Elections elections;

    private Effects handedOut = new Effects();
    private long toldCommitIndex;
    private Role toldRole = Role.FOLLOWER;
    private long toldTerm;
    private @Nullable String toldLeader;

    /**
     * Starts a member from what its disk holds.
     *
     * @param nowNanos monotonic clock, as in {@link #tick}
     * @param wallMillis wall clock, as in {@link #tick}
     * @param random for election timeouts and identifiers; must not repeat itself across restarts
     * @throws IllegalArgumentException if {@code restored} contradicts itself
     */
    public RaftCore(RaftConfig config, RestoredState restored, long nowNanos, long wallMillis, RandomGenerator random) {
        this(config, restored, nowNanos, wallMillis, random, Rules.RAFT);
    }

    RaftCore(
            RaftConfig config,
            RestoredState restored,
            long nowNanos,
            long wallMillis,
            RandomGenerator random,
            Rules rules) {
        s = new CoreState(config, restored, nowNanos, wallMillis, random, rules);
        follower = new Follower(s);
        leader = new Leader(s);
        snapshotNeed = new SnapshotNeed(s, follower);
        lostMemory = new LostMemory(s, restored.memoryLost(), random.nextLong());
        elections = new Elections(s, follower, leader, snapshotNeed, lostMemory);
        toldTerm = restored.hardState().term();
        if (s.log.lastTerm() > s.election.term()) {
            // Whoever stored an entry of a term has been in that term; it may have voted in it, so it must not vote
            // in it again, nor listen to older leaders.
            s.election.enterTerm(s.log.lastTerm());
            s.election.vote(config.self());
            s.out.setPersist(s.election.hardState());
        }
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
        s.checkUsable();
        s.wallMillis = wallMillis;
        long gap = nowNanos - s.nowNanos;
        if (gap <= 0) {
            return;
        }
        long late = Math.min(gap, nowNanos - nextDeadlineNanos());
        s.nowNanos = nowNanos;
        if (late > s.config.heartbeatIntervalNanos()) {
            // This process stood still past a deadline, so it cannot tell who else was silent: what others said in
            // that time is still to be handed in.
            s.election.forgivePause(late + 2 * s.config.heartbeatIntervalNanos(), nowNanos);
            s.replication.forgivePause(late + 2 * s.config.heartbeatIntervalNanos(), nowNanos);
        }
        String known = s.election.leader();
        s.reads.expire(nowNanos, known, s.out);
        if (s.election.isLeader()) {
            if (!leader.tick()) {
                elections.becomeFollower(s.election.term(), null);
            }
        } else if (s.election.timerExpired(nowNanos)) {
            elections.timerExpired();
        } else if (known != null
                && (s.reads.requestDue(nowNanos)
                        || snapshotNeed.dueInNanos(known) <= 0
                        || lostMemory.dueInNanos(known) <= 0)) {
            s.workPending = true;
        }
    }

    /**
     * Campaigns now if there is no leader: for the first formation of a group. Starts with a pre-vote. Without effect on a
     * member that must not be elected: a learner, one without its state or memory.
     */
    public void campaign() {
        s.checkUsable();
        elections.campaign();
    }

    /**
     * Takes a message of the member named {@code from}. Requests are answered whoever they come from, since a member may
     * not have heard yet of the configuration that others live in (Ongaro, 4.1); answers count only from members.
     */
    public void step(String from, RaftMessage message) {
        s.checkUsable();
        int sender = s.members.ordinal(from);
        if (sender >= 0) {
            if (sender == s.members.self()) {
                return;
            }
            s.replication.peer(sender).reachable = true;
        } else if (onlyFromMembers(message) || from.equals(s.config.self())) {
            return;
        }
        if (message instanceof PreVoteRequest m) {
            elections.onPreVoteRequest(from, m); // its term is a question, not a fact
            return;
        }
        if (message instanceof VoteRequest m
                && m.term() > s.election.term()
                && !m.leadershipTransfer()
                && elections.holdsOnToLeader()) {
            return;
        }
        if (message.term() > s.election.term()) {
            elections.becomeFollower(message.term(), message instanceof AppendRequest ? from : null);
        }
        try {
            dispatch(from, sender, message);
        } catch (RuntimeException e) {
            s.broken = true;
            throw e;
        }
    }

    private static boolean onlyFromMembers(RaftMessage message) {
        return message instanceof AppendResponse
                || message instanceof VoteResponse
                || message instanceof PreVoteResponse
                || message instanceof MemoryLost;
    }

    private void dispatch(String from, int sender, RaftMessage message) {
        if (message instanceof AppendRequest m) {
            onAppendRequest(from, m);
        } else if (message instanceof AppendResponse m) {
            if (leads(m)) {
                leader.onAppendResponse(sender, m);
            }
        } else if (message instanceof ReadIndexRequest m) {
            onReadIndexRequest(from, m);
        } else if (message instanceof ReadIndexResponse m) {
            if (m.term() == s.election.term() && !s.election.isLeader()) {
                follower.onReadIndexResponse(m);
            }
        } else if (message instanceof VoteRequest m) {
            elections.onVoteRequest(from, m);
        } else if (message instanceof VoteResponse m) {
            elections.onVoteResponse(from, m);
        } else if (message instanceof PreVoteResponse m) {
            elections.onPreVoteResponse(from, m);
        } else if (message instanceof TimeoutNow m) {
            if (follows(from, m)) {
                elections.onTimeoutNow();
            }
        } else if (message instanceof SnapshotRequired m) {
            if (follows(from, m)) {
                snapshotNeed.required(m.leastIndex());
            }
        } else if (message instanceof MemoryLost m) {
            if (leads(m)) {
                leader.onMemoryLost(from, sender, m);
            }
        } else if (message instanceof RecoverUpTo m) {
            if (follows(from, m)) {
                lostMemory.onRecoverUpTo(m, follower.ackableIndex());
            }
        } else {
            throw new AssertionError(message);
        }
    }

    private boolean leads(RaftMessage message) {
        return s.election.isLeader() && message.term() == s.election.term();
    }

    private boolean follows(String from, RaftMessage message) {
        return message.term() == s.election.term() && from.equals(s.election.leader());
    }

    private void onAppendRequest(String from, AppendRequest m) {
        if (m.term() < s.election.term()) {
            // Tells a leader of the past that it is one, and one that is stuck in an old term how far we are.
            s.out.send(from, new AppendResponse(s.election.term(), 0, false, 0, 0, m.prevIndex(), 0, 0));
            return;
        }
        if (s.election.isLeader()) {
            throw s.broken("member " + from + " leads term " + m.term() + ", and so does this one");
        }
        if (!from.equals(s.election.leader())) {
            if (s.election.leader() != null) {
                throw s.broken("members " + s.election.leader() + " and " + from + " both lead term " + m.term());
            }
            elections.becomeFollower(m.term(), from);
        }
        if (follower.append(m)) {
            lostMemory.matched(follower.ackableIndex());
        }
    }

    private void onReadIndexRequest(String from, ReadIndexRequest m) {
        if (!leads(m)) {
            s.out.send(from, new ReadIndexResponse(s.election.term(), m.context(), 0, s.wallMillis, false));
            return;
        }
        s.reads.addOnLeader(from, m.context(), s.nowNanos);
        s.workPending = true;
    }

    /**
     * Proposes commands for the log, all or none.
     *
     * @param payloads at least one; the arrays are given away, the list is not kept
     */
    public Proposal propose(List<byte[]> payloads) {
        s.checkUsable();
        if (payloads.isEmpty()) {
            throw new IllegalArgumentException("payloads is empty");
        }
        return s.election.isLeader() ? leader.propose(payloads) : new Proposal.NotLeader(s.election.leader());
    }

    /**
     * Changes the group by one member (Ongaro, chapter 4). The new configuration is in effect on this leader at once; the
     * change is decided when the entry is committed, and undone if another leader replaces it.
     *
     * @return {@link Proposal.Accepted}, {@link Proposal.NotLeader}, {@link Proposal.TransferInProgress} or {@link
     *     Proposal.Refused}
     */
    public Proposal changeMembers(MemberChange change) {
        s.checkUsable();
        return s.election.isLeader() ? leader.change(change) : new Proposal.NotLeader(s.election.leader());
    }

    /**
     * The host has a durable checkpoint of the state at {@code index} and gives up the log up to there: the first index
     * becomes the one after. Without effect if the log is shorter already.
     *
     * @throws IllegalArgumentException if {@code index} has not been applied
     */
    public void compact(long index) {
        s.checkUsable();
        if (index > s.appliedIndex) {
            throw new IllegalArgumentException("index " + index + " is beyond applied index " + s.appliedIndex);
        }
        if (index >= s.log.firstIndex()) {
            s.compact(index);
            follower.compacted();
        }
    }

    /**
     * Whether a snapshot at {@code index} may be installed: it takes nothing back, and leaves no gap before the log. To be
     * asked right before the state machine is replaced, in the same turn as {@link #snapshotInstalled}.
     */
    public boolean acceptsSnapshot(long index) {
        return s.rules.acceptsSnapshot(index, s.appliedIndex) && index >= s.log.firstIndex() - 1;
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
        s.checkUsable();
        if (!acceptsSnapshot(index)) {
            throw s.broken("a snapshot at " + index + " was installed over a state at " + s.appliedIndex
                    + " with a log that starts at " + s.log.firstIndex());
        }
        long known = s.log.termAt(index);
        if (known != term && known != RaftLog.NO_TERM && index <= s.commitIndex) {
            throw s.broken(
                    "a snapshot has term " + term + " at committed index " + index + ", this member has " + known);
        }
        if (term > s.election.term()) {
            elections.becomeFollower(term, null); // as at a start: who has an entry of a term is in that term
        }
        boolean suffixKept = index <= s.log.lastIndex() && s.rules.keepsSuffix(known == term);
        if (s.election.isLeader() && suffixKept) {
            leader.snapshotCommits(index);
        } else if (s.election.role() != Role.FOLLOWER) {
            // What it stood for election with is gone, or was deposed without knowing it.
            elections.becomeFollower(s.election.term(), null);
        }
        s.installSnapshot(index, term, configuration, suffixKept);
        follower.snapshotInstalled(index, s.election.leader() != null && !s.election.isLeader());
        snapshotNeed.installed();
        lostMemory.recovered(follower.ackableIndex());
    }

    /** The snapshot asked for could not be had, or came too late; asked for again after a heartbeat interval if need be. */
    public void snapshotFailed() {
        s.checkUsable();
        snapshotNeed.failed();
    }

    /**
     * Asks for a linearizable read point, in any role. Ends in exactly one {@link Effects.ReadReady} or {@link
     * Effects.ReadFailed}, at the latest one election timeout from now.
     *
     * @param context returned with the end; the caller's business
     */
    public void read(long context) {
        s.checkUsable();
        if (s.election.isLeader()) {
            s.reads.addOnLeader(null, context, s.nowNanos);
        } else if (s.election.leader() != null) {
            s.reads.addOnFollower(context, s.nowNanos);
        } else {
            s.out.readFailed(context, ReadFailure.NO_LEADER, null);
            return;
        }
        s.workPending = true;
    }

    /**
     * Hands leadership to {@code to} (Ongaro, 3.10): stops accepting proposals, brings it up to date, lets it campaign.
     * After one election timeout without success proposals are accepted again. Without effect on a member that does
     * not lead, and towards itself.
     *
     * @throws IllegalArgumentException if {@code to} is no voter
     */
    public void transferLeadership(String to) {
        s.checkUsable();
        if (!s.members.isVoter(to)) {
            throw new IllegalArgumentException("to " + to + " is not among voters "
                    + s.members.configuration().voters());
        }
        if (s.election.isLeader() && !to.equals(s.config.self())) {
            leader.transfer(to);
        }
    }

    /**
     * The log is durable up to {@code index}, whose entry has {@code term}. A notice about an entry that has been
     * replaced since is ignored. The host tells only of entries whose preceding {@link Effects#persist()} is durable too.
     */
    public void durable(long index, long term) {
        s.checkUsable();
        if (!s.log.markDurable(index, term)) {
            return;
        }
        if (s.election.isLeader()) {
            leader.advanceCommit();
        } else {
            follower.acknowledgeDurable();
            lostMemory.recovered(follower.ackableIndex());
        }
    }

    /** The term and vote of an {@link Effects#persist()} are durable. */
    public void hardStateDurable(HardState state) {
        s.checkUsable();
        s.durableTerm = Math.max(s.durableTerm, state.term());
        if (s.election.role() == Role.CANDIDATE
                && state.term() == s.election.term()
                && s.config.self().equals(state.votedFor())) {
            elections.countVote(s.config.self());
        } else {
            follower.acknowledgeDurable();
            lostMemory.recovered(follower.ackableIndex());
        }
    }

    /** The state machine has applied everything up to {@code index}. */
    public void applied(long index) {
        s.checkUsable();
        if (index > s.commitIndex) {
            throw s.broken("applied index " + index + " is beyond commit index " + s.commitIndex);
        }
        s.appliedIndex = Math.max(s.appliedIndex, index);
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
        s.checkUsable();
        int target = s.members.ordinal(peer);
        if (target < 0 || !s.election.isLeader()) {
            return;
        }
        s.replication.onLogRead(target, fromIndex, entries, s.out, s.commitIndex, s.reads.round(), s.nowNanos);
        s.workPending = true;
    }

    /**
     * A hint of the node's failure detector. It only speeds things up: a follower whose leader is gone campaigns at
     * once, a leader does not count a peer that is gone, nor stream to it. A message of the peer withdraws the hint.
     */
    public void peerReachable(String peer, boolean reachable) {
        s.checkUsable();
        int target = s.members.ordinal(peer);
        if (target < 0 || target == s.members.self()) {
            return;
        }
        Progress progress = s.replication.peer(target);
        if (progress.reachable == reachable) {
            return;
        }
        progress.reachable = reachable;
        if (s.election.isLeader()) {
            if (!reachable) {
                progress.probeFrom(progress.matchIndex + 1);
            }
            s.workPending = true;
        } else if (!reachable && peer.equals(s.election.leader())) {
            // A random moment, so that the survivors do not all campaign at the same instant.
            s.election.hurry(s.nowNanos, s.config.heartbeatIntervalNanos());
        }
    }

    // ------------------------------------------------------------------------------------------------ effects

    /** Whether {@link #takeEffects()} has anything to give. */
    public boolean hasEffects() {
        return s.workPending || !s.out.isEmpty() || s.commitIndex != toldCommitIndex || roleChanged();
    }

    private boolean roleChanged() {
        return s.election.role() != toldRole
                || s.election.term() != toldTerm
                || !Objects.equals(s.election.leader(), toldLeader);
    }

    /**
     * Everything to be done since the last call, in one go.
     *
     * @return valid until the second next call; see {@link Effects}
     */
    public Effects takeEffects() {
        s.checkUsable();
        if (s.workPending) {
            s.workPending = false;
            String known = s.election.leader();
            if (s.election.isLeader()) {
                leader.buildMessages();
            } else if (known != null) {
                follower.buildMessages(known);
                snapshotNeed.build(known);
                lostMemory.build(known);
            }
        }
        boolean changed = roleChanged();
        toldRole = s.election.role();
        toldTerm = s.election.term();
        toldLeader = s.election.leader();
        toldCommitIndex = s.commitIndex;
        Effects taken = s.out;
        taken.conclude(s.commitIndex, changed, toldRole, toldTerm, toldLeader);
        s.out = handedOut;
        s.out.clear();
        handedOut = taken;
        return taken;
    }

    // ------------------------------------------------------------------------------------------------ views

    /** This member's role. */
    public Role role() {
        return s.election.role();
    }

    /** This member's term. */
    public long term() {
        return s.election.term();
    }

    /** The leader of this term, as far as this member knows, or null. */
    public @Nullable String leader() {
        return s.election.leader();
    }

    /** Everything up to here is committed. Never goes down. */
    public long commitIndex() {
        return s.commitIndex;
    }

    /** The members in effect: those of the newest configuration in the log, committed or not. */
    public Configuration configuration() {
        return s.members.configuration();
    }

    /**
     * Index of the entry that set {@link #configuration()}; it is committed when {@link #commitIndex()} is there. At most
     * {@code firstIndex() - 1} if the entry is no longer in the log.
     */
    public long configurationIndex() {
        return Math.max(s.configurations.latestIndex(), s.log.firstIndex() - 1);
    }

    /**
     * The members as of a committed entry, for a checkpoint there.
     *
     * @param index from {@code firstIndex() - 1} to {@link #commitIndex()}
     */
    public Configuration configurationAt(long index) {
        if (index < s.log.firstIndex() - 1 || index > s.commitIndex) {
            throw new IllegalArgumentException("index " + index + " is not between the log's start "
                    + s.log.firstIndex() + " and commit index " + s.commitIndex);
        }
        return s.configurations.at(index);
    }

    /** Index of the first entry in the log; one past the last if there is none. */
    public long firstIndex() {
        return s.log.firstIndex();
    }

    /**
     * Whether the state of before the log's first entry is missing: nothing can be applied before a snapshot is installed.
     */
    public boolean stateLost() {
        return s.stateLost();
    }

    /**
     * Whether this member still has to recover what it may have acknowledged before it lost its memory. The host keeps
     * this in mind across restarts: a member that is restarted while it is true starts with {@link
     * RestoredState#memoryLost()} again.
     */
    public boolean memoryLost() {
        return lostMemory.isLost();
    }

    /** Index of the last entry, durable or not. */
    public long lastIndex() {
        return s.log.lastIndex();
    }

    /** Up to here what is committed may be read from this member's log on the disk; what follows may be old there. */
    public long readableIndex() {
        return s.rules.readable(s.log.durableIndex(), s.log.lastIndex());
    }

    /** What {@link #applied} told last. */
    public long appliedIndex() {
        return s.appliedIndex;
    }

    /** The term of the entry at {@code index}, or -1 if the log has no such entry. */
    public long termAt(long index) {
        return s.log.termAt(index);
    }

    /** The member leadership is being handed to, or null. */
    public @Nullable String transferTarget() {
        return leader.transferTarget();
    }

    /** Where the followers and learners are; empty on a member that does not lead. For status, not for the hot path. */
    public List<PeerProgress> progress() {
        List<PeerProgress> list = new ArrayList<>();
        if (s.election.isLeader()) {
            for (int i = 0; i < s.members.count(); i++) {
                if (i != s.members.self()) {
                    list.add(s.replication
                            .peer(i)
                            .snapshot(i < s.members.voters(), s.config.electionTimeoutNanos(), s.nowNanos));
                }
            }
        }
        return list;
    }

    /** When {@link #tick} has something to do next, on the clock it is given. */
    public long nextDeadlineNanos() {
        long due = s.reads.dueInNanos(s.nowNanos);
        if (s.election.isLeader()) {
            due = Math.min(due, leader.dueInNanos());
        } else {
            String known = s.election.leader();
            due = Math.min(due, s.election.timerEndNanos() - s.nowNanos);
            due = Math.min(due, Math.min(snapshotNeed.dueInNanos(known), lostMemory.dueInNanos(known)));
        }
        return s.nowNanos + due;
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
        return s.log.slice(fromIndex, s.commitIndex, maxEntries, maxBytes);
    }
}
