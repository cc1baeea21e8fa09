package io.elastickv.embedded.internal.raft.core;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A host of one {@link RaftCore} in a {@link SimCluster}: its disk, its state machine and its clients. The disk writes
 * one group at a time, in order; a crash keeps a random prefix of what was not reported durable yet.
 */
final class SimNode {

    private record Write(
            @Nullable HardState state, List<LogEntry> entries, long commitIndex, List<Effects.Outbound> after) {}

    private record Waiting(long term, long proposedAtNanos) {}

    private record OpenRead(long floor, long startedNanos) {}

    final SimCluster cluster;
    final String name;
    final RaftConfig config;

    @Nullable
    RaftCore core;

    boolean paused;

    // The disk.
    HardState durableState = HardState.INITIAL;
    final List<LogEntry> durableLog = new ArrayList<>();
    private long durableCommit;

    // Of this incarnation.
    private final List<LogEntry> log = new ArrayList<>();
    private final ArrayDeque<Write> queued = new ArrayDeque<>();
    private List<Write> writing = List.of();
    private long appliedIndex;
    private long seenCommit;
    private int incarnation;
    private final Map<Long, Waiting> proposals = new HashMap<>();
    private final Map<Long, OpenRead> reads = new HashMap<>();
    private final Map<Long, List<OpenRead>> readsToServe = new HashMap<>();
    int logReads;

    SimNode(SimCluster cluster, String name, RaftConfig config) {
        this.cluster = cluster;
        this.name = name;
        this.config = config;
    }

    boolean up() {
        return core != null;
    }

    RaftCore core() {
        RaftCore c = core;
        if (c == null) {
            throw new IllegalStateException(name + " is down");
        }
        return c;
    }

    void start() {
        incarnation++;
        int mine = incarnation;
        List<LogEntry> kept = cluster.mutation.restoredLog(durableLog, cluster.random);
        if (kept != durableLog) {
            durableLog.clear();
            durableLog.addAll(kept);
        }
        log.clear();
        log.addAll(durableLog);
        long last = log.size();
        appliedIndex = Math.min(last, durableCommit == 0 ? 0 : cluster.random.nextLong(durableCommit + 1));
        long commit = cluster.random.nextBoolean() ? durableCommit : appliedIndex;
        seenCommit = 0;
        List<TermRun> runs = new ArrayList<>();
        for (LogEntry e : log) {
            if (runs.isEmpty() || runs.get(runs.size() - 1).term() != e.term()) {
                runs.add(new TermRun(e.index(), e.term()));
            }
        }
        int tail = (int) Math.min(last, cluster.random.nextInt(5));
        core = new RaftCore(
                config,
                new RestoredState(
                        cluster.mutation.restoredHardState(durableState),
                        1,
                        last,
                        commit,
                        appliedIndex,
                        runs,
                        log.subList((int) last - tail, (int) last),
                        cluster.initial,
                        List.of(),
                        false),
                cluster.nowNanos,
                cluster.wallMillis(),
                cluster.random.split(),
                cluster.mutation.rules());
        for (int i = 0; i < appliedIndex; i++) {
            cluster.oracle.applied(name, log.get(i), durableState.term());
        }
        cluster.after(cluster.random.nextLong(SimCluster.TICK_NANOS), () -> tick(mine));
        drain();
    }

    void crash() {
        core = null;
        incarnation++;
        // A random prefix of what was on its way to the disk got there, entry by entry.
        List<Write> lost = new ArrayList<>(writing);
        lost.addAll(queued);
        queued.clear();
        writing = List.of();
        int whole = lost.isEmpty() ? 0 : cluster.random.nextInt(lost.size() + 1);
        for (int i = 0; i < whole; i++) {
            persist(lost.get(i));
        }
        if (whole < lost.size() && cluster.random.nextBoolean()) {
            Write torn = lost.get(whole);
            if (torn.state != null) {
                durableState = torn.state;
            }
            int entries = cluster.random.nextInt(torn.entries.size() + 1);
            for (int i = 0; i < entries; i++) {
                persist(torn.entries.get(i));
            }
        }
        proposals.clear();
        reads.clear();
        readsToServe.clear();
    }

