package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.Piece;
import io.elastickv.embedded.internal.node.ReplicaProtocol.Changed;
import io.elastickv.embedded.internal.node.ReplicaProtocol.State;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.shard.ShardStateMachine.Ownership;
import io.elastickv.embedded.internal.storage.GivenSlots;
import io.elastickv.embedded.internal.storage.SlotSpan;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps of moving slots from a shard to its left neighbour (ADR 0016), each at the leader that takes it. Whoever asks may
 * ask again: each step counts once. Thread-safe; nothing blocks.
 */
final class SlotMoves {

    private static final Logger LOG = LoggerFactory.getLogger(SlotMoves.class);
    private static final Changed NOT_LEADER = new Changed(State.NOT_LEADER, "");

    /** What a piece should have at most. */
    private static final long PIECE_BYTES = 8 << 20;

    /** What a slot may have that is a piece by itself, and what a piece may have grown to before it is given. */
    private static final long MOST_BYTES = 16 << 20;

    private static final long SESSIONS_BYTES = 8 << 20;
    /** An entry of the log, and a message, may have so many bytes. */
    private static final int MOST_COMMAND_BYTES = 31 << 20;

    /** Shorter than what whoever asks waits before it takes a step for not taken. */
    private static final long TAKE_IN_NANOS = 3_000_000_000L;

    private final OwnershipChanges owners;
    private final ReplicaChanges.Calls calls;
    private final Executor readers;
    /** The shards of which a piece is being read or sent. */
    private final Set<Integer> sending = ConcurrentHashMap.newKeySet();

    /**
     * Makes it.
     *
     * @param readers reads pieces, which takes milliseconds
     */
    SlotMoves(OwnershipChanges owners, ReplicaChanges.Calls calls, Executor readers) {
        this.owners = owners;
        this.calls = calls;
        this.readers = readers;
    }

    /** Tells how far the slots from {@code first} on, which are the shard's first, fit into a piece. */
    void measure(int shard, int first, Consumer<Changed> answer) {
        owners.onLeader(
                shard,
                host -> {
                    ShardStateMachine machine = host.stateMachine();
                    Ownership now = machine.ownership();
                    if (now.given() != null
                            || now.slots().isEmpty()
                            || now.slots().first() != first) {
                        answer.accept(new Changed(State.UNDER_WAY, "it has slots " + now.slots() + " meanwhile"));
                        return;
                    }
                    Supplier<List<Piece.Session>> sessions = machine.sessions();
                    later(answer, () -> answer.accept(measured(machine, first, sessions.get())));
                },
                () -> answer.accept(NOT_LEADER));
    }

    private static Changed measured(ShardStateMachine machine, int first, List<Piece.Session> sessions) {
        long bytes = 0;
        for (Piece.Session session : sessions) {
            bytes += session.size();
        }
        if (bytes > SESSIONS_BYTES) {
            return new Changed(
                    State.IMPOSSIBLE, "it remembers " + bytes + " bytes of results for retries, too many to be moved");
        }
        int last = machine.measure(PIECE_BYTES, MOST_BYTES);
        return last < first
                ? new Changed(State.IMPOSSIBLE, "slot " + first + " has more than " + MOST_BYTES + " bytes")
                : new Changed(State.DONE, Integer.toString(last));
    }

    /** Gives slots away, unless they have become too large for a piece. */
    void give(OwnershipProtocol.Give request, Consumer<Changed> answer) {
        int shard = request.shard();
        owners.onLeader(
                shard,
                host -> {
                    Ownership now = host.stateMachine().ownership();
                    if (isGiven(now.given(), request.epoch(), request.first(), request.last(), request.to())) {
                        answer.accept(new Changed(State.DONE, "the slots are given"));
                    } else if (now.epoch() != request.expectedEpoch()
                            || now.given() != null
                            || now.slots().isEmpty()
                            || now.slots().first() != request.first()) {
                        answer.accept(new Changed(
                                State.IMPOSSIBLE,
                                "its epoch is " + now.epoch() + ", expected " + request.expectedEpoch() + "; it has "
                                        + now.slots()));
                    } else {
                        later(answer, () -> {
                            if (host.stateMachine().measure(MOST_BYTES, MOST_BYTES) < request.last()) {
                                answer.accept(new Changed(
                                        State.IMPOSSIBLE,
                                        "the slots have grown to more than " + MOST_BYTES + " bytes"));
                                return;
                            }
                            Command give = new Command.GiveSlots(
                                    request.expectedEpoch(),
                                    request.epoch(),
                                    request.first(),
                                    request.last(),
                                    request.to());
                            host.loop().execute(() -> owners.propose(host, encoded(give), answer, "slots are given"));
                        });
                    }
                },
                () -> answer.accept(NOT_LEADER));
    }

    private static byte[] encoded(Command command) {
        return CommandCodec.encode(Envelope.of(command));
    }

    private static boolean isGiven(@Nullable GivenSlots given, long epoch, int first, int last, int to) {
        return given != null
                && given.epoch() == epoch
                && given.slots().equals(new SlotSpan(first, last))
                && given.to() == to;
    }

