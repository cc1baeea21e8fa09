package io.elastickv.embedded.internal.routing;

import io.elastickv.api.ElastickvException;
import io.elastickv.api.OverloadedException;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.UnavailableException;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.raft.EventLoop;
import io.elastickv.embedded.internal.raft.ProposalCallback;
import io.elastickv.embedded.internal.routing.RouterProtocol.Owner;
import io.elastickv.embedded.internal.transport.NodeRpc;
import io.elastickv.embedded.internal.transport.RpcHandler;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Takes operations from any thread and brings each to the client of the shard that owns its slot. Until the cluster has
 * formed they wait, for as long as their deadlines allow. Shards come and go: the table is replaced as a whole by what is
 * learned. Thread-safe.
 */
public final class Router implements Routes {

    private final String self;
    private final Attempts.Calls calls;
    private final BiConsumer<Integer, RpcHandler> handlers;
    private final Admission admission;
    private final Backoff backoff;
    private final Object lock = new Object();
    private final WaitingRoom waiting;

    private final RouterServer server;
    private final List<Consumer<RouteTable>> listeners = new CopyOnWriteArrayList<>();

    // Under the lock.
    private final RouteBook book = new RouteBook();
    private final Map<Integer, ShardEndpoint> endpoints = new HashMap<>();
    /** Those of shards that own nothing any more, until what is under way there has ended. */
    private final Set<ShardClient> retired = new HashSet<>();

    private IntFunction<EventLoop> loopFor = shard -> {
        throw new IllegalStateException("the cluster has not formed yet");
    };

    private volatile @Nullable RouteTable table;
    /** Groups that own no slot in the table. */
    private volatile Map<Integer, ShardRoute> added = Map.of();

    private volatile IntConsumer staleListener = slot -> {};
    private volatile @Nullable String refusal;

    /**
     * A router without routes.
     *
     * @param maxOperations how many operations of this node's callers may be under way
     * @param maxBytes how many bytes of keys and values they may hold
     */
    public Router(String self, NodeRpc rpc, int maxOperations, long maxBytes) {
        this(self, rpc::call, rpc::register, maxOperations, maxBytes, Backoff.RANDOM);
    }

    /** A router that calls by {@code calls} and has its handlers registered by {@code handlers}. */
    Router(
            String self,
            Attempts.Calls calls,
            BiConsumer<Integer, RpcHandler> handlers,
            int maxOperations,
            long maxBytes,
            Backoff backoff) {
        this.self = self;
        this.calls = calls;
        this.handlers = handlers;
        this.waiting = new WaitingRoom(self, maxOperations);
        this.backoff = backoff;
        this.admission = new Admission(maxOperations, maxBytes);
        this.server = new RouterServer(self, this);
    }

    /**
     * Gives the router its routes; once. What it learned before counts too. Operations that waited start now.
     *
     * @param claims together with what was learned before, they leave no slot without an owner
     * @param loopFor the loop on which a shard's operations run; that of the local replica if there is one
     */
    public void open(Collection<Claim> claims, IntFunction<EventLoop> loopFor) {
        synchronized (lock) {
            this.loopFor = loopFor;
            book.learn(claims);
            publish(book.table());
        }
        server.register(handlers);
        waiting.open();
    }

    /**
     * Learns who owns what, from any source, in any order: see {@link Claim}. Operations at a shard that does not own their
     * slot any more go on at the one that does. Takes some ten microseconds if there are news; never blocks. Any thread.
     *
     * @return whether a slot has another owner now
     */
    public boolean learn(Collection<Claim> claims) {
        RouteTable before;
        RouteTable after;
        synchronized (lock) {
            before = table;
            if (!book.learn(claims) || before == null) {
                return false;
            }
            after = book.table();
            publish(after);
            retired.removeIf(ShardClient::hasLeft);
            for (ShardRoute route : before.shards()) {
                ShardClient client = route.client();
                if (client != null && after.ofShard(route.id()) != route) {
                    retired.add(client);
                }
            }
        }
        tellClients(before, after);
        for (Consumer<RouteTable> listener : listeners) {
            listener.accept(after);
        }
        return true;
    }

    /** Calls {@code listener} with every table after the first, on the thread that learned of it; must not block. */
    public void onChange(Consumer<RouteTable> listener) {
        listeners.add(listener);
    }

    /**
     * Calls {@code listener} when a shard does not own a slot that it should by the table, and nobody has said who does: then
     * is the time to ask. For every such answer, on loops: must not block, and had better remember when it last asked.
     */
    public void onStale(IntConsumer listener) {
        staleListener = listener;
    }

    /**
     * Adds a group that is not among the shards, because its keys are others: only {@link #writeTo} and {@link #readFrom}
     * reach it. Before or after {@link #open}.
     */
    public void addShard(Claim claim, EventLoop loop) {
        synchronized (lock) {
            ShardRoute route = new ShardRoute(claim.shard(), claim.epoch(), claim.slots(), claim.replicas());
            newClient(route, loop);
            Map<Integer, ShardRoute> more = new HashMap<>(added);
            more.put(route.id(), route);
            added = more;
        }
        server.register(handlers);
    }

