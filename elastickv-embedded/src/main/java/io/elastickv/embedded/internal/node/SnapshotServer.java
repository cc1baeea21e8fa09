package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.storage.CheckpointDirectory.Hold;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.transport.Responder;
import io.elastickv.embedded.internal.transport.RpcHandler;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets other nodes read the checkpoints of this one, at a rate that leaves the disk and the network to the requests of
 * clients. A checkpoint that is being read is kept, and the log after it, until its reader is done and had some time to
 * catch up; or until nothing was heard of it for a while. Thread-safe.
 */
public final class SnapshotServer {

    private static final Logger LOG = LoggerFactory.getLogger(SnapshotServer.class);
    private static final long IDLE_NANOS = 30_000_000_000L;

    /** For loading what was fetched, and for asking for the log after it. */
    private static final long CATCH_UP_NANOS = 30_000_000_000L;

    private static final int MAX_READ_BYTES = 8 << 20;

    private static final class Lease {
        final long id;
        final int group;
        final String reader;
        final ShardCheckpoints checkpoints;
        final Hold hold;
        volatile long endNanos;

        Lease(long id, int group, String reader, ShardCheckpoints checkpoints, Hold hold, long endNanos) {
            this.id = id;
            this.group = group;
            this.reader = reader;
            this.checkpoints = checkpoints;
            this.hold = hold;
            this.endNanos = endNanos;
        }
    }

    private final IntFunction<@Nullable ShardCheckpoints> shards;
    private final IntConsumer wanted;
    private final Executor readers;
    private final Timer timer;
    private final LongSupplier nanos;
    private final Pacer pacer;
    private final CheckpointFigures figures;
    private final Map<Long, Lease> leases = new ConcurrentHashMap<>();
    private final AtomicLong nextLease;

    /**
     * Makes it; {@link #register} lets it answer.
     *
     * @param shards the checkpoints of the replicas on this node
     * @param wanted told the group of which somebody needs a newer checkpoint than there is
     * @param readers reads files
     * @param nanos the monotonic clock
     * @param bytesPerSecond how much it reads for others
     */
    public SnapshotServer(
            IntFunction<@Nullable ShardCheckpoints> shards,
            IntConsumer wanted,
            Executor readers,
            Timer timer,
            LongSupplier nanos,
            long bytesPerSecond,
            CheckpointFigures figures) {
        this.shards = shards;
        this.wanted = wanted;
        this.readers = readers;
        this.timer = timer;
        this.nanos = nanos;
        this.pacer = new Pacer(bytesPerSecond, nanos);
        this.figures = figures;
        // Not those of before a restart, of which a reader may still ask.
        this.nextLease = new AtomicLong(nanos.getAsLong());
    }

    /** Answers calls from now on. */
    public void register(BiConsumer<Integer, RpcHandler> handlers) {
        handlers.accept(SnapshotProtocol.METHOD_OPEN, this::open);
        handlers.accept(SnapshotProtocol.METHOD_READ, this::read);
        handlers.accept(SnapshotProtocol.METHOD_CLOSE, this::close);
    }

    /** Ends the leases of which nothing was heard for long. To be called every second or so. */
    public void expireLeases() {
        long now = nanos.getAsLong();
        for (Lease lease : leases.values()) {
            if (now - lease.endNanos >= 0) {
                end(lease);
            }
        }
    }

    private void end(Lease lease) {
        if (leases.remove(lease.id) != null) {
            lease.hold.close();
            lease.checkpoints.released(lease.id);
        }
    }

    private void open(String from, ByteBuffer payload, Responder responder) {
        SnapshotProtocol.Open open = SnapshotProtocol.Open.decode(payload);
        run(() -> answerOpen(from, open, responder));
    }

