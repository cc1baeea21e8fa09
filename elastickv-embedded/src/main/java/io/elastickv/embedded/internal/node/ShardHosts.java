package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.Durability;
import io.elastickv.embedded.StorageEngine;
import io.elastickv.embedded.internal.raft.EventLoop;
import io.elastickv.embedded.internal.raft.GroupListener;
import io.elastickv.embedded.internal.raft.ReplicaGroup;
import io.elastickv.embedded.internal.raft.StateMachine;
import io.elastickv.embedded.internal.raft.core.RaftConfig;
import io.elastickv.embedded.internal.raft.core.RaftCore;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import io.elastickv.embedded.internal.routing.ShardEndpoint;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.shard.SlotRanges;
import io.elastickv.embedded.internal.storage.StorageOptions;
import io.elastickv.embedded.internal.transport.ClusterChannel;
import java.util.SplittableRandom;
import java.util.concurrent.Executor;

/** Puts the parts of a replica together. */
final class ShardHosts {

    /** What all groups of a node together keep of the newest log entries on the heap; followers further behind read the log. */
    private static final long NODE_CACHE_BYTES = 8L << 20;

    private static final long LEAST_CACHE_BYTES = 64L << 10;

    private ShardHosts() {}

    /**
     * Checks that the storage works in this JVM.
     *
     * @throws IllegalStateException if not; the message has the flags to add
     */
    static void checkStorage(StorageEngine engine) {
        internal(engine).checkStart();
    }

    private static io.elastickv.embedded.internal.storage.StorageEngine internal(StorageEngine engine) {
        return switch (engine) {
            case OFF_HEAP -> io.elastickv.embedded.internal.storage.StorageEngine.OFF_HEAP;
            case HEAP -> io.elastickv.embedded.internal.storage.StorageEngine.HEAP;
        };
    }

    static io.elastickv.embedded.internal.raft.log.Durability durability(Durability durability) {
        return switch (durability) {
            case FSYNC -> io.elastickv.embedded.internal.raft.log.Durability.FSYNC;
            case MEMORY -> io.elastickv.embedded.internal.raft.log.Durability.MEMORY;
        };
    }

    /** A machine as of the beginning of the shard's log. */
    static ShardStateMachine stateMachine(NodeConfig config, ShardBirth birth) {
        return ShardStateMachine.create(
                birth.shard(),
                birth.epoch(),
                SlotRanges.of(birth.slots()),
                internal(config.storage()),
                StorageOptions.DEFAULTS);
    }

    /** Puts a replica together from what was recovered of it. */
    static ShardHost assemble(
            NodeConfig config,
            ShardFactory.Request request,
            int replicasHere,
            EventLoop loop,
            NodeLog log,
            ClusterChannel channel,
            GroupListener listener,
            Executor readers,
            ShardStateMachine stateMachine,
            ShardCheckpoints checkpoints,
            ShardRecovery.Recovered recovered) {
        ShardBirth birth = request.birth();
        int id = birth.shard();
        GroupFrames frames = new GroupFrames(request.memberId());
        RaftCore core = new RaftCore(
                raftConfig(config, request.memberId(), birth, replicasHere),
                recovered.restored(),
                System.nanoTime(),
                config.wallMillis().getAsLong(),
                new SplittableRandom());
        ReplicaGroup group = new ReplicaGroup(
                id,
                request.memberId(),
                loop,
                core,
                log.group(id),
                (peer, groupId, message) ->
                        channel.sendGroup(frames.nodeOf(peer), groupId, frames.frame(peer, message)),
                new Applier(stateMachine),
                checkpoints,
                listener,
                birth.preferredLeader(),
                recovered.start());
        return new ShardHost(
                request, frames, group, stateMachine, checkpoints, new ShardEndpoint(group, stateMachine, readers));
    }

    private static RaftConfig raftConfig(NodeConfig config, String memberId, ShardBirth birth, int replicasHere) {
        RaftConfig defaults = RaftConfig.of(memberId);
        long electionNanos = config.electionTimeout().toNanos();
        return new RaftConfig(
                defaults.self(),
                electionNanos,
                Math.max(10_000_000L, electionNanos / 10),
                defaults.maxEntriesPerAppend(),
                defaults.maxBytesPerAppend(),
                defaults.maxInFlightAppends(),
                defaults.maxInFlightBytes(),
                defaults.maxUncommittedEntries(),
                defaults.maxUncommittedBytes(),
                Math.max(LEAST_CACHE_BYTES, NODE_CACHE_BYTES / replicasHere),
                birth.preferredLeader().equals(config.name()) ? memberId : null);
    }

    private record Applier(ShardStateMachine machine) implements StateMachine {

        @Override
        public Object apply(long index, byte[] payload) {
            return machine.apply(index, payload);
        }

        @Override
        public void passOver(long index) {
            machine.passOver(index);
        }

        @Override
        public long timeMillis() {
            return machine.logTimeMillis();
        }
    }
}