    /** Removes what {@link #addShard} added; what is under way there fails. */
    public void closeShard(int shard) {
        ShardRoute route;
        synchronized (lock) {
            Map<Integer, ShardRoute> fewer = new HashMap<>(added);
            route = fewer.remove(shard);
            added = fewer;
        }
        ShardClient client = route == null ? null : route.client();
        if (client != null) {
            client.loop().executeUnlessEnded(() -> {
                client.close("the group is not used any more");
                client.loop().removeTicker(client);
            });
        }
    }

    /** Every route has a client before anybody sees it; under the lock. */
    private void publish(RouteTable routes) {
        for (ShardRoute route : routes.shards()) {
            if (route.client() == null) {
                newClient(route, loopFor.apply(route.id()));
            }
        }
        table = routes;
    }

    private void newClient(ShardRoute route, EventLoop loop) {
        ShardClient client =
                new ShardClient(self, route, loop, calls, admission, this, backoff, endpoints.get(route.id()));
        route.client(client);
        String refused = refusal;
        loop.executeUnlessEnded(() -> {
            loop.addTicker(client);
            if (refused != null) {
                client.close(refused);
            }
        });
    }

    private static void tellClients(RouteTable before, RouteTable after) {
        Set<ShardClient> known = new HashSet<>();
        for (ShardRoute route : before.shards()) {
            ShardClient client = route.client();
            if (client != null) {
                known.add(client);
                boolean gone = after.ofShard(route.id()) != route;
                client.loop().executeUnlessEnded(gone ? client::retire : client::routesChanged);
            }
        }
        for (RouteTable.Run run : after.runs()) {
            ShardClient next = run.owner().client();
            ShardClient last = before.ofSlot(run.first()).client();
            if (next != null && last != null && known.add(next)) {
                last.loop().executeUnlessEnded(() -> last.prepare(next));
            }
        }
    }

    /** The routes; null until the cluster has formed. */
    @Override
    public @Nullable RouteTable table() {
        return table;
    }

    @Override
    public void learn(List<Owner> owners) {
        if (owners.isEmpty()) {
            return;
        }
        learn((Collection<Claim>) owners.stream().map(Owner::claim).toList());
        for (Owner owner : owners) {
            ShardRoute route = route(owner.claim().shard());
            if (route != null && owner.leader() != null) {
                route.learn(owner.term(), owner.leader());
            }
        }
    }

    @Override
    public void isStale(int slot) {
        staleListener.accept(slot);
    }

    /** What is known of a group, be it a shard or an added one; null if nothing is. */
    public @Nullable ShardRoute route(int group) {
        RouteTable routes = table;
        ShardRoute route = routes == null ? null : routes.ofShard(group);
        return route != null ? route : added.get(group);
    }

    /** The way to a group; null if there is none. */
    @Nullable
    ShardClient client(int group) {
        ShardRoute route = route(group);
        return route == null ? null : route.client();
    }

    /** The service of the local replica of {@code shard}, if there is one. */
    public @Nullable ShardEndpoint endpoint(int shard) {
        ShardClient client = client(shard);
        return client == null ? null : client.local();
    }

    /** The loop on which {@code shard}'s operations run. */
    public @Nullable EventLoop loop(int shard) {
        ShardClient client = client(shard);
        return client == null ? null : client.loop();
    }

    /**
     * There is a replica of {@code shard} here from now on that may serve; on the shard's loop. The shard may become known
     * later.
     */
    public void localAdded(int shard, ShardEndpoint endpoint) {
        ShardClient client;
        synchronized (lock) {
            endpoints.put(shard, endpoint);
            client = client(shard);
        }
        if (client != null) {
            client.localAdded(endpoint);
        }
    }

    /** The local replica of {@code shard} has failed, was removed or may not serve; on the shard's loop. */
    public void localGone(int shard) {
        ShardClient client;
        synchronized (lock) {
            endpoints.remove(shard);
            client = client(shard);
        }
        if (client != null) {
            client.localGone();
        }
    }

    /** Refuses all from now on, and fails what is under way; idempotent. */
    public void shutDown(String reason) {
        List<ShardClient> open = new ArrayList<>();
        synchronized (lock) {
            if (refusal != null) {
                return;
            }
            refusal = reason;
            RouteTable routes = table;
            List<ShardRoute> all = new ArrayList<>(added.values());
            all.addAll(routes == null ? List.of() : routes.shards());
            for (ShardRoute route : all) {
                ShardClient client = route.client();
                if (client != null) {
                    open.add(client);
                }
            }
            open.addAll(retired);
        }
        waiting.close(reason);
        for (ShardClient client : open) {
            try {
                client.loop().execute(() -> client.close(reason));
            } catch (RejectedExecutionException e) {
                // The loop has ended and with it everything that it had under way.
                client.close(reason);
            }
        }
    }

    /** Fails what has waited too long for the cluster to form; to be called every now and then. */
    public void expireWaiting(long nowNanos) {
        waiting.expire(nowNanos);
    }

