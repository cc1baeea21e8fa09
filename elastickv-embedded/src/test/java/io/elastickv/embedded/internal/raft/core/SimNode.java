package io.elastickv.embedded.internal.raft.core;

import io.elastickv.embedded.internal.raft.core.SimDisk.Checkpoint;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A node of a {@link SimCluster} with one replica: the host of a {@link RaftCore}, with its state machine and clients. The
 * disk writes one group at a time, in order; a crash keeps a random prefix of what was not reported durable yet. A node
 * that is wiped goes on as another member.
 */
final class SimNode {

    /** One write: a hard state, entries, or a new base of the log. */
    private record Write(
            @Nullable HardState state,
            List<LogEntry> entries,
            @Nullable Checkpoint base,
            long commitIndex,
            List<Effects.Outbound> after) {}

    private record Waiting(long term, long proposedAtNanos) {}

    private record OpenRead(long floor, long startedNanos) {}

    final SimCluster cluster;
    final int place;
    /** The identity of the replica. */
    String name;

    private int identities;
    RaftConfig config;

    @Nullable
    RaftCore core;

    boolean paused;
    SimDisk disk;

    // Of this incarnation.
    /** The log as it will be when everything is written. */
    private SimLog log = new SimLog();

    private final ArrayDeque<Write> queued = new ArrayDeque<>();
    private List<Write> writing = List.of();
    private long appliedIndex;
    private long seenCommit;
    private int incarnation;
    private boolean checkpointing;
    private final Map<Long, Waiting> proposals = new HashMap<>();
    private final Map<Long, OpenRead> reads = new HashMap<>();
    private final Map<Long, List<OpenRead>> readsToServe = new HashMap<>();
    int logReads;
    int snapshotsInstalled;

    SimNode(SimCluster cluster, int place, Configuration born) {
        this.cluster = cluster;
        this.place = place;
        name = "n" + (place + 1);
        config = cluster.config(name);
        disk = new SimDisk(born);
    }

    boolean up() {
        return core != null;
    }

    boolean running() {
        return core != null && !paused;
    }

    boolean leads() {
        return running() && core().role() == Role.LEADER;
    }

    RaftCore core() {
        RaftCore c = core;
        if (c == null) {
            throw new IllegalStateException(name + " is down");
        }
        return c;
    }

    /** Whether the replica can neither vote nor lead for now, although it runs. */
    boolean impaired() {
        return disk.memoryLost || (core == null ? losesState(disk.checkpoints) : core.stateLost());
    }

    private boolean losesState(List<Checkpoint> checkpoints) {
        return disk.log.baseIndex() > 0 && checkpoints.stream().noneMatch(c -> c.index() >= disk.log.baseIndex());
    }

    void start() {
        incarnation++;
        int mine = incarnation;
        disk.log = cluster.mutation.restoredLog(disk.log, cluster.random);
        if (!disk.checkpoints.isEmpty()
                && cluster.faults.damagesCheckpoint(
                        this, losesState(disk.checkpoints.subList(1, disk.checkpoints.size())))) {
            disk.checkpoints.remove(0);
        }
        Checkpoint newest = losesState(disk.checkpoints) || disk.checkpoints.isEmpty() ? null : disk.checkpoints.get(0);
        Configuration configuration = disk.log.baseIndex() == 0 ? disk.born : Configuration.EMPTY;
        appliedIndex = 0;
        if (newest != null) {
            if (disk.log.termAt(newest.index()) != newest.term()) {
                disk.log.base(newest.index(), newest.term(), Configuration.EMPTY);
            }
            appliedIndex = newest.index();
            configuration = disk.checkpoints.stream()
                    .map(Checkpoint::configuration)
                    .filter(known -> !known.equals(Configuration.EMPTY))
                    .findFirst()
                    .orElse(disk.born);
        }
        disk.log.setBaseConfiguration(configuration);
        log = disk.log.copy();
        checkLog();
        checkpointing = false;
        seenCommit = 0;
        long last = log.lastIndex();
        int tail = Math.min(log.entries().size(), cluster.random.nextInt(5));
        core = new RaftCore(
                config,
                new RestoredState(
                        cluster.mutation.restoredHardState(disk.state),
                        log.baseIndex() + 1,
                        last,
                        cluster.random.nextBoolean() ? disk.commitIndex : appliedIndex,
                        appliedIndex,
                        log.runs(),
                        log.entries()
                                .subList(
                                        log.entries().size() - tail,
                                        log.entries().size()),
                        configuration,
                        cluster.mutation.restoredConfigurations(log.configurationEntries()),
                        disk.memoryLost),
                cluster.nowNanos,
                cluster.wallMillis(),
                cluster.random.split(),
                cluster.mutation.rules());
        cluster.after(cluster.random.nextLong(SimCluster.TICK_NANOS), () -> tick(mine));
        drain();
    }

