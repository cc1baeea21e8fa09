package io.elastickv.embedded.internal.raft;

import io.elastickv.embedded.internal.raft.ProposalCallback.Refusal;
import io.elastickv.embedded.internal.raft.core.Effects;
import io.elastickv.embedded.internal.raft.core.Effects.LogRead;
import io.elastickv.embedded.internal.raft.core.Effects.Outbound;
import io.elastickv.embedded.internal.raft.core.Effects.ReadFailed;
import io.elastickv.embedded.internal.raft.core.Effects.ReadReady;
import io.elastickv.embedded.internal.raft.core.EntryKind;
import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.core.PeerProgress;
import io.elastickv.embedded.internal.raft.core.Proposal;
import io.elastickv.embedded.internal.raft.core.RaftCore;
import io.elastickv.embedded.internal.raft.core.RaftMessage;
import io.elastickv.embedded.internal.raft.core.Role;
import io.elastickv.embedded.internal.raft.log.GroupLog;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One replica of one group: feeds a {@link RaftCore} and carries out its effects. The core decides, this class moves
 * bytes: entries to the log, messages to the transport (those that acknowledge only once the log is durable), committed
 * entries to the state machine, results to the proposers.
 *
 * <p>All methods are called on the group's loop, but for {@link #status()}. An exception in {@link StateMachine#apply}
 * or in the core, or a failed log write, stops the replica for good: it neither votes nor acknowledges any more.
 */
public final class ReplicaGroup implements EventLoop.Ticker {

    private static final Logger LOG = LoggerFactory.getLogger(ReplicaGroup.class);
    private static final int MAX_PROPOSAL_ENTRIES = 1024;
    private static final long MAX_PROPOSAL_BYTES = 1 << 20;
    private static final int MAX_APPLY_PER_ITERATION = 1024;
    private static final long MAX_APPLY_BYTES_PER_ITERATION = 8 << 20;
    /** How long after a preferred leader came back its leadership is handed over, so that a flapping node gets none. */
    private static final long HAND_BACK_AFTER_NANOS = 3_000_000_000L;

    private static final long CAMPAIGN_EVERY_NANOS = 100_000_000L;

    /** What others may know of the replica. */
    public record Status(
            Role role,
            long term,
            @Nullable String leader,
            long lastIndex,
            long commitIndex,
            long appliedIndex,
            boolean failed) {}

    private record Pending(long index, long term, ProposalCallback callback) {}

    private static final class Proposed {
        final byte[] payload;
        final ProposalCallback callback;

        Proposed(byte[] payload, ProposalCallback callback) {
            this.payload = payload;
            this.callback = callback;
        }
    }

    private static final class WaitingRead {
        final long index;
        final long wallMillis;
        final AskedRead asked;

        WaitingRead(long index, long wallMillis, AskedRead asked) {
            this.index = index;
            this.wallMillis = wallMillis;
            this.asked = asked;
        }
    }

    private record AskedRead(long askedAtNanos, List<ReadCallback> callbacks) {}

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
    private final @Nullable String preferredLeader;
    private final String self;
    private final GroupClock clock;
    private final ProposalFreeze freeze = new ProposalFreeze();

    /** Guarded by the loop: whether the group is in the loop's queue of groups to process. */
    boolean dirty;

    private ArrayList<Proposed> proposals = new ArrayList<>();
    private final ArrayDeque<Pending> pending = new ArrayDeque<>();
    private ArrayList<ReadCallback> newReads = new ArrayList<>();
    private final Map<Long, AskedRead> askedReads = new HashMap<>();
    private final ArrayDeque<WaitingRead> waitingReads = new ArrayDeque<>();
    private long nextReadContext = 1;
    private final ArrayDeque<DurabilityMark> marks = new ArrayDeque<>();
    private long commitIndex;
    private long appliedIndex;
    private long loggedCommitIndex;
    private boolean readingLog;
    private boolean wasLeader;
    private long knownTerm = -1;
    private @Nullable String knownLeader;
    private boolean failed;
    private boolean closed;
    private long handBackAtNanos = Long.MIN_VALUE;
    private long campaignAgainNanos = Long.MIN_VALUE;
    private long freshAsOfNanos = Long.MIN_VALUE;
    private volatile Status status;

