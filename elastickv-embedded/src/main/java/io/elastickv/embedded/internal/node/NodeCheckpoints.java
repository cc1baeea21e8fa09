package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.raft.log.NodeLog;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.transport.ClusterChannel;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All that a node does about checkpoints: has them made, lets others read them, and reads those of others. Thread-safe. */
final class NodeCheckpoints {

    static final long POLL_MILLIS = 100;
    private static final Logger LOG = LoggerFactory.getLogger(NodeCheckpoints.class);
    private static final long WARN_NANOS = 10_000_000_000L;

    private final NodeConfig config;
    private final NodeLog log;
    private final NodeThreads threads;
    private final Map<Integer, ShardHost> shards;
    private final CheckpointFigures figures = new CheckpointFigures();
    private final WorkPace pace = WorkPace.steady();
    private final SnapshotFetcher fetcher;
    private final SnapshotServer server;
    private final Checkpointer checkpointer;
    private long warnAtNanos = System.nanoTime();

    NodeCheckpoints(
            NodeConfig config,
            NodeLog log,
            ClusterChannel channel,
            NodeThreads threads,
            Map<Integer, ShardHost> shards) {
        this.config = config;
        this.log = log;
        this.threads = threads;
        this.shards = shards;
        this.fetcher = new SnapshotFetcher(channel.rpc()::call, threads::after, System::nanoTime);
        this.checkpointer = new Checkpointer(
                log,
                () -> shards.values().stream().map(ShardHost::group).toList(),
                config.checkpoints(),
                pace,
                threads.background(),
                () -> threads.control(this::poll),
                System::nanoTime);
        this.server = new SnapshotServer(
                group -> {
                    ShardHost host = shards.get(group);
                    return host == null ? null : host.checkpoints();
                },
                checkpointer::request,
                threads.serving(),
                threads::after,
                System::nanoTime,
                config.snapshotBytesPerSecond(),
                figures);
        server.register(channel.rpc()::register);
    }

    ShardCheckpoints of(int group, ShardStateMachine machine, CheckpointDirectory directory) {
        return new ShardCheckpoints(
                group,
                machine,
                directory,
                fetcher,
                threads.background(),
                config.checkpoints().retained(),
                pace,
                figures,
                System::nanoTime);
    }

    CheckpointFigures figures() {
        return figures;
    }

    /** See {@link Checkpointer#spare}; groups that must not have one before what they split off is safe are spared anyway. */
    void spare(IntPredicate byOthers) {
        checkpointer.spare(group -> byOthers.test(group) || hasUnsafeChildren(group));
    }

    private boolean hasUnsafeChildren(int group) {
        ShardHost host = shards.get(group);
        return host != null && !host.stateMachine().unsafeChildren().isEmpty();
    }

    /** Has a checkpoint of {@code group} made soon, unless that is going on. */
    void require(int group) {
        if (!checkpointer.attendsTo(group)) {
            checkpointer.requestUnhurried(group);
        }
    }

    /** Begins nothing more. */
    void close() {
        checkpointer.close();
    }

    /** Does what is due; every {@value #POLL_MILLIS} ms, by one thread at a time. */
    void poll() {
        checkpointer.poll();
        server.expireLeases();
        warn();
    }

    private void warn() {
        long now = System.nanoTime();
        if (now - warnAtNanos < 0 || !log.memoryLost()) {
            return;
        }
        warnAtNanos = now + WARN_NANOS;
        List<Integer> waiting = shards.values().stream()
                .map(ShardHost::group)
                .filter(group -> group.status().memoryLost())
                .map(group -> group.groupId())
                .sorted()
                .toList();
        if (!waiting.isEmpty()) {
            LOG.warn(
                    "node {}: its machine lost its memory, and with it perhaps what was acknowledged (Durability.MEMORY)."
                            + " Shards {} take part in no election before they have got it back from their leaders. If"
                            + " all machines of the cluster lost their memory there is no such leader: start all nodes"
                            + " with acceptMemoryLoss(), once",
                    config.name(),
                    waiting);
        }
    }
}
