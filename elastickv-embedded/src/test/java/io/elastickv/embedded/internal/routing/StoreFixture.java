package io.elastickv.embedded.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.raft.EventLoop;
import io.elastickv.embedded.internal.raft.FakeSnapshots;
import io.elastickv.embedded.internal.raft.GroupListener;
import io.elastickv.embedded.internal.raft.ReplicaGroup;
import io.elastickv.embedded.internal.raft.StartingPoint;
import io.elastickv.embedded.internal.raft.StateMachine;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.raft.core.RaftConfig;
import io.elastickv.embedded.internal.raft.core.RaftCore;
import io.elastickv.embedded.internal.raft.core.RestoredState;
import io.elastickv.embedded.internal.raft.log.Durability;
import io.elastickv.embedded.internal.raft.log.NodeLog;
import io.elastickv.embedded.internal.raft.log.NodeLogOptions;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.shard.SlotRanges;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import io.elastickv.embedded.internal.transport.RpcHandler;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/** A store over two shards of one voter each, with everything real but the network, which there is none of. */
final class StoreFixture implements AutoCloseable {

    final NodeLog log;
    final EventLoop loop;
    final Router router;
    final Store store;
    final Map<Integer, RpcHandler> handlers = new HashMap<>();
    private final ExecutorService callbacks = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "test-callbacks");
        thread.setDaemon(true);
        return thread;
    });
    private final List<ShardStateMachine> machines = new ArrayList<>();

    StoreFixture(Path directory) {
        log = NodeLog.open(NodeLogOptions.of(directory, "n1").withDurability(Durability.MEMORY));
        loop = new EventLoop("test-loop", log, System::currentTimeMillis, () -> {}, () -> {});
        loop.start();
        router = new Router(
                "n1",
                (peer, method, payload, timeoutNanos, callback) -> {
                    throw new AssertionError("called " + peer);
                },
                handlers::put,
                1000,
                64 << 20,
                Backoff.RANDOM);
        store = new Store(router, new CallbackBatcher(callbacks), Duration.ofSeconds(20));
    }

    /** Gives the router its shards. */
    StoreFixture open() {
        List<Claim> claims = new ArrayList<>();
        List<ReplicaGroup> groups = new ArrayList<>();
        for (int id = 0; id < 2; id++) {
            SlotRange slots = id == 0 ? new SlotRange(0, 8191) : new SlotRange(8192, KeySlot.COUNT - 1);
            claims.add(new Claim(id, 1, List.of(slots), List.of("n1")));
            ShardStateMachine machine = ShardStateMachine.create(
                    id, 1, SlotRanges.of(List.of(slots)), StorageEngine.HEAP, StorageOptions.DEFAULTS);
            machines.add(machine);
            RaftCore core = new RaftCore(
                    RaftConfig.of("n1"),
                    RestoredState.empty(Configuration.of(List.of("n1"))),
                    System.nanoTime(),
                    System.currentTimeMillis(),
                    new SplittableRandom(1));
            ReplicaGroup group = new ReplicaGroup(
                    id,
                    "n1",
                    loop,
                    core,
                    log.group(id),
                    (peer, groupId, message) -> {
                        throw new AssertionError("sent to " + peer);
                    },
                    new StateMachine() {
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
                    },
                    new FakeSnapshots(),
                    new GroupListener() {
                        @Override
                        public void leaderChanged(int groupId, long term, @Nullable String leader) {
                            router.route(groupId).learn(term, leader);
                        }

                        @Override
                        public void failed(int groupId, String reason, Throwable cause) {
                            throw new AssertionError(reason, cause);
                        }
                    },
                    "n1",
                    StartingPoint.EMPTY);
            groups.add(group);
            router.localAdded(id, new ShardEndpoint(group, machine, Runnable::run));
        }
        router.open(claims, id -> loop);
        loop.execute(() -> groups.forEach(group -> {
            group.start();
            group.campaign();
        }));
        assertThat(handlers.keySet())
                .containsExactlyInAnyOrder(RouterProtocol.METHOD_WRITE, RouterProtocol.METHOD_READ);
        return this;
    }

    @Override
    public void close() {
        router.shutDown("the test has ended");
        loop.close();
        log.close();
        machines.forEach(ShardStateMachine::close);
        callbacks.shutdownNow();
    }
}
