package io.elastickv.embedded.internal.raft;

import io.elastickv.embedded.internal.raft.GroupSnapshots.Incoming;
import io.elastickv.embedded.internal.raft.GroupSnapshots.Snapshot;
import io.elastickv.embedded.internal.raft.ProposalCallback.Refusal;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.Effects;
import io.elastickv.embedded.internal.raft.core.Effects.FetchSnapshot;
import io.elastickv.embedded.internal.raft.core.Effects.LogRead;
import io.elastickv.embedded.internal.raft.core.Effects.Outbound;
import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.core.MemberChange;
import io.elastickv.embedded.internal.raft.core.PeerProgress;
import io.elastickv.embedded.internal.raft.core.Proposal;
import io.elastickv.embedded.internal.raft.core.RaftCore;
import io.elastickv.embedded.internal.raft.core.RaftMessage;
import io.elastickv.embedded.internal.raft.core.Role;
import io.elastickv.embedded.internal.raft.log.EntriesGoneException;
import io.elastickv.embedded.internal.raft.log.GroupLog;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One replica of one group: feeds a {@link RaftCore} and carries out its effects. The core decides, this class moves
 * bytes: entries to the log, messages to the transport (those that acknowledge only once the log is durable), committed
 * entries to the state machine, results to the proposers, and the state as a whole to and from the disk.
 *
 * <p>Inside, and to the transport, members go by their {@linkplain MemberId ids}; everywhere else by the names of their
 * nodes.
 *
 * <p>All methods are called on the group's loop, but for {@link #status()}. An exception in {@link StateMachine#apply}
 * or in the core, or a failed log write, stops the replica for good: it neither votes nor acknowledges any more. A
 * checkpoint that cannot be written or fetched does not: the replica goes on with the state it has.
 */
public final class ReplicaGroup implements EventLoop.Ticker {

    /** What a replica gets within milliseconds. */
    private static final long TRANSFER_LAG_ENTRIES = 10_000;

    private static final Logger LOG = LoggerFactory.getLogger(ReplicaGroup.class);

    /** Whoever was not heard of for so long is not following: longer than any heartbeat interval. */
    private static final long FOLLOWING_NANOS = 2_000_000_000L;

    /**
     * What others may know of the replica.
     *
     * @param role its role
     * @param term its term
     * @param leader the node of the leader
     * @param lastIndex the end of its log
     * @param commitIndex what it knows to be committed
     * @param appliedIndex what its state contains
     * @param failed whether it has stopped for good
     * @param committedConfiguration the members, by their ids, as of the newest entry that is committed
     * @param firstIndex where its log begins
     * @param checkpoints the durable copies of its state, newest first
     * @param bytesSinceCheckpoint about how many bytes of log the state contains beyond the newest of them
     * @param stateLost whether what came before its log is missing: it serves nothing before it has got it from a leader
     * @param memoryLost whether it lost what it had not synced, and does not take part in elections until it has it again
     */
    public record Status(
            Role role,
            long term,
            @Nullable String leader,
            long lastIndex,
            long commitIndex,
            long appliedIndex,
            boolean failed,
            Configuration committedConfiguration,
            long firstIndex,
            List<Snapshot> checkpoints,
            long bytesSinceCheckpoint,
            boolean stateLost,
            boolean memoryLost) {}

    /** What becomes true for a group when a batch of log writes is durable. */
    static final class DurabilityMark {
        private @Nullable HardState hardState;
        private long lastIndex;
        private long lastTerm;
        private final ArrayList<Outbound> held = new ArrayList<>(2);
    }

    private final int groupId;
    private final EventLoop loop;
    private final RaftCore core;
    private final GroupLog log;
    private final GroupTransport transport;
    private final StateMachine stateMachine;
    private final GroupListener listener;
    private final GroupClock clock;
    private final ProposalFreeze freeze = new ProposalFreeze();
    private final Answers answers;
    private final ProposalQueue proposals;
    private final PendingReads reads;
    private final Applying applying;
    private final GroupCheckpoints checkpoints;
    private final LeaderPreference preference;
    private final GroupSnapshots snapshots;

