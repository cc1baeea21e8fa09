package io.elastickv.embedded.internal.backup;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.backup.BackupProtocol.Request;
import io.elastickv.embedded.internal.backup.BackupProtocol.Standing;
import io.elastickv.embedded.internal.backup.LeaderCalls.Outcome;
import io.elastickv.embedded.internal.routing.ShardRoute;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Cuts through all shards at one moment. For one thread.
 *
 * <p>The moment is when the last leader has answered that it stands still. Each of them then has everything applied that
 * it ever acknowledged, holds that state, and acknowledges nothing until it is released; which is only then. So what the
 * leaders hold is what the cluster was at that moment: of two writes, one begun after the other was acknowledged, it has
 * none, the first, or both. Two things could break that, and are checked when the leaders are released: a leader that went
 * on by itself because its lease was over, and a leader that had been replaced without knowing. The second is found by a
 * round to a majority that begins after that moment, as for a linearizable read.
 *
 * <p>Shards that are divided or joined meanwhile are no danger either: what stands still must be every slot once.
 *
 * <p>Before anybody is asked to stand still all must have shown that they can lead, so that a shard without a majority
 * does not make the others wait again and again.
 */
final class CutTaker {

    private static final Logger LOG = LoggerFactory.getLogger(CutTaker.class);
    private static final int ATTEMPTS = 5;
    private static final long FIRST_LEASE_MILLIS = 250;
    private static final long MAX_LEASE_MILLIS = 1_000;
    private static final long CALL_NANOS = 2_000_000_000L;
    private static final long PAUSE_MILLIS = 20;

    /**
     * One shard of a cut.
     *
     * @param node keeps it
     */
    record Part(int shard, String node, Standing standing) {}

    /**
     * A cut.
     *
     * @param export its number, for the leaders
     */
    record Cut(long export, List<Part> parts) {}

    /** Lets time pass between attempts. */
    @FunctionalInterface
    interface Pause {
        /** Throws an {@link ExportFailedException} if there is no use in going on. */
        void millis(long millis) throws InterruptedException, ExportFailedException;
    }

    private final LeaderCalls calls;
    private final Supplier<List<ShardRoute>> present;
    private final Pause pause;
    private String problem = "";

    /**
     * For the shards that there are.
     *
     * @param present all shards as far as this node knows; asked before each attempt
     */
    CutTaker(LeaderCalls calls, Supplier<List<ShardRoute>> present, Pause pause) {
        this.calls = calls;
        this.present = present;
        this.pause = pause;
    }

