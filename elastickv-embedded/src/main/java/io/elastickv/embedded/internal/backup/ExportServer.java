package io.elastickv.embedded.internal.backup;

import io.elastickv.embedded.internal.backup.BackupProtocol.Refusal;
import io.elastickv.embedded.internal.backup.BackupProtocol.Request;
import io.elastickv.embedded.internal.backup.BackupProtocol.Standing;
import io.elastickv.embedded.internal.raft.EventLoop;
import io.elastickv.embedded.internal.raft.ProposalCallback;
import io.elastickv.embedded.internal.raft.ReadCallback;
import io.elastickv.embedded.internal.raft.ReplicaGroup;
import io.elastickv.embedded.internal.raft.core.Role;
import io.elastickv.embedded.internal.transport.Responder;
import io.elastickv.embedded.internal.transport.RpcHandler;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Serves exports from the replicas that this node leads. An export that nobody asks for any more is ended. Thread-safe. */
final class ExportServer {

    private static final Logger LOG = LoggerFactory.getLogger(ExportServer.class);

    /** Longer than a node that exports may be held up by its disk or a pause. */
    private static final long FORGOTTEN_NANOS = 30_000_000_000L;

    /** Writers must not wait longer for a node that died: shorter than an attempt of theirs, so that none of them fails. */
    private static final long MAX_LEASE_MILLIS = 1_000;

    /** A node that asked whether it could have a shard's state asks again, or takes it, well before. */
    private static final long RESERVED_NANOS = 2_000_000_000L;

    private static final String SUFFIX = ".spool";

    private record Id(long export, int shard) {}

    private final IntFunction<@Nullable ExportableShard> shards;
    private final ShardExport.Desk desk;
    private final Map<Id, ShardExport> exports = new ConcurrentHashMap<>();
    /** Until when the states of shards are reserved. */
    private final Map<Integer, Long> reservedNanos = new ConcurrentHashMap<>();

    private volatile boolean closed;

    /**
     * A server.
     *
     * @param shards the replicas of this node
     */
    ExportServer(IntFunction<@Nullable ExportableShard> shards, ShardExport.Desk desk) {
        this.shards = shards;
        this.desk = desk;
    }

    /** Answers by way of {@code handlers}. */
    void register(BiConsumer<Integer, RpcHandler> handlers) {
        handlers.accept(BackupProtocol.METHOD_PREPARE, (from, payload, responder) -> prepare(payload, responder));
        handlers.accept(BackupProtocol.METHOD_FREEZE, (from, payload, responder) -> freeze(from, payload, responder));
        handlers.accept(BackupProtocol.METHOD_RELEASE, (from, payload, responder) -> release(payload, responder));
        handlers.accept(BackupProtocol.METHOD_FETCH, (from, payload, responder) -> fetch(payload, responder));
        handlers.accept(BackupProtocol.METHOD_END, (from, payload, responder) -> end(payload, responder));
    }

    /** Deletes what a process left behind that was killed; before anything is served. */
    void deleteLeftovers() {
        Path directory = desk.directory();
        try {
            if (!desk.files().exists(directory)) {
                return;
            }
            for (String name : desk.files().list(directory)) {
                if (name.endsWith(SUFFIX)) {
                    desk.files().delete(directory.resolve(name));
                }
            }
        } catch (IOException e) {
            LOG.warn("the remains of exports in {} could not be deleted", directory, e);
        }
    }

    private void prepare(ByteBuffer payload, Responder responder) {
        Request request = BackupProtocol.request(payload);
        onLoop(request, responder, shard -> {
            ReplicaGroup group = shard.group();
            ReplicaGroup.Status before = group.status();
            ShardExport.Reply reply = reply(group, responder);
            if (before.role() != Role.LEADER) {
                reply.refused("the replica does not lead");
                return;
            }
            reservedNanos.put(request.shard(), System.nanoTime() + RESERVED_NANOS);
            if (shard.busy().getAsBoolean()) {
                reply.refused("a checkpoint is being written");
                return;
            }
            group.read(new ReadCallback() {
                @Override
                public void ready(long leaderWallMillis) {
                    ReplicaGroup.Status now = group.status();
                    if (now.role() == Role.LEADER && now.term() == before.term()) {
                        reply.granted(BackupProtocol.encode(Standing.of(now.term())));
                    } else {
                        reply.refused("the replica does not lead any more");
                    }
                }

                @Override
                public void failed(ProposalCallback.Refusal reason, @Nullable String leaderHint) {
                    reply.refused("the replica does not lead any more");
                }
            });
        });
    }

