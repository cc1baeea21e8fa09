package io.elastickv.embedded.internal.simulation;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.ResultCodec;
import io.elastickv.embedded.internal.raft.GroupListener;
import io.elastickv.embedded.internal.raft.ProposalCallback;
import io.elastickv.embedded.internal.raft.ReadCallback;
import io.elastickv.embedded.internal.raft.ReplicaGroup;
import io.elastickv.embedded.internal.raft.StateMachine;
import io.elastickv.embedded.internal.raft.core.RaftCore;
import io.elastickv.embedded.internal.raft.core.RaftMessage;
import io.elastickv.embedded.internal.raft.core.RestoredState;
import io.elastickv.embedded.internal.raft.log.GroupLog;
import io.elastickv.embedded.internal.routing.ShardEndpoint;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.shard.SlotRanges;
import io.elastickv.embedded.internal.storage.ShardStore;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A replica as a node makes it, watched by the oracle. */
final class Replica implements StateMachine, GroupListener {

    private static final StorageOptions STORAGE = new StorageOptions(16, 16, 4, 1024);

    final Node node;
    final int groupId;
    final ShardStore store;
    final ShardStateMachine machine;
    final RaftCore core;
    final ReplicaGroup group;
    private final ShardEndpoint endpoint;
    private final Oracle oracle;

    Replica(Node node, int groupId, GroupLog log) {
        this.node = node;
        this.groupId = groupId;
        Simulation simulation = node.simulation;
        Scenario scenario = simulation.scenario;
        this.oracle = simulation.oracle;
        SlotRanges owned = simulation.mutation.checksSlots()
                ? SlotRanges.of(Keys.firstSlot(groupId), Keys.lastSlot(groupId))
                : SlotRanges.of(0, Keys.lastSlot(Keys.MAX_GROUPS - 1));
        store = new ShardStore(StorageEngine.HEAP, STORAGE, owned.first(), owned.last(), KeySlot::of);
        machine = new ShardStateMachine(groupId, 1, owned, store, scenario.sessionLimits);
        RestoredState restored = new RestoredState(
                simulation.mutation.restoredHardState(log.hardState()),
                log.firstIndex(),
                log.lastIndex(),
                log.commitIndex(),
                0,
                log.termRuns(),
                List.of());
        core = simulation.mutation.core(
                scenario.raftConfig(node.name, simulation.nodeNames, simulation.preferredLeader(groupId)),
                restored,
                node.nanos(),
                node.wallMillis(),
                simulation.random.split());
        group = new ReplicaGroup(
                groupId,
                node.name,
                node.loop(),
                core,
                log,
                this::send,
                this,
                this,
                simulation.preferredLeader(groupId));
        endpoint = new ShardEndpoint(group, machine, node.loop());
    }

    private void send(String peer, int ofGroup, RaftMessage message) {
        RaftMessage sent = node.simulation.mutation.sent(this, peer, message);
        oracle.sent(ofGroup, node.name, peer, sent);
        node.simulation.sendToReplica(node, peer, ofGroup, sent);
    }

    // ---- for clients, on the loop

    void write(byte[] envelope, Reply reply) {
        endpoint.write(envelope, new ProposalCallback() {
            @Override
            public void applied(Object result) {
                reply.applied((CommandResult) result);
            }

            @Override
            public void notProposed(Refusal reason, @Nullable String leaderHint) {
                reply.refused(leaderHint);
            }

            @Override
            public void unknown() {
                if (node.simulation.mutation.unknownIsNotApplied()) {
                    reply.refused(null);
                } else {
                    reply.unknown();
                }
            }
        });
    }

    void read(Query query, Reply reply) {
        if (!node.simulation.mutation.readsAreConfirmed()) {
            reply.answered(machine.query(query, group.clockMillis()));
            return;
        }
        group.read(new ReadCallback() {
            @Override
            public void ready(long leaderWallMillis) {
                reply.answered(machine.query(query, leaderWallMillis));
            }

            @Override
            public void failed(ProposalCallback.Refusal reason, @Nullable String leaderHint) {
                reply.refused(leaderHint);
            }
        });
    }

    /** Removes what has expired, as a leader does now and then. */
    void evictExpired() {
        List<byte[]> expired = machine.collectExpired(group.clockMillis(), 10);
        if (!expired.isEmpty()) {
            write(CommandCodec.encode(Envelope.of(new Command.EvictExpired(expired))), Reply.TO_NOBODY);
        }
    }

    // ---- StateMachine

    @Override
    public Object apply(long index, byte[] payload) {
        Object result;
        try {
            node.failToApplyIfAsked();
            result = node.simulation.mutation.apply(this, index, payload);
        } catch (RuntimeException e) {
            result = node.simulation.mutation.applyFailed(e);
        }
        long digest = Arrays.hashCode(payload);
        digest = Oracle.mix(digest, Arrays.hashCode(ResultCodec.encode((CommandResult) result)));
        digest = Oracle.mix(digest, machine.logTimeMillis());
        oracle.applied(groupId, node.name, index, core.termAt(index), core.term(), digest);
        node.simulation.note(digest);
        return result;
    }

    @Override
    public long timeMillis() {
        return machine.logTimeMillis();
    }

    // ---- GroupListener

    @Override
    public void leaderChanged(int ofGroup, long term, @Nullable String leader) {
        if (node.name.equals(leader)) {
            oracle.leads(groupId, node.name, term, core);
        }
    }

    @Override
    public void failed(int ofGroup, String reason, Throwable cause) {
        node.replicaFailed(this, reason, cause);
    }

    @Override
    public String toString() {
        return "group " + groupId + ": " + group.status();
    }
}
