package io.elastickv.embedded.internal.node;

import io.elastickv.embedded.internal.backup.CheckpointedState;
import io.elastickv.embedded.internal.backup.ExportableShard;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryCodec;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.ResultCodec;
import io.elastickv.embedded.internal.placement.LoadReporter;
import io.elastickv.embedded.internal.raft.EventLoop;
import io.elastickv.embedded.internal.raft.ProposalCallback;
import io.elastickv.embedded.internal.raft.ReadCallback;
import io.elastickv.embedded.internal.raft.ReplicaGroup;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.Role;
import io.elastickv.embedded.internal.routing.ShardEndpoint;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.transport.ShardPort;
import io.elastickv.embedded.internal.transport.ShardRole;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A replica on this node with all that belongs to it; also what JGroups-raft users see of it. */
final class ShardHost implements ShardPort {

    private static final Logger LOG = LoggerFactory.getLogger(ShardHost.class);
    private static final int MAX_EVICTIONS = 1000;
    /** Fewer that are not applied yet are only the newest ones. */
    private static final long CAUGHT_UP_ENTRIES = 1_000;

    /** Takes about a millisecond. */
    private static final int TIDY_ENTRIES = 500;

    private static final int MAX_COMMAND_BYTES = 31 << 20;

    private final ShardBirth birth;
    private final String member;
    private final GroupFrames frames;
    private final ReplicaGroup group;
    private final ShardStateMachine stateMachine;
    private final ShardCheckpoints checkpoints;
    private final ShardEndpoint endpoint;
    private final AtomicBoolean evicting = new AtomicBoolean();
    private final EventLoop.Ticker tidier = this::tidyUp;
    // On the loop:
    private long appliedAtLastTick;
    private boolean untidy;

    private volatile @Nullable String preferredLeader;
    private long followedRevision;

    ShardHost(
            ShardFactory.Request made,
            GroupFrames frames,
            ReplicaGroup group,
            ShardStateMachine stateMachine,
            ShardCheckpoints checkpoints,
            ShardEndpoint endpoint) {
        this.birth = made.birth();
        this.member = made.memberId();
        this.frames = frames;
        this.group = group;
        this.stateMachine = stateMachine;
        this.checkpoints = checkpoints;
        this.endpoint = endpoint;
        this.preferredLeader = birth.preferredLeader();
    }

    /** What the replica is in its group. */
    String member() {
        return member;
    }

    /** How its messages travel. */
    GroupFrames frames() {
        return frames;
    }

    ReplicaGroup group() {
        return group;
    }

    ShardCheckpoints checkpoints() {
        return checkpoints;
    }

    ShardEndpoint endpoint() {
        return endpoint;
    }

    /** The replica as exports see it. */
    ExportableShard exportable() {
        return new ExportableShard(
                group, stateMachine::isCapturing, () -> new CheckpointedState(stateMachine.beginCapture()));
    }

    /** What the replica has to do and how large it is, for a report. Any thread. */
    LoadReporter.Metered metered() {
        ReplicaGroup.Status status = group.status();
        boolean caughtUp = !status.stateLost()
                && !status.memoryLost()
                && status.commitIndex() - status.appliedIndex() <= CAUGHT_UP_ENTRIES;
        // What another replica fetches: the newest checkpoint, and the log after it.
        long checkpointBytes =
                status.checkpoints().isEmpty() ? 0 : status.checkpoints().get(0).bytes();
        return new LoadReporter.Metered(
                group.groupId(),
                status.term(),
                status.role() == Role.LEADER,
                caughtUp,
                stateMachine.size(),
                checkpointBytes + status.bytesSinceCheckpoint(),
                stateMachine.meter());
    }

    /** How the shard began. */
    ShardBirth birth() {
        return birth;
    }

    ShardStateMachine stateMachine() {
        return stateMachine;
    }

    /**
     * What the replica owns as far as it has applied its log.
     *
     * @param known the shard's members, if they are known
     */
    SplitListener.Owner owner(@Nullable Configuration known) {
        ShardStateMachine.Ownership now = stateMachine.ownership();
        Configuration by = known == null ? birth.members() : known;
        return new SplitListener.Owner(birth.shard(), now.epoch(), now.slots().ranges(), ShardMembers.nodes(by));
    }

    EventLoop loop() {
        return group.loop();
    }

    @Nullable
    String preferredLeader() {
        return preferredLeader;
    }

    /** Whether the catalog is followed up to {@code revision} from now on, and was not before. On the control thread. */
    boolean follows(long revision) {
        boolean later = revision > followedRevision;
        followedRevision = Math.max(revision, followedRevision);
        return later;
    }

    /** From now on {@code node} is the one that shall lead; null if that is all the same. Any thread. */
    void prefer(@Nullable String node) {
        if (!Objects.equals(node, preferredLeader)) {
            preferredLeader = node;
            loop().execute(() -> group.prefer(node));
        }
    }

    boolean hasReplicaOn(Collection<String> nodes) {
        return members().stream().anyMatch(nodes::contains);
    }

