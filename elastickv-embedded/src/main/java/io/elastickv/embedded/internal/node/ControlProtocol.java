package io.elastickv.embedded.internal.node;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.api.ReplicaInfo;
import io.elastickv.embedded.internal.raft.MemberId;
import io.elastickv.embedded.internal.raft.ReplicaGroup;
import io.elastickv.embedded.internal.raft.core.PeerProgress;
import io.elastickv.embedded.internal.raft.core.Role;
import io.elastickv.embedded.internal.transport.NodeRpc;
import io.elastickv.embedded.internal.transport.Responder;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import io.elastickv.embedded.internal.transport.RpcHandler;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What nodes ask of a shard's leader besides reading and writing: the replicas' progress, and to hand its leadership
 * over.
 *
 * <pre>
 * replication: shard i32           answer: leads u8 | count u16 | each: node text, leader u8, voter u8, match i64,
 *                                          commit i64, silent ns i64
 * transfer:    shard i32 | target  answer: leads u8
 * </pre>
 *
 * and those of {@link ReplicaProtocol} and {@link OwnershipProtocol}.
 */
final class ControlProtocol {

    /** RPC method: the status of a node. */
    static final int METHOD_STATUS = 2;

    private static final int METHOD_REPLICATION = 3;
    private static final int METHOD_TRANSFER = 4;
    private static final byte[] NO = {0};
    private static final byte[] YES = {1};
    private static final byte[] NOTHING = {};

    private final String self;
    private final NodeRpc rpc;
    private final Map<Integer, ShardHost> shards;
    private final ReplicaChanges changes;
    private final OwnershipChanges owners;
    private final SlotMoves moves;
    private final Map<Integer, RpcHandler> handlers = new HashMap<>();

    ControlProtocol(
            String self, NodeRpc rpc, Map<Integer, ShardHost> shards, ReplicaChanges changes, Executor readers) {
        this.changes = changes;
        this.self = self;
        this.rpc = rpc;
        this.shards = shards;
        this.owners = new OwnershipChanges(self, shards);
        this.moves = new SlotMoves(owners, rpc::call, readers);
        handlers.put(METHOD_REPLICATION, this::onReplication);
        handlers.put(METHOD_TRANSFER, this::onTransfer);
        handlers.put(ReplicaProtocol.METHOD_CHANGE, this::onChange);
        handlers.put(OwnershipProtocol.METHOD_SPLIT, this::onSplit);
        handlers.put(OwnershipProtocol.METHOD_OWNERSHIP, this::onOwnership);
        handlers.put(
                OwnershipProtocol.METHOD_MEASURE,
                (from, in, to) -> moves.measure(in.getInt(), in.getShort() & 0xFFFF, replyTo(to)));
        handlers.put(
                OwnershipProtocol.METHOD_GIVE,
                (from, in, to) -> moves.give(OwnershipProtocol.Give.decode(in), replyTo(to)));
        handlers.put(
                OwnershipProtocol.METHOD_ABSORB,
                (from, in, to) -> moves.absorb(OwnershipProtocol.Absorb.decode(in), replyTo(to)));
        handlers.put(OwnershipProtocol.METHOD_TAKE_IN, (from, in, to) -> {
            int shard = in.getInt();
            byte[] command = new byte[in.remaining()];
            in.get(command);
            moves.takeIn(shard, command, replyTo(to));
        });
        handlers.put(
                OwnershipProtocol.METHOD_DROP, (from, in, to) -> moves.drop(in.getInt(), in.getLong(), replyTo(to)));
        handlers.forEach(rpc::register);
    }

