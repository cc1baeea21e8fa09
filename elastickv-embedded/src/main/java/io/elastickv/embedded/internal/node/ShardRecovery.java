package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.raft.GroupSnapshots.Snapshot;
import io.elastickv.embedded.internal.raft.StartingPoint;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.EntryKind;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import io.elastickv.embedded.internal.raft.core.RestoredState;
import io.elastickv.embedded.internal.raft.core.TermRun;
import io.elastickv.embedded.internal.raft.log.GroupLog;
import io.elastickv.embedded.internal.raft.log.LogBatch;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.shard.SplitHost;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a replica back to where it was: the newest checkpoint that can be read and from which the log goes on, and the
 * log after it as far as it is known to be committed. If the newest checkpoint is damaged the one before does, as the log
 * reaches back to it. If none does the state is lost: the replica keeps its log and its vote and gets the state from the
 * leader; a replica that is alone in its group has no such peer, and is refused.
 *
 * <p>A shard that was split off begins with what its parent's log makes of it, as of the split: the machine is given with that
 * state if the parent's replay came by the split, and the rest is as above. See {@link SplitHost}.
 *
 * <p>For any thread that may block; different groups at the same time.
 */
public final class ShardRecovery {

    private static final Logger LOG = LoggerFactory.getLogger(ShardRecovery.class);
    private static final int READ_ENTRIES = 16_384;
    private static final long READ_BYTES = 4 << 20;
    /** About what the log needs for an entry besides its payload. */
    private static final int ENTRY_OVERHEAD_BYTES = 32;

    /**
     * What a replica starts from.
     *
     * @param restored for its consensus core
     * @param start for its host
     * @param checkpointBytes the size of the checkpoint that was loaded, 0 if none was
     * @param replayedEntries how many entries of the log were applied
     */
    public record Recovered(RestoredState restored, StartingPoint start, long checkpointBytes, long replayedEntries) {}

    private final int group;
    private final NodeLog nodeLog;
    private final GroupLog log;
    private final CheckpointDirectory checkpoints;
    private final ShardStateMachine machine;
    /** The entry of the parent's log that split this shard off, if the machine has the state as of there; 0 otherwise. */
    private final long splitIndex;

    private final List<String> problems = new ArrayList<>();
    private long applied;
    private long appliedTerm;
    private long replayed;
    private long replayedBytes;

    private ShardRecovery(int group, NodeLog nodeLog, CheckpointDirectory checkpoints, ShardStateMachine machine) {
        this.group = group;
        this.nodeLog = nodeLog;
        this.log = nodeLog.group(group);
        this.checkpoints = checkpoints;
        this.machine = machine;
        this.splitIndex = machine.appliedIndex();
    }

    /**
     * Recovers.
     *
     * @param self the replica's id as a member
     * @param initial the members of the group before the first entry of its log; {@link Configuration#EMPTY} for a
     *     replica that was added later
     * @param machine with nothing applied, or as a split left it; has the state afterwards
     * @param acceptMemoryLoss whether to go on as if nothing was lost although {@link GroupLog#memoryLost} says so
     * @throws IllegalStateException if the state is lost and no other replica has it, with file, offset and remedy
     */
    public static Recovered recover(
            int group,
            String self,
            Configuration initial,
            NodeLog log,
            CheckpointDirectory checkpoints,
            ShardStateMachine machine,
            boolean acceptMemoryLoss) {
        return new ShardRecovery(group, log, checkpoints, machine).run(self, initial, acceptMemoryLoss);
    }

    private Recovered run(String self, Configuration initial, boolean acceptMemoryLoss) {
        problems.addAll(checkpoints.damaged());
        CheckpointManifest loaded = load();
        if (loaded != null) {
            applied = loaded.index();
            appliedTerm = loaded.term();
        } else if (splitIndex > 0 && log.firstIndex() <= splitIndex + 1) {
            applied = splitIndex;
            appliedTerm = SplitHost.FIRST_TERM;
        }
        if (applied > 0 && (applied > log.lastIndex() || termAt(applied) != appliedTerm)) {
            // It was fetched from another replica, or split off here, and the process ended before the log knew.
            writeBase(applied, appliedTerm);
        }
        Configuration configuration = configuration(loaded, initial);
        List<LogEntry> configurationEntries = log.configurationEntries();
        if (applied == 0 && log.firstIndex() > 1) {
            stateIsLost(self, configuration, configurationEntries, initial);
        } else {
            replay();
        }
        boolean memoryLost = log.memoryLost();
        if (memoryLost && acceptMemoryLoss) {
            submit(new Waiting().recovered(group));
            memoryLost = false;
            LOG.warn("group {}: what was lost with the memory of the machine is accepted as lost", group);
        }
        long firstIndex = log.firstIndex();
        List<Snapshot> kept = checkpoints.manifests().stream()
                .filter(manifest -> manifest.index() >= firstIndex - 1 && manifest.index() <= applied)
                .map(ShardCheckpoints::snapshot)
                .toList();
        RestoredState restored = new RestoredState(
                log.hardState(),
                firstIndex,
                log.lastIndex(),
                Math.max(log.commitIndex(), applied),
                applied,
                log.termRuns(),
                List.of(),
                configuration,
                configurationEntries,
                memoryLost);
        long sinceNewest =
                kept.isEmpty() || loaded == null || kept.get(0).index() == loaded.index() ? replayedBytes : 0;
        return new Recovered(
                restored,
                new StartingPoint(appliedTerm, kept, sinceNewest),
                loaded == null ? 0 : loaded.totalBytes(),
                replayed);
    }

