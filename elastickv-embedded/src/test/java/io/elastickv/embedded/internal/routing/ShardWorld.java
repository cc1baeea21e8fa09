package io.elastickv.embedded.internal.routing;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryCodec;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.ResultCodec;
import io.elastickv.embedded.internal.raft.ManualLoop;
import io.elastickv.embedded.internal.routing.RouterProtocol.Owner;
import io.elastickv.embedded.internal.routing.RouterProtocol.Request;
import io.elastickv.embedded.internal.routing.RouterProtocol.Status;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.shard.SlotRanges;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * Nodes without replicas that route to three nodes with them, in virtual time. The shards' state machines are the real
 * ones; their consensus is perfect: there is one of each, its commands have the order of their arrival. What the nodes know
 * of one another is late and partial; shards are split, and leaders change. Everything follows from the seed.
 */
final class ShardWorld implements AutoCloseable {

    static final List<String> STORES = List.of("s1", "s2", "s3");

    /** A shard: what its replicas agree on. */
    final class Shard {
        final int id;
        final ShardStateMachine machine;
        long index;
        long epoch;
        int first;
        int last;
        String leader;
        long term = 1;
        /** What everybody knows who has applied its splits, and so does not say before that they own what they do not. */
        final List<Claim> splits = new ArrayList<>();
        /** Nobody serves it before. */
        long readyNanos;

        Shard(int id, ShardStateMachine machine, long index, long epoch, int first, int last) {
            this.id = id;
            this.machine = machine;
            this.index = index;
            this.epoch = epoch;
            this.first = first;
            this.last = last;
            this.leader = STORES.get(random.nextInt(3));
        }

        Claim claim() {
            return new Claim(id, epoch, List.of(new SlotRange(first, last)), random.nextBoolean() ? STORES : List.of());
        }
    }

    private record Event(long nanos, long order, Runnable what) {}

    final Random random;
    final ManualLoop manual = new ManualLoop(null);
    final TreeMap<Integer, Shard> shards = new TreeMap<>();
    /** What each node with replicas knows of who owns what. */
    private final Map<String, RouteBook> books = new HashMap<>();

    final List<Router> routers = new ArrayList<>();
    /** Requests and answers get lost, late, and refused. */
    boolean faults;
    /** How long messages take at most. */
    int delayMicros = 3000;
    /** Told of every request before it is served. */
    BiConsumer<String, Request> watch = (node, request) -> {};

    private final PriorityQueue<Event> events =
            new PriorityQueue<>(Comparator.comparingLong(Event::nanos).thenComparingLong(Event::order));
    private final List<Claim> history = new ArrayList<>();
    private long nextEvent;
    private int nextShard;
    private long millis = 1_000_000;

    ShardWorld(long seed, int shardCount, int routerCount) {
        random = new Random(seed);
        List<Claim> claims = new ArrayList<>();
        for (int i = 0; i < shardCount; i++) {
            int first = KeySlot.COUNT * i / shardCount;
            int last = KeySlot.COUNT * (i + 1) / shardCount - 1;
            ShardStateMachine machine = ShardStateMachine.create(
                    i, 1, SlotRanges.of(first, last), StorageEngine.HEAP, StorageOptions.DEFAULTS);
            machine.onSplit(this::splitOff);
            Shard shard = new Shard(i, machine, 0, 1, first, last);
            shards.put(i, shard);
            claims.add(new Claim(i, 1, shard.claim().slots(), STORES));
        }
        nextShard = shardCount;
        for (String store : STORES) {
            books.put(store, new RouteBook());
            books.get(store).learn(claims);
        }
        history.addAll(claims);
        for (int i = 0; i < routerCount; i++) {
            Router router =
                    new Router("c" + i, this::call, (method, handler) -> {}, 100_000, 1 << 30, new Backoff(bound ->
                            (long) (random.nextDouble() * bound)));
            router.open(claims, id -> manual.loop());
            routers.add(router);
        }
        manual.run();
    }

    // ---- time

    long nanos() {
        return manual.nanos();
    }

    void after(long nanos, Runnable what) {
        events.add(new Event(nanos() + nanos, nextEvent++, what));
    }

    /** Lets time pass, a millisecond at a time, with all that happens in it. */
    void advance(long forMillis) {
        for (long i = 0; i < forMillis; i++) {
            manual.advance(Duration.ofMillis(1));
            Event due;
            while ((due = events.peek()) != null && due.nanos <= nanos()) {
                events.poll();
                due.what.run();
                manual.run();
            }
        }
    }

    /** Sessions expire. */
    void leap() {
        millis += 3_700_000;
    }

    long millis() {
        return millis;
    }

    // ---- what happens to shards

    Shard ownerOf(int slot) {
        for (Shard shard : shards.values()) {
            if (slot >= shard.first && slot <= shard.last) {
                return shard;
            }
        }
        throw new AssertionError("nobody owns slot " + slot);
    }

    /** Splits the shard that owns {@code slot} before it; it is not the first one. */
    void split(int slot) {
        Shard parent = ownerOf(slot);
        int id = nextShard++;
        CommandResult result = apply(
                parent,
                CommandCodec.encode(Envelope.of(new Command.SplitShard(
                        parent.epoch, parent.epoch + 1, slot, id, parent.epoch + 1, new byte[0]))));
        if (!(result instanceof CommandResult.ShardSplit)) {
            throw new AssertionError(result.toString());
        }
        history.add(parent.claim());
        history.add(shards.get(id).claim());
        parent.splits.add(parent.claim());
        parent.splits.add(shards.get(id).claim());
    }

