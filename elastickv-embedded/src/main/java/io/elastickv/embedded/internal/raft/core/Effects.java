package io.elastickv.embedded.internal.raft.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the host has to do after the events it fed to a {@link RaftCore}, in this order of meaning: write {@link
 * #persist()} and then {@link #appends()} to the log, send {@link #messages()}, apply what is committed, answer reads.
 *
 * <p>The object and its lists belong to the core and are used again: they are valid until the second call of {@link
 * RaftCore#takeEffects()} from the one that returned them, so that events may be fed to the core while its effects are
 * being carried out. The messages themselves never change and may be kept.
 */
public final class Effects {

    /**
     * A message to send.
     *
     * @param to the receiving member's name
     * @param message what to send
     * @param afterDurable it may leave only when the persists and appends of these and of all earlier effects are
     *     durable; if that write fails it must never leave. Other messages leave at once, in parallel with the disk
     *     (Ongaro, 10.2.1).
     */
    public record Outbound(String to, RaftMessage message, boolean afterDurable) {}

    /**
     * A read may be served from a state machine that has applied at least {@code index}.
     *
     * @param context that of {@link RaftCore#read}
     * @param index the read point
     * @param leaderWallMillis the leader's wall clock when it took the read point, milliseconds since 1970
     */
    public record ReadReady(long context, long index, long leaderWallMillis) {}

    /**
     * A read got no read point.
     *
     * @param context that of {@link RaftCore#read}
     * @param reason why
     * @param leaderHint the member believed to lead now, or null
     */
    public record ReadFailed(
            long context, ReadFailure reason, @Nullable String leaderHint) {}

    /**
     * Entries for a lagging follower that are no longer in memory. To be read from the log, without blocking the
     * caller, and answered with {@link RaftCore#logRead}: always, with an empty list if it could not be read.
     *
     * @param peer the follower they are for
     * @param fromIndex index of the first entry wanted
     * @param maxEntries entries wanted, at most
     * @param maxBytes bytes of payload wanted, at most; the first entry is always wanted
     */
    public record LogRead(String peer, long fromIndex, int maxEntries, int maxBytes) {}

    /**
     * The log that the leader has does not reach back to what this member needs. To be answered with {@link
     * RaftCore#snapshotInstalled} or {@link RaftCore#snapshotFailed}; another request ends the one before.
     *
     * @param from the leader, whose host has to offer a snapshot
     * @param leastIndex the snapshot must reach at least so far
     */
    public record FetchSnapshot(String from, long leastIndex) {}

    private @Nullable HardState persist;
    private final ArrayList<LogEntry> appends = new ArrayList<>();
    private final ArrayList<Outbound> messages = new ArrayList<>();
    private final ArrayList<ReadReady> readsReady = new ArrayList<>();
    private final ArrayList<ReadFailed> readsFailed = new ArrayList<>();
    private final ArrayList<LogRead> logReads = new ArrayList<>();
    private final List<LogEntry> appendsView = Collections.unmodifiableList(appends);
    private final List<Outbound> messagesView = Collections.unmodifiableList(messages);
    private final List<ReadReady> readsReadyView = Collections.unmodifiableList(readsReady);
    private final List<ReadFailed> readsFailedView = Collections.unmodifiableList(readsFailed);
    private final List<LogRead> logReadsView = Collections.unmodifiableList(logReads);
    private @Nullable FetchSnapshot fetchSnapshot;
    private long commitIndex;
    private boolean roleChanged;
    private Role role = Role.FOLLOWER;
    private long term;
    private @Nullable String leader;

    Effects() {}

    /** Term and vote to make durable, or null if they did not change. To be written before {@link #appends()}. */
    public @Nullable HardState persist() {
        return persist;
    }

    /**
     * Entries to append to the log, without gaps. If the first one's index is not beyond the log's end, it replaces
     * the entry there and everything after it.
     */
    public List<LogEntry> appends() {
        return appendsView;
    }

    /** Messages to send, in this order per receiver. */
    public List<Outbound> messages() {
        return messagesView;
    }

    /** Everything up to here is committed and may be applied. */
    public long commitIndex() {
        return commitIndex;
    }

    /** Reads that got their read point. */
    public List<ReadReady> readsReady() {
        return readsReadyView;
    }

    /** Reads that will get none. */
    public List<ReadFailed> readsFailed() {
        return readsFailedView;
    }

    /** Entries to fetch from the log. */
    public List<LogRead> logReads() {
        return logReadsView;
    }

    /** A snapshot to fetch from the leader and to install, or null; emitted once per need. */
    public @Nullable FetchSnapshot fetchSnapshot() {
        return fetchSnapshot;
    }

    /** Whether role, term or leader differ from those of the previous effects. */
    public boolean roleChanged() {
        return roleChanged;
    }

    /** The member's role when the effects were taken. */
    public Role role() {
        return role;
    }

    /** Its term. */
    public long term() {
        return term;
    }

    /** The leader it knows of, itself perhaps, or null. */
    public @Nullable String leader() {
        return leader;
    }

    @Override
    public String toString() {
        return "Effects[persist=" + persist + ", appends=" + appends + ", messages=" + messages + ", commitIndex="
                + commitIndex + ", readsReady=" + readsReady + ", readsFailed=" + readsFailed + ", logReads="
                + logReads + ", fetchSnapshot=" + fetchSnapshot + ", roleChanged=" + roleChanged + ", role=" + role
                + ", term=" + term + ", leader="
                + leader + "]";
    }

    void setPersist(HardState state) {
        persist = state;
    }

    /** Adds an entry; what was collected at its index and beyond was never written and is dropped. */
    void append(LogEntry entry) {
        while (!appends.isEmpty() && appends.get(appends.size() - 1).index() >= entry.index()) {
            appends.remove(appends.size() - 1);
        }
        appends.add(entry);
    }

    void send(String to, RaftMessage message) {
        messages.add(new Outbound(to, message, false));
    }

    void sendAfterDurable(String to, RaftMessage message) {
        messages.add(new Outbound(to, message, true));
    }

    void readReady(long context, long index, long leaderWallMillis) {
        readsReady.add(new ReadReady(context, index, leaderWallMillis));
    }

    void readFailed(long context, ReadFailure reason, @Nullable String leaderHint) {
        readsFailed.add(new ReadFailed(context, reason, leaderHint));
    }

    void logRead(String peer, long fromIndex, int maxEntries, int maxBytes) {
        logReads.add(new LogRead(peer, fromIndex, maxEntries, maxBytes));
    }

    void fetchSnapshot(String from, long leastIndex) {
        fetchSnapshot = new FetchSnapshot(from, leastIndex);
    }

    /** Forgets entries that were not written yet, up to {@code index}: a snapshot has replaced them. */
    void dropAppendsUpTo(long index) {
        appends.removeIf(entry -> entry.index() <= index);
    }

    boolean isEmpty() {
        return persist == null
                && appends.isEmpty()
                && messages.isEmpty()
                && readsReady.isEmpty()
                && readsFailed.isEmpty()
                && logReads.isEmpty()
                && fetchSnapshot == null;
    }

    void conclude(long newCommitIndex, boolean changed, Role newRole, long newTerm, @Nullable String newLeader) {
        commitIndex = newCommitIndex;
        roleChanged = changed;
        role = newRole;
        term = newTerm;
        leader = newLeader;
    }

    void clear() {
        persist = null;
        appends.clear();
        messages.clear();
        readsReady.clear();
        readsFailed.clear();
        logReads.clear();
        fetchSnapshot = null;
        roleChanged = false;
    }
}
