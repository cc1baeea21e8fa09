package io.elastickv.embedded.internal.placement.plan;

/**
 * What the planner goes by. Times are in milliseconds, loads in {@link Costs} unless the name says otherwise.
 *
 * @param automation the kill switch
 * @param replicationFactor how many replicas a shard should have, if there are as many nodes
 * @param graceMillis how long a node may be down before its replicas are replaced. Five minutes as in CockroachDB
 *     ({@code server.time_until_store_dead}): longer than a restart
 * @param costs what a load costs a node
 * @param budgets how much may go on at once
 * @param cooldowns how long things are left alone
 * @param balance when nodes are out of balance
 * @param splitting when shards are split and keys relieved
 * @param merging when shards are merged
 */
public record PlanSettings(
        Automation automation,
        int replicationFactor,
        long graceMillis,
        Costs costs,
        Budgets budgets,
        Cooldowns cooldowns,
        Balance balance,
        Splitting splitting,
        Merging merging) {

    /** What is used unless something else is said. */
    public static final PlanSettings DEFAULT = new PlanSettings(
            Automation.ALL,
            3,
            300_000,
            new Costs(10_000, 1, 2, 5e5),
            new Budgets(64, 8, 2, 2, 4L << 30, 12),
            new Cooldowns(30_000, 2_000, 10_000),
            new Balance(1.25, 1.1, 0.05, 1.08, 1.04),
            new Splitting(0.25, 0.25, 200, 8L << 30, 0.8, 0.5),
            new Merging(600_000, 1, 1L << 30, 1));

    /**
     * The cost of a load in nanoseconds of a core per second, so that reads, writes and bytes can be added up.
     *
     * @param nanosPerOp what an operation costs the leader
     * @param nanosPerByte what a byte costs the leader
     * @param applyFactor what a replica spends on a write, log included, in terms of the time it applies
     * @param minNodeNanos mean cost per node per second below which a cluster counts as idle and is balanced by count
     */
    public record Costs(double nanosPerOp, double nanosPerByte, double applyFactor, double minNodeNanos) {

        /** The cost of a shard's leadership. */
        double lead(ShardLoad load) {
            return load.opsPerSecond() * nanosPerOp + load.bytesPerSecond() * nanosPerByte;
        }

        /** The cost of each of its replicas, that of the leader included. */
        double replica(ShardLoad load) {
            return load.applyNanosPerSecond() * applyFactor;
        }
    }

    /**
     * How much may go on at once.
     *
     * @param operations operations of all kinds
     * @param moves operations that fetch a state
     * @param movesInPerNode of these, towards one node
     * @param movesOutPerNode of these, served by one node: the shard's leader
     * @param bytesInFlight of these, bytes to be fetched; a single one may be larger
     * @param transfersPerNodeAndMinute for each active node, how many transfers there may be in a minute before transfers
     *     for the sake of balance have to wait: the bound for loads that change faster than they can be followed
     */
    public record Budgets(
            int operations,
            int moves,
            int movesInPerNode,
            int movesOutPerNode,
            long bytesInFlight,
            int transfersPerNodeAndMinute) {}

    /**
     * How long things are left alone after an operation.
     *
     * @param moveMillis from a transfer or move of a shard to the next one for the sake of balance
     * @param splitMillis from a split to the next one: short, as the loads by slot remain true across a split
     * @param failureMillis from a failure to the next attempt
     */
    public record Cooldowns(long moveMillis, long splitMillis, long failureMillis) {}

    /**
     * When nodes are out of balance, in terms of the mean.
     *
     * @param start a node above this share of the mean (or below its inverse) is relieved (or filled)
     * @param stop until it is at this one: the gap is the hysteresis
     * @param gain what an operation has to take off the higher one of its two nodes
     * @param leaderStart the same as {@code start} for what nodes lead; tighter, because a transfer moves no data
     * @param leaderStop the same as {@code stop} for what nodes lead
     */
    public record Balance(double start, double stop, double gain, double leaderStart, double leaderStop) {}

    /**
     * When shards are split and keys relieved.
     *
     * @param minShare only shards with at least this share of the mean load of a node are split
     * @param imbalance how uneven a split may be: the difference of the two parts, in terms of their sum
     * @param minOpsPerSecond shards with fewer operations are not split for their load
     * @param maxBytes larger shards are split for their size
     * @param relieveShare a key with this share of its shard's load is relieved, and its shard not split
     * @param endShare below this one its relief ends
     */
    public record Splitting(
            double minShare,
            double imbalance,
            double minOpsPerSecond,
            long maxBytes,
            double relieveShare,
            double endShare) {}

    /**
     * When shards are merged.
     *
     * @param coldMillis how long both must have been cold; also from a split to a merge
     * @param coldOpsPerSecond below this a shard is cold
     * @param maxBytes the merged shard is at most this large
     * @param minShards there remain at least so many: those that the cluster was formed with
     */
    public record Merging(long coldMillis, double coldOpsPerSecond, long maxBytes, int minShards) {}

    /** Checks what would make the planner go round in circles. */
    public PlanSettings {
        if (replicationFactor < 1) {
            throw new IllegalArgumentException("replicationFactor = " + replicationFactor + ": must be at least 1");
        }
        if (balance.stop <= 1 || balance.start <= balance.stop) {
            throw new IllegalArgumentException(
                    "balance: start = " + balance.start + ", stop = " + balance.stop + ": must be 1 < stop < start");
        }
        if (balance.leaderStop < 1 || balance.leaderStart <= balance.leaderStop) {
            throw new IllegalArgumentException("balance: leaderStart = " + balance.leaderStart + ", leaderStop = "
                    + balance.leaderStop + ": must be 1 <= leaderStop < leaderStart");
        }
        if (balance.gain <= 0) {
            throw new IllegalArgumentException("balance: gain = " + balance.gain + ": must be above 0");
        }
        if (splitting.endShare >= splitting.relieveShare) {
            throw new IllegalArgumentException("splitting: endShare = " + splitting.endShare + ", relieveShare = "
                    + splitting.relieveShare + ": must be endShare < relieveShare");
        }
        if (merging.maxBytes > splitting.maxBytes / 2) {
            throw new IllegalArgumentException("merging.maxBytes = " + merging.maxBytes + ", splitting.maxBytes = "
                    + splitting.maxBytes + ": must be at most half of it");
        }
        if (merging.coldOpsPerSecond > splitting.minOpsPerSecond / 2) {
            throw new IllegalArgumentException("merging.coldOpsPerSecond = " + merging.coldOpsPerSecond
                    + ", splitting.minOpsPerSecond = " + splitting.minOpsPerSecond + ": must be at most half of it");
        }
    }

    /** With another kill switch. */
    public PlanSettings with(Automation other) {
        return new PlanSettings(
                other, replicationFactor, graceMillis, costs, budgets, cooldowns, balance, splitting, merging);
    }

    /** With another grace period, in milliseconds. */
    public PlanSettings withGraceMillis(long other) {
        return new PlanSettings(
                automation, replicationFactor, other, costs, budgets, cooldowns, balance, splitting, merging);
    }

    /** With another replication factor. */
    public PlanSettings withReplicationFactor(int other) {
        return new PlanSettings(automation, other, graceMillis, costs, budgets, cooldowns, balance, splitting, merging);
    }

    /** With other budgets. */
    public PlanSettings with(Budgets other) {
        return new PlanSettings(
                automation, replicationFactor, graceMillis, costs, other, cooldowns, balance, splitting, merging);
    }

    /** With another rule for merges. */
    public PlanSettings with(Merging other) {
        return new PlanSettings(
                automation, replicationFactor, graceMillis, costs, budgets, cooldowns, balance, splitting, other);
    }
}
