package io.elastickv.embedded.internal.raft;

import io.elastickv.embedded.internal.raft.GroupSnapshots.Capture;
import io.elastickv.embedded.internal.raft.GroupSnapshots.Incoming;
import io.elastickv.embedded.internal.raft.GroupSnapshots.Snapshot;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.Effects.FetchSnapshot;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The durable copies of a group's state, as its loop sees them: at most one is being written, at most one being fetched,
 * and one that was fetched waits here until nothing is being written. On the group's loop.
 */
final class GroupCheckpoints {

    private static final Logger LOG = LoggerFactory.getLogger(GroupCheckpoints.class);
    private static final long FIRST_RETRY_NANOS = 100_000_000L;
    private static final long LONGEST_RETRY_NANOS = 5_000_000_000L;
    private static final long NEVER = Long.MIN_VALUE;

    private final int groupId;
    private final EventLoop loop;
    private final GroupSnapshots snapshots;
    private final Answers answers;
    private final Runnable onChange;

    /** What there is, newest first. */
    private List<Snapshot> kept;

    private long bytesSinceNewest;
    private @Nullable Capture writing;
    private @Nullable Incoming incoming;
    private long fetches;
    private int fetchFailures;
    private long retryAtNanos = NEVER;
    private boolean closed;

    /**
     * Makes it.
     *
     * @param onChange called on the loop when there is something new to do
     */
    GroupCheckpoints(
            int groupId,
            EventLoop loop,
            GroupSnapshots snapshots,
            Answers answers,
            List<Snapshot> kept,
            long bytesSinceNewest,
            Runnable onChange) {
        this.groupId = groupId;
        this.loop = loop;
        this.snapshots = snapshots;
        this.answers = answers;
        this.kept = List.copyOf(kept);
        this.bytesSinceNewest = bytesSinceNewest;
        this.onChange = onChange;
    }

    List<Snapshot> kept() {
        return kept;
    }

    long bytesSinceNewest() {
        return bytesSinceNewest;
    }

    void applied(long bytes) {
        bytesSinceNewest += bytes;
    }

    boolean isWriting() {
        return writing != null;
    }

    // ---- writing one

    /** Takes hold of the state as it is now and lets {@code background} write it. */
    void save(long index, long term, Configuration configuration, Executor background, CheckpointCallback callback) {
        if (writing != null || incoming != null) {
            answers.tell(() -> callback.failed(new IllegalStateException(
                    "group " + groupId + ": a checkpoint is being written or installed already")));
            return;
        }
        Capture capture;
        try {
            capture = snapshots.capture(index, term, configuration);
        } catch (RuntimeException e) {
            answers.tell(() -> callback.failed(e));
            return;
        }
        writing = capture;
        long coveredBytes = bytesSinceNewest;
        try {
            background.execute(() -> write(capture, coveredBytes, callback));
        } catch (RejectedExecutionException e) {
            capture.close();
            writing = null;
            answers.tell(() -> callback.failed(e));
        }
    }

    /** Background. */
    private void write(Capture capture, long coveredBytes, CheckpointCallback callback) {
        try {
            List<Snapshot> now = capture.write();
            capture.close();
            loop.executeUnlessEnded(() -> written(now, coveredBytes, callback));
        } catch (RuntimeException | Error e) {
            capture.close();
            loop.executeUnlessEnded(() -> notWritten(e, callback));
        }
    }

    private void written(List<Snapshot> now, long coveredBytes, CheckpointCallback callback) {
        writing = null;
        kept = List.copyOf(now);
        bytesSinceNewest -= coveredBytes;
        answers.tell(() -> callback.saved(now.get(0)));
        if (!closed) {
            onChange.run();
        }
    }

    private void notWritten(Throwable cause, CheckpointCallback callback) {
        writing = null;
        answers.tell(() -> callback.failed(cause));
        if (!closed) {
            onChange.run();
        }
    }

    // ---- fetching one

    /** Fetches what the core asks for. */
    void fetch(FetchSnapshot wanted) {
        if (incoming != null) {
            return; // one is here; if it does not suffice the core asks again
        }
        retryAtNanos = NEVER;
        long fetch = ++fetches;
        snapshots.fetch(MemberId.node(wanted.from()), wanted.leastIndex(), new GroupSnapshots.FetchCallback() {
            @Override
            public void fetched(Incoming one) {
                try {
                    loop.execute(() -> GroupCheckpoints.this.fetched(one));
                } catch (RejectedExecutionException e) {
                    one.close();
                }
            }

            @Override
            public void failed(Throwable cause) {
                loop.executeUnlessEnded(() -> fetchFailed(fetch, wanted, cause));
            }
        });
    }

    private void fetched(Incoming one) {
        Incoming other = incoming;
        if (closed
                || (other != null && other.snapshot().index() >= one.snapshot().index())) {
            one.close();
            return;
        }
        if (other != null) {
            other.close();
        }
        incoming = one;
        onChange.run();
    }

    private void fetchFailed(long fetch, FetchSnapshot wanted, Throwable cause) {
        if (closed || fetch != fetches || incoming != null) {
            return; // another fetch took its place
        }
        retryLater();
        LOG.warn(
                "group {}: the state could not be fetched from {}, again in {} ms: {}",
                groupId,
                MemberId.node(wanted.from()),
                (retryAtNanos - loop.nowNanos()) / 1_000_000,
                cause.toString());
    }

    /** What was fetched is of no use. */
    void retryLater() {
        long delay = Math.min(LONGEST_RETRY_NANOS, FIRST_RETRY_NANOS << Math.min(fetchFailures, 10));
        fetchFailures++;
        retryAtNanos = loop.nowNanos() + delay;
    }

    /** Whether it is time to tell the core that the fetch failed, so that it asks again. */
    boolean retryDue(long nowNanos) {
        if (retryAtNanos == NEVER || nowNanos - retryAtNanos < 0) {
            return false;
        }
        retryAtNanos = NEVER;
        return true;
    }

    /** What was fetched and can be installed now; passes to the caller. */
    @Nullable
    Incoming takeIncoming() {
        if (writing != null) {
            return null; // what is being written is a part of the present state
        }
        Incoming taken = incoming;
        incoming = null;
        return taken;
    }

    /** What was fetched took the place of the state. */
    void installed(Snapshot snapshot) {
        fetchFailures = 0;
        bytesSinceNewest = 0;
        kept = List.of(snapshot);
    }

    /** Ends what is being fetched. What is being written ends by itself. */
    void close() {
        closed = true;
        Incoming waiting = incoming;
        incoming = null;
        if (waiting != null) {
            waiting.close();
        }
        snapshots.cancelFetch();
    }
}
