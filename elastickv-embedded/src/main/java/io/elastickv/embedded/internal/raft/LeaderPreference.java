package io.elastickv.embedded.internal.raft;

import io.elastickv.embedded.internal.raft.core.PeerProgress;
import io.elastickv.embedded.internal.raft.core.RaftCore;
import io.elastickv.embedded.internal.raft.core.Role;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the leadership to where the placement wants it, so that leaders stay spread over the nodes: with an election when
 * the group is new, with a transfer a while after the preferred leader's node came back. On the group's loop.
 */
final class LeaderPreference {

    private static final Logger LOG = LoggerFactory.getLogger(LeaderPreference.class);

    /** How long after a preferred leader came back its leadership is handed over, so that a flapping node gets none. */
    private static final long HAND_BACK_AFTER_NANOS = 3_000_000_000L;

    /** How long an election may take before another is started. */
    private static final long CANDIDATE_NANOS = 100_000_000L;

    /** The replicas of a shard that was split off come into being within milliseconds of each other, and callers wait. */
    private static final long PAUSE_AT_BIRTH_NANOS = 2_000_000L;

    private static final long LONGEST_PAUSE_AT_BIRTH_NANOS = 8_000_000L;

    /** The others may open theirs any moment, so it is tried again soon at first, and then ever later. */
    private static final long FIRST_PAUSE_NANOS = 20_000_000L;

    private static final long LONGEST_PAUSE_NANOS = 160_000_000L;
    /** Longer than a heartbeat interval: a leader that there is has said so by then. */
    private static final long CAMPAIGN_AFTER_RESTART_NANOS = 150_000_000L;

    private static final long NEARLY_CAUGHT_UP_ENTRIES = 1000;
    private static final long NEVER = Long.MIN_VALUE;

    private final int groupId;
    private final String selfNode;
    private @Nullable String preferredNode;
    private final RaftCore core;
    private long handBackAtNanos = NEVER;
    private long campaignAgainNanos = NEVER;
    private long pauseNanos = FIRST_PAUSE_NANOS;
    private long longestPauseNanos = LONGEST_PAUSE_NANOS;

    LeaderPreference(int groupId, String selfNode, @Nullable String preferredNode, RaftCore core) {
        this.groupId = groupId;
        this.selfNode = selfNode;
        this.preferredNode = preferredNode;
        this.core = core;
    }

    /** Another node shall lead from now on; whoever decided that has the leadership handed over. */
    void prefer(@Nullable String node) {
        if (!Objects.equals(node, preferredNode)) {
            preferredNode = node;
            handBackAtNanos = NEVER;
        }
    }

    void nodeReachable(String node, boolean reachable, long nowNanos) {
        if (node.equals(preferredNode)) {
            handBackAtNanos = reachable ? nowNanos + HAND_BACK_AFTER_NANOS : NEVER;
        }
    }

    /** Starts an election now, and again every now and then until there is a leader. */
    void campaign(long nowNanos) {
        campaignAgainNanos = nowNanos + pauseNanos;
        pauseNanos = Math.min(2 * pauseNanos, longestPauseNanos);
        core.campaign();
    }

    void campaignSoon(long nowNanos) {
        campaignAgainNanos = nowNanos + CAMPAIGN_AFTER_RESTART_NANOS;
    }

    /** As {@link #campaign}, but soon again at first. */
    void campaignAtBirth(long nowNanos) {
        pauseNanos = PAUSE_AT_BIRTH_NANOS;
        longestPauseNanos = LONGEST_PAUSE_AT_BIRTH_NANOS;
        campaign(nowNanos);
    }

    /** When the next election is to be started if there is no leader by then; {@link Long#MIN_VALUE} for never. */
    long campaignAgainNanos() {
        // While the votes are awaited, the usual ticks will do.
        return campaignAgainNanos != NEVER && core.role() == Role.CANDIDATE ? NEVER : campaignAgainNanos;
    }

    void tick(long nowNanos) {
        if (campaignAgainNanos != NEVER && nowNanos - campaignAgainNanos >= 0) {
            if (core.role() == Role.CANDIDATE && nowNanos - campaignAgainNanos < CANDIDATE_NANOS) {
                return; // the votes are on their way, and each is on a disk first
            }
            if (core.leader() == null) {
                campaign(nowNanos);
            } else {
                campaignAgainNanos = NEVER;
                longestPauseNanos = LONGEST_PAUSE_NANOS;
            }
        }
        if (handBackAtNanos != NEVER && nowNanos - handBackAtNanos >= 0) {
            handBack();
        }
    }

    private void handBack() {
        if (core.role() != Role.LEADER || selfNode.equals(preferredNode)) {
            // Whoever leads does it; if that changes meanwhile the new leader starts counting when it hears of the
            // node.
            handBackAtNanos = NEVER;
            return;
        }
        for (PeerProgress progress : core.progress()) {
            if (MemberId.node(progress.peer()).equals(preferredNode)
                    && progress.voter()
                    && core.lastIndex() - progress.matchIndex() < NEARLY_CAUGHT_UP_ENTRIES) {
                LOG.info("group {}: handing leadership back to {}, its preferred leader", groupId, preferredNode);
                handBackAtNanos = NEVER;
                core.transferLeadership(progress.peer());
                return;
            }
        }
    }
}