    /** Guarded by the loop: whether the group is in the loop's queue of groups to process. */
    boolean dirty;

    private final ArrayDeque<DurabilityMark> marks = new ArrayDeque<>();
    private final Map<String, Boolean> reachableNodes = new HashMap<>();
    private Configuration knownConfiguration = Configuration.EMPTY;
    private @Nullable Configuration committedConfiguration;
    private @Nullable Snapshot newBase;
    private long loggedCommitIndex;
    private boolean recoversMemory;
    private boolean wasLeader;
    private long knownTerm = -1;
    private @Nullable String knownLeader;
    private @Nullable String knownLeaderNode;
    private boolean failed;
    private boolean closed;
    private volatile Status status;

    /**
     * Makes a replica of group {@code groupId}; {@link #start()} lets it take part.
     *
     * @param self its id as a member
     * @param preferredLeader the node that shall lead the group if it can
     * @param start what the state machine contains and what copies of it there are
     */
    public ReplicaGroup(
            int groupId,
            String self,
            EventLoop loop,
            RaftCore core,
            GroupLog log,
            GroupTransport transport,
            StateMachine stateMachine,
            GroupSnapshots snapshots,
            GroupListener listener,
            @Nullable String preferredLeader,
            StartingPoint start) {
        this.groupId = groupId;
        this.loop = loop;
        this.core = core;
        this.log = log;
        this.transport = transport;
        this.stateMachine = stateMachine;
        this.snapshots = snapshots;
        this.listener = listener;
        this.clock = new GroupClock(loop::wallMillis);
        this.answers = new Answers(groupId);
        this.proposals = new ProposalQueue(answers);
        this.reads = new PendingReads(answers);
        this.checkpoints = new GroupCheckpoints(
                groupId,
                loop,
                snapshots,
                answers,
                start.snapshots(),
                start.bytesSinceNewest(),
                () -> loop.markDirty(this));
        this.applying =
                new Applying(core, stateMachine, proposals, checkpoints, this::readToApply, start.appliedTerm());
        this.preference = new LeaderPreference(groupId, MemberId.node(self), preferredLeader, core);
        this.loggedCommitIndex = core.commitIndex();
        this.recoversMemory = core.memoryLost();
        this.status = statusNow();
    }

    /** Takes part from now on. */
    public void start() {
        loop.addTicker(this);
        loop.markDirty(this);
    }

    /** The group's number. */
    public int groupId() {
        return groupId;
    }

    /** The loop that owns the group. */
    public EventLoop loop() {
        return loop;
    }

    /** A consistent picture of the replica, a moment old. Thread-safe. */
    public Status status() {
        return status;
    }

    /** Each other member's progress, by its id, as the leader sees it; empty if this replica does not lead. */
    public List<PeerProgress> progress() {
        return failed || closed ? List.of() : core.progress();
    }

    /** The members as of the newest entry, committed or not; by their ids. */
    public Configuration configuration() {
        return core.configuration();
    }

    /**
     * The monotonic time (ns) for which the local state is known to contain everything acknowledged before it;
     * {@link Long#MIN_VALUE} if there is none.
     */
    public long freshAsOfNanos() {
        return reads.freshAsOfNanos();
    }

    /** The time that this replica stamps on commands as leader, in milliseconds since 1970. */
    public long clockMillis() {
        return clock.millis(loop.nowNanos());
    }

    /** By how many milliseconds that time is ahead of this node's clock. Thread-safe. */
    public long clockAheadMillis() {
        return clock.aheadMillis();
    }

    // ---- what callers ask