    /** Log matching, for what was put together from several sources. */
    private void checkLog() {
        for (LogEntry entry : log.entries()) {
            cluster.oracle.appended(name, entry, log.termAt(entry.index() - 1));
        }
    }

    /** The process ends. A random prefix of what was on its way to the disk got there, entry by entry. */
    void crash() {
        core = null;
        incarnation++;
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
                disk.state = torn.state;
            }
            int entries = cluster.random.nextInt(torn.entries.size() + 1);
            for (int i = 0; i < entries; i++) {
                disk.log.put(torn.entries.get(i));
            }
        }
        proposals.clear();
        reads.clear();
        readsToServe.clear();
    }

    /** Everything is gone; the node goes on as a member that nobody knows. */
    void wipe() {
        if (core != null) {
            crash();
        }
        incarnation++;
        cluster.lost.put(name, disk);
        identities++;
        name = cluster.mutation.nameAfterWipe(name, "n" + (place + 1) + "#" + identities);
        config = cluster.config(name);
        disk = new SimDisk(Configuration.EMPTY);
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
            cluster.faults.maybeCheckpoint(this);
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

    Proposal change(MemberChange change) {
        Proposal proposal = core().changeMembers(change);
        drain();
        return proposal;
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
                SimLog whole = log.copy();
                effects.appends().forEach(whole::put);
                cluster.oracle.leads(name, effects.term(), whole);
                cluster.faults.elected(this);
            }
            if (effects.commitIndex() < seenCommit) {
                throw new SimOracle.Violation(
                        name + " takes its commit index back from " + seenCommit + " to " + effects.commitIndex());
            }
            seenCommit = effects.commitIndex();
            write(effects);
            if (cluster.mutation == SimMutation.NONE
                    && !c.configuration().equals(log.configurationAt(Long.MAX_VALUE))) {
                throw new SimOracle.Violation("configuration: " + name + " takes " + c.configuration()
                        + " to be in effect, its log says " + log.configurationAt(Long.MAX_VALUE));
            }
            for (Effects.LogRead wanted : effects.logReads()) {
                answerLogRead(wanted);
            }
            if (effects.fetchSnapshot() != null) {
                int mine = incarnation;
                cluster.fetch(this, effects.fetchSnapshot(), found -> {
                    if (mine == incarnation) {
                        cluster.whenRunning(this, () -> fetched(found));
                    }
                });
            }
            takeReads(effects);
            apply(c);
        }
        disk.memoryLost &= c.memoryLost();
    }

    private void takeReads(Effects effects) {
        for (Effects.ReadReady ready : effects.readsReady()) {
            OpenRead read = endRead(ready.context());
            cluster.oracle.readPoint(name, read.floor, ready.index());
            cluster.readsDone++;
            readsToServe.computeIfAbsent(ready.index(), i -> new ArrayList<>()).add(read);
        }
        for (Effects.ReadFailed failed : effects.readsFailed()) {
            endRead(failed.context());
            cluster.readsFailed++;
        }
    }

    private OpenRead endRead(long context) {
        OpenRead read = reads.remove(context);
        if (read == null) {
            throw new SimOracle.Violation("a read on " + name + " ends twice");
        }
        return read;
    }

    // ---------------------------------------------------------------------------------------------- disk

    private void write(Effects effects) {
        for (LogEntry entry : effects.appends()) {
            log.put(entry);
            cluster.oracle.appended(name, entry, log.termAt(entry.index() - 1));
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
        queued.add(new Write(effects.persist(), List.copyOf(effects.appends()), null, effects.commitIndex(), after));
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
            if (ofIncarnation != incarnation) {
                return;
            }
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
            if (write.state.term() < disk.state.term()) {
                throw new SimOracle.Violation(name + " lowers its durable term: " + disk.state + ", " + write.state);
            }
            disk.state = write.state;
        }
        if (write.base != null) {
            disk.log.base(write.base.index(), write.base.term(), Configuration.EMPTY);
        }
        write.entries.forEach(disk.log::put);
        disk.commitIndex = Math.max(disk.commitIndex, write.commitIndex);
    }

    private void answerLogRead(Effects.LogRead wanted) {
        logReads++;
        int mine = incarnation;
        cluster.after(cluster.random.nextLong(2_000_000), () -> {
            if (mine == incarnation) {
                cluster.whenRunning(this, () -> {
                    List<LogEntry> found = new ArrayList<>();
                    long bytes = 0;
                    for (long i = wanted.fromIndex(); disk.log.has(i) && found.size() < wanted.maxEntries(); i++) {
                        LogEntry entry = disk.log.get(i);
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

    // ---------------------------------------------------------------------------------------------- snapshots

    /** Writes a checkpoint of the state as it is now; when it is durable the log is given up to one of those there are. */
    void checkpoint() {
        if (checkpointing || core().stateLost() || appliedIndex == 0) {
            return;
        }
        checkpointing = true;
        Checkpoint made = checkpointNow();
        int mine = incarnation;
        cluster.after(5 * cluster.fsyncNanos(), () -> {
            if (mine != incarnation) {
                return;
            }
            disk.add(made);
            cluster.whenRunning(this, () -> {
                checkpointing = false;
                List<Checkpoint> kept = disk.checkpoints;
                Checkpoint base = kept.get(cluster.random.nextInt(kept.size()));
                if (base.index() > log.baseIndex() && base.index() <= appliedIndex) {
                    core().compact(base.index());
                    rebase(base, log.configurationAt(base.index()));
                }
                drain();
            });
        });
    }

    Checkpoint checkpointNow() {
        Configuration known = core().configurationAt(appliedIndex);
        long term = core().termAt(appliedIndex);
        cluster.oracle.checkpoint(name, appliedIndex, term, known);
        return new Checkpoint(appliedIndex, term, known);
    }

    private void rebase(Checkpoint base, Configuration configuration) {
        log.base(base.index(), base.term(), configuration);
        queued.add(new Write(null, List.of(), base, 0, List.of()));
        startWriting();
    }

    /** A snapshot has arrived, or not. */
    private void fetched(@Nullable Checkpoint found) {
        if (found == null || !core().acceptsSnapshot(found.index())) {
            core().snapshotFailed();
            drain();
            return;
        }
        int mine = incarnation;
        cluster.after(2 * cluster.fsyncNanos(), () -> {
            if (mine == incarnation) {
                disk.add(found);
                cluster.whenRunning(this, () -> {
                    if (mine == incarnation) {
                        install(found);
                    }
                });
            }
        });
    }

    private void install(Checkpoint found) {
        if (!core().acceptsSnapshot(found.index())) {
            core().snapshotFailed();
            drain();
            return;
        }
        cluster.oracle.installed(name, found.index(), appliedIndex);
        snapshotsInstalled++;
        boolean known = !found.configuration().equals(Configuration.EMPTY);
        Configuration before = log.configurationAt(log.baseIndex());
        appliedIndex = found.index();
        core().snapshotInstalled(found.index(), found.term(), found.configuration());
        rebase(found, known ? found.configuration() : before);
        checkLog();
        serveReads();
        drain();
    }

    // ---------------------------------------------------------------------------------------------- state machine

    private void apply(RaftCore c) {
        while (!c.stateLost() && appliedIndex < c.commitIndex()) {
            List<LogEntry> entries = c.committedEntries(appliedIndex + 1, 16, 4_096);
            if (entries.isEmpty()) {
                if (!disk.log.has(appliedIndex + 1)) {
                    throw new SimOracle.Violation(
                            name + " finds entry " + (appliedIndex + 1) + " neither in memory nor on disk");
                }
                entries = List.of(disk.log.get(appliedIndex + 1));
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
        serveReads();
    }

    private void serveReads() {
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

    @Override
    public String toString() {
        return name
                + (core == null
                        ? " down"
                        : " " + core.role() + " term " + core.term() + " log " + core.firstIndex() + "-"
                                + core.lastIndex() + " commit " + core.commitIndex() + " applied " + appliedIndex
                                + " " + core.configuration() + (core.stateLost() ? " state lost" : "")
                                + (core.memoryLost() ? " memory lost" : "") + (paused ? " paused" : ""));
    }
}
