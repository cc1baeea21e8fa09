package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.raft.core.HardState;
import io.elastickv.embedded.internal.raft.core.LogEntry;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What one iteration of an event loop wants durable, for as many groups as it serves: written all or nothing, in the order
 * of the calls. Built by one thread, given to {@link NodeLog#submit} once, not touched afterwards; payloads belong to the
 * log until the completion is called.
 */
public final class LogBatch {

    /** Called exactly once, on the log's writer thread; must neither block nor throw. */
    public interface Completion {

        /**
         * All of the batch, and of every batch submitted before it, is durable: with {@link Durability#MEMORY} only term,
         * vote and removal outlast the operating system.
         */
        void durable();

        /** Whether any of the batch will be found after a restart is unknown; nothing more will become durable. */
        void failed(Throwable cause);
    }

    private final Completion completion;
    private int size;
    private int[] groupIds = new int[8];
    /** A LogEntry, a HardState, a Base, a Control, a NodeRecord, or null for a commit index. */
    private @Nullable Object[] items = new @Nullable Object[8];

    private int[] payloadLengths = new int[8];
    private long[] commitIndexes = new long[0];
    private long recordsLength;
    private int largestPayload;
    private boolean mustSync;
    private boolean mayFree;
    private boolean submitted;

    /** Set and used by the writer thread; null for a record of the node's. */
    @Nullable
    GroupLog[] groups = new @Nullable GroupLog[0];

    public LogBatch(Completion completion) {
        this.completion = completion;
    }

    /** Term and vote of a group, one record. */
    public LogBatch add(int groupId, HardState hardState) {
        String vote = hardState.votedFor();
        append(groupId, hardState, vote == null ? 0 : vote.getBytes(StandardCharsets.UTF_8).length);
        mustSync = true;
        return this;
    }

    /** An entry of a group; replaces the entry at its index and all after it. */
    public LogBatch add(int groupId, LogEntry entry) {
        append(groupId, entry, entry.payload().length);
        return this;
    }

    /** How far the group is committed: only a hint that saves work after a restart. */
    public LogBatch addCommit(int groupId, long commitIndex) {
        append(groupId, null, 0);
        if (commitIndexes.length < groupIds.length) {
            commitIndexes = Arrays.copyOf(commitIndexes, groupIds.length);
        }
        commitIndexes[size - 1] = commitIndex;
        return this;
    }

    /**
     * The group's entries up to {@code index}, whose term was {@code term}, are gone: they are in a durable checkpoint. If
     * the log has that entry, what follows it stays; otherwise (a snapshot was installed) everything goes, and the log goes
     * on after {@code index}. The commit index is {@code index} at least. Without effect if the base is there already.
     */
    public LogBatch addBase(int groupId, long index, long term) {
        append(groupId, new Base(index, term), 0);
        mayFree = true;
        return this;
    }

    /** The group's replica left this node: nothing of it stays. If it ever comes back it is new, term and vote too. */
    public LogBatch addRemoved(int groupId) {
        append(groupId, Control.REMOVED, 0);
        mayFree = true;
        mustSync = true;
        return this;
    }

    /**
     * The group, whose memory was lost (see {@link GroupLog#memoryLost}), has again all that it may have acknowledged.
     * Without effect on others.
     */
    public LogBatch addMemoryRecovered(int groupId) {
        append(groupId, Control.MEMORY_RECOVERED, 0);
        return this;
    }

    /** {@link #addBase}; the writer finds out which of its two meanings it has. */
    static final class Base {
        final long index;
        final long term;
        boolean replacesAll;

        Base(long index, long term) {
            this.index = index;
            this.term = term;
        }
    }

    /** Records that say nothing but that. */
    enum Control {
        REMOVED,
        MEMORY_RECOVERED,
        MEMORY_LOST
    }

    /** A record of the node's, not of a group's: {@link LogFormat#RECORD_START} or {@link LogFormat#RECORD_MARK}. */
    record NodeRecord(byte kind, byte code, long index, String text) {}

    LogBatch addMemoryLost(int groupId) {
        append(groupId, Control.MEMORY_LOST, 0);
        mustSync = true;
        return this;
    }

    LogBatch add(NodeRecord item) {
        append(0, item, item.text.getBytes(StandardCharsets.UTF_8).length);
        mustSync = true;
        return this;
    }

    /** Whether entries go with it. */
    boolean mayFree() {
        return mayFree;
    }

    /** Whether it must be durable in every mode before its completion is called. */
    boolean mustSync() {
        return mustSync;
    }

    public boolean isEmpty() {
        return size == 0;
    }

    /** How many records there are. */
    public int size() {
        return size;
    }

    /** The bytes the records take in the log. */
    public long recordsLength() {
        return recordsLength;
    }

    Completion completion() {
        return completion;
    }

    int groupId(int i) {
        return groupIds[i];
    }

    @Nullable
    Object item(int i) {
        return items[i];
    }

    long commitIndex(int i) {
        return commitIndexes[i];
    }

    long recordBytes(int i) {
        return LogFormat.recordBytes(payloadLengths[i]);
    }

    int largestPayload() {
        return largestPayload;
    }

    void markSubmitted() {
        if (submitted) {
            throw new IllegalStateException("the batch was submitted before");
        }
        submitted = true;
    }

    private void append(int groupId, @Nullable Object item, int payloadLength) {
        if (submitted) {
            throw new IllegalStateException("the batch was submitted before");
        }
        long length = recordsLength + LogFormat.recordBytes(payloadLength);
        if (length > LogFormat.MAX_BATCH_BYTES) {
            throw new IllegalArgumentException("the batch would have " + length + " bytes, at most "
                    + LogFormat.MAX_BATCH_BYTES + " are possible");
        }
        if (size == items.length) {
            groupIds = Arrays.copyOf(groupIds, size * 2);
            items = Arrays.copyOf(items, size * 2);
            payloadLengths = Arrays.copyOf(payloadLengths, size * 2);
        }
        groupIds[size] = groupId;
        items[size] = item;
        payloadLengths[size] = payloadLength;
        size++;
        recordsLength = length;
        largestPayload = Math.max(largestPayload, payloadLength);
    }
}