    private void splitOff(ShardStateMachine machine, Command.SplitShard split, ShardStateMachine child) {
        Shard parent = ownerOf(split.firstSlot());
        Shard right = new Shard(
                split.newShard(), child, child.appliedIndex(), split.newEpoch(), split.firstSlot(), parent.last);
        parent.last = split.firstSlot() - 1;
        parent.epoch = split.epoch();
        if (random.nextBoolean()) {
            right.leader = parent.leader;
        }
        right.readyNanos = nanos() + random.nextInt(20_000_000);
        shards.put(right.id, right);
    }

    /** Splits a shard somewhere. */
    void splitSomewhere() {
        int slot = 1 + random.nextInt(KeySlot.COUNT - 1);
        if (ownerOf(slot).first < slot) {
            split(slot);
        }
    }

    void changeLeader() {
        List<Shard> all = new ArrayList<>(shards.values());
        Shard shard = all.get(random.nextInt(all.size()));
        shard.leader = STORES.get(random.nextInt(3));
        shard.term++;
    }

    /** Some node hears of some claims, new or old, all of them or not. */
    void spread() {
        List<Claim> told = new ArrayList<>();
        for (Claim claim : history) {
            if (random.nextInt(4) == 0) {
                told.add(claim);
            }
        }
        int who = random.nextInt(STORES.size() + routers.size());
        if (who < STORES.size()) {
            books.get(STORES.get(who)).learn(told);
        } else {
            routers.get(who - STORES.size()).learn(told);
            manual.run();
        }
    }

    /** Everybody hears of everything. */
    void spreadAll() {
        books.values().forEach(book -> book.learn(history));
        routers.forEach(router -> router.learn(history));
        manual.run();
    }

    private CommandResult apply(Shard shard, byte[] envelope) {
        byte[] copy = envelope.clone();
        CommandCodec.stampTime(copy, millis++);
        return shard.machine.apply(++shard.index, copy);
    }

    // ---- the network

    private void call(String peer, int method, byte[] payload, long timeoutNanos, RpcCallback callback) {
        byte[] sent = payload.clone();
        boolean[] answered = new boolean[1];
        int fate = faults ? random.nextInt(30) : 29;
        if (fate == 0) {
            after(delay(), () -> answer(answered, () -> callback.failure(RpcFailure.NOT_SENT)));
            return;
        }
        long requestNanos = fate <= 2 ? timeoutNanos + delay() * random.nextInt(500) : delay();
        if (fate != 3) {
            after(requestNanos, () -> {
                byte[] response = serve(peer, method, sent);
                if (fate != 4 && fate != 5) {
                    after(
                            delay(),
                            () -> answer(
                                    answered,
                                    () -> callback.success(
                                            ByteBuffer.wrap(response).asReadOnlyBuffer())));
                }
            });
        }
        after(timeoutNanos, () -> answer(answered, () -> callback.failure(RpcFailure.NO_ANSWER)));
    }

    private long delay() {
        return 1000L * (100 + random.nextInt(delayMicros));
    }

    private void answer(boolean[] answered, Runnable what) {
        if (!answered[0]) {
            answered[0] = true;
            what.run();
            manual.run();
        }
    }

    private byte[] serve(String node, int method, byte[] payload) {
        Request request = RouterProtocol.decodeRequest(ByteBuffer.wrap(payload));
        watch.accept(node, request);
        Shard shard = shards.get(request.shard());
        if (shard == null || shard.readyNanos > nanos()) {
            return RouterProtocol.response(Status.NOT_HERE, 0, null, claims(node, request.slot()));
        }
        if (faults && random.nextInt(20) == 0) {
            return RouterProtocol.response(Status.OVERLOADED, shard.term, shard.leader, RouterProtocol.NO_BODY);
        }
        if (method == RouterProtocol.METHOD_READ) {
            Query query = QueryCodec.decode(request.body());
            QueryResult result = shard.machine.query(query, millis);
            if (result instanceof QueryResult.WrongShard
                    && (request.slot() != RouterProtocol.NO_SLOT || query instanceof Query.GetMany)) {
                int slot = query instanceof Query.GetMany many
                        ? KeySlot.of(many.keys().get(random.nextInt(many.keys().size())))
                        : request.slot();
                books.get(node).learn(shard.splits);
                return RouterProtocol.response(Status.WRONG_SHARD, 0, null, claims(node, slot));
            }
            return RouterProtocol.response(Status.OK, 0, null, QueryCodec.encode(result));
        }
        if (!node.equals(shard.leader)) {
            return RouterProtocol.response(
                    Status.NOT_LEADER, shard.term, random.nextInt(3) > 0 ? shard.leader : null, RouterProtocol.NO_BODY);
        }
        if (faults && random.nextInt(20) == 0) {
            if (random.nextBoolean()) {
                apply(shard, request.body());
            }
            return RouterProtocol.response(Status.UNKNOWN, shard.term, null, RouterProtocol.NO_BODY);
        }
        CommandResult result = apply(shard, request.body());
        if (result instanceof CommandResult.WrongShard && request.slot() != RouterProtocol.NO_SLOT) {
            books.get(node).learn(shard.splits);
            return RouterProtocol.response(Status.WRONG_SHARD, 0, null, claims(node, request.slot()));
        }
        return RouterProtocol.response(Status.OK, 0, null, ResultCodec.encode(result));
    }

    /** What {@code node} knows of the owner of {@code slot}, which may be nothing new. */
    private byte[] claims(String node, int slot) {
        if (slot == RouterProtocol.NO_SLOT) {
            return RouterProtocol.NO_BODY;
        }
        return RouterProtocol.claims(
                List.of(new Owner(books.get(node).table().runOf(slot).claim(), 0, null)));
    }

    @Override
    public void close() {
        routers.forEach(router -> router.shutDown("the test has ended"));
        manual.close();
        shards.values().forEach(shard -> shard.machine.close());
    }
}