    private void tick(int ofIncarnation) {
        if (ofIncarnation != incarnation) {
            return;
        }
        cluster.after(SimCluster.TICK_NANOS, () -> tick(ofIncarnation));
        if (!paused) {
            core().tick(cluster.nowNanos, cluster.wallMillis());
            for (OpenRead read : reads.values()) {
                if (cluster.nowNanos - read.startedNanos
                        > config.electionTimeoutNanos() + 2 * SimCluster.TICK_NANOS + cluster.pausedRecentlyNanos) {
                    throw new SimOracle.Violation("a read on " + name + " never ends");
                }
            }
            drain();
            if (core().nextDeadlineNanos() <= cluster.nowNanos) {
                throw new SimOracle.Violation(name + " would make its host spin: " + this);
            }
        }
    }

    void receive(String from, RaftMessage message) {
        core().tick(cluster.nowNanos, cluster.wallMillis());
        core().step(from, message);
        drainSometimes();
    }

    /** Proposes and remembers what to acknowledge. */
    boolean propose(List<byte[]> payloads) {
        Proposal proposal = core().propose(payloads);
        if (proposal instanceof Proposal.Accepted accepted) {
            for (int i = 0; i < payloads.size(); i++) {
                proposals.put(accepted.firstIndex() + i, new Waiting(accepted.term(), cluster.nowNanos));
            }
        }
        drainSometimes();
        return proposal instanceof Proposal.Accepted;
    }

    void read(long context) {
        reads.put(context, new OpenRead(cluster.oracle.readFloor(), cluster.nowNanos));
        core().read(context);
        drainSometimes();
    }

    void drainSometimes() {
        if (cluster.random.nextInt(4) != 0) {
            drain();
        }
    }

    /** One turn of the host's loop. */
    void drain() {
        RaftCore c = core();
        while (c.hasEffects()) {
            Effects effects = c.takeEffects();
            if (effects.roleChanged() && effects.role() == Role.LEADER) {
                cluster.oracle.leads(name, effects.term(), withAppends(effects.appends()));
                cluster.elected(this);
            }
            if (effects.commitIndex() < seenCommit) {
                throw new SimOracle.Violation(
                        name + " takes its commit index back from " + seenCommit + " to " + effects.commitIndex());
            }
            seenCommit = effects.commitIndex();
            write(effects);
            for (Effects.LogRead wanted : effects.logReads()) {
                answerLogRead(wanted);
            }
            for (Effects.ReadReady ready : effects.readsReady()) {
                OpenRead read = endRead(ready.context());
                cluster.oracle.readPoint(name, read.floor, ready.index());
                cluster.readsDone++;
                readsToServe
                        .computeIfAbsent(ready.index(), i -> new ArrayList<>())
                        .add(read);
            }
            for (Effects.ReadFailed failed : effects.readsFailed()) {
                endRead(failed.context());
                cluster.readsFailed++;
            }
            apply(c);
        }
    }

    private OpenRead endRead(long context) {
        OpenRead read = reads.remove(context);
        if (read == null) {
            throw new SimOracle.Violation("a read on " + name + " ends twice");
        }
        return read;
    }

    private List<LogEntry> withAppends(List<LogEntry> appends) {
        List<LogEntry> whole = new ArrayList<>(log);
        appends.forEach(e -> put(whole, e));
        return whole;
    }

    private void write(Effects effects) {
        for (LogEntry entry : effects.appends()) {
            put(log, entry);
            long previousTerm =
                    entry.index() == 1 ? 0 : log.get((int) entry.index() - 2).term();
            cluster.oracle.appended(name, entry, previousTerm);
        }
        List<Effects.Outbound> after = new ArrayList<>();
        for (Effects.Outbound out : effects.messages()) {
            if (out.afterDurable() && cluster.mutation.waitsForDurability()) {
                after.add(out);
            } else {
                cluster.send(this, out.to(), out.message());
            }
        }
        if (effects.persist() == null && effects.appends().isEmpty()) {
            if (after.isEmpty()) {
                return;
            }
            if (writing.isEmpty()) {
                after.forEach(out -> cluster.send(this, out.to(), out.message()));
                return;
            }
        }
        queued.add(new Write(effects.persist(), List.copyOf(effects.appends()), effects.commitIndex(), after));
        if (cluster.mutation.durableTooEarly() && !effects.appends().isEmpty()) {
            LogEntry last = effects.appends().get(effects.appends().size() - 1);
            core().durable(last.index(), last.term());
        }
        startWriting();
    }

