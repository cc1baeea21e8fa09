package io.elastickv.embedded.internal.raft.core;

import org.jspecify.annotations.Nullable;

/** Whether this member needs a snapshot, and when to ask its host to fetch one. */
final class SnapshotNeed {

    private final CoreState s;
    private final Follower follower;

    /** The leader of this term has told that its log starts after this index. */
    private long leastOfLeader;

    private boolean underWay;
    private boolean failedBefore;
    private long againNanos;

    SnapshotNeed(CoreState state, Follower follower) {
        s = state;
        this.follower = follower;
    }

    void forgetLeader() {
        leastOfLeader = 0;
        underWay = false;
    }

    void required(long leastIndex) {
        leastOfLeader = Math.max(leastOfLeader, leastIndex);
        s.workPending = true;
    }

    void installed() {
        underWay = false;
        failedBefore = false;
    }

    void failed() {
        underWay = false;
        failedBefore = true;
        againNanos = s.nowNanos + s.config.heartbeatIntervalNanos();
    }

    /** Emits a request if one is due. */
    void build(String leader) {
        if (dueInNanos(leader) <= 0) {
            underWay = true;
            s.out.fetchSnapshot(leader, leastIndex());
        }
    }

    /** 0 if there is no need. */
    private long leastIndex() {
        long least = leastOfLeader > Math.max(follower.verifiedIndex(), s.appliedIndex) ? leastOfLeader : 0;
        return s.stateLost() ? Math.max(least, s.log.firstIndex() - 1) : least;
    }

    /** Nanoseconds until a request is to be made, not positive if it is now; {@link Long#MAX_VALUE} for never. */
    long dueInNanos(@Nullable String leader) {
        if (leader == null || underWay || leastIndex() == 0) {
            return Long.MAX_VALUE;
        }
        return failedBefore ? againNanos - s.nowNanos : 0;
    }
}