    /** Removes keys that have expired, if this replica leads; on a reader thread. One round at a time. */
    void evictExpired(long wallMillis) {
        if (group.status().role() != Role.LEADER || !evicting.compareAndSet(false, true)) {
            return;
        }
        List<byte[]> expired;
        try {
            expired = stateMachine.collectExpired(wallMillis + group.clockAheadMillis(), MAX_EVICTIONS);
        } catch (RuntimeException e) {
            evicting.set(false);
            throw e;
        }
        if (expired.isEmpty()) {
            evicting.set(false);
            return;
        }
        byte[] envelope = CommandCodec.encode(Envelope.of(new Command.EvictExpired(expired)));
        loop().execute(() -> endpoint.write(envelope, new ProposalCallback() {
            @Override
            public void applied(Object result) {
                evicting.set(false);
            }

            @Override
            public void notProposed(Refusal reason, @Nullable String leaderHint) {
                evicting.set(false);
            }

            @Override
            public void unknown() {
                evicting.set(false);
            }
        }));
    }

    /** Begins to clear up after splits whenever the replica has nothing to apply; on the loop. */
    void startTidying() {
        loop().addTicker(tidier);
    }

    /** Before the replica is closed; on the loop. */
    void stopTidying() {
        loop().removeTicker(tidier);
    }

    /** What splits leave to be done is done by commands as they come; here only while there are none. */
    private void tidyUp(long nowNanos) {
        long applied = stateMachine.appliedIndex();
        boolean idle = applied == appliedAtLastTick;
        appliedAtLastTick = applied;
        if (!idle || untidy || group.status().failed()) {
            return;
        }
        untidy = true; // should it fail: the next command fails too, and the replica with it
        stateMachine.tidyUp(TIDY_ENTRIES);
        untidy = false;
    }

    /** Frees the memory of the replica; after its group was closed. */
    void close() {
        checkpoints.close();
        try {
            stateMachine.close();
        } catch (RuntimeException e) {
            LOG.warn("shard {}: its storage did not close", birth.shard(), e);
        }
    }

    // ---- ShardPort

    @Override
    public ShardRole role() {
        return group.status().role() == Role.LEADER ? ShardRole.LEADER : ShardRole.FOLLOWER;
    }

    @Override
    public @Nullable String leaderName() {
        return group.status().leader();
    }

    @Override
    public long term() {
        return group.status().term();
    }

    @Override
    public long commitIndex() {
        return group.status().commitIndex();
    }

    @Override
    public long lastAppended() {
        return group.status().lastIndex();
    }

    @Override
    public List<String> members() {
        return ShardMembers.nodes(group.status().committedConfiguration());
    }

    @Override
    public CompletableFuture<byte[]> propose(byte[] command) {
        CompletableFuture<byte[]> future = new CompletableFuture<>();
        if (command.length > MAX_COMMAND_BYTES) {
            // In the log it could not be sent to the other replicas, for ever.
            future.completeExceptionally(new IllegalArgumentException(
                    "command of " + command.length + " bytes: must have at most " + MAX_COMMAND_BYTES));
            return future;
        }
        byte[] envelope = command.clone();
        try {
            Command decoded = CommandCodec.decode(envelope).command();
            if (decoded instanceof Command.SplitShard
                    || decoded instanceof Command.GiveSlots
                    || decoded instanceof Command.AbsorbSlots
                    || decoded instanceof Command.DropSlots) {
                throw new IllegalArgumentException("slots are moved by the cluster only");
            }
        } catch (RuntimeException e) {
            future.completeExceptionally(e);
            return future;
        }
        loop().execute(() -> endpoint.write(envelope, new ProposalCallback() {
            @Override
            public void applied(Object result) {
                future.complete(ResultCodec.encode((CommandResult) result));
            }

            @Override
            public void notProposed(Refusal reason, @Nullable String leaderHint) {
                future.completeExceptionally(new IllegalStateException(
                        "not proposed: " + reason + (leaderHint == null ? "" : ", the leader is " + leaderHint)));
            }

            @Override
            public void unknown() {
                future.completeExceptionally(
                        new IllegalStateException("the leadership was lost; the command may or may not be committed"));
            }
        }));
        return future;
    }

    @Override
    public CompletableFuture<byte[]> read(byte[] query) {
        CompletableFuture<byte[]> future = new CompletableFuture<>();
        Query decoded;
        try {
            decoded = QueryCodec.decode(query);
        } catch (RuntimeException e) {
            future.completeExceptionally(e);
            return future;
        }
        loop().execute(() -> group.read(new ReadCallback() {
            @Override
            public void ready(long leaderWallMillis) {
                QueryResult result = stateMachine.query(decoded, leaderWallMillis);
                future.complete(QueryCodec.encode(result));
            }

            @Override
            public void failed(ProposalCallback.Refusal reason, @Nullable String leaderHint) {
                future.completeExceptionally(new IllegalStateException(
                        "no confirmed read: " + reason + (leaderHint == null ? "" : ", the leader is " + leaderHint)));
            }
        }));
        return future;
    }
}
