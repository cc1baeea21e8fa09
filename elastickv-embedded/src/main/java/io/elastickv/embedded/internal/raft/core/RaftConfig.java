package io.elastickv.embedded.internal.raft.core;

import org.jspecify.annotations.Nullable;

/**
 * The settings of one group member.
 *
 * @param self this member's name
 * @param electionTimeoutNanos a follower that hears nothing for one to two times this long asks for an election
 * @param heartbeatIntervalNanos a leader says something to each follower at least this often
 * @param maxEntriesPerAppend entries in one append message, at most
 * @param maxBytesPerAppend bytes of entries in one append message, at most; one entry always goes
 * @param maxInFlightAppends append messages with entries that wait for their acknowledgement, per follower
 * @param maxInFlightBytes bytes of entries that wait for their acknowledgement, per follower; one message always goes
 * @param maxUncommittedEntries entries of its own term a leader holds uncommitted before it refuses more
 * @param maxUncommittedBytes the same in bytes; one batch is always accepted when nothing is uncommitted
 * @param maxCachedEntryBytes entries kept in memory; more while they are not yet durable and committed
 * @param preferredLeader the member that campaigns first after a start of the whole group, or null
 */
public record RaftConfig(
        String self,
        long electionTimeoutNanos,
        long heartbeatIntervalNanos,
        int maxEntriesPerAppend,
        int maxBytesPerAppend,
        int maxInFlightAppends,
        long maxInFlightBytes,
        int maxUncommittedEntries,
        long maxUncommittedBytes,
        long maxCachedEntryBytes,
        @Nullable String preferredLeader) {

    /** Rejects contradictions, naming field and value. */
    public RaftConfig {
        atLeastOne("heartbeatIntervalNanos", heartbeatIntervalNanos);
        if (electionTimeoutNanos / 2 < heartbeatIntervalNanos) {
            throw new IllegalArgumentException("electionTimeoutNanos " + electionTimeoutNanos
                    + " is less than twice heartbeatIntervalNanos " + heartbeatIntervalNanos);
        }
        atLeastOne("maxEntriesPerAppend", maxEntriesPerAppend);
        atLeastOne("maxBytesPerAppend", maxBytesPerAppend);
        atLeastOne("maxInFlightAppends", maxInFlightAppends);
        atLeastOne("maxInFlightBytes", maxInFlightBytes);
        atLeastOne("maxUncommittedEntries", maxUncommittedEntries);
        atLeastOne("maxUncommittedBytes", maxUncommittedBytes);
        atLeastOne("maxCachedEntryBytes", maxCachedEntryBytes);
    }

    /** Settings for a local network: election timeout 1 s, heartbeats every 100 ms, windows of a few megabytes. */
    public static RaftConfig of(String self) {
        return new RaftConfig(
                self, 1_000_000_000L, 100_000_000L, 4_096, 1 << 20, 64, 8L << 20, 65_536, 64L << 20, 16L << 20, null);
    }

    private static void atLeastOne(String name, long value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " " + value + " is below 1");
        }
    }
}