    private @Nullable CheckpointManifest load() {
        for (CheckpointManifest manifest : checkpoints.manifests()) {
            if (manifest.index() == splitIndex) {
                continue; // the machine has that state already
            }
            if (manifest.index() < log.firstIndex() - 1) {
                problems.add("checkpoint as of entry " + manifest.index() + ": the log begins later, at "
                        + log.firstIndex());
                continue;
            }
            try {
                machine.install(machine.load(checkpoints, manifest), Runnable::run);
                return manifest;
            } catch (IOException | RuntimeException e) {
                LOG.warn(
                        "group {}: the checkpoint as of entry {} cannot be used: {}",
                        group,
                        manifest.index(),
                        e.getMessage());
                problems.add(String.valueOf(e.getMessage()));
            }
        }
        return null;
    }

    private long termAt(long index) {
        long term = 0;
        for (TermRun run : log.termRuns()) {
            if (run.firstIndex() <= index) {
                term = run.term();
            }
        }
        return term;
    }

    /** The members as of the entry before the log's first one. */
    private Configuration configuration(@Nullable CheckpointManifest loaded, Configuration initial) {
        long before = log.firstIndex() - 1;
        if (before == 0 || before == splitIndex) {
            return initial;
        }
        List<CheckpointManifest> manifests = checkpoints.manifests();
        for (CheckpointManifest manifest : manifests) {
            if (manifest.index() == before) {
                return knownAt(before, manifests, initial);
            }
        }
        // That of a later entry: what lies between is committed, so nobody goes back to before it.
        return loaded == null ? Configuration.EMPTY : knownAt(loaded.index(), manifests, initial);
    }

    /**
     * The members as of a checkpoint. Whoever made it without knowing them, and gave it to us, had seen no change of them from
     * the beginning: what is known of earlier is still true then.
     */
    private static Configuration knownAt(long index, List<CheckpointManifest> newestFirst, Configuration initial) {
        for (CheckpointManifest manifest : newestFirst) {
            Configuration configuration = Configuration.decode(manifest.configuration());
            if (manifest.index() <= index && !configuration.equals(Configuration.EMPTY)) {
                return configuration;
            }
        }
        return initial;
    }

    private void stateIsLost(
            String self, Configuration configuration, List<LogEntry> configurationEntries, Configuration initial) {
        Configuration newest = !configurationEntries.isEmpty()
                ? Configuration.decode(configurationEntries
                        .get(configurationEntries.size() - 1)
                        .payload())
                : configuration.members().isEmpty() ? initial : configuration;
        if (newest.members().equals(List.of(self))) {
            throw new IllegalStateException(
                    "group " + group + ": its state cannot be read, and no other replica has it: "
                            + (problems.isEmpty() ? "there is no checkpoint" : String.join("; ", problems))
                            + ". Its log begins at entry " + log.firstIndex()
                            + ", what came before is only in the checkpoints. Restore the node's directory, or the files named,"
                            + " from a copy, or import a backup into an empty node");
        }
        LOG.warn(
                "group {}: its state cannot be read and is fetched from another replica: {}",
                group,
                problems.isEmpty() ? "there is no checkpoint" : String.join("; ", problems));
    }

    private void replay() {
        long last = Math.min(log.commitIndex(), log.lastIndex());
        while (applied < last) {
            List<LogEntry> entries = log.readNow(applied + 1, last, READ_ENTRIES, READ_BYTES);
            if (entries.isEmpty()) {
                throw new IllegalStateException(
                        "group " + group + ": the log has no entry " + (applied + 1) + " of " + last);
            }
            for (LogEntry entry : entries) {
                if (entry.kind() == EntryKind.COMMAND) {
                    machine.apply(entry.index(), entry.payload());
                } else {
                    machine.passOver(entry.index());
                }
                applied = entry.index();
                appliedTerm = entry.term();
                replayed++;
                replayedBytes += entry.payload().length + ENTRY_OVERHEAD_BYTES;
            }
        }
    }

    // ---- writing to the log

    private void writeBase(long index, long term) {
        submit(new Waiting().base(group, index, term));
    }

    private static final class Waiting implements LogBatch.Completion {

        private final CompletableFuture<Boolean> done = new CompletableFuture<>();
        private final LogBatch batch = new LogBatch(this);

        Waiting base(int group, long index, long term) {
            batch.addBase(group, index, term);
            return this;
        }

        Waiting recovered(int group) {
            batch.addMemoryRecovered(group);
            return this;
        }

        @Override
        public void durable() {
            done.complete(true);
        }

        @Override
        public void failed(Throwable cause) {
            done.completeExceptionally(cause);
        }
    }

    private void submit(Waiting waiting) {
        nodeLog.submit(waiting.batch);
        while (nodeLog.isStepped() && !waiting.done.isDone() && nodeLog.step()) {
            // until it is written
        }
        try {
            waiting.done.join();
        } catch (CompletionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new IllegalStateException(
                    "group " + group + ": the log refuses to be written: " + cause.getMessage(), cause);
        }
    }
}
