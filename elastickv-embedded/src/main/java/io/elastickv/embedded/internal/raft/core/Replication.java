package io.elastickv.embedded.internal.raft.core;

import io.elastickv.embedded.internal.raft.core.PeerProgress.State;
import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendRequest;
import io.elastickv.embedded.internal.raft.core.RaftMessage.AppendResponse;
import io.elastickv.embedded.internal.raft.core.RaftMessage.SnapshotRequired;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The leader's side of log replication (Ongaro, 3.5 and 10.2): who has what, and what to send next.
 *
 * <p>A follower that agrees gets appends one after the other without waiting, within a window of messages and bytes
 * (10.2.1). One that rejects, or has not been heard of in this term, is probed: one message at a time. Every message,
 * heartbeats too, carries the index before what it sends, so a loss shows as a rejection at the next message at the
 * latest; there is no other retransmission timer.
 */
final class Replication {

    private final RaftConfig config;
    private final Members members;
    private final RaftLog log;
    /** By ordinal; our own place is unused. */
    private Progress[] peers = {};

    private long[] scratch = {};
    private final long commitNoticeNanos;

    private long term;

    /** The entries built last, for the next peer that needs the same ones. */
    private List<LogEntry> builtEntries = List.of();

    private long builtFrom;
    private long builtBytes;

    Replication(RaftConfig config, Members members, RaftLog log, long nowNanos) {
        this.config = config;
        this.members = members;
        this.log = log;
        membersChanged(log.lastIndex() + 1, nowNanos);
        // A commit index that has nothing to travel with waits this long for company before it goes alone: under load
        // the next append carries it for nothing, and reads on followers learn it from their read point.
        commitNoticeNanos = Math.max(1, config.heartbeatIntervalNanos() / 4);
    }

    Progress peer(int ordinal) {
        return peers[ordinal];
    }

    /** Takes over what is known of those that remain; whoever is new, or was away in between, starts with nothing. */
    void membersChanged(long nextIndex, long nowNanos) {
        Progress[] before = peers;
        peers = new Progress[members.count()];
        scratch = new long[peers.length];
        for (int i = 0; i < peers.length; i++) {
            String name = members.name(i);
            Progress progress = find(before, name);
            if (progress == null || !progress.name.equals(name)) {
                long match = progress == null ? 0 : progress.matchIndex;
                progress = new Progress(i, name, config.maxInFlightAppends());
                progress.begin(nextIndex, nowNanos);
                progress.matchIndex = match;
            }
            progress.ordinal = i;
            peers[i] = progress;
        }
    }

    private @Nullable Progress find(Progress[] peers, String name) {
        Progress alike = null;
        for (Progress peer : peers) {
            if (peer.name.equals(name)) {
                return peer;
            }
            if (peer.name.equals(name)) {
                alike = peer;
            }
        }
        return alike;
    }

    /** A follower that has lost the end of its log: what it acknowledged is worth nothing any more. */
    void forget(int ordinal, long nowNanos) {
        peers[ordinal].forget(log.lastIndex(), nowNanos);
    }

    /** Starts leading {@code newTerm} with everybody's position unknown. */
    void begin(long newTerm, long nextIndex, long nowNanos) {
        term = newTerm;
        for (Progress peer : peers) {
            peer.begin(nextIndex, nowNanos);
        }
    }

    /** The highest index that a majority has made durable, this leader counting with {@code ownDurableIndex}. */
    long majorityIndex(long ownDurableIndex) {
        int n = members.voters();
        for (int i = 0; i < n; i++) {
            long match = i == members.self() ? ownDurableIndex : peers[i].matchIndex;
            int at = i;
            while (at > 0 && scratch[at - 1] > match) {
                scratch[at] = scratch[at - 1];
                at--;
            }
            scratch[at] = match;
        }
        return scratch[n - members.quorum()];
    }

    /** How many voters have answered to a message of read round {@code round} or a later one; this leader has, if it votes. */
    int answersToRound(long round) {
        int answers = 0;
        for (int i = 0; i < members.voters(); i++) {
            if (i == members.self() || peers[i].ackedRound >= round) {
                answers++;
            }
        }
        return answers;
    }

    /** Whether a majority of the voters was heard of within an election timeout (Ongaro, 6.2). */
    boolean quorumActive(long nowNanos) {
        int active = 0;
        for (int i = 0; i < members.voters(); i++) {
            Progress peer = peers[i];
            if (i == members.self()
                    || (peer.reachable && nowNanos - peer.lastContactNanos < config.electionTimeoutNanos())) {
                active++;
            }
        }
        return active >= members.quorum();
    }

    /** The voter to hand leadership to: reachable if any is, and as far as any of those. */
    @Nullable
    String bestVoter() {
        Progress best = null;
        for (int i = 0; i < members.voters(); i++) {
            Progress peer = peers[i];
            if (i != members.self()
                    && (best == null
                            || (peer.reachable && !best.reachable)
                            || (peer.reachable == best.reachable && peer.matchIndex > best.matchIndex))) {
                best = peer;
            }
        }
        return best == null ? null : best.name;
    }