    private void startWriting() {
        if (!writing.isEmpty() || queued.isEmpty()) {
            return;
        }
        writing = new ArrayList<>(queued);
        queued.clear();
        int mine = incarnation;
        cluster.after(cluster.fsyncNanos(), () -> written(mine));
    }

    private void written(int ofIncarnation) {
        if (ofIncarnation != incarnation) {
            return;
        }
        List<Write> done = writing;
        done.forEach(this::persist);
        writing = List.of();
        // A loop that stands still learns of it later; the disk does not wait for it.
        cluster.whenRunning(this, () -> {
            for (Write write : done) {
                if (write.state != null) {
                    core().hardStateDurable(write.state);
                }
                if (!write.entries.isEmpty()) {
                    LogEntry last = write.entries.get(write.entries.size() - 1);
                    core().durable(last.index(), last.term());
                }
                write.after.forEach(out -> cluster.send(this, out.to(), out.message()));
            }
            drain();
        });
        startWriting();
    }

    private void persist(Write write) {
        if (write.state != null) {
            if (write.state.term() < durableState.term()) {
                throw new SimOracle.Violation(name + " lowers its durable term: " + durableState + ", " + write.state);
            }
            durableState = write.state;
        }
        write.entries.forEach(this::persist);
        durableCommit = Math.max(durableCommit, write.commitIndex);
    }

    private void persist(LogEntry entry) {
        put(durableLog, entry);
    }

    private static void put(List<LogEntry> log, LogEntry entry) {
        int at = (int) entry.index() - 1;
        if (at > log.size()) {
            throw new SimOracle.Violation("an append of " + entry + " leaves a gap after " + log.size());
        }
        if (at < log.size()) {
            log.subList(at, log.size()).clear();
        }
        log.add(entry);
    }

    private void answerLogRead(Effects.LogRead wanted) {
        logReads++;
        int mine = incarnation;
        cluster.after(cluster.random.nextLong(2_000_000), () -> {
            if (mine == incarnation) {
                cluster.whenRunning(this, () -> {
                    List<LogEntry> found = new ArrayList<>();
                    long bytes = 0;
                    for (long i = wanted.fromIndex();
                            i <= durableLog.size() && found.size() < wanted.maxEntries();
                            i++) {
                        LogEntry entry = durableLog.get((int) i - 1);
                        bytes += entry.payload().length;
                        if (!found.isEmpty() && bytes > wanted.maxBytes()) {
                            break;
                        }
                        found.add(entry);
                    }
                    boolean fails = cluster.faulty && cluster.random.nextInt(10) == 0;
                    core().logRead(wanted.peer(), wanted.fromIndex(), fails ? List.of() : found);
                    drain();
                });
            }
        });
    }

    private void apply(RaftCore c) {
        while (appliedIndex < c.commitIndex()) {
            List<LogEntry> entries = c.committedEntries(appliedIndex + 1, 16, 4_096);
            if (entries.isEmpty()) {
                if (durableLog.size() <= appliedIndex) {
                    throw new SimOracle.Violation(
                            name + " finds entry " + (appliedIndex + 1) + " neither in memory nor on disk");
                }
                entries = List.of(durableLog.get((int) appliedIndex));
            }
            for (LogEntry entry : entries) {
                cluster.oracle.applied(name, entry, c.term());
                appliedIndex = entry.index();
                Waiting waiting = proposals.remove(entry.index());
                if (waiting != null && waiting.term == entry.term()) {
                    cluster.oracle.acknowledged(entry);
                    cluster.acknowledged++;
                }
            }
            c.applied(appliedIndex);
        }
        if (!readsToServe.isEmpty()) {
            readsToServe.entrySet().removeIf(e -> {
                if (e.getKey() <= appliedIndex) {
                    cluster.oracle.served(appliedIndex);
                    return true;
                }
                return false;
            });
        }
    }

    long appliedIndex() {
        return appliedIndex;
    }

    boolean hasDurable(long index, long term) {
        return index <= durableLog.size() && durableLog.get((int) index - 1).term() == term;
    }

    @Override
    public String toString() {
        return name
                + (core == null
                        ? " down"
                        : " " + core.role() + " term " + core.term() + " last " + core.lastIndex() + " commit "
                                + core.commitIndex() + (paused ? " paused" : ""));
    }
}
