package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.shard.LoadedState;
import io.elastickv.embedded.internal.storage.CheckpointDamagedException;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.storage.StagedCheckpoint;
import io.elastickv.embedded.internal.storage.StagedCheckpoint.Piece;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One state on its way from another node: opens a checkpoint there, has a few pieces at a time on the way, writes them
 * to the own directory, and at the end makes them a checkpoint of its own and loads it. A lost connection interrupts it
 * only: what is here already is not fetched again. Thread-safe; what it waits for, it does not block a thread for.
 */
final class SnapshotFetch {

    private static final Logger LOG = LoggerFactory.getLogger(SnapshotFetch.class);
    private static final int WINDOW_PIECES = 4;
    private static final long OPEN_TIMEOUT_NANOS = 5_000_000_000L;
    private static final long READ_TIMEOUT_NANOS = 10_000_000_000L;
    private static final long CLOSE_TIMEOUT_NANOS = 1_000_000_000L;
    private static final long LATER_NANOS = 100_000_000L;
    private static final long REOPEN_NANOS = 200_000_000L;
    private static final long GIVE_UP_NANOS = 20_000_000_000L;
    private static final int MOST_DAMAGED = 3;

    private final SnapshotFetcher host;
    private final int group;
    private final CheckpointDirectory directory;
    private final Executor background;
    private final SnapshotFetcher.Loader loader;
    private final long startedNanos;

    // All guarded by this.
    private String source;
    private @Nullable String alternative;
    private long leastIndex;
    private SnapshotFetcher.@Nullable Callback callback;
    private @Nullable StagedCheckpoint staged;
    private long lease;
    /** Of the opening: what belongs to an earlier one is ignored. */
    private int opening;

    private @Nullable Piece last;
    private int onTheWay;
    private boolean incomplete;
    private long progressNanos;
    private int damaged;
    private boolean begun;

    SnapshotFetch(
            SnapshotFetcher host,
            String source,
            int group,
            long leastIndex,
            CheckpointDirectory directory,
            Executor background,
            SnapshotFetcher.Loader loader,
            SnapshotFetcher.Callback callback) {
        this.host = host;
        this.source = source;
        this.group = group;
        this.leastIndex = leastIndex;
        this.directory = directory;
        this.background = background;
        this.loader = loader;
        this.callback = callback;
        this.startedNanos = host.nanos.getAsLong();
        this.progressNanos = startedNanos;
    }

    /** It is its turn. */
    void begin() {
        synchronized (this) {
            begun = true;
            progressNanos = host.nanos.getAsLong();
            if (callback == null) {
                host.ended();
                return;
            }
        }
        open();
    }

    /**
     * Another leader offers the state: goes on with what is being fetched if it will do.
     *
     * @return false if it is over, or will not do
     */
    boolean goOn(String node, long newLeastIndex, SnapshotFetcher.Callback newCallback) {
        SnapshotFetcher.Callback old;
        synchronized (this) {
            old = callback;
            StagedCheckpoint coming = staged;
            if (old == null || (coming != null && coming.manifest().index() < newLeastIndex)) {
                return false;
            }
            if (coming == null) {
                source = node;
            }
            alternative = node;
            leastIndex = newLeastIndex;
            callback = newCallback;
        }
        old.failed(new IOException("another leader was asked for it"));
        return true;
    }

    /** Gives up; the callback is told. */
    void cancel(String reason) {
        end(null, new IOException(reason));
    }

    // ---- opening

    private void open() {
        int number;
        String node;
        SnapshotProtocol.Open request;
        synchronized (this) {
            if (callback == null) {
                return;
            }
            number = ++opening;
            node = source;
            StagedCheckpoint part = staged;
            request = new SnapshotProtocol.Open(
                    group, leastIndex, part == null ? -1 : part.manifest().index());
        }
        host.calls.call(node, SnapshotProtocol.METHOD_OPEN, request.encode(), OPEN_TIMEOUT_NANOS, new RpcCallback() {
            @Override
            public void success(ByteBuffer answer) {
                byte[] bytes = new byte[answer.remaining()];
                answer.get(bytes);
                opened(number, ByteBuffer.wrap(bytes));
            }

            @Override
            public void failure(RpcFailure failure) {
                reopen(number, "node " + node + " cannot be reached (" + failure + ")");
            }
        });
    }