    /** Puts a command up for replication. {@code payload} passes to the group. */
    public void propose(byte[] payload, ProposalCallback callback) {
        if (failed || closed) {
            callback.notProposed(Refusal.FAILED, null);
            return;
        }
        proposals.add(payload, callback);
        loop.markDirty(this);
    }

    /**
     * Takes no more proposals into the log until {@link #thaw}, for at most {@code maxNanos}; they wait. Tells {@code
     * callback} when everything before is applied. Only a leader does so, and for one at a time.
     */
    public void freeze(long maxNanos, FreezeCallback callback) {
        if (failed || closed) {
            callback.broken("the replica serves no more");
            return;
        }
        freeze.begin(core.role() == Role.LEADER, loop.nowNanos(), maxNanos, callback);
        loop.markDirty(this);
    }

    /**
     * Takes proposals again.
     *
     * @param token of the freeze
     * @return whether the group stood still until now, in the same term
     */
    public boolean thaw(long token) {
        boolean lasted = freeze.thaw(token, loop.nowNanos());
        loop.markDirty(this);
        return lasted;
    }

    /** Asks for a linearizable read point. All requests of one iteration share one round. */
    public void read(ReadCallback callback) {
        if (failed || closed) {
            callback.failed(Refusal.FAILED, null);
            return;
        }
        reads.add(callback);
        loop.markDirty(this);
    }

    /** Changes the group's members by one. */
    public void changeMembers(MemberChange change, MembershipCallback callback) {
        if (failed || closed) {
            callback.refused("the replica has failed or is closed");
            return;
        }
        Proposal outcome;
        try {
            outcome = core.changeMembers(change);
        } catch (RuntimeException | Error e) {
            callback.refused("the replica has failed");
            fail("the consensus core failed", e);
            return;
        }
        if (outcome instanceof Proposal.Accepted accepted) {
            proposals.accepted(accepted.firstIndex(), accepted.term(), new MembershipOutcome(callback));
        } else {
            callback.refused(refusal(outcome));
        }
        loop.markDirty(this);
    }

    private static String refusal(Proposal outcome) {
        if (outcome instanceof Proposal.Refused refused) {
            return refused.reason();
        }
        if (outcome instanceof Proposal.NotLeader notLeader) {
            return "this replica does not lead, " + nodeOf(notLeader.leaderHint()) + " may";
        }
        return "the leadership is being handed over";
    }

    private record MembershipOutcome(MembershipCallback callback) implements ProposalCallback {

        @Override
        public void applied(Object result) {
            callback.committed();
        }

        @Override
        public void notProposed(Refusal reason, @Nullable String leaderHint) {
            callback.refused("the leadership was lost, and another entry is in its place");
        }

        @Override
        public void unknown() {
            callback.unknown();
        }
    }

    /**
     * Hands the leadership to the replica on {@code node}, if that could take it at once: while it is handed over nothing is
     * proposed, so one that lags, or was just lost with its directory, would hold everybody up.
     *
     * @return whether it is being handed over
     */
    public boolean transferLeadership(String node) {
        if (failed || closed) {
            return false;
        }
        for (PeerProgress peer : core.progress()) {
            boolean fit = peer.voter()
                    && peer.remembers()
                    && peer.reachable()
                    && core.lastIndex() - peer.matchIndex() < TRANSFER_LAG_ENTRIES
                    && peer.state() == PeerProgress.State.REPLICATE;
            if (fit && MemberId.node(peer.peer()).equals(node)) {
                guarded(() -> core.transferLeadership(peer.peer()));
                return true;
            }
        }
        return false;
    }

    /** Hands the leadership to whichever reachable voter is furthest; a no-op unless this replica leads. */
    public void handOver() {
        if (failed || closed || core.role() != Role.LEADER || core.transferTarget() != null) {
            return;
        }
        PeerProgress best = null;
        for (PeerProgress progress : core.progress()) {
            if (progress.voter()
                    && progress.reachable()
                    && (best == null || progress.matchIndex() > best.matchIndex())) {
                best = progress;
            }
        }
        if (best != null) {
            String target = best.peer();
            guarded(() -> core.transferLeadership(target));
        }
    }

