package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.raft.log.LogBatch.NodeRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The write-ahead log of a node: one sequence of segment files for all of its Raft groups, with group commit. Batches of
 * any number of event loops that wait at the same time are written as one frame and made durable by one fdatasync.
 *
 * <p>Any failure to write or sync, and any damage found while reading, poisons the log for good: the batches that wait and
 * all later ones fail, nothing is acknowledged any more, as after a failed sync nobody knows what is on the disk (Rebello et
 * al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020). The remedy is in the message; a restart finds
 * everything that was acknowledged.
 *
 * <p>A segment of which no group has entries after its base is freed by the writer, and written again later: see {@link
 * LogBatch#addBase}. So the oldest entry that is needed holds the log: see {@link #groupsPinning}.
 *
 * <p>With {@link Durability#MEMORY} term, vote and removal are synced all the same, as a vote must never be forgotten. What
 * else was written may be gone when the operating system ends without the log having been closed: then the groups know it
 * ({@link GroupLog#memoryLost}).
 *
 * <p>Thread-safe. Only one process may have a directory open; seeing to that is the caller's business.
 */
public final class NodeLog implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(NodeLog.class);

    private final NodeLogOptions options;
    private final ConcurrentMap<Integer, GroupLog> groups = new ConcurrentHashMap<>();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final SegmentFiles files;
    private final LogReader reader;
    private final LogWriter writer;

    private NodeLog(NodeLogOptions options) {
        this.options = options;
        String bootId = options.bootId().get();
        files = new SegmentFiles(options);
        LogRecovery recovery = new LogRecovery(options, bootId, files, this::group);
        SegmentWriter segments = recovery.run();
        boolean fsync = options.durability() == Durability.FSYNC;
        byte code = fsync ? LogFormat.MARK_OPENED_FSYNC : LogFormat.MARK_OPENED_MEMORY;
        reader = new LogReader(options, this);
        writer = new LogWriter(
                options, this, files, segments, new NodeRecord(LogFormat.RECORD_MARK, code, 0, fsync ? "" : bootId));
        List<GroupLog> lost = new ArrayList<>();
        for (GroupLog group : groups.values()) {
            if (recovery.isMemoryLost() && group.isKnown()) {
                lost.add(group);
            }
        }
        if (!lost.isEmpty()) {
            LOG.warn(
                    "node {}: the log in {} was written without fsync (Durability.MEMORY) and the operating system has ended"
                            + " since: {} groups may have lost entries that they had acknowledged",
                    options.nodeName(),
                    options.directory(),
                    lost.size());
        }
        writer.start(lost);
    }

    /**
     * Opens the log, creating it if the directory holds none, and reads all of it.
     *
     * @throws LogCorruptException if acknowledged data is damaged or missing
     * @throws LogFormatException if another version wrote it, whose format is not known
     * @throws LogIoException if the disk refuses
     */
    public static NodeLog open(NodeLogOptions options) {
        NodeLog log = new NodeLog(options);
        LOG.info(
                "node {}: log in {} opened, {} groups, durability {}",
                options.nodeName(),
                options.directory(),
                log.groups.size(),
                options.durability());
        return log;
    }

    /** What the log holds of a group: nothing, if it never saw it. */
    public GroupLog group(int groupId) {
        GroupLog group = groups.get(groupId);
        return group != null ? group : groups.computeIfAbsent(groupId, id -> new GroupLog(id, this));
    }

    /** The groups of which there is anything here: term, vote, a base, entries. */
    public Set<Integer> groups() {
        return groupsThat(GroupLog::isKnown);
    }

    private Set<Integer> groupsThat(Predicate<GroupLog> condition) {
        Set<Integer> result = new TreeSet<>();
        for (GroupLog group : groups.values()) {
            if (condition.test(group)) {
                result.add(group.groupId());
            }
        }
        return result;
    }

    /**
     * Hands a batch over to be written. Does not wait; how much may be under way is the callers' business to bound. The
     * batches of one thread become durable in the order of their submission. If the log is poisoned or closed, the
     * completion is told so.
     *
     * @throws IllegalArgumentException if an entry is larger than the options allow; nothing happened then
     */
    public void submit(LogBatch batch) {
        if (batch.largestPayload() > options.maxRecordBytes()) {
            throw new IllegalArgumentException("an entry has " + batch.largestPayload() + " bytes, at most "
                    + options.maxRecordBytes() + " are allowed (maxRecordBytes)");
        }
        batch.markSubmitted();
        writer.submit(batch);
    }

    /** Whether the log refuses everything from now on. */
    public boolean isPoisoned() {
        return failure.get() != null;
    }

    /** Why the log is poisoned; null if it is not. */
    public @Nullable Throwable failure() {
        return failure.get();
    }

    /**
     * In stepped mode ({@link NodeLogOptions#withStepping}): one group commit of the batches that wait, their completions,
     * then the reads that wait, all on the calling thread; false if nothing waited. A log in this mode is used by one
     * thread only; one that is not closed leaves its files as a killed process does.
     */
    public boolean step() {
        checkStepped();
        boolean wrote = writer.step();
        return reader.step() || wrote;
    }

    private void checkStepped() {
        if (!options.stepping()) {
            throw new IllegalStateException("the log has threads of its own: it was not opened with stepping");
        }
    }

    /** The first half of {@link #step} alone: a simulation takes them apart, as the threads are not in step either. */
    public boolean stepWrites() {
        checkStepped();
        return writer.step();
    }

    /** The second half of {@link #step} alone. */
    public boolean stepReads() {
        checkStepped();
        return reader.step();
    }

    /** In stepped mode: whether batches wait. */
    public boolean hasWrites() {
        return writer.hasWork();
    }

    /** In stepped mode: whether reads wait. */
    public boolean hasReads() {
        return reader.hasWork();
    }

    /** Whether nothing happens but in {@link #step}. */
    public boolean isStepped() {
        return options.stepping();
    }

    /**
     * Whether entries that were acknowledged may be missing here, for any group: the log was written with {@link
     * Durability#MEMORY}, was not closed in good order, and the operating system has been started again since. See {@link
     * GroupLog#memoryLost}.
     */
    public boolean memoryLost() {
        return groups.values().stream().anyMatch(GroupLog::memoryLost);
    }

    /** The bytes on disk of the segments that are in use, filled ahead or not. */
    public long sizeBytes() {
        return files.bytes();
    }

    /** The groups of which entries after the base are in the oldest segment: it cannot be freed before they have newer bases. */
    public Set<Integer> groupsPinning() {
        long start = files.start();
        return groupsThat(group -> group.firstSegment() == start);
    }

    /** Counters since the opening. */
    public NodeLogStats stats() {
        return writer.stats();
    }

    /** Writes what was submitted, serves the reads that were asked for, then closes the files. Idempotent. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            writer.close();
            reader.close();
        }
    }

    /** The first segment that holds an entry which is needed, but {@code limit} at most. */
    long firstSegment(long limit) {
        long first = limit;
        for (GroupLog group : groups.values()) {
            first = Math.min(first, group.firstSegment());
        }
        return first;
    }

    /** Adds again what is written only in segments before {@code start}; only the writer thread. */
    void carryOver(LogBatch batch, long start) {
        groups.values().forEach(group -> group.carryOver(batch, start));
    }

    /** Segments before this one may be written again at any time. */
    long startSegment() {
        return files.start();
    }

    /** The salt of a segment, 0 if it is not needed any more. */
    long salt(long sequence) {
        return files.salt(sequence);
    }

    LogReader reader() {
        return reader;
    }

    void poison(Throwable cause) {
        if (failure.compareAndSet(null, cause)) {
            LOG.error("node {}: the log accepts nothing more: {}", options.nodeName(), cause.getMessage(), cause);
        }
    }

    LogClosedException closedException() {
        return new LogClosedException("the log of node " + options.nodeName() + " is closed");
    }
}