    private void opened(int number, ByteBuffer answer) {
        byte status = answer.hasRemaining() ? answer.get() : SnapshotProtocol.FAILED;
        if (status == SnapshotProtocol.LATER) {
            host.timer.after(LATER_NANOS, this::openAgain);
            synchronized (this) {
                if (host.nanos.getAsLong() - progressNanos < GIVE_UP_NANOS) {
                    return;
                }
            }
            end(null, new IOException("no checkpoint was made there in time"));
        } else if (status != SnapshotProtocol.OK || answer.remaining() < Long.BYTES) {
            reopen(number, "it has no such replica");
        } else {
            long newLease = answer.getLong();
            byte[] manifest = new byte[answer.remaining()];
            answer.get(manifest);
            background(() -> stage(number, newLease, manifest));
        }
    }

    private void openAgain() {
        open();
    }

    private void background(Runnable task) {
        try {
            background.execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("group {}: the replica is closing", group, e);
            end(null, new IOException("the replica is closing"));
        }
    }

    /** Opens again in a moment, elsewhere if there is another leader by now; gives up if nothing has come for long. */
    private void reopen(int number, String problem) {
        boolean giveUp;
        synchronized (this) {
            if (callback == null || number != opening) {
                return;
            }
            opening++; // what is still on the way is not waited for
            if (alternative != null) {
                source = alternative;
                alternative = null;
            }
            giveUp = host.nanos.getAsLong() - progressNanos >= GIVE_UP_NANOS;
        }
        if (giveUp) {
            end(null, new IOException(problem));
        } else {
            LOG.debug("group {}: fetching the state is interrupted: {}", group, problem);
            host.timer.after(REOPEN_NANOS, this::openAgain);
        }
    }

    /** Background. */
    private void stage(int number, long newLease, byte[] manifest) {
        try {
            StagedCheckpoint coming = directory.stage(manifest);
            CheckpointManifest what = coming.manifest();
            StagedCheckpoint earlier;
            synchronized (this) {
                if (what.group() != group || what.index() < leastIndex) {
                    throw new IOException("got the state of group " + what.group() + " as of entry " + what.index()
                            + ", asked for group " + group + " as of " + leastIndex + " at least");
                }
                if (callback == null || number != opening) {
                    return;
                }
                earlier = staged;
                staged = coming;
                lease = newLease;
                last = null;
                onTheWay = 0;
                incomplete = false;
                progressNanos = host.nanos.getAsLong();
            }
            if (earlier != null && earlier != coming) {
                earlier.abandon();
            }
            ask(number);
        } catch (IOException | RuntimeException e) {
            end(null, e);
        }
    }

    // ---- reading

    /** Asks for as many pieces as may be on the way. */
    private void ask(int number) {
        List<Piece> pieces = new ArrayList<>();
        String node;
        long from;
        boolean complete = false;
        synchronized (this) {
            StagedCheckpoint coming = staged;
            if (callback == null || number != opening || coming == null) {
                return;
            }
            Piece next;
            while (onTheWay < WINDOW_PIECES && (next = coming.nextMissing(last)) != null) {
                last = next;
                onTheWay++;
                pieces.add(next);
            }
            if (pieces.isEmpty() && onTheWay == 0) {
                complete = !incomplete;
                incomplete = true; // only one thread gets here with it unset
            }
            node = source;
            from = lease;
        }
        for (Piece piece : pieces) {
            read(number, node, from, piece);
        }
        if (complete) {
            background(() -> complete(number));
        }
    }

    private void read(int number, String node, long from, Piece piece) {
        byte[] request = new SnapshotProtocol.Read(from, piece.file(), piece.offset(), piece.length()).encode();
        host.calls.call(node, SnapshotProtocol.METHOD_READ, request, READ_TIMEOUT_NANOS, new RpcCallback() {
            @Override
            public void success(ByteBuffer answer) {
                byte[] bytes = new byte[answer.remaining()];
                answer.get(bytes);
                if (bytes.length == piece.length() + 1 && bytes[0] == SnapshotProtocol.OK) {
                    background(() -> take(number, piece, bytes));
                } else {
                    reopen(number, "node " + node + " does not have the checkpoint any more, or cannot read it");
                }
            }

            @Override
            public void failure(RpcFailure failure) {
                reopen(number, "node " + node + " cannot be reached (" + failure + ")");
            }
        });
    }

