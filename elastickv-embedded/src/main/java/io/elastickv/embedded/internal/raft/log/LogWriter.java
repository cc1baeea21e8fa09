package io.elastickv.embedded.internal.raft.log;

import io.elastickv.embedded.internal.raft.log.LogBatch.NodeRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jctools.queues.atomic.MpscUnboundedAtomicArrayQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that writes: takes all batches that wait, writes them as one frame, syncs once, completes them in order.
 * While it syncs, the next ones gather, so groups grow with the load by themselves. It never spins (on few cores the
 * threads it would wait for need the core); it is woken only if it sleeps.
 */
final class LogWriter implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(LogWriter.class);

    /** Enough to be rid of the cost of a sync, little enough to bound the latency of what waits behind. */
    private static final long MAX_FRAME_BYTES = 4 << 20;

    private static final long CLOSE_MILLIS = 30_000;

    /** JCTools' variant without Unsafe, whose use newer JVMs warn about. */
    private final Queue<LogBatch> queue = new MpscUnboundedAtomicArrayQueue<>(1024);

    /** Of batches that nobody waits for. */
    static final LogBatch.Completion NOBODY = new LogBatch.Completion() {
        @Override
        public void durable() {}

        @Override
        public void failed(Throwable cause) {}
    };

    private final NodeLog log;
    private final SegmentFiles files;
    private final SegmentWriter segments;
    private final NodeRecord opened;

    /** Null in stepped mode. */
    private final @Nullable Thread thread;

    private final AtomicBoolean parked = new AtomicBoolean();
    private final List<LogBatch> taken = new ArrayList<>();

    /** Stepped mode: whether a pass is under way, which calls completions. */
    private boolean passing;

    private volatile boolean closing;
    private volatile boolean terminated;

    private volatile NodeLogStats stats;

    /** The segment that says how the log was opened. */
    private long openedSegment;

    private long publishedSegment;

    /** Whether segments may have become free since that was looked at. */
    private boolean mayFree = true;

    /** @param opened what to write first */
    LogWriter(NodeLogOptions options, NodeLog log, SegmentFiles files, SegmentWriter segments, NodeRecord opened) {
        this.log = log;
        this.files = files;
        this.segments = segments;
        this.opened = opened;
        stats = new NodeLogStats(segments.fsyncs(), 0, 0, 0, 0, 0);
        if (options.stepping()) {
            thread = null;
        } else {
            thread = new Thread(this, "elastickv-" + options.nodeName() + "-log-writer");
            thread.setDaemon(true);
        }
    }

    /**
     * Writes that the log is open, and which groups lost their memory, then goes to work.
     *
     * @throws LogException if the disk refuses
     */
    void start(Iterable<GroupLog> lost) {
        LogBatch first = new LogBatch(NOBODY).add(opened);
        lost.forEach(group -> first.addMemoryLost(group.groupId()));
        taken.add(first);
        commitAndFree();
        if (log.failure() instanceof RuntimeException failure) {
            closeSegments();
            throw failure;
        }
        stats = new NodeLogStats(segments.fsyncs(), 0, 0, 0, 0, 0);
        if (thread != null) {
            thread.start();
        }
    }

    /** Stepped mode: whether batches wait. */
    boolean hasWork() {
        return !queue.isEmpty();
    }

    /** Stepped mode: one group commit of what waits; false if nothing did. */
    boolean step() {
        if (passing || terminated || queue.isEmpty()) {
            return false;
        }
        passing = true;
        try {
            pass();
        } finally {
            passing = false;
        }
        if (closing) {
            run(); // a completion closed the log
        }
        return true;
    }

    /** Any thread. */
    void submit(LogBatch batch) {
        queue.add(batch);
        // The queue's index and the flag are both volatile, and each side writes one before it reads the other.
        if (parked.get() && parked.compareAndSet(true, false)) {
            LockSupport.unpark(thread);
        }
        if (terminated) {
            failQueued();
        }
    }

    NodeLogStats stats() {
        return stats;
    }

    /** Writes what was submitted before, then ends. */
    void close() {
        closing = true;
        if (thread == null) {
            if (!passing) {
                run();
            }
            return;
        }
        LockSupport.unpark(thread);
        if (Thread.currentThread() == thread) {
            return; // a completion closes the log: the loop ends after it
        }
        boolean interrupted = false;
        try {
            thread.join(CLOSE_MILLIS);
            if (thread.isAlive()) {
                LOG.warn("{} still waits for the disk", thread.getName());
            }
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void run() {
        try {
            while (awaitWork()) {
                pass();
            }
            seal();
        } finally {
            terminated = true;
            failQueued();
        }
    }

    /** False when the log is closed and nothing waits. */
    private boolean awaitWork() {
        while (queue.isEmpty()) {
            if (closing) {
                return false;
            }
            parked.set(true);
            if (queue.isEmpty() && !closing) {
                LockSupport.park(this);
            }
            parked.set(false);
        }
        return true;
    }

    private void pass() {
        take();
        commitAndFree();
    }

    private void commitAndFree() {
        commit();
        taken.clear();
        if (mayFree && log.failure() == null) {
            mayFree = false;
            free();
            taken.clear();
        }
    }

    /**
     * Frees the oldest segments if no group has an entry there. What else is only there is written once more before, in one
     * frame with the number of the segment that is now the first.
     */
    private void free() {
        long start = log.firstSegment(segments.sequence());
        if (start <= files.start()) {
            return;
        }
        LogBatch carried = new LogBatch(NOBODY);
        log.carryOver(carried, start);
        if (openedSegment < start) {
            carried.add(opened);
        }
        carried.add(new NodeRecord(LogFormat.RECORD_START, (byte) 0, start, ""));
        taken.add(carried);
        commit();
        if (log.failure() != null) {
            return;
        }
        try {
            files.release(start);
            log.reader().forget(start);
        } catch (Throwable e) {
            log.poison(e);
        }
    }

    private void take() {
        long length = 0;
        while (length < MAX_FRAME_BYTES) {
            LogBatch batch = queue.poll();
            if (batch == null) {
                return;
            }
            taken.add(batch);
            length += batch.recordsLength();
        }
    }

    private void commit() {
        Throwable failure = log.failure();
        if (failure == null) {
            try {
                accept();
                publish(segments.writeFrame(taken));
            } catch (Throwable e) {
                log.poison(e);
                failure = e;
            }
        }
        for (LogBatch batch : taken) {
            complete(batch, failure);
        }
    }

    private void accept() {
        int lastId = 0;
        GroupLog last = null;
        for (LogBatch batch : taken) {
            @Nullable GroupLog[] groups = new @Nullable GroupLog[batch.size()];
            mayFree |= batch.mayFree();
            for (int i = 0; i < groups.length; i++) {
                if (batch.item(i) instanceof NodeRecord) {
                    continue;
                }
                int id = batch.groupId(i);
                if (last == null || id != lastId) {
                    last = log.group(id);
                    lastId = id;
                }
                groups[i] = last;
                String refusal = last.accept(batch, i);
                if (refusal != null) {
                    throw new LogMisuseException("group " + id + ": " + refusal);
                }
            }
            batch.groups = groups;
        }
    }

    /** Shows the records in the groups, in order. */
    private void publish(long firstRecord) {
        if (segments.sequence() != publishedSegment) {
            publishedSegment = segments.sequence();
            mayFree = true;
        }
        long position = SparseIndex.position(segments.sequence(), firstRecord);
        long records = 0;
        long bytes = LogFormat.FRAME_HEADER_BYTES;
        for (LogBatch batch : taken) {
            int i = 0;
            while (i < batch.size()) {
                GroupLog group = batch.groups[i];
                int end = i + 1;
                while (end < batch.size() && batch.groups[end] == group) {
                    end++;
                }
                if (group != null) {
                    position = group.publish(batch, i, end, position);
                } else {
                    for (int k = i; k < end; k++) {
                        position += batch.recordBytes(k);
                        if (batch.item(k) == opened) {
                            openedSegment = segments.sequence();
                        }
                    }
                }
                i = end;
            }
            records += batch.size();
            bytes += batch.recordsLength();
        }
        stats = new NodeLogStats(
                segments.fsyncs(),
                stats.frames() + 1,
                stats.batches() + taken.size(),
                stats.records() + records,
                stats.bytes() + bytes,
                files.recycled());
    }

    /** Lets the next start tell damage from a torn end: what a frame follows was durable. */
    private void seal() {
        try {
            if (log.failure() == null) {
                NodeRecord closed = new NodeRecord(LogFormat.RECORD_MARK, LogFormat.MARK_CLOSED, 0, "");
                segments.writeFrame(List.of(new LogBatch(NOBODY).add(closed)));
            }
        } catch (Throwable e) {
            log.poison(e);
        }
        closeSegments();
    }

    private void closeSegments() {
        try {
            segments.close();
        } catch (IOException e) {
            LOG.warn("closing the log failed: {}", e.toString());
        }
    }

    /** After the end of the thread: whoever submits too late fails its batch itself. */
    private synchronized void failQueued() {
        Throwable failure = log.failure();
        Throwable cause = failure != null ? failure : log.closedException();
        LogBatch batch = queue.poll();
        while (batch != null) {
            complete(batch, cause);
            batch = queue.poll();
        }
    }

    private static void complete(LogBatch batch, @Nullable Throwable failure) {
        try {
            if (failure == null) {
                batch.completion().durable();
            } else {
                batch.completion().failed(failure);
            }
        } catch (Throwable e) {
            LOG.error("the completion of a batch threw", e);
        }
    }
}