    /** From now on {@code node} is the one that shall lead the group if it can; null if that is all the same. */
    public void prefer(@Nullable String node) {
        preference.prefer(node);
    }

    /**
     * Starts an election now, and again every now and then until there is a leader, as the preferred leader of a group
     * that was just formed: the others may not have opened theirs yet. Pre-votes make it harmless.
     */
    public void campaign() {
        if (!failed && !closed) {
            guarded(() -> preference.campaign(loop.nowNanos()));
        }
    }

    /**
     * As {@link #campaign()}, but soon again at first, as the leader-to-be of a group that was just split off: callers wait
     * for it, and the other replicas come into being at about the same time.
     */
    public void campaignAtBirth() {
        if (!failed && !closed) {
            guarded(() -> preference.campaignAtBirth(loop.nowNanos()));
            campaignWhenDue();
        }
    }

    private void campaignWhenDue() {
        long dueNanos = preference.campaignAgainNanos();
        if (dueNanos == Long.MIN_VALUE) {
            return;
        }
        loop.tickAt(
                nowNanos -> {
                    if (!failed && !closed) {
                        guarded(() -> preference.tick(nowNanos));
                        campaignWhenDue();
                    }
                },
                dueNanos);
    }

    /**
     * Starts an election in a moment unless there is a leader by then, as the preferred leader after a restart: if all
     * nodes were restarted nobody has to wait for an election timeout.
     */
    public void campaignSoon() {
        if (!failed && !closed) {
            preference.campaignSoon(loop.nowNanos());
        }
    }

    /**
     * Makes a durable copy of the state as it is now.
     *
     * @param background writes it; may block
     */
    public void checkpoint(Executor background, CheckpointCallback callback) {
        if (failed || closed) {
            callback.failed(new IllegalStateException("group " + groupId + ": the replica has failed or is closed"));
            return;
        }
        if (core.stateLost()) {
            callback.failed(new IllegalStateException("group " + groupId + ": the state is lost"));
            return;
        }
        long index = applying.index();
        checkpoints.save(index, applying.term(), core.configurationAt(index), background, callback);
    }

    /**
     * Lets the log go as far as the copies of the state allow.
     *
     * @param pressing whether the log must not grow any more: then as far as the newest copy if it has everything, and
     *     no matter how far the other replicas are; otherwise one that is following need not be sent a whole state
     */
    public void compact(boolean pressing) {
        if (failed || closed) {
            return;
        }
        List<Snapshot> kept = checkpoints.kept();
        if (kept.isEmpty() || newBase != null) {
            return;
        }
        Snapshot base = kept.size() > 1 ? kept.get(kept.size() - 1) : null;
        if (pressing && kept.get(0).index() == core.lastIndex()) {
            base = kept.get(0);
        }
        if (base == null || base.index() < core.firstIndex() || base.index() > floor(pressing)) {
            return;
        }
        newBase = base;
        long index = base.index();
        guarded(() -> core.compact(index));
    }

    /** Up to where no other replica that is following needs the log. */
    private long floor(boolean pressing) {
        long floor = snapshots.leasedIndex();
        if (!pressing && core.role() == Role.LEADER) {
            for (PeerProgress peer : core.progress()) {
                boolean follows = peer.state() == PeerProgress.State.REPLICATE
                        && peer.reachable()
                        && loop.nowNanos() - peer.lastContactNanos() < FOLLOWING_NANOS;
                if (follows) {
                    floor = Math.min(floor, peer.matchIndex());
                }
            }
        }
        return floor;
    }

    // ---- what others say

    /** Takes a message from another replica. */
    public void receive(String fromMember, RaftMessage message) {
        if (failed || closed) {
            return;
        }
        guarded(() -> core.step(fromMember, message));
    }

