package io.elastickv.embedded.internal.simulation;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.ResultCodec;
import io.elastickv.embedded.internal.node.ShardCheckpoints;
import io.elastickv.embedded.internal.node.ShardRecovery;
import io.elastickv.embedded.internal.raft.GroupListener;
import io.elastickv.embedded.internal.raft.GroupSnapshots;
import io.elastickv.embedded.internal.raft.ProposalCallback;
import io.elastickv.embedded.internal.raft.ReadCallback;
import io.elastickv.embedded.internal.raft.ReplicaGroup;
import io.elastickv.embedded.internal.raft.StateMachine;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.RaftCore;
import io.elastickv.embedded.internal.raft.core.RaftMessage;
import io.elastickv.embedded.internal.routing.ShardEndpoint;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.shard.SlotRanges;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.ShardStore;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A replica as a node makes it, watched by the oracle. */
final class Replica implements StateMachine, GroupListener {

    private static final StorageOptions STORAGE = new StorageOptions(16, 16, 4, 1024);

    /** How often the whole state is compared. */
    private static final int COMPARE_EVERY = 16;

    final SimProcess process;
    final int groupId;
    final String member;
    final CheckpointDirectory directory;
    final ShardStore store;
    final ShardStateMachine machine;
    final ShardCheckpoints checkpoints;
    final RaftCore core;
    final ReplicaGroup group;
    private final ShardEndpoint endpoint;
    private final Simulation simulation;

    Replica(SimProcess process, int groupId, String member, Configuration initial, CheckpointDirectory directory) {
        this.process = process;
        this.groupId = groupId;
        this.member = member;
        this.directory = directory;
        this.simulation = process.simulation;
        Scenario scenario = simulation.scenario;
        Mutation mutation = simulation.mutation;
        SlotRanges owned = mutation.checksSlots()
                ? SlotRanges.of(Keys.firstSlot(groupId), Keys.lastSlot(groupId))
                : SlotRanges.of(0, Keys.lastSlot(Keys.MAX_GROUPS - 1));
        store = new ShardStore(StorageEngine.HEAP, STORAGE, owned.first(), owned.last(), KeySlot::of);
        machine = new ShardStateMachine(groupId, 1, owned, store, scenario.sessionLimits);
        ShardRecovery.Recovered recovered =
                ShardRecovery.recover(groupId, member, initial, process.log, directory, machine, false);
        core = mutation.core(
                scenario.raftConfig(member),
                mutation.restored(this, recovered.restored(), initial),
                process.nanos(),
                process.node.wallMillis(),
                simulation.random.split());
        checkpoints = new ShardCheckpoints(
                groupId,
                machine,
                directory,
                process.fetcher,
                process::background,
                scenario.checkpoints.retained(),
                process.pace,
                process.figures,
                process::nanos);
        GroupSnapshots snapshots = mutation.snapshots(this, checkpoints);
        group = new ReplicaGroup(
                groupId,
                member,
                process.loop(),
                core,
                process.log.group(groupId),
                this::send,
                this,
                snapshots,
                this,
                simulation.preferredLeader(groupId),
                recovered.start());
        endpoint = new ShardEndpoint(group, machine, process.loop());
    }

    /** One with nothing applied. */
    ShardStateMachine emptyMachine() {
        ShardStore empty = new ShardStore(
                StorageEngine.HEAP, STORAGE, Keys.firstSlot(groupId), Keys.lastSlot(groupId), KeySlot::of);
        SlotRanges owned = SlotRanges.of(Keys.firstSlot(groupId), Keys.lastSlot(groupId));
        return new ShardStateMachine(groupId, 1, owned, empty, simulation.scenario.sessionLimits);
    }

    private void send(String peer, int ofGroup, RaftMessage message) {
        RaftMessage sent = simulation.mutation.sent(this, peer, message);
        simulation.oracle.sent(ofGroup, member, peer, sent);
        simulation.sendToReplica(this, peer, sent);
    }

    void count() {
        simulation.compactions += core.firstIndex() > 1 ? 1 : 0;
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
                if (simulation.mutation.unknownIsNotApplied()) {
                    reply.refused(null);
                } else {
                    reply.unknown();
                }
            }
        });
    }

    void read(Query query, Reply reply) {
        if (!simulation.mutation.readsAreConfirmed()) {
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
        var expired = machine.collectExpired(group.clockMillis(), 10);
        if (!expired.isEmpty()) {
            write(CommandCodec.encode(Envelope.of(new Command.EvictExpired(expired))), Reply.TO_NOBODY);
        }
    }

    // ---- StateMachine

    @Override
    public Object apply(long index, byte[] payload) {
        Object result;
        try {
            process.failToApplyIfAsked();
            result = simulation.mutation.apply(this, index, payload);
        } catch (RuntimeException e) {
            result = simulation.mutation.applyFailed(e);
        }
        long digest = Arrays.hashCode(payload);
        digest = Oracle.mix(digest, Arrays.hashCode(ResultCodec.encode((CommandResult) result)));
        digest = Oracle.mix(digest, machine.logTimeMillis());
        if (index % COMPARE_EVERY == 0) {
            digest = Oracle.mix(digest, stateDigest());
        }
        simulation.oracle.applied(groupId, member, index, core.termAt(index), core.term(), digest);
        simulation.note(digest);
        return result;
    }

    private long stateDigest() {
        long digest = machine.size();
        for (Keys.Key key : Keys.of(groupId)) {
            QueryResult result = machine.queryLocal(new Query.Get(key.bytes()), Long.MIN_VALUE);
            if (result instanceof QueryResult.Value value && value.value() != null) {
                digest = Oracle.mix(digest, Arrays.hashCode(value.value().value()));
                digest = Oracle.mix(digest, value.value().version());
                digest = Oracle.mix(digest, value.value().expiresAtMillis());
            } else {
                digest = Oracle.mix(digest, 0);
            }
        }
        return digest;
    }

    @Override
    public void passOver(long index) {
        machine.passOver(index);
    }

    @Override
    public long timeMillis() {
        return machine.logTimeMillis();
    }

    // ---- GroupListener

    @Override
    public void leaderChanged(int ofGroup, long term, @Nullable String leader) {
        if (process.node.name.equals(leader)) {
            simulation.oracle.leads(groupId, member, term, core);
        }
    }

    @Override
    public void failed(int ofGroup, String reason, Throwable cause) {
        process.replicaFailed(this, reason, cause);
    }

    @Override
    public String toString() {
        ReplicaGroup.Status status = group.status();
        return "[" + groupId + " " + member + " " + status.role() + " term " + status.term() + ", leader "
                + status.leader() + ", log " + status.firstIndex() + "-" + status.lastIndex() + ", commit "
                + status.commitIndex() + ", applied " + status.appliedIndex() + (status.failed() ? ", failed" : "")
                + (status.stateLost() ? ", state lost" : "") + (status.memoryLost() ? ", memory lost" : "") + ", "
                + status.committedConfiguration() + "]";
    }
}