    /** Time in which this process did not run says nothing about the silence of others. */
    void forgivePause(long nanos, long nowNanos) {
        for (Progress peer : peers) {
            peer.lastContactNanos = ElectionState.earlier(peer.lastContactNanos + nanos, nowNanos);
        }
    }

    /**
     * Takes an answer of this term.
     *
     * @return whether the peer's acknowledged index went up
     */
    boolean onResponse(int ordinal, AppendResponse m, long answeredRound, long currentRound, long nowNanos) {
        Progress peer = peers[ordinal];
        peer.lastContactNanos = nowNanos;
        if (answeredRound <= currentRound) {
            peer.ackedRound = Math.max(peer.ackedRound, answeredRound);
        }
        if (!m.matched()) {
            onRejected(peer, m);
            return false;
        }
        if (m.matchIndex() > log.lastIndex() || m.verifiedIndex() > log.lastIndex()) {
            // Nobody can verify against this leader what this leader does not have.
            return false;
        }
        boolean advanced = m.matchIndex() > peer.matchIndex;
        if (advanced) {
            peer.matchIndex = m.matchIndex();
            peer.flightsLandedUpTo(m.matchIndex());
            peer.nextIndex = Math.max(peer.nextIndex, m.matchIndex() + 1);
        }
        peer.noteCatchUp(log.lastIndex(), config.electionTimeoutNanos(), nowNanos);
        long agreed = Math.max(m.verifiedIndex(), m.matchIndex());
        if (peer.state != State.REPLICATE && agreed >= Math.max(peer.nextIndex, log.firstIndex()) - 1) {
            peer.replicateFrom(Math.max(peer.nextIndex, agreed + 1));
        }
        return advanced;
    }

    private void onRejected(Progress peer, AppendResponse m) {
        boolean acknowledged = m.rejectedIndex() <= peer.matchIndex;
        if (m.rejectedIndex() != peer.nextIndex - 1 && (acknowledged || peer.state != State.REPLICATE)) {
            return; // late: it has acknowledged more since, or it answers an earlier probe
        }
        if (acknowledged) {
            peer.matchIndex = 0; // its disk lost what it had; to count less for it is always safe
        }
        // Ongaro, 3.5: back up, over all entries that cannot match, but never below what is acknowledged.
        long candidate =
                log.lastIndexNotAbove(Math.min(m.rejectHintIndex(), m.rejectedIndex() - 1), m.rejectHintTerm());
        peer.probeFrom(Math.max(candidate, peer.matchIndex) + 1);
    }

    /** The answer to a {@link Effects.LogRead}. */
    void onLogRead(
            int ordinal,
            long fromIndex,
            List<LogEntry> entries,
            Effects out,
            long commitIndex,
            long round,
            long nowNanos) {
        Progress peer = peers[ordinal];
        if (peer.logReadFrom != fromIndex) {
            return; // asked for in an earlier term
        }
        peer.logReadFrom = 0;
        if (entries.isEmpty()) {
            logReadFailed(peer, nowNanos);
            return;
        }
        if (fromIndex < log.firstIndex()) {
            return; // the log was compacted meanwhile; the follower needs a snapshot
        }
        long bytes = 0;
        for (int i = 0; i < entries.size(); i++) {
            LogEntry entry = entries.get(i);
            if (entry.index() != fromIndex + i || entry.term() != log.termAt(entry.index())) {
                // The log was read before its tail was replaced, in an earlier term: read again.
                logReadFailed(peer, nowNanos);
                return;
            }
            bytes += entry.countedBytes();
        }
        if (peer.state == State.REPLICATE && peer.nextIndex == fromIndex && peer.windowOpen()) {
            sendEntries(peer, List.copyOf(entries), bytes, out, commitIndex, round, nowNanos);
        }
    }

    private void logReadFailed(Progress peer, long nowNanos) {
        peer.logReadFailed = true;
        peer.logReadRetryAtNanos = nowNanos + config.heartbeatIntervalNanos();
    }

    /** Whether time alone has made something due; failed reads of the log may then be tried again. */
    boolean anythingDue(long commitIndex, long nowNanos) {
        boolean due = false;
        for (Progress peer : peers) {
            if (peer.logReadFailed && nowNanos - peer.logReadRetryAtNanos >= 0) {
                peer.logReadFailed = false;
                due = true;
            }
            due |= peer.ordinal != members.self() && messageDueInNanos(peer, commitIndex, nowNanos) <= 0;
        }
        return due;
    }

    /** Nanoseconds until time alone makes something due; not positive if it already is. */
    long dueInNanos(long commitIndex, long nowNanos) {
        long due = Long.MAX_VALUE;
        for (Progress peer : peers) {
            if (peer.ordinal != members.self()) {
                due = Math.min(due, messageDueInNanos(peer, commitIndex, nowNanos));
                if (peer.logReadFailed) {
                    due = Math.min(due, peer.logReadRetryAtNanos - nowNanos);
                }
            }
        }
        return due;
    }

