package io.elastickv.embedded.internal.backup;

import io.elastickv.embedded.internal.backup.BackupProtocol.Fetched;
import io.elastickv.embedded.internal.backup.BackupProtocol.Standing;
import io.elastickv.embedded.internal.files.NodeFiles;
import io.elastickv.embedded.internal.raft.FreezeCallback;
import io.elastickv.embedded.internal.raft.ProposalCallback;
import io.elastickv.embedded.internal.raft.ReadCallback;
import io.elastickv.embedded.internal.raft.ReplicaGroup;
import io.elastickv.embedded.internal.raft.core.Role;
import io.elastickv.embedded.internal.storage.Timed;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One shard's part in one export, at its leader: it stands still, holds its state, goes on, and leaves that state on disk
 * block by block until it is fetched. Whatever goes wrong ends it, and frees all; the exporting node then begins anew.
 *
 * <p>What concerns the replica happens on the group's loop, what concerns the spool on the writer, one after the other.
 */
final class ShardExport {

    private static final Logger LOG = LoggerFactory.getLogger(ShardExport.class);

    /** Told the outcome of a request, exactly once. */
    interface Reply {
        void granted(byte[]... answer);

        void refused(String reason);
    }

    /** Where the spool is, and who writes it. */
    record Desk(NodeFiles files, Path directory, Executor writer, LongSupplier usableBytes, long reserveBytes) {}

    private final String name;
    private final ExportableShard shard;
    private final ReplicaGroup group;
    private final Desk desk;

    // On the loop.
    private long token;
    private long term;
    private boolean standing;

    // On the writer.
    private @Nullable Spool spool;
    private EntryBlock.Builder builder = new EntryBlock.Builder();
    private boolean complete;

    private volatile @Nullable CapturedState capture;
    private volatile long touchedNanos;
    private volatile @Nullable String ended;

    /**
     * An export that has not begun.
     *
     * @param name for messages and as the name of the file
     */
    ShardExport(String name, ExportableShard shard, Desk desk) {
        this.name = name;
        this.shard = shard;
        this.group = shard.group();
        this.desk = desk;
        touch();
    }

    /** Somebody still wants it. */
    void touch() {
        touchedNanos = System.nanoTime();
    }

    /** Whether nobody has asked for it for {@code nanos}. */
    boolean isForgotten(long nowNanos, long nanos) {
        return nowNanos - touchedNanos > nanos;
    }

    /** Whether the replica's state is being held. */
    boolean holdsState() {
        return capture != null;
    }

    /** Lets the group stand still, and holds its state; on the loop. */
    void freeze(long leaseNanos, Reply reply) {
        group.freeze(leaseNanos, new FreezeCallback() {
            @Override
            public void frozen(long freezeToken, long index, long leaderTerm) {
                String over = ended;
                if (over != null) {
                    group.thaw(freezeToken);
                    reply.refused(over);
                    return;
                }
                CapturedState state;
                try {
                    state = shard.capture().get();
                } catch (RuntimeException e) {
                    group.thaw(freezeToken);
                    reply.refused("the state cannot be held: " + e.getMessage());
                    end("the state cannot be held");
                    return;
                }
                token = freezeToken;
                term = leaderTerm;
                standing = true;
                capture = state;
                reply.granted(
                        BackupProtocol.encode(new Standing(leaderTerm, index, state.logTimeMillis(), state.slots())));
            }

            @Override
            public void broken(String reason) {
                if (!standing) {
                    reply.refused(reason);
                }
                standing = false;
                end(reason);
            }
        });
    }

    /**
     * Lets the group go on; on the loop. Granted if it stood still until now, and led: that takes a round of messages that
     * begins now, so a replica that was replaced as leader without knowing does not pass.
     */
    void release(Reply reply) {
        if (!standing || !group.thaw(token)) {
            reply.refused("it did not stand still until the others did");
            end("released too late");
            return;
        }
        standing = false;
        group.read(new ReadCallback() {
            @Override
            public void ready(long leaderWallMillis) {
                ReplicaGroup.Status status = group.status();
                if (status.role() != Role.LEADER || status.term() != term) {
                    failed(ProposalCallback.Refusal.NOT_LEADER, null);
                    return;
                }
                reply.granted(BackupProtocol.encode(Standing.of(term)));
                write(ShardExport.this::beginSpool);
            }

            @Override
            public void failed(ProposalCallback.Refusal reason, @Nullable String leaderHint) {
                reply.refused("it does not lead any more");
                end("not the leader any more");
            }
        });
    }

