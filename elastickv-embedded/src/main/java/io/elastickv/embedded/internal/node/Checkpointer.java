package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.raft.CheckpointCallback;
import io.elastickv.embedded.internal.raft.GroupSnapshots.Snapshot;
import io.elastickv.embedded.internal.raft.ReplicaGroup;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.IntPredicate;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides which group of a node makes a checkpoint next, one at a time, so that the node's log stays bounded: the one of
 * which somebody needs its state, then one that pins the oldest part of a log that is too large, then the one that has
 * logged the most for the size of its state. Also lets the groups' logs go as far as their checkpoints allow.
 *
 * <p>{@link #poll} is called by one thread at a time, every 100 ms or so; {@link #request} by any.
 */
public final class Checkpointer {

    private static final Logger LOG = LoggerFactory.getLogger(Checkpointer.class);
    private static final long FIRST_RETRY_NANOS = 1_000_000_000L;
    private static final long LONGEST_RETRY_NANOS = 60_000_000_000L;

    /** What a group has at least between two checkpoints. */
    private static final long PAUSE_NANOS = 200_000_000L;

    /** When a group failed last, and what follows from it. */
    private static final class Attempts {
        int failures;
        long notBeforeNanos;
    }

    private final NodeLog log;
    private final Supplier<Collection<ReplicaGroup>> groups;
    private final CheckpointPolicy policy;
    private final WorkPace pace;
    private final Executor background;
    private final Runnable pollSoon;
    private final LongSupplier nanos;
    private final Set<Integer> requested = ConcurrentHashMap.newKeySet();
    /** Those of the requested for which nobody waits. */
    private final Set<Integer> unhurried = ConcurrentHashMap.newKeySet();

    // Guarded by this.
    private final Map<Integer, Attempts> attempts = new HashMap<>();
    private @Nullable ReplicaGroup running;
    /** Somebody waits for the one that is running. */
    private volatile boolean awaited;

    private volatile IntPredicate claimed = group -> false;
    private volatile boolean closed;

    /**
     * Makes it.
     *
     * @param groups the node's groups as they are now
     * @param pace of what is written, to be set here
     * @param background writes the checkpoints
     * @param pollSoon has {@link #poll} called before its time; any thread
     * @param nanos the monotonic clock
     */
    public Checkpointer(
            NodeLog log,
            Supplier<Collection<ReplicaGroup>> groups,
            CheckpointPolicy policy,
            WorkPace pace,
            Executor background,
            Runnable pollSoon,
            LongSupplier nanos) {
        this.log = log;
        this.groups = groups;
        this.policy = policy;
        this.pace = pace;
        this.background = background;
        this.pollSoon = pollSoon;
        this.nanos = nanos;
    }

    /** Somebody needs a newer checkpoint of this group than there is. */
    public void request(int groupId) {
        unhurried.remove(groupId);
        requested.add(groupId);
    }

    /** As {@link #request}, but nobody waits for it: it is written with the usual pauses. */
    void requestUnhurried(int groupId) {
        if (requested.add(groupId)) {
            unhurried.add(groupId);
        }
    }

    /** Whether a checkpoint of this group was requested and has not ended yet. */
    public boolean attendsTo(int groupId) {
        if (requested.contains(groupId)) {
            return true;
        }
        synchronized (this) {
            return running != null && running.groupId() == groupId;
        }
    }

    /** Begins no checkpoint of a group while {@code byOthers} says that its state is taken. */
    public void spare(IntPredicate byOthers) {
        claimed = byOthers;
    }

    /** Starts nothing more; what is being written may fail from now on. */
    public void close() {
        closed = true;
        pace.setPauses(0);
    }

    /** Starts what is due. */
    public void poll() {
        if (closed) {
            return;
        }
        Map<Integer, ReplicaGroup> sorted = new TreeMap<>();
        groups.get().forEach(group -> sorted.put(group.groupId(), group));
        Set<Integer> pressing = logIsTooLarge(sorted.values()) ? log.groupsPinning() : Set.of();
        for (ReplicaGroup group : sorted.values()) {
            compact(group, pressing.contains(group.groupId()));
        }
        pace.setPauses(pauses(sorted.values(), pressing));
        ReplicaGroup next;
        synchronized (this) {
            if (running != null
                    && sorted.get(running.groupId()) == running
                    && !running.status().failed()) {
                return;
            }
            next = mostUrgent(sorted.values(), pressing);
            running = next;
        }
        if (next != null) {
            start(next);
        }
    }

    /** Of the group that is furthest behind, or that somebody waits for. */
    private int pauses(Collection<ReplicaGroup> all, Set<Integer> pressing) {
        double most = awaited ? Double.MAX_VALUE : 0;
        for (ReplicaGroup group : all) {
            most = Math.max(most, urgency(group.status(), group.groupId(), pressing));
        }
        return CheckpointPolicy.pauses(most);
    }

    /** Whether the log has outgrown the limit, and what its groups need it for. */
    private boolean logIsTooLarge(Collection<ReplicaGroup> all) {
        long size = log.sizeBytes();
        if (size <= policy.logLimitBytes()) {
            return false;
        }
        long needed = 0;
        for (ReplicaGroup group : all) {
            needed += (long) (policy.retained() * policy.stateRatio() * newestBytes(group.status()));
        }
        return size > needed;
    }

    private static long newestBytes(ReplicaGroup.Status status) {
        return status.checkpoints().isEmpty() ? 0 : status.checkpoints().get(0).bytes();
    }

    private static void compact(ReplicaGroup group, boolean pressing) {
        ReplicaGroup.Status status = group.status();
        if (status.failed() || status.checkpoints().isEmpty()) {
            return;
        }
        int last = status.checkpoints().size() - 1;
        boolean possible = last > 0 && status.checkpoints().get(last).index() >= status.firstIndex();
        if (possible || pressing) {
            group.loop().executeUnlessEnded(() -> group.compact(pressing));
        }
    }

    private @Nullable ReplicaGroup mostUrgent(Collection<ReplicaGroup> all, Set<Integer> pressing) {
        long now = nanos.getAsLong();
        ReplicaGroup best = null;
        double bestUrgency = 1;
        for (ReplicaGroup group : all) {
            ReplicaGroup.Status status = group.status();
            Attempts earlier = attempts.get(group.groupId());
            if ((earlier != null && now - earlier.notBeforeNanos < 0) || claimed.test(group.groupId())) {
                continue;
            }
            double urgency = urgency(status, group.groupId(), pressing);
            if (urgency >= bestUrgency) {
                best = group;
                bestUrgency = urgency;
            }
        }
        return best;
    }

    /** 1 and more if a checkpoint is due. */
    private double urgency(ReplicaGroup.Status status, int groupId, Set<Integer> pressing) {
        boolean wanted = requested.contains(groupId);
        if (status.failed() || status.stateLost() || status.appliedIndex() == 0) {
            return 0;
        }
        boolean nothingNew =
                !status.checkpoints().isEmpty() && status.checkpoints().get(0).index() >= status.appliedIndex();
        if (nothingNew && !wanted) { // if it is wanted, what is there may be damaged
            return 0;
        }
        double outgrown = status.bytesSinceCheckpoint() / (double) policy.dueBytes(newestBytes(status));
        return (wanted ? 2e9 : 0) + (pressing.contains(groupId) ? 1e9 : 0) + outgrown;
    }

    private void start(ReplicaGroup group) {
        awaited = requested.remove(group.groupId()) && !unhurried.remove(group.groupId());
        if (awaited) {
            pace.setPauses(0);
        }
        CheckpointCallback callback = new CheckpointCallback() {
            @Override
            public void saved(Snapshot snapshot) {
                group.compact(false);
                ended(group, null);
                pollSoon.run();
            }

            @Override
            public void failed(Throwable cause) {
                ended(group, cause);
            }
        };
        try {
            group.loop().execute(() -> group.checkpoint(background, callback));
        } catch (RejectedExecutionException e) {
            ended(group, e);
        }
    }

    private void ended(ReplicaGroup group, @Nullable Throwable cause) {
        long delayNanos = PAUSE_NANOS;
        int failures = 0;
        synchronized (this) {
            if (running == group) {
                running = null;
                awaited = false;
            }
            Attempts now = attempts.computeIfAbsent(group.groupId(), id -> new Attempts());
            if (cause == null) {
                now.failures = 0;
            } else {
                failures = ++now.failures;
                delayNanos = Math.min(LONGEST_RETRY_NANOS, FIRST_RETRY_NANOS << Math.min(failures - 1, 6));
            }
            now.notBeforeNanos = nanos.getAsLong() + delayNanos;
        }
        if (cause != null && !closed && !group.status().failed()) {
            LOG.warn(
                    "group {}: no checkpoint was written, again in {} s; until then its log grows: {}",
                    group.groupId(),
                    delayNanos / 1_000_000_000L,
                    cause.getMessage() == null ? cause.toString() : cause.getMessage(),
                    failures == 1 ? cause : null);
        }
    }
}