    /** Makes a replica of group {@code groupId}; {@link #start()} lets it take part. */
    public ReplicaGroup(
            int groupId,
            String self,
            EventLoop loop,
            RaftCore core,
            GroupLog log,
            GroupTransport transport,
            StateMachine stateMachine,
            GroupListener listener,
            @Nullable String preferredLeader) {
        this.groupId = groupId;
        this.self = self;
        this.loop = loop;
        this.core = core;
        this.log = log;
        this.transport = transport;
        this.stateMachine = stateMachine;
        this.listener = listener;
        this.preferredLeader = preferredLeader;
        this.clock = new GroupClock(loop::wallMillis);
        this.appliedIndex = core.appliedIndex();
        this.commitIndex = core.commitIndex();
        this.loggedCommitIndex = commitIndex;
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

    /** Each voter's progress as the leader sees it; empty if this replica does not lead. */
    public List<PeerProgress> progress() {
        return failed || closed ? List.of() : core.progress();
    }

    /**
     * The monotonic time (ns) for which the local state is known to contain everything acknowledged before it;
     * {@link Long#MIN_VALUE} if there is none.
     */
    public long freshAsOfNanos() {
        return freshAsOfNanos;
    }

    /** The time that this replica stamps on commands as leader, in milliseconds since 1970. */
    public long clockMillis() {
        return clock.millis(loop.nowNanos());
    }

    /** By how many milliseconds that time is ahead of this node's clock. Thread-safe. */
    public long clockAheadMillis() {
        return clock.aheadMillis();
    }

    /** Puts a command up for replication. {@code payload} passes to the group. */
    public void propose(byte[] payload, ProposalCallback callback) {
        if (failed || closed) {
            callback.notProposed(Refusal.FAILED, null);
            return;
        }
        proposals.add(new Proposed(payload, callback));
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
        newReads.add(callback);
        loop.markDirty(this);
    }

    /** Takes a message from another replica. */
    public void receive(String from, RaftMessage message) {
        if (failed || closed) {
            return;
        }
        guarded(() -> core.step(from, message));
    }

    /** Takes a hint of the failure detector. */
    public void peerReachable(String peer, boolean reachable) {
        if (failed || closed) {
            return;
        }
        if (peer.equals(preferredLeader)) {
            handBackAtNanos = reachable ? loop.nowNanos() + HAND_BACK_AFTER_NANOS : Long.MIN_VALUE;
        }
        guarded(() -> core.peerReachable(peer, reachable));
    }

    /**
     * Starts an election now, and again every now and then until there is a leader, as the preferred leader of a group
     * that was just formed: the others may not have opened theirs yet. Pre-votes make it harmless.
     */
    public void campaign() {
        if (!failed && !closed) {
            campaignAgainNanos = loop.nowNanos() + CAMPAIGN_EVERY_NANOS;
            guarded(core::campaign);
        }
    }

    /** Hands the leadership to {@code to}; a no-op unless this replica leads. */
    public void transferLeadership(String to) {
        if (!failed && !closed) {
            guarded(() -> core.transferLeadership(to));
        }
    }

    /** Hands the leadership to whichever reachable replica is furthest; a no-op unless this replica leads. */
    public void handOver() {
        if (failed || closed || core.role() != Role.LEADER || core.transferTarget() != null) {
            return;
        }
        PeerProgress best = null;
        for (PeerProgress progress : core.progress()) {
            if (progress.reachable() && (best == null || progress.matchIndex() > best.matchIndex())) {
                best = progress;
            }
        }
        if (best != null) {
            transferLeadership(best.peer());
        }
    }

    @Override
    public void tick(long nowNanos) {
        if (failed || closed) {
            return;
        }
        guarded(() -> core.tick(nowNanos, clock.millis(nowNanos)));
        if (campaignAgainNanos != Long.MIN_VALUE && nowNanos - campaignAgainNanos >= 0) {
            if (core.leader() == null) {
                campaign();
            } else {
                campaignAgainNanos = Long.MIN_VALUE;
            }
        }
        if (handBackAtNanos != Long.MIN_VALUE && nowNanos - handBackAtNanos >= 0) {
            handBack();
        }
    }

    /** The leadership goes back to where the layout wants it, so that leaders stay spread after a restart. */
    private void handBack() {
        String preferred = Objects.requireNonNull(preferredLeader);
        if (core.role() != Role.LEADER || preferred.equals(self)) {
            // Whoever leads does it; if that changes meanwhile the new leader starts counting when it hears of the
            // node.
            handBackAtNanos = Long.MIN_VALUE;
            return;
        }
        for (PeerProgress progress : core.progress()) {
            if (progress.peer().equals(preferred) && core.lastIndex() - progress.matchIndex() < 1000) {
                LOG.info("group {}: handing leadership back to {}, its preferred leader", groupId, preferred);
                handBackAtNanos = Long.MIN_VALUE;
                guarded(() -> core.transferLeadership(preferred));
                return;
            }
        }
    }

    private void guarded(Runnable step) {
        try {
            step.run();
            loop.markDirty(this);
        } catch (RuntimeException | Error e) {
            fail("the consensus core failed", e);
        }
    }

    /** Emits what the events of this iteration lead to. */
    void process(EventLoop.LoopBatch batch) {
        if (failed || closed) {
            return;
        }
        try {
            core.tick(loop.nowNanos(), clockMillis());
            if (!freeze.holds(loop.nowNanos())) {
                submitProposals();
            }
            submitReads();
            while (core.hasEffects() && !failed) {
                carryOut(core.takeEffects(), batch);
            }
            applyCommitted();
            freeze.settle(loop.nowNanos(), core.lastIndex(), appliedIndex, core.term());
            publishStatus();
        } catch (RuntimeException | Error e) {
            fail("the replica failed", e);
        }
    }

    private void submitProposals() {
        if (proposals.isEmpty()) {
            return;
        }
        ArrayList<Proposed> batch = proposals;
        proposals = new ArrayList<>();
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
                proposals.addAll(0, batch.subList(from, batch.size()));
                throw e;
            }
            for (int i = from; i < to; i++) {
                ProposalCallback callback = batch.get(i).callback;
                if (outcome instanceof Proposal.Accepted accepted) {
                    pending.add(new Pending(accepted.firstIndex() + i - from, accepted.term(), callback));
                } else if (outcome instanceof Proposal.NotLeader notLeader) {
                    tell(() -> callback.notProposed(Refusal.NOT_LEADER, notLeader.leaderHint()));
                } else {
                    tell(() -> callback.notProposed(Refusal.OVERLOADED, null));
                }
            }
            from = to;
        }
    }

    private void submitReads() {
        if (newReads.isEmpty()) {
            return;
        }
        long context = nextReadContext++;
        askedReads.put(context, new AskedRead(loop.nowNanos(), newReads));
        newReads = new ArrayList<>();
        core.read(context);
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
        commitIndex = Math.max(commitIndex, effects.commitIndex());
        if (mark != null) {
            if (commitIndex > loggedCommitIndex) {
                // A hint only, so it rides along with what is written anyway: it lets a restart replay at once.
                loggedCommitIndex = commitIndex;
                batch.logBatch().addCommit(groupId, commitIndex);
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
        for (ReadReady ready : effects.readsReady()) {
            AskedRead asked = askedReads.remove(ready.context());
            if (asked != null) {
                waitingReads.add(new WaitingRead(ready.index(), ready.leaderWallMillis(), asked));
            }
        }
        for (ReadFailed readFailed : effects.readsFailed()) {
            AskedRead asked = askedReads.remove(readFailed.context());
            if (asked != null) {
                for (ReadCallback callback : asked.callbacks()) {
                    tell(() -> callback.failed(Refusal.NOT_LEADER, readFailed.leaderHint()));
                }
            }
        }
        for (LogRead read : effects.logReads()) {
            readForPeer(read);
        }
        if (effects.roleChanged()) {
            onRoleChange();
        }
    }

    private void readForPeer(LogRead read) {
        log.read(
                read.fromIndex(),
                Long.MAX_VALUE,
                read.maxEntries(),
                read.maxBytes(),
                new LoopReadCallback(entries -> core.logRead(read.peer(), read.fromIndex(), entries)));
    }

    private void onRoleChange() {
        boolean leads = core.role() == Role.LEADER;
        if (wasLeader && !leads) {
            // Whether these will be committed is up to the next leader; sessions make asking again safe.
            Pending lost;
            while ((lost = pending.poll()) != null) {
                tell(lost.callback()::unknown);
            }
        }
        if (!leads || core.term() != knownTerm) {
            freeze.breakUp("the leadership changed");
        }
        wasLeader = leads;
        if (core.term() != knownTerm || !Objects.equals(core.leader(), knownLeader)) {
            knownTerm = core.term();
            knownLeader = core.leader();
            listener.leaderChanged(groupId, knownTerm, knownLeader);
        }
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

    private void applyCommitted() {
        long budget = MAX_APPLY_PER_ITERATION;
        while (appliedIndex < commitIndex && budget > 0 && !readingLog) {
            int most = (int) Math.min(budget, commitIndex - appliedIndex);
            List<LogEntry> entries = core.committedEntries(appliedIndex + 1, most, MAX_APPLY_BYTES_PER_ITERATION);
            if (entries.isEmpty()) {
                readToApply(most);
                break;
            }
            apply(entries);
            budget -= entries.size();
        }
        core.applied(appliedIndex);
        serveWaitingReads();
        if (appliedIndex < commitIndex && !readingLog) {
            loop.markDirty(this);
        }
    }

    private void readToApply(int maxEntries) {
        readingLog = true;
        log.read(
                appliedIndex + 1,
                commitIndex,
                maxEntries,
                MAX_APPLY_BYTES_PER_ITERATION,
                new LoopReadCallback(entries -> {
                    readingLog = false;
                    if (!entries.isEmpty() && entries.get(0).index() == appliedIndex + 1) {
                        apply(entries);
                    }
                }));
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
            loop.executeUnlessEnded(() -> fail("reading the write-ahead log failed", cause));
        }
    }

    private void apply(List<LogEntry> entries) {
        for (int i = 0; i < entries.size(); i++) {
            LogEntry entry = entries.get(i);
            Object result = null;
            if (entry.kind() == EntryKind.COMMAND) {
                result = stateMachine.apply(entry.index(), entry.payload());
            }
            appliedIndex = entry.index();
            answerProposer(entry, result);
        }
        clock.observe(stateMachine.timeMillis(), loop.nowNanos());
    }

    private void answerProposer(LogEntry entry, @Nullable Object result) {
        Pending head;
        while ((head = pending.peek()) != null && head.index() <= entry.index()) {
            pending.poll();
            try {
                if (head.index() == entry.index() && head.term() == entry.term() && result != null) {
                    head.callback().applied(result);
                } else {
                    // Another leader's entry stands in its place, so this one can never be committed.
                    head.callback().notProposed(Refusal.NOT_LEADER, core.leader());
                }
            } catch (RuntimeException | Error e) {
                answerNotTaken(e);
            }
        }
    }

    /** Whoever asked may fail on the answer; the replica is not to fail with it, nor is the next one to wait in vain. */
    private void tell(Runnable answer) {
        try {
            answer.run();
        } catch (RuntimeException | Error e) {
            answerNotTaken(e);
        }
    }

    private void answerNotTaken(Throwable e) {
        LOG.error("group {}: whoever was told an outcome failed", groupId, e);
    }

    private void serveWaitingReads() {
        WaitingRead head;
        while ((head = waitingReads.peek()) != null && head.index <= appliedIndex) {
            waitingReads.poll();
            freshAsOfNanos = head.asked.askedAtNanos();
            List<ReadCallback> callbacks = head.asked.callbacks();
            for (int i = 0; i < callbacks.size(); i++) {
                try {
                    callbacks.get(i).ready(head.wallMillis);
                } catch (RuntimeException | Error e) {
                    answerNotTaken(e);
                }
            }
        }
    }

    private void publishStatus() {
        Status old = status;
        if (old.commitIndex() != commitIndex
                || old.appliedIndex() != appliedIndex
                || old.lastIndex() != core.lastIndex()
                || old.term() != core.term()
                || old.role() != core.role()
                || !Objects.equals(old.leader(), core.leader())) {
            status = statusNow();
        }
    }

    private Status statusNow() {
        return new Status(core.role(), core.term(), core.leader(), core.lastIndex(), commitIndex, appliedIndex, false);
    }

    /** Stops the replica for good. */
    void fail(String reason, Throwable cause) {
        if (failed || closed) {
            return;
        }
        failed = true;
        LOG.error("group {}: {}; this replica serves no more", groupId, reason, cause);
        status = new Status(Role.FOLLOWER, core.term(), null, core.lastIndex(), commitIndex, appliedIndex, true);
        release();
        tell(() -> listener.failed(groupId, reason, cause));
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
        for (Proposed proposed : proposals) {
            tell(() -> proposed.callback.notProposed(Refusal.FAILED, null));
        }
        proposals = new ArrayList<>();
        Pending head;
        while ((head = pending.poll()) != null) {
            tell(head.callback()::unknown);
        }
        List<ReadCallback> reads = new ArrayList<>(newReads);
        askedReads.values().forEach(asked -> reads.addAll(asked.callbacks()));
        waitingReads.forEach(waiting -> reads.addAll(waiting.asked.callbacks()));
        newReads = new ArrayList<>();
        askedReads.clear();
        waitingReads.clear();
        for (ReadCallback callback : reads) {
            tell(() -> callback.failed(Refusal.FAILED, null));
        }
        marks.clear();
    }
}