    /** Takes a hint of the failure detector. */
    public void peerReachable(String node, boolean reachable) {
        if (failed || closed) {
            return;
        }
        reachableNodes.put(node, reachable);
        preference.nodeReachable(node, reachable, loop.nowNanos());
        guarded(() -> {
            for (String member : core.configuration().members()) {
                if (MemberId.node(member).equals(node)) {
                    core.peerReachable(member, reachable);
                }
            }
        });
    }

    @Override
    public void tick(long nowNanos) {
        if (failed || closed) {
            return;
        }
        guarded(() -> {
            core.tick(nowNanos, clock.millis(nowNanos));
            if (checkpoints.retryDue(nowNanos)) {
                core.snapshotFailed();
            }
            preference.tick(nowNanos);
        });
    }

    private void guarded(Runnable step) {
        try {
            step.run();
            loop.markDirty(this);
        } catch (RuntimeException | Error e) {
            fail("the consensus core failed", e);
        }
    }

    // ---- what follows from it

    /** Emits what the events of this iteration lead to. */
    void process(EventLoop.LoopBatch batch) {
        if (failed || closed) {
            return;
        }
        try {
            core.tick(loop.nowNanos(), clockMillis());
            if (!freeze.holds(loop.nowNanos())) {
                proposals.submit(core);
            }
            reads.submit(core, loop.nowNanos());
            carryOutAll(batch);
            Incoming incoming = checkpoints.takeIncoming();
            if (incoming != null) {
                // After all that was decided before it, so that the log's records stand in the same order.
                install(incoming, batch);
                carryOutAll(batch);
            }
            Snapshot base = newBase;
            if (base != null) {
                newBase = null;
                batch.logBatch().addBase(groupId, base.index(), base.term());
                written(batch);
            }
            if (recoversMemory && !core.memoryLost()) {
                recoversMemory = false;
                LOG.info("group {}: has recovered what it may have lost with its memory", groupId);
                batch.logBatch().addMemoryRecovered(groupId);
                written(batch);
            }
            if (applying.some()) {
                loop.markDirty(this);
            }
            clock.observe(stateMachine.timeMillis(), loop.nowNanos());
            reads.serve(applying.index());
            freeze.settle(loop.nowNanos(), core.lastIndex(), applying.index(), core.term());
            publish();
        } catch (RuntimeException | Error e) {
            fail("the replica failed", e);
        }
    }

    private void carryOutAll(EventLoop.LoopBatch batch) {
        while (core.hasEffects() && !failed) {
            carryOut(core.takeEffects(), batch);
        }
    }

    private void carryOut(Effects effects, EventLoop.LoopBatch batch) {
        DurabilityMark mark = null;
        HardState persist = effects.persist();
        if (persist != null) {
            batch.logBatch().add(groupId, persist);
            mark = new DurabilityMark();
            mark.hardState = persist;
        }
        List<LogEntry> appends = effects.appends();
        if (!appends.isEmpty()) {
            if (mark == null) {
                mark = new DurabilityMark();
            }
            for (int i = 0; i < appends.size(); i++) {
                batch.logBatch().add(groupId, appends.get(i));
            }
            LogEntry last = appends.get(appends.size() - 1);
            mark.lastIndex = last.index();
            mark.lastTerm = last.term();
        }
        applying.committed(effects.commitIndex());
        if (mark != null) {
            if (applying.commitIndex() > loggedCommitIndex) {
                // A hint only, so it rides along with what is written anyway: it lets a restart replay at once.
                loggedCommitIndex = applying.commitIndex();
                batch.logBatch().addCommit(groupId, loggedCommitIndex);
            }
            marks.add(mark);
            batch.onDurable(this, mark);
        }
        List<Outbound> messages = effects.messages();
        for (int i = 0; i < messages.size(); i++) {
            Outbound outbound = messages.get(i);
            DurabilityMark last = outbound.afterDurable() ? marks.peekLast() : null;
            if (last != null) {
                last.held.add(outbound);
            } else {
                transport.send(outbound.to(), groupId, outbound.message());
            }
        }
        effects.readsReady().forEach(reads::ready);
        effects.readsFailed().forEach(read -> reads.failed(read, nodeOf(read.leaderHint())));
        effects.logReads().forEach(this::readForPeer);
        FetchSnapshot fetch = effects.fetchSnapshot();
        if (fetch != null) {
            checkpoints.fetch(fetch);
        }
        if (effects.roleChanged()) {
            onRoleChange();
        }
    }

