package io.elastickv.embedded.internal.node;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.raft.GroupSnapshots;
import io.elastickv.embedded.internal.raft.GroupSnapshots.Incoming;
import io.elastickv.embedded.internal.raft.core.Configuration;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.shard.SlotRanges;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import io.elastickv.embedded.internal.transport.EncodedMessage;
import io.elastickv.embedded.internal.transport.Responder;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import io.elastickv.embedded.internal.transport.RpcHandler;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;

/** Nodes with a replica each, without threads: everything waits in a queue, and time passes when it is empty. */
final class TransferFixture implements AutoCloseable {

    static final int GROUP = 5;
    static final Configuration MEMBERS = Configuration.of(List.of("a", "b", "c"));
    private static final Path DIRECTORY = Path.of("/data/checkpoints/5");
    private static final StorageOptions SMALL = new StorageOptions(4096, 64, 2, 64);

    private record Later(long atNanos, long order, Runnable task) {}

    private final ArrayDeque<Runnable> queue = new ArrayDeque<>();
    private final PriorityQueue<Later> timers = new PriorityQueue<>((a, b) ->
            a.atNanos() != b.atNanos() ? Long.compare(a.atNanos(), b.atNanos()) : Long.compare(a.order(), b.order()));
    private long order;
    long nanos = 1_000_000_000L;
    final Map<String, Node> nodes = new HashMap<>();
    final Set<String> unreachable = new HashSet<>();

    /** Called before each answered piece. */
    Runnable onRead = () -> {};

    int calls;

    /** One node with a replica of the group. */
    final class Node implements AutoCloseable {

        final String name;
        final FaultyFiles files = new FaultyFiles();
        final CheckpointFigures figures = new CheckpointFigures();
        final List<Integer> wanted = new ArrayList<>();
        final Map<Integer, RpcHandler> handlers = new HashMap<>();
        final ShardStateMachine machine =
                ShardStateMachine.create(GROUP, 1, SlotRanges.of(0, 16383), StorageEngine.HEAP, SMALL);
        final CheckpointDirectory directory;
        final ShardCheckpoints checkpoints;
        final SnapshotServer server;
        long index;

        Node(String name, long bytesPerSecond) throws IOException {
            this.name = name;
            directory = CheckpointDirectory.open(files, DIRECTORY, GROUP);
            SnapshotFetcher fetcher =
                    new SnapshotFetcher(TransferFixture.this::call, TransferFixture.this::after, () -> nanos);
            checkpoints = new ShardCheckpoints(
                    GROUP, machine, directory, fetcher, queue::add, 2, WorkPace.steady(), figures, () -> nanos);
            server = new SnapshotServer(
                    group -> group == GROUP ? checkpoints : null,
                    wanted::add,
                    queue::add,
                    TransferFixture.this::after,
                    () -> nanos,
                    bytesPerSecond,
                    figures);
            server.register(handlers::put);
        }

        void put(String key, byte[] value) {
            byte[] envelope = CommandCodec.encode(Envelope.of(
                    new Command.Put(key.getBytes(UTF_8), value, Precondition.ALWAYS, ExpiryChange.NEVER, false)));
            machine.apply(++index, envelope);
        }

        void fill(int count, long seed) {
            Random random = new Random(seed);
            for (int i = 0; i < count; i++) {
                byte[] value = new byte[10_000];
                random.nextBytes(value);
                put("key-" + i, value);
            }
        }

        void checkpoint() {
            try (GroupSnapshots.Capture capture = checkpoints.capture(index, 1, MEMBERS)) {
                capture.write();
            }
        }

        byte[] get(String key) {
            var found = (QueryResult.Value) machine.query(new Query.Get(key.getBytes(UTF_8)), 0);
            return found.value() == null ? new byte[0] : found.value().value();
        }

        @Override
        public void close() {
            machine.close();
        }
    }

    Node node(String name) {
        return node(name, 1L << 40);
    }

    Node node(String name, long bytesPerSecond) {
        try {
            Node node = new Node(name, bytesPerSecond);
            nodes.put(name, node);
            return node;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void after(long delayNanos, Runnable task) {
        timers.add(new Later(nanos + delayNanos, order++, task));
    }

    /** As the network does it: the answer comes later, or none does. */
    private void call(String to, int method, byte[] payload, long timeoutNanos, RpcCallback callback) {
        calls++;
        queue.add(() -> {
            Node target = nodes.get(to);
            if (target == null || unreachable.contains(to)) {
                callback.failure(RpcFailure.NOT_SENT);
                return;
            }
            if (method == SnapshotProtocol.METHOD_READ) {
                onRead.run();
            }
            target.handlers.get(method).handle("reader", ByteBuffer.wrap(payload), new Responder() {
                @Override
                public void reply(byte[]... parts) {
                    int length = 0;
                    for (byte[] part : parts) {
                        length += part.length;
                    }
                    ByteBuffer all = ByteBuffer.allocate(length);
                    for (byte[] part : parts) {
                        all.put(part);
                    }
                    queue.add(() -> {
                        if (unreachable.contains(to)) {
                            callback.failure(RpcFailure.NO_ANSWER);
                        } else {
                            callback.success(all.flip());
                        }
                    });
                }

                @Override
                public void reply(EncodedMessage answer) {
                    throw new AssertionError("not used");
                }
            });
        });
    }

    /** Does everything, and lets time pass, until {@code untilNanos} or there is nothing more to wait for. */
    void run(long forNanos) {
        long end = nanos + forNanos;
        while (true) {
            Runnable task = queue.poll();
            if (task != null) {
                task.run();
                continue;
            }
            Later next = timers.peek();
            if (next == null || next.atNanos() > end) {
                return;
            }
            timers.poll();
            nanos = Math.max(nanos, next.atNanos());
            next.task().run();
        }
    }

    /** What a fetch ended with. */
    static final class End implements GroupSnapshots.FetchCallback {

        Incoming incoming;
        Throwable failure;

        @Override
        public void fetched(Incoming one) {
            incoming = one;
        }

        @Override
        public void failed(Throwable cause) {
            failure = cause;
        }
    }

    @Override
    public void close() {
        nodes.values().forEach(Node::close);
    }
}