    private void freeze(String from, ByteBuffer payload, Responder responder) {
        Request request = BackupProtocol.request(payload);
        onLoop(request, responder, shard -> {
            ShardExport.Reply reply = reply(shard.group(), responder);
            Id id = new Id(request.export(), request.shard());
            String name = String.format("%016x-%d", request.export(), request.shard());
            ShardExport export = new ShardExport(name, shard, desk);
            if (closed || exports.putIfAbsent(id, export) != null) {
                reply.refused("the export has begun already");
                return;
            }
            LOG.debug("shard {}: node {} begins export {}", request.shard(), from, name);
            export.freeze(Math.min(request.argument(), MAX_LEASE_MILLIS) * 1_000_000, reply);
        });
    }

    private void release(ByteBuffer payload, Responder responder) {
        Request request = BackupProtocol.request(payload);
        ShardExport export = find(request, responder);
        if (export != null) {
            onLoop(request, responder, shard -> export.release(reply(shard.group(), responder)));
        }
    }

    private void fetch(ByteBuffer payload, Responder responder) {
        Request request = BackupProtocol.request(payload);
        ShardExport export = find(request, responder);
        if (export != null) {
            export.fetch(request.argument(), reply(null, responder));
        }
    }

    private void end(ByteBuffer payload, Responder responder) {
        Request request = BackupProtocol.request(payload);
        // Until now it was kept, so that its end could be explained.
        ShardExport export = exports.remove(new Id(request.export(), request.shard()));
        if (export != null) {
            export.end("the export was ended by the node that began it");
        }
        responder.reply(new byte[0]);
    }

    private @Nullable ShardExport find(Request request, Responder responder) {
        ShardExport export = exports.get(new Id(request.export(), request.shard()));
        if (export == null) {
            refuse(responder, null, "it knows nothing of the export any more");
        } else {
            export.touch();
        }
        return export;
    }

    private interface Task {
        void run(ExportableShard shard);
    }

    private void onLoop(Request request, Responder responder, Task task) {
        ExportableShard shard = shards.apply(request.shard());
        if (shard == null) {
            refuse(responder, null, "it has no replica of the shard");
            return;
        }
        EventLoop loop = shard.group().loop();
        try {
            loop.execute(() -> task.run(shard));
        } catch (RejectedExecutionException e) {
            refuse(responder, null, "the node is closing");
        }
    }

    private static ShardExport.Reply reply(@Nullable ReplicaGroup group, Responder responder) {
        return new ShardExport.Reply() {
            @Override
            public void granted(byte[]... answer) {
                responder.reply(answer);
            }

            @Override
            public void refused(String reason) {
                refuse(responder, group, reason);
            }
        };
    }

    private static void refuse(Responder responder, @Nullable ReplicaGroup group, String reason) {
        ReplicaGroup.Status status = group == null ? null : group.status();
        responder.reply(BackupProtocol.encode(
                new Refusal(status == null ? 0 : status.term(), status == null ? null : status.leader(), reason)));
    }

    /** Ends exports that nobody has asked for in a while; to be called every now and then. */
    void expire(long nowNanos) {
        exports.values().removeIf(export -> {
            boolean forgotten = export.isForgotten(nowNanos, FORGOTTEN_NANOS);
            if (forgotten) {
                export.end("nobody asked for it for " + FORGOTTEN_NANOS / 1_000_000_000L + " s");
            }
            return forgotten;
        });
    }

    /**
     * Whether an export holds the state of a shard or is about to: nobody else should begin to. Otherwise a node that always
     * writes a checkpoint of some shard could never be exported.
     */
    boolean claims(int shard) {
        Long until = reservedNanos.get(shard);
        if (until != null && System.nanoTime() - until < 0) {
            return true;
        }
        for (Map.Entry<Id, ShardExport> export : exports.entrySet()) {
            if (export.getKey().shard == shard && export.getValue().holdsState()) {
                return true;
            }
        }
        return false;
    }

    /** The exports under way. */
    int underWay() {
        return exports.size();
    }

    /** Ends all. */
    void close() {
        closed = true;
        for (ShardExport export : List.copyOf(exports.values())) {
            export.end("the node is closing");
        }
    }
}