    private void answerOpen(String from, SnapshotProtocol.Open open, Responder responder) {
        ShardCheckpoints checkpoints = shards.apply(open.group());
        if (checkpoints == null) {
            reply(responder, SnapshotProtocol.GONE);
            return;
        }
        Hold hold = checkpoints.hold(open.leastIndex(), open.haveIndex());
        if (hold == null) {
            wanted.accept(open.group());
            reply(responder, SnapshotProtocol.LATER);
            return;
        }
        for (Lease earlier : leases.values()) {
            if (earlier.group == open.group() && earlier.reader.equals(from)) {
                end(earlier); // it has begun anew
            }
        }
        CheckpointManifest manifest = hold.manifest();
        Lease lease = new Lease(
                nextLease.incrementAndGet(), open.group(), from, checkpoints, hold, nanos.getAsLong() + IDLE_NANOS);
        checkpoints.leased(lease.id, manifest.index());
        leases.put(lease.id, lease);
        if (manifest.index() != open.haveIndex()) {
            figures.serving();
            LOG.info(
                    "group {}: node {} fetches the state as of entry {}, {} bytes",
                    open.group(),
                    from,
                    manifest.index(),
                    manifest.totalBytes());
        }
        byte[] head = ByteBuffer.allocate(9)
                .put(SnapshotProtocol.OK)
                .putLong(lease.id)
                .array();
        responder.reply(head, manifest.encode());
    }

    private void read(String from, ByteBuffer payload, Responder responder) {
        SnapshotProtocol.Read read = SnapshotProtocol.Read.decode(payload);
        if (read.length() < 0 || read.length() > MAX_READ_BYTES) {
            throw new IllegalArgumentException(read.length() + " bytes, at most " + MAX_READ_BYTES + " are possible");
        }
        long waitNanos = pacer.reserve(read.length());
        Runnable answer = () -> run(() -> answerRead(read, responder));
        if (waitNanos > 0) {
            timer.after(waitNanos, answer);
        } else {
            answer.run();
        }
    }

    private void answerRead(SnapshotProtocol.Read read, Responder responder) {
        Lease lease = leases.get(read.lease());
        if (lease == null) {
            reply(responder, SnapshotProtocol.GONE);
            return;
        }
        lease.endNanos = nanos.getAsLong() + IDLE_NANOS;
        ByteBuffer bytes = ByteBuffer.allocate(read.length());
        try {
            while (bytes.hasRemaining()) {
                long at = read.offset() + bytes.position();
                if (lease.checkpoints.directory().readChunk(lease.hold.manifest(), read.file(), at, bytes) < 0) {
                    throw new IOException("file " + read.file() + " ends before offset " + at);
                }
            }
        } catch (IOException | RuntimeException e) {
            LOG.warn("group {}: a checkpoint cannot be read for node {}", lease.group, lease.reader, e);
            reply(responder, SnapshotProtocol.FAILED);
            return;
        }
        figures.servedBytes(read.length());
        responder.reply(new byte[] {SnapshotProtocol.OK}, bytes.array());
    }

    private void close(String from, ByteBuffer payload, Responder responder) {
        SnapshotProtocol.Close close = SnapshotProtocol.Close.decode(payload);
        Lease lease = leases.get(close.lease());
        if (lease != null && close.damaged()) {
            run(() -> verify(lease));
        } else if (lease != null) {
            lease.hold.close();
            lease.endNanos = nanos.getAsLong() + CATCH_UP_NANOS;
        }
        responder.reply(new byte[0]);
    }

    /** A reader says that what it got is damaged: if it is the checkpoint itself, another one has to be made. */
    private void verify(Lease lease) {
        try {
            lease.checkpoints.directory().verify(lease.hold.manifest());
        } catch (IOException e) {
            LOG.error("group {}: a checkpoint here is damaged, another one is made: {}", lease.group, e.getMessage());
            wanted.accept(lease.group);
        } finally {
            end(lease);
        }
    }

    private void run(Runnable task) {
        try {
            readers.execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("the node is closing, a call is not answered", e);
        }
    }

    private static void reply(Responder responder, byte status) {
        responder.reply(new byte[] {status});
    }
}