    /** Reads what was given and sends it to the leader of the shard that takes it in. */
    void absorb(OwnershipProtocol.Absorb request, Consumer<Changed> answer) {
        int shard = request.shard();
        owners.onLeader(
                shard,
                host -> {
                    ShardStateMachine machine = host.stateMachine();
                    if (!isGiven(
                            machine.ownership().given(),
                            request.epoch(),
                            request.first(),
                            request.last(),
                            request.to())) {
                        answer.accept(new Changed(State.IMPOSSIBLE, "it has not given these slots"));
                        return;
                    }
                    if (!sending.add(shard)) {
                        answer.accept(new Changed(State.UNDER_WAY, "the slots are being moved"));
                        return;
                    }
                    Consumer<Changed> ended = how -> {
                        sending.remove(shard);
                        answer.accept(how);
                    };
                    Supplier<List<Piece.Session>> sessions = machine.sessions();
                    later(ended, () -> send(request, machine, sessions.get(), ended));
                },
                () -> answer.accept(NOT_LEADER));
    }

    private void send(
            OwnershipProtocol.Absorb request,
            ShardStateMachine machine,
            List<Piece.Session> sessions,
            Consumer<Changed> ended) {
        Piece piece = machine.readGiven(request.epoch(), sessions);
        if (piece == null) {
            ended.accept(new Changed(State.UNDER_WAY, "the slots are deleted"));
            return;
        }
        byte[] command = encoded(
                new Command.AbsorbSlots(request.shard(), request.epoch(), request.first(), request.last(), piece));
        if (command.length > MOST_COMMAND_BYTES) {
            ended.accept(
                    new Changed(State.UNDER_WAY, "the slots need " + command.length + " bytes, which is too much"));
            return;
        }
        byte[] message = ByteBuffer.allocate(4 + command.length)
                .putInt(request.to())
                .put(command)
                .array();
        calls.call(request.leader(), OwnershipProtocol.METHOD_TAKE_IN, message, TAKE_IN_NANOS, new RpcCallback() {
            @Override
            public void success(ByteBuffer bytes) {
                try {
                    ended.accept(Changed.decode(bytes));
                } catch (IllegalArgumentException e) {
                    ended.accept(new Changed(State.UNDER_WAY, "an answer cannot be read: " + e.getMessage()));
                }
            }

            @Override
            public void failure(RpcFailure failure) {
                ended.accept(new Changed(State.UNDER_WAY, "node " + request.leader() + " does not answer: " + failure));
            }
        });
    }

    /**
     * Takes in what another shard gave.
     *
     * @param command as it is proposed; passes to this
     */
    void takeIn(int shard, byte[] command, Consumer<Changed> answer) {
        later(answer, () -> {
            // All of it is looked at here: once in the log it must be good.
            if (!(CommandCodec.decode(command).command() instanceof Command.AbsorbSlots absorb)) {
                throw new IllegalArgumentException("another command than one that takes slots in");
            }
            owners.onLeader(
                    shard,
                    host -> {
                        Ownership now = host.stateMachine().ownership();
                        if (now.epoch() >= absorb.epoch()
                                && now.slots().contains(absorb.first())
                                && now.slots().contains(absorb.last())) {
                            answer.accept(new Changed(State.DONE, "the slots are here"));
                        } else if (now.epoch() >= absorb.epoch()
                                || now.given() != null
                                || now.slots().isEmpty()
                                || now.slots().last() + 1 != absorb.first()) {
                            answer.accept(new Changed(
                                    State.UNDER_WAY,
                                    "shard " + shard + " has epoch " + now.epoch() + " and slots " + now.slots()));
                        } else {
                            owners.propose(host, command, answer, "slots are taken in");
                        }
                    },
                    () -> answer.accept(new Changed(State.UNDER_WAY, "shard " + shard + " is not led there")));
        });
    }

    /** Deletes what was given away, which is taken in. */
    void drop(int shard, long epoch, Consumer<Changed> answer) {
        owners.onLeader(
                shard,
                host -> {
                    GivenSlots given = host.stateMachine().ownership().given();
                    if (given == null) {
                        answer.accept(new Changed(State.DONE, "there is nothing to delete"));
                    } else if (given.epoch() != epoch) {
                        answer.accept(new Changed(
                                State.IMPOSSIBLE, "it has slots that were given in epoch " + given.epoch()));
                    } else {
                        owners.propose(host, encoded(new Command.DropSlots(epoch)), answer, "given slots are deleted");
                    }
                },
                () -> answer.accept(NOT_LEADER));
    }

    private void later(Consumer<Changed> answer, Runnable task) {
        try {
            readers.execute(() -> {
                try {
                    task.run();
                } catch (RuntimeException e) {
                    LOG.warn("slots are not moved", e);
                    answer.accept(new Changed(State.UNDER_WAY, String.valueOf(e.getMessage())));
                }
            });
        } catch (RejectedExecutionException e) {
            LOG.debug("the node is closing", e);
            answer.accept(NOT_LEADER);
        }
    }
}