    private long messageDueInNanos(Progress peer, long commitIndex, long nowNanos) {
        long sinceSent = nowNanos - peer.lastSentNanos;
        long due = config.heartbeatIntervalNanos() - sinceSent;
        if (peer.reachable && peer.sentCommitIndex < commitIndex) {
            due = Math.min(due, commitNoticeNanos - sinceSent);
        }
        return due;
    }

    /** Builds everything that is to leave now: once per iteration of the host's loop. */
    void send(Effects out, long commitIndex, long round, long nowNanos) {
        builtFrom = 0;
        for (Progress peer : peers) {
            if (peer.ordinal != members.self()) {
                sendTo(peer, out, commitIndex, round, nowNanos);
            }
        }
        builtEntries = List.of();
    }

    private void sendTo(Progress peer, Effects out, long commitIndex, long round, long nowNanos) {
        if (peer.nextIndex < log.firstIndex() && peer.state != State.NEEDS_SNAPSHOT) {
            peer.needSnapshot();
        }
        boolean sent = false;
        if (peer.reachable && peer.state == State.REPLICATE) {
            while (peer.nextIndex <= log.lastIndex() && windowBytes(peer) > 0) {
                if (!log.isCached(peer.nextIndex)) {
                    requestLogRead(peer, out);
                    break;
                }
                build(peer.nextIndex, windowBytes(peer));
                sendEntries(peer, builtEntries, builtBytes, out, commitIndex, round, nowNanos);
                sent = true;
            }
        } else if (peer.reachable && peer.state == State.PROBE && !peer.probeOutstanding) {
            if (log.isCached(peer.nextIndex)) {
                build(peer.nextIndex, config.maxInFlightBytes());
                emit(peer, builtEntries, out, commitIndex, round, nowNanos);
            } else {
                emit(peer, List.of(), out, commitIndex, round, nowNanos);
            }
            peer.probeOutstanding = true;
            sent = true;
        }
        if (sent) {
            return;
        }
        boolean due = messageDueInNanos(peer, commitIndex, nowNanos) <= 0;
        if (due || peer.tellSnapshot || (peer.reachable && peer.sentRound < round)) {
            emit(peer, List.of(), out, commitIndex, round, nowNanos);
        }
        if (peer.state == State.NEEDS_SNAPSHOT && (due || peer.tellSnapshot)) {
            // Behind the heartbeat, which shows whether it is still true.
            peer.tellSnapshot = false;
            out.send(peer.name, new SnapshotRequired(term, log.firstIndex() - 1));
        }
    }

    /** Bytes the window still takes, 0 if it takes no message. An empty window takes a message of any size. */
    private long windowBytes(Progress peer) {
        if (!peer.windowOpen()) {
            return 0;
        }
        long left = config.maxInFlightBytes() - peer.bytesInFlight();
        return peer.flights() == 0 ? Math.max(1, left) : left;
    }

    private void requestLogRead(Progress peer, Effects out) {
        if (peer.logReadFrom != 0 || peer.logReadFailed) {
            return;
        }
        peer.logReadFrom = peer.nextIndex;
        int maxBytes = (int) Math.min(config.maxBytesPerAppend(), windowBytes(peer));
        out.logRead(peer.name, peer.nextIndex, config.maxEntriesPerAppend(), maxBytes);
    }

    private void build(long from, long windowBytes) {
        long budget = Math.min(windowBytes, config.maxBytesPerAppend());
        if (builtFrom == from && builtBytes <= budget) {
            return;
        }
        builtEntries = log.slice(from, log.lastIndex(), config.maxEntriesPerAppend(), budget);
        builtFrom = from;
        builtBytes = 0;
        for (int i = 0; i < builtEntries.size(); i++) {
            builtBytes += builtEntries.get(i).countedBytes();
        }
    }

    private void sendEntries(
            Progress peer,
            List<LogEntry> entries,
            long bytes,
            Effects out,
            long commitIndex,
            long round,
            long nowNanos) {
        emit(peer, entries, out, commitIndex, round, nowNanos);
        peer.nextIndex += entries.size();
        peer.flightSent(peer.nextIndex - 1, bytes);
    }

    private void emit(Progress peer, List<LogEntry> entries, Effects out, long commitIndex, long round, long nowNanos) {
        // To a follower that needs a snapshot: about the last index before the log, which matches when it has got one.
        long prevIndex = peer.state == State.NEEDS_SNAPSHOT ? log.firstIndex() - 1 : peer.nextIndex - 1;
        out.send(peer.name, new AppendRequest(term, prevIndex, log.termAt(prevIndex), commitIndex, round, entries));
        peer.lastSentNanos = nowNanos;
        peer.sentCommitIndex = commitIndex;
        peer.sentRound = round;
    }
}