    /** Answers with blocks; on any thread. */
    void fetch(long firstBlock, Reply reply) {
        write(() -> {
            String over = ended;
            Spool from = spool;
            if (over != null) {
                reply.refused(over);
                return;
            }
            try {
                List<EntryBlock> blocks =
                        from == null || firstBlock == BackupProtocol.NO_BLOCK ? List.of() : from.read(firstBlock);
                reply.granted(BackupProtocol.encode(new Fetched(
                        complete, from == null ? 0 : from.blocks(), from == null ? 0 : from.entries(), blocks)));
            } catch (IOException e) {
                reply.refused("the export's file cannot be read: " + FileProblems.describe(e));
                end("its file cannot be read");
            }
        });
    }

    private void write(Runnable task) {
        try {
            desk.writer.execute(task);
        } catch (RuntimeException e) {
            LOG.debug("export {}: the node is closing", name, e);
            end("the node is closing");
        }
    }

    private void beginSpool() {
        if (ended != null) {
            return;
        }
        try {
            desk.files.createDirectories(desk.directory);
            spool = Spool.create(desk.files, desk.directory.resolve(name + ".spool"));
            step();
        } catch (IOException e) {
            end("its file cannot be written: " + FileProblems.describe(e));
        }
    }

    /** Writes a piece, then makes room for whoever else has something to do on this thread. */
    private void step() {
        CapturedState state = capture;
        Spool to = spool;
        if (ended != null || state == null || to == null) {
            return;
        }
        try {
            if (desk.usableBytes.getAsLong() < desk.reserveBytes) {
                // The log must not run out of space for the sake of an export.
                end("its disk has less than " + (desk.reserveBytes >> 20) + " MiB left");
                return;
            }
            long logTimeMillis = state.logTimeMillis();
            boolean more = state.step(
                    (keyIn, keyOffset, keyLength, valueIn, valueOffset, valueLength, version, expiresAtMillis) -> {
                        if (Timed.isExpired(expiresAtMillis, logTimeMillis)) {
                            return;
                        }
                        builder.add(keyIn, keyOffset, keyLength, valueIn, valueOffset, valueLength, expiresAtMillis);
                        if (builder.isFull()) {
                            to.add(builder.build());
                        }
                    });
            if (more) {
                write(this::step);
                return;
            }
            if (!builder.isEmpty()) {
                to.add(builder.build());
            }
            state.close();
            capture = null;
            complete = true;
        } catch (IOException e) {
            LOG.warn("export {} failed: {}", name, FileProblems.describe(e));
            end(FileProblems.describe(e));
        } catch (RuntimeException e) {
            LOG.error("export {} failed", name, e);
            end(String.valueOf(e.getMessage()));
        }
    }

    /** Frees all. Any thread; idempotent. */
    void end(String reason) {
        synchronized (this) {
            if (ended != null) {
                return;
            }
            ended = reason;
        }
        group.loop().executeUnlessEnded(() -> {
            if (standing) {
                standing = false;
                group.thaw(token);
            }
            // From here, because only behind the loop's tasks it is known whether there is a capture.
            try {
                desk.writer.execute(this::free);
            } catch (RuntimeException e) {
                free(); // the writer has ended, so nobody uses them any more; the file goes at the next start at the
                // latest
            }
        });
    }

    private void free() {
        CapturedState state = capture;
        capture = null;
        if (state != null) {
            state.close();
        }
        Spool done = spool;
        spool = null;
        builder = new EntryBlock.Builder();
        if (done != null) {
            try {
                done.close();
            } catch (IOException e) {
                LOG.warn("export {}: its file could not be deleted", name, e);
            }
        }
    }
}