    /** Asks {@code leader} for the progress of the replicas; null if it does not lead or does not answer. */
    @Nullable
    List<ReplicaInfo> replication(String leader, int shard, long deadlineNanos) {
        byte[] request = ByteBuffer.allocate(4).putInt(shard).array();
        byte[] answer = ask(leader, METHOD_REPLICATION, request, deadlineNanos);
        if (answer == null || answer.length == 0 || answer[0] == 0) {
            return null;
        }
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(answer, 1, answer.length - 1))) {
            int count = in.readUnsignedShort();
            List<ReplicaInfo> replicas = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                replicas.add(new ReplicaInfo(
                        in.readUTF(),
                        in.readBoolean(),
                        in.readBoolean(),
                        in.readLong(),
                        in.readLong(),
                        Duration.ofNanos(Math.max(0, in.readLong()))));
            }
            return List.copyOf(replicas);
        } catch (IOException e) {
            throw new UncheckedIOException("the answer of node " + leader + " is cut short", e);
        }
    }

    /** Asks {@code leader} to hand the leadership to {@code target}; whether it leads and will try. */
    boolean transfer(String leader, int shard, String target, long deadlineNanos) {
        byte[] name = target.getBytes(UTF_8);
        byte[] request =
                ByteBuffer.allocate(4 + name.length).putInt(shard).put(name).array();
        byte[] answer = ask(leader, METHOD_TRANSFER, request, deadlineNanos);
        return answer != null && answer.length == 1 && answer[0] == 1;
    }

    /** Asks {@code leader} to bring a change of a shard's replicas forward; null if it does not answer. */
    ReplicaProtocol.@Nullable Changed change(String leader, ReplicaProtocol.Change change, long deadlineNanos) {
        byte[] answer = ask(leader, ReplicaProtocol.METHOD_CHANGE, change.encode(), deadlineNanos);
        return answer == null ? null : ReplicaProtocol.Changed.decode(ByteBuffer.wrap(answer));
    }

    /**
     * Asks {@code leader} to split a shard, with the members that it has then as those of the new one; null if it does not
     * answer. Asking again is harmless.
     *
     * @param expectedEpoch of the shard's ownership before
     * @param epoch of the shard's ownership after
     * @param firstSlot the first slot of the new shard, which gets all from there on
     */
    ReplicaProtocol.@Nullable Changed split(
            String leader,
            int shard,
            long expectedEpoch,
            long epoch,
            int firstSlot,
            int child,
            long childEpoch,
            long deadlineNanos) {
        byte[] request =
                new OwnershipProtocol.Split(shard, expectedEpoch, epoch, firstSlot, child, childEpoch).encode();
        byte[] answer = ask(leader, OwnershipProtocol.METHOD_SPLIT, request, deadlineNanos);
        return answer == null ? null : ReplicaProtocol.Changed.decode(ByteBuffer.wrap(answer));
    }

    /** Asks {@code leader} what a shard owns, linearizably; null if it does not lead or does not answer. */
    OwnershipProtocol.@Nullable Owned ownership(String leader, int shard, long deadlineNanos) {
        byte[] request = ByteBuffer.allocate(4).putInt(shard).array();
        byte[] answer = ask(leader, OwnershipProtocol.METHOD_OWNERSHIP, request, deadlineNanos);
        return answer == null || answer.length == 0 ? null : OwnershipProtocol.Owned.decode(answer);
    }

    /** Asks {@code leader} how far a shard's first slots fit into a piece: the text is the last of them if it is done. */
    ReplicaProtocol.@Nullable Changed measure(String leader, int shard, int first, long deadlineNanos) {
        byte[] request =
                ByteBuffer.allocate(6).putInt(shard).putShort((short) first).array();
        return changed(ask(leader, OwnershipProtocol.METHOD_MEASURE, request, deadlineNanos));
    }

    /** Asks {@code leader} to give slots of its shard away; null if it does not answer. Asking again is harmless. */
    ReplicaProtocol.@Nullable Changed give(String leader, OwnershipProtocol.Give request, long deadlineNanos) {
        return changed(ask(leader, OwnershipProtocol.METHOD_GIVE, request.encode(), deadlineNanos));
    }

    /**
     * Asks {@code leader}, of the shard that gave slots away, to have them taken in; null if that takes longer. Asking again is
     * harmless.
     */
    ReplicaProtocol.@Nullable Changed absorb(String leader, OwnershipProtocol.Absorb request, long deadlineNanos) {
        return changed(ask(leader, OwnershipProtocol.METHOD_ABSORB, request.encode(), deadlineNanos));
    }

    /** Asks {@code leader} to delete what its shard gave away in {@code epoch}; null if it does not answer. */
    ReplicaProtocol.@Nullable Changed drop(String leader, int shard, long epoch, long deadlineNanos) {
        byte[] request = ByteBuffer.allocate(12).putInt(shard).putLong(epoch).array();
        return changed(ask(leader, OwnershipProtocol.METHOD_DROP, request, deadlineNanos));
    }

    /** Asks {@code node} to delete its replica of a shard that is gone, for good; null if it does not answer. */
    ReplicaProtocol.@Nullable Changed removeShard(String node, int shard, long deadlineNanos) {
        byte[] request = ByteBuffer.allocate(4).putInt(shard).array();
        return changed(ask(node, OwnershipProtocol.METHOD_REMOVE, request, deadlineNanos));
    }

    private static ReplicaProtocol.@Nullable Changed changed(byte @Nullable [] answer) {
        return answer == null ? null : ReplicaProtocol.Changed.decode(ByteBuffer.wrap(answer));
    }

    private static Consumer<ReplicaProtocol.Changed> replyTo(Responder responder) {
        return answer -> responder.reply(answer.encode());
    }

    private byte @Nullable [] ask(String node, int method, byte[] request, long deadlineNanos) {
        CompletableFuture<byte[]> future = new CompletableFuture<>();
        long nanos = Math.max(1, Math.min(deadlineNanos - System.nanoTime(), 1_000_000_000L));
        RpcHandler handler = node.equals(self) ? handlers.get(method) : null;
        if (handler != null) {
            Responder responder = Responders.to(future);
            handler.handle(self, ByteBuffer.wrap(request), responder);
        } else {
            rpc.call(node, method, request, nanos, new RpcCallback() {
                @Override
                public void success(ByteBuffer answer) {
                    byte[] bytes = new byte[answer.remaining()];
                    answer.get(bytes);
                    future.complete(bytes);
                }

                @Override
                public void failure(RpcFailure failure) {
                    future.completeExceptionally(new IOException(failure.name()));
                }
            });
        }
        try {
            return future.get(nanos, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        } catch (ExecutionException | TimeoutException e) {
            return null; // the caller asks again until its deadline
        }
    }

    private void onReplication(String from, ByteBuffer payload, Responder responder) {
        ShardHost shard = payload.remaining() == 4 ? shards.get(payload.getInt()) : null;
        if (shard == null) {
            responder.reply(NO);
            return;
        }
        shard.loop()
                .execute(() ->
                        responder.reply(progress(shard.group(), shard.loop().nowNanos())));
    }

    private byte[] progress(ReplicaGroup group, long nowNanos) {
        ReplicaGroup.Status status = group.status();
        if (status.role() != Role.LEADER) {
            return NO;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            List<PeerProgress> progress = group.progress();
            out.writeByte(1);
            out.writeShort(progress.size() + 1);
            out.writeUTF(self);
            out.writeBoolean(true);
            out.writeBoolean(true);
            out.writeLong(status.lastIndex());
            out.writeLong(status.commitIndex());
            out.writeLong(0);
            for (PeerProgress peer : progress) {
                out.writeUTF(MemberId.node(peer.peer()));
                out.writeBoolean(false);
                out.writeBoolean(peer.voter());
                out.writeLong(peer.matchIndex());
                out.writeLong(status.commitIndex());
                out.writeLong(nowNanos - peer.lastContactNanos());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private void onChange(String from, ByteBuffer payload, Responder responder) {
        changes.ask(ReplicaProtocol.Change.decode(payload), answer -> responder.reply(answer.encode()));
    }

    private void onSplit(String from, ByteBuffer payload, Responder responder) {
        owners.split(OwnershipProtocol.Split.decode(payload), answer -> responder.reply(answer.encode()));
    }

    private void onOwnership(String from, ByteBuffer payload, Responder responder) {
        owners.ownership(payload.getInt(), answer -> responder.reply(answer == null ? NOTHING : answer.encode()));
    }

    private void onTransfer(String from, ByteBuffer payload, Responder responder) {
        ShardHost shard = payload.remaining() > 4 ? shards.get(payload.getInt()) : null;
        if (shard == null) {
            responder.reply(NO);
            return;
        }
        byte[] name = new byte[payload.remaining()];
        payload.get(name);
        String target = new String(name, UTF_8);
        shard.loop().execute(() -> {
            boolean tries = shard.group().status().role() == Role.LEADER
                    && shard.group().transferLeadership(target);
            responder.reply(tries ? YES : NO);
        });
    }
}