    /** Background. */
    private void take(int number, Piece piece, byte[] bytes) {
        StagedCheckpoint coming;
        synchronized (this) {
            coming = staged;
            if (callback == null || number != opening || coming == null) {
                return;
            }
        }
        try {
            coming.write(piece.file(), piece.offset(), ByteBuffer.wrap(bytes, 1, piece.length()));
        } catch (IOException | RuntimeException e) {
            end(null, e); // a full disk, for one: what has come is deleted
            return;
        }
        synchronized (this) {
            if (number != opening) {
                return;
            }
            onTheWay--;
            progressNanos = host.nanos.getAsLong();
        }
        ask(number);
    }

    // ---- the end

    /** Background: everything is here. */
    private void complete(int number) {
        StagedCheckpoint coming;
        String node;
        synchronized (this) {
            coming = staged;
            node = source;
            if (callback == null || number != opening || coming == null) {
                return;
            }
        }
        try {
            long receivedNanos = host.nanos.getAsLong();
            CheckpointManifest manifest;
            try {
                manifest = coming.commit();
            } catch (CheckpointDamagedException e) {
                if (++damaged >= MOST_DAMAGED) {
                    closeLease(node, true);
                    throw e;
                }
                LOG.warn("group {}: a part of the state came damaged, it is fetched again: {}", group, e.getMessage());
                synchronized (this) {
                    last = null;
                    incomplete = false;
                }
                ask(number);
                return;
            }
            synchronized (this) {
                staged = null; // it is a checkpoint now: nothing to delete
            }
            closeLease(node, false);
            long committedNanos = host.nanos.getAsLong();
            LoadedState loaded = loader.load(manifest);
            long loadedNanos = host.nanos.getAsLong();
            double seconds = Math.max(1e-6, (receivedNanos - startedNanos) / 1e9);
            double megabytes = manifest.totalBytes() / 1e6;
            LOG.info(
                    "group {}: fetched the state as of entry {} from {}: {} MB in {} s, {} MB/s; checked in {} ms,"
                            + " loaded in {} ms",
                    group,
                    manifest.index(),
                    node,
                    String.format("%.1f", megabytes),
                    String.format("%.2f", seconds),
                    String.format("%.1f", megabytes / seconds),
                    (committedNanos - receivedNanos) / 1_000_000,
                    (loadedNanos - committedNanos) / 1_000_000);
            end(loaded, null);
        } catch (IOException | RuntimeException | Error e) {
            end(null, e);
        }
    }

    private void closeLease(String node, boolean cameDamaged) {
        long done;
        synchronized (this) {
            done = lease;
        }
        byte[] request = new SnapshotProtocol.Close(done, cameDamaged).encode();
        host.calls.call(node, SnapshotProtocol.METHOD_CLOSE, request, CLOSE_TIMEOUT_NANOS, new RpcCallback() {
            @Override
            public void success(ByteBuffer answer) {
                // The files may go there.
            }

            @Override
            public void failure(RpcFailure failure) {
                // They may go in a while.
            }
        });
    }

    private void end(@Nullable LoadedState loaded, @Nullable Throwable cause) {
        SnapshotFetcher.Callback told;
        StagedCheckpoint rest;
        boolean counted;
        synchronized (this) {
            told = callback;
            callback = null;
            rest = staged;
            staged = null;
            counted = begun && told != null;
        }
        if (counted) {
            host.ended();
        }
        if (rest != null) {
            background(() -> abandon(rest));
        }
        if (told == null) {
            if (loaded != null) {
                loaded.close();
            }
        } else if (loaded != null) {
            told.fetched(loaded);
        } else {
            told.failed(cause == null ? new IOException("unknown") : cause);
        }
    }

    private void abandon(StagedCheckpoint rest) {
        try {
            rest.abandon();
        } catch (IOException e) {
            LOG.warn("group {}: what was fetched of a state could not be deleted: {}", group, e.toString());
        }
    }
}