    /** Runs {@code start} as soon as there are routes. */
    void whenOpen(long deadlineNanos, Completion<?> completion, Runnable start) {
        if (refusal == null && table != null) {
            start.run();
        } else {
            waiting.enter(deadlineNanos, completion, start);
        }
    }

    /** The routes, for code that runs by {@link #whenOpen}. */
    RouteTable openTable() {
        RouteTable routes = table;
        if (routes == null) {
            throw new IllegalStateException("the cluster has not formed yet");
        }
        return routes;
    }

    /** Writes to whoever owns {@code slot}; by {@link #whenOpen}. */
    void write(int slot, Command command, int bytes, long deadlineNanos, Completion<CommandResult> completion) {
        submit(
                openTable().ofSlot(slot).client(),
                new Operation.Write(slot, command, System.nanoTime(), deadlineNanos, completion),
                bytes);
    }

    /** Reads from whoever owns {@code slot}; by {@link #whenOpen}. */
    void read(
            int slot,
            Query query,
            ReadConsistency consistency,
            long deadlineNanos,
            Completion<QueryResult> completion) {
        ShardClient client = openTable().ofSlot(slot).client();
        long maxStalenessNanos = stalenessNanos(consistency);
        Operation.Read read =
                new Operation.Read(slot, null, query, maxStalenessNanos, System.nanoTime(), deadlineNanos, completion);
        ShardEndpoint local = client == null ? null : client.local();
        if (maxStalenessNanos != Long.MAX_VALUE || client == null || local == null || refusal != null) {
            submit(client, read, 0);
            return;
        }
        local.queryLocally(query, new ShardEndpoint.QueryReply() {
            @Override
            public void answered(QueryResult result) {
                if (result instanceof QueryResult.WrongShard) {
                    submit(client, read, 0); // which finds who owns the slot now
                } else {
                    completion.success(result);
                }
            }

            @Override
            public void refused(ProposalCallback.Refusal reason, @Nullable String leaderHint) {
                if (client.local() == null) {
                    // It was removed meanwhile; other replicas are as good.
                    submit(client, read, 0);
                } else {
                    completion.failure(new UnavailableException("shard "
                            + client.route().id() + ": the replica on node " + self + " has failed or is closed"));
                }
            }
        });
    }

    /**
     * Reads of several slots from their common owner, linearizably; by {@link #whenOpen}. When they have not the same owner
     * any more, the answer is {@link QueryResult.WrongShard}, and the table another one by then.
     *
     * @param dividedBy the table that says that it is their owner
     */
    void readOfSeveral(
            RouteTable dividedBy,
            ShardRoute owner,
            Query query,
            long deadlineNanos,
            Completion<QueryResult> completion) {
        submit(
                owner.client(),
                new Operation.Read(
                        Operation.NO_SLOT, dividedBy, query, 0, System.nanoTime(), deadlineNanos, completion),
                0);
    }

    /**
     * Writes to a group whatever it owns, such as one that was added by {@link #addShard}. Any thread; the completion is
     * called on a loop.
     *
     * @param bytes what the command holds of this node's admission
     */
    public void writeTo(
            int group, Command command, int bytes, long deadlineNanos, Completion<CommandResult> completion) {
        submit(
                client(group),
                new Operation.Write(Operation.NO_SLOT, command, System.nanoTime(), deadlineNanos, completion),
                bytes);
    }

    /** Reads from a group whatever it owns. Any thread; the completion is called on a loop. */
    public void readFrom(
            int group,
            Query query,
            ReadConsistency consistency,
            long deadlineNanos,
            Completion<QueryResult> completion) {
        submit(
                client(group),
                new Operation.Read(
                        Operation.NO_SLOT,
                        null,
                        query,
                        stalenessNanos(consistency),
                        System.nanoTime(),
                        deadlineNanos,
                        completion),
                0);
    }

    private static long stalenessNanos(ReadConsistency consistency) {
        return switch (consistency.kind()) {
            case LINEARIZABLE -> 0;
            case LOCAL -> Long.MAX_VALUE;
            case BOUNDED_STALE -> boundedNanos(consistency);
        };
    }

    private static long boundedNanos(ReadConsistency consistency) {
        try {
            return Math.min(consistency.maxStaleness().toNanos(), Long.MAX_VALUE - 1);
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE - 1;
        }
    }

    private void submit(@Nullable ShardClient client, Operation operation, int bytes) {
        OverloadedException overloaded = admission.admit(operation, bytes);
        if (overloaded != null) {
            operation.fail(overloaded);
            return;
        }
        String refused = refusal;
        ElastickvException failure;
        if (refused != null) {
            failure = new UnavailableException("node " + self + ": " + refused);
        } else if (client == null) {
            failure = new UnavailableException("node " + self + ": the group is not known here");
        } else {
            try {
                client.loop().execute(() -> client.take(operation));
                return;
            } catch (RejectedExecutionException e) {
                failure = new UnavailableException("node " + self + " is closed", e);
            }
        }
        admission.release(operation);
        operation.fail(failure);
    }
}