    /**
     * Takes a cut; nobody stands still any more when it returns.
     *
     * @param leadersNanos until when all shards must have a leader with a majority
     * @param deadlineNanos until when those that are busy with a checkpoint are waited for
     * @throws ExportFailedException if there was none until then, or several attempts came to nothing
     */
    Cut take(long leadersNanos, long deadlineNanos) throws ExportFailedException, InterruptedException {
        long leaseMillis = FIRST_LEASE_MILLIS;
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            Map<ShardRoute, String> leaders = awaitLeaders(leadersNanos, deadlineNanos);
            Cut cut = attempt(leaders, leaseMillis);
            if (cut != null) {
                return cut;
            }
            LOG.info("no moment at which all shards stood still, attempt {} of {}: {}", attempt, ATTEMPTS, problem);
            leaseMillis = Math.min(2 * leaseMillis, MAX_LEASE_MILLIS);
            // Writers get their turn, and two exports at the same time do not keep meeting.
            pause.millis(ThreadLocalRandom.current().nextLong(leaseMillis / 2, leaseMillis));
        }
        throw new ExportFailedException("no moment at which all shards stood still in " + ATTEMPTS
                + " attempts; the last came to nothing because of " + problem);
    }

    /** Asks until all shards have a leader with a majority. */
    private Map<ShardRoute, String> awaitLeaders(long leadersNanos, long deadlineNanos)
            throws ExportFailedException, InterruptedException {
        while (true) {
            Map<ShardRoute, CompletableFuture<Outcome<Standing>>> asked = new LinkedHashMap<>();
            Map<ShardRoute, String> leaders = new LinkedHashMap<>();
            List<String> missing = new ArrayList<>();
            boolean onlyBusy = true;
            for (ShardRoute shard : present.get()) {
                String leader = shard.leader();
                if (leader == null) {
                    missing.add("shard " + shard.id() + " has no known leader");
                    onlyBusy = false;
                } else {
                    leaders.put(shard, leader);
                    asked.put(
                            shard,
                            calls.ask(
                                    leader,
                                    BackupProtocol.METHOD_PREPARE,
                                    new Request(0, shard.id(), 0),
                                    remaining(deadlineNanos),
                                    BackupProtocol::standing));
                }
            }
            for (Map.Entry<ShardRoute, CompletableFuture<Outcome<Standing>>> one : asked.entrySet()) {
                Outcome<Standing> outcome = LeaderCalls.await(one.getValue());
                if (outcome.value() == null) {
                    missing.add("shard " + one.getKey().id() + ": " + outcome.problem());
                    learn(one.getKey(), outcome);
                    BackupProtocol.Refusal refusal = outcome.refusal();
                    onlyBusy &= refusal != null && Objects.equals(refusal.leader(), leaders.get(one.getKey()));
                }
            }
            if (missing.isEmpty()) {
                return leaders;
            }
            problem = String.join("; ", missing);
            if (System.nanoTime() - (onlyBusy ? deadlineNanos : leadersNanos) >= 0) {
                throw new ExportFailedException(
                        (onlyBusy ? "" : "not every shard has a leader with a majority: ") + problem);
            }
            pause.millis(PAUSE_MILLIS);
        }
    }

    private static void learn(ShardRoute shard, Outcome<?> outcome) {
        BackupProtocol.Refusal refusal = outcome.refusal();
        if (refusal != null && refusal.leader() != null) {
            shard.learn(refusal.term(), refusal.leader());
        }
    }

    private static long remaining(long deadlineNanos) {
        return Math.max(1, Math.min(CALL_NANOS, deadlineNanos - System.nanoTime()));
    }

    private @Nullable Cut attempt(Map<ShardRoute, String> leaders, long leaseMillis) throws InterruptedException {
        long export = ThreadLocalRandom.current().nextLong();
        boolean taken = false;
        try {
            Map<ShardRoute, Standing> standing =
                    askAll(leaders, BackupProtocol.METHOD_FREEZE, export, leaseMillis, leaseMillis * 1_000_000);
            if (standing == null) {
                return null;
            }
            if (!isWhole(standing)) {
                return null;
            }
            // This is the moment.
            if (askAll(leaders, BackupProtocol.METHOD_RELEASE, export, 0, CALL_NANOS) == null) {
                return null;
            }
            List<Part> parts = new ArrayList<>();
            standing.forEach((shard, where) -> parts.add(new Part(shard.id(), leaders.getOrDefault(shard, ""), where)));
            taken = true;
            return new Cut(export, parts);
        } finally {
            if (!taken) {
                leaders.forEach((shard, leader) -> calls.end(leader, export, shard.id()));
            }
        }
    }

    /**
     * Whether what stands still is every slot once. A shard may have been divided, or have got or given slots, after this
     * node had heard of it last; while it stands still none does.
     */
    private boolean isWhole(Map<ShardRoute, Standing> standing) {
        int[] owners = new int[KeySlot.COUNT];
        standing.forEach((shard, where) -> {
            for (SlotRange range : where.slots()) {
                for (int slot = range.first(); slot <= range.last(); slot++) {
                    owners[slot]++;
                }
            }
        });
        for (int slot = 0; slot < KeySlot.COUNT; slot++) {
            if (owners[slot] != 1) {
                problem = "slot " + slot + ", which " + (owners[slot] == 0 ? "none" : "more than one")
                        + " of the shards owned that stood still: shards are being divided or joined";
                return false;
            }
        }
        return true;
    }

    /** Asks all leaders at once; null if one of them does not grant it. */
    private @Nullable Map<ShardRoute, Standing> askAll(
            Map<ShardRoute, String> leaders, int method, long export, long argument, long timeoutNanos)
            throws InterruptedException {
        Map<ShardRoute, CompletableFuture<Outcome<Standing>>> asked = new LinkedHashMap<>();
        leaders.forEach((shard, leader) -> asked.put(
                shard,
                calls.ask(
                        leader,
                        method,
                        new Request(export, shard.id(), argument),
                        timeoutNanos,
                        BackupProtocol::standing)));
        Map<ShardRoute, Standing> granted = new LinkedHashMap<>();
        for (Map.Entry<ShardRoute, CompletableFuture<Outcome<Standing>>> one : asked.entrySet()) {
            Outcome<Standing> outcome = LeaderCalls.await(one.getValue());
            Standing value = outcome.value();
            if (value == null) {
                problem = "shard " + one.getKey().id() + ": " + outcome.problem();
                learn(one.getKey(), outcome);
                return null;
            }
            granted.put(one.getKey(), value);
        }
        return granted;
    }
}
