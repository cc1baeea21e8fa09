package io.elastickv.embedded.internal.raft.log;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
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

    private final NodeLog log;
    private final SegmentWriter segments;

    /** Null in stepped mode. */
    private final @Nullable Thread thread;

    private final AtomicBoolean parked = new AtomicBoolean();
    private final List<LogBatch> taken = new ArrayList<>();
    private volatile boolean closing;
    private volatile boolean terminated;

    private volatile NodeLogStats stats;

    LogWriter(NodeLogOptions options, NodeLog log, SegmentWriter segments) {
        this.log = log;
        this.segments = segments;
        stats = new NodeLogStats(segments.fsyncs(), 0, 0, 0, 0);
        if (options.stepping()) {
            thread = null;
        } else {
            thread = new Thread(this, "elastickv-" + options.nodeName() + "-log-writer");
            thread.setDaemon(true);
        }
    }

    void start() {
        if (thread != null) {
            thread.start();
        }
    }

    /** Stepped mode: one group commit of what waits; false if nothing did. */
    boolean step() {
        if (terminated || queue.isEmpty()) {
            return false;
        }
        pass();
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

    long sizeBytes() {
        return stats.bytes();
    }

    Set<Integer> groupsPinning() {
        return Set.of();
    }

    /** Writes what was submitted before, then ends. */
    void close() {
        closing = true;
        if (thread == null) {
            run();
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
        commit();
        taken.clear();
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
            GroupLog[] groups = new GroupLog[batch.size()];
            for (int i = 0; i < groups.length; i++) {
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
                position = group.publish(batch, i, end, position);
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
                stats.bytes() + bytes);
    }

    /** Lets the next start tell damage from a torn end: what a frame follows was durable. */
    private void seal() {
        try {
            if (log.failure() == null && stats.frames() > 0) {
                segments.writeFrame(List.of());
            }
        } catch (Throwable e) {
            log.poison(e);
        }
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
