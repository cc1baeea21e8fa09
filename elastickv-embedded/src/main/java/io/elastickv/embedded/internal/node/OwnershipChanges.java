package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.node.OwnershipProtocol.Owned;
import io.elastickv.embedded.internal.node.ReplicaProtocol.Changed;
import io.elastickv.embedded.internal.node.ReplicaProtocol.State;
import io.elastickv.embedded.internal.raft.ProposalCallback;
import io.elastickv.embedded.internal.raft.ReadCallback;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.Role;
import io.elastickv.embedded.internal.shard.ShardStateMachine.Ownership;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Proposes what changes the slots that shards own, for the shards that this node leads, and tells what they own. Whoever
 * asks may ask again: each step counts once. Thread-safe; nothing blocks.
 */
final class OwnershipChanges {

    private static final Logger LOG = LoggerFactory.getLogger(OwnershipChanges.class);
    private static final Changed NOT_LEADER = new Changed(State.NOT_LEADER, "");

    private final String self;
    private final Map<Integer, ShardHost> shards;

    OwnershipChanges(String self, Map<Integer, ShardHost> shards) {
        this.self = self;
        this.shards = shards;
    }

    /**
     * Tells what a shard owns, with all that was answered before it was asked.
     *
     * @param answer gets null if this node cannot tell
     */
    void ownership(int shard, Consumer<@Nullable Owned> answer) {
        onLeader(
                shard,
                host -> {
                    Ownership now = host.stateMachine().ownership();
                    answer.accept(new Owned(now.epoch(), now.slots().ranges(), now.given()));
                },
                () -> answer.accept(null));
    }

    /** Splits a shard, once. */
    void split(OwnershipProtocol.Split request, Consumer<Changed> answer) {
        onLeader(request.shard(), host -> split(host, request, answer), () -> answer.accept(NOT_LEADER));
    }

    private void split(ShardHost host, OwnershipProtocol.Split request, Consumer<Changed> answer) {
        Configuration inEffect = host.group().configuration();
        Configuration committed = host.group().status().committedConfiguration();
        Ownership now = host.stateMachine().ownership();
        if (now.epoch() != request.expectedEpoch()) {
            answer.accept(otherEpoch(request, now));
            return;
        }
        if (now.given() != null) {
            answer.accept(new Changed(State.UNDER_WAY, "it has not deleted yet what it gave away"));
            return;
        }
        if (now.slots().isEmpty()
                || request.firstSlot() <= now.slots().first()
                || request.firstSlot() > now.slots().last()) {
            answer.accept(new Changed(
                    State.IMPOSSIBLE,
                    "slot " + request.firstSlot() + " is not within " + now.slots() + ", or is the first of them"));
            return;
        }
        if (inEffect.version() != committed.version() || !committed.learners().isEmpty()) {
            answer.accept(new Changed(
                    State.UNDER_WAY, "its members are being changed, learners are " + committed.learners()));
            return;
        }
        Command.SplitShard command = new Command.SplitShard(
                request.expectedEpoch(),
                request.epoch(),
                request.firstSlot(),
                request.child(),
                request.childEpoch(),
                firstMembers(host.member(), committed).encode());
        propose(host, command, answer, "it is split");
    }

    /** An epoch is past: perhaps because the split was done already. */
    private static Changed otherEpoch(OwnershipProtocol.Split request, Ownership now) {
        boolean done = now.epoch() >= request.epoch()
                && !now.slots().isEmpty()
                && now.slots().last() < request.firstSlot();
        return done
                ? new Changed(State.DONE, "it is split")
                : new Changed(
                        State.IMPOSSIBLE,
                        "its epoch is " + now.epoch() + ", expected " + request.expectedEpoch() + "; it has "
                                + now.slots());
    }

    /** The voters, and whoever leads them first: that node should lead the new group too. */
    private static Configuration firstMembers(String leader, Configuration present) {
        List<String> voters = new ArrayList<>(present.voters());
        if (voters.remove(leader)) {
            voters.add(0, leader);
        }
        return new Configuration(present.version(), voters, List.of());
    }

    private void propose(ShardHost host, Command command, Consumer<Changed> answer, String done) {
        propose(host, CommandCodec.encode(Envelope.of(command)), answer, done);
    }

    /** Proposes what {@link #onLeader} has looked at; the bytes pass to the log. */
    void propose(ShardHost host, byte[] envelope, Consumer<Changed> answer, String done) {
        host.endpoint().write(envelope, new ProposalCallback() {
            @Override
            public void applied(Object result) {
                if (result instanceof CommandResult.WrongShard wrong) {
                    // Nothing was changed. If this very step was taken before, asking again tells so.
                    answer.accept(new Changed(State.UNDER_WAY, "its epoch is " + wrong.epoch() + " meanwhile"));
                } else {
                    LOG.info("node {}: shard {}: {}", self, host.group().groupId(), done);
                    answer.accept(new Changed(State.DONE, done));
                }
            }

            @Override
            public void notProposed(Refusal reason, @Nullable String leaderHint) {
                answer.accept(new Changed(
                        reason == Refusal.NOT_LEADER ? State.NOT_LEADER : State.UNDER_WAY, "not now: " + reason));
            }

            @Override
            public void unknown() {
                answer.accept(new Changed(State.UNDER_WAY, "the leadership was lost meanwhile"));
            }
        });
    }

    /** Runs a step on the loop of a shard led here, with a state that has all that was answered before. */
    void onLeader(int shard, Consumer<ShardHost> step, Runnable otherwise) {
        ShardHost host = shards.get(shard);
        if (host == null) {
            otherwise.run();
            return;
        }
        ReadCallback then = new ReadCallback() {
            @Override
            public void ready(long leaderWallMillis) {
                if (host.group().status().role() == Role.LEADER) {
                    step.accept(host);
                } else {
                    otherwise.run();
                }
            }

            @Override
            public void failed(ProposalCallback.Refusal reason, @Nullable String leaderHint) {
                otherwise.run();
            }
        };
        try {
            host.loop().execute(() -> host.group().read(then));
        } catch (RejectedExecutionException e) {
            LOG.debug("a loop has ended already", e);
            otherwise.run();
        }
    }
}