    private void onRoleChange() {
        boolean leads = core.role() == Role.LEADER;
        if (wasLeader && !leads) {
            proposals.leadershipLost(applying.commitIndex());
        }
        if (!leads || core.term() != knownTerm) {
            freeze.breakUp("the leadership changed");
        }
        wasLeader = leads;
        if (core.term() != knownTerm || !Objects.equals(core.leader(), knownLeader)) {
            knownTerm = core.term();
            knownLeader = core.leader();
            knownLeaderNode = nodeOf(knownLeader);
            listener.leaderChanged(groupId, knownTerm, knownLeaderNode);
        }
    }

    private void install(Incoming incoming, EventLoop.LoopBatch batch) {
        Snapshot snapshot = incoming.snapshot();
        try (incoming) {
            if (!core.acceptsSnapshot(snapshot.index())) {
                // The log got further meanwhile: the state must not be taken back.
                core.snapshotFailed();
                return;
            }
            try {
                incoming.install();
            } catch (RuntimeException e) {
                LOG.warn("group {}: the state fetched, as of entry {}, cannot be used", groupId, snapshot.index(), e);
                checkpoints.retryLater();
                return;
            }
            batch.logBatch().addBase(groupId, snapshot.index(), snapshot.term());
            written(batch);
            core.snapshotInstalled(snapshot.index(), snapshot.term(), incoming.configuration());
            applying.installed(snapshot.index(), snapshot.term());
            checkpoints.installed(snapshot);
            loggedCommitIndex = Math.max(loggedCommitIndex, snapshot.index());
        }
    }

    /** Something was added to the batch that nobody waits for. */
    private void written(EventLoop.LoopBatch batch) {
        DurabilityMark mark = new DurabilityMark();
        marks.add(mark);
        batch.onDurable(this, mark);
    }

    /** The writes of {@code mark} are durable: acknowledgements that waited for them may leave. */
    void durable(DurabilityMark mark) {
        if (failed || closed) {
            return;
        }
        if (marks.poll() != mark) {
            fail("log writes completed out of order", new IllegalStateException("group " + groupId));
            return;
        }
        guarded(() -> {
            if (mark.hardState != null) {
                core.hardStateDurable(mark.hardState);
            }
            if (mark.lastIndex > 0) {
                core.durable(mark.lastIndex, mark.lastTerm);
            }
        });
        if (failed) {
            return;
        }
        try {
            for (int i = 0; i < mark.held.size(); i++) {
                Outbound outbound = mark.held.get(i);
                transport.send(outbound.to(), groupId, outbound.message());
            }
        } catch (RuntimeException | Error e) {
            // Not let out: the other groups of the same batch wait for the same news.
            fail("the replica failed", e);
        }
    }

    // ---- the log

    private void readForPeer(LogRead read) {
        log.read(
                read.fromIndex(),
                Long.MAX_VALUE,
                read.maxEntries(),
                read.maxBytes(),
                new LoopReadCallback(entries -> core.logRead(read.peer(), read.fromIndex(), entries)));
    }

    private void readToApply(long fromIndex, long toIndex, int maxEntries, long maxBytes) {
        log.read(fromIndex, toIndex, maxEntries, maxBytes, new LoopReadCallback(applying::read));
    }

    /** Brings what the log's reader thread read to the loop. */
    private final class LoopReadCallback implements io.elastickv.embedded.internal.raft.log.ReadCallback {

        private final Consumer<List<LogEntry>> consumer;

        LoopReadCallback(Consumer<List<LogEntry>> consumer) {
            this.consumer = consumer;
        }

        @Override
        public void entries(List<LogEntry> entries) {
            loop.executeUnlessEnded(() -> {
                if (!failed && !closed) {
                    guarded(() -> consumer.accept(entries));
                }
            });
        }

        @Override
        public void failed(Throwable cause) {
            if (cause instanceof EntriesGoneException) {
                // Compacted since they were asked for: the core will see that the peer needs the state.
                entries(List.of());
            } else {
                loop.executeUnlessEnded(() -> fail("reading the write-ahead log failed", cause));
            }
        }
    }

    // ---- what others may know

    private void publish() {
        Configuration configuration = core.configuration();
        if (!configuration.equals(knownConfiguration)) {
            knownConfiguration = configuration;
            for (String member : configuration.members()) {
                Boolean reachable = reachableNodes.get(MemberId.node(member));
                if (reachable != null) {
                    core.peerReachable(member, reachable);
                }
            }
        }
        Configuration committed = committedNow();
        if (!committed.equals(committedConfiguration)) {
            committedConfiguration = committed;
            listener.configurationChanged(groupId, committed);
        }
        Status old = status;
        if (old.commitIndex() != applying.commitIndex()
                || old.appliedIndex() != applying.index()
                || old.lastIndex() != core.lastIndex()
                || old.firstIndex() != core.firstIndex()
                || old.term() != core.term()
                || old.role() != core.role()
                || !old.committedConfiguration().equals(committed)
                || !old.checkpoints().equals(checkpoints.kept())
                || old.stateLost() != core.stateLost()
                || old.memoryLost() != core.memoryLost()
                || !Objects.equals(old.leader(), knownLeaderNode)) {
            status = statusNow();
        }
    }

    private Configuration committedNow() {
        long commitIndex = core.commitIndex();
        boolean known = core.configurationIndex() > commitIndex && commitIndex >= core.firstIndex() - 1;
        return known ? core.configurationAt(commitIndex) : core.configuration();
    }

    private Status statusNow() {
        return new Status(
                core.role(),
                core.term(),
                knownLeaderNode,
                core.lastIndex(),
                applying.commitIndex(),
                applying.index(),
                false,
                committedNow(),
                core.firstIndex(),
                checkpoints.kept(),
                checkpoints.bytesSinceNewest(),
                core.stateLost(),
                core.memoryLost());
    }

    static @Nullable String nodeOf(@Nullable String member) {
        return member == null ? null : MemberId.node(member);
    }

    // ---- the end

    /** Stops the replica for good. */
    void fail(String reason, Throwable cause) {
        if (failed || closed) {
            return;
        }
        failed = true;
        LOG.error("group {}: {}; this replica serves no more", groupId, reason, cause);
        Status last = status;
        status = new Status(
                Role.FOLLOWER,
                core.term(),
                null,
                core.lastIndex(),
                applying.commitIndex(),
                applying.index(),
                true,
                last.committedConfiguration(),
                last.firstIndex(),
                last.checkpoints(),
                last.bytesSinceCheckpoint(),
                last.stateLost(),
                last.memoryLost());
        release();
        answers.tell(() -> listener.failed(groupId, reason, cause));
    }

    /** Stops taking part and answers all that waits. Idempotent. */
    public void close() {
        if (!closed) {
            closed = true;
            release();
        }
    }

    private void release() {
        loop.removeTicker(this);
        freeze.breakUp("the replica serves no more");
        proposals.failAll();
        reads.failAll();
        checkpoints.close();
        marks.clear();
    }
}
