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
import io.elastickv.embedded.internal.transport.NodeRpc;
import io.elastickv.embedded.internal.transport.RpcHandler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes operations from any thread and brings each to the client of its shard. Until the cluster has formed they wait,
 * for as long as their deadlines allow. Thread-safe.
 */
public final class Router {

    private static final Duration RETRY_AFTER = Duration.ofMillis(100);

    private final String self;
    private final ShardClient.Calls calls;
    private final BiConsumer<Integer, RpcHandler> handlers;
    private final int maxOperations;
    private final Admission admission;
    private final Object lock = new Object();
    private final List<Waiting> waiting = new ArrayList<>();

    private record Waiting(long deadlineNanos, Completion<?> completion, Runnable start) {}

    private volatile @Nullable RouteTable table;
    private volatile Map<Integer, ShardClient> clients = Map.of();
    private volatile @Nullable String refusal;

    /**
     * A router without routes.
     *
     * @param maxOperations how many operations of this node's callers may be under way
     * @param maxBytes how many bytes of keys and values they may hold
     */
    public Router(String self, NodeRpc rpc, int maxOperations, long maxBytes) {
        this(self, rpc::call, rpc::register, maxOperations, maxBytes);
    }

    /** A router that calls by {@code calls} and has its handlers registered by {@code handlers}. */
    Router(
            String self,
            ShardClient.Calls calls,
            BiConsumer<Integer, RpcHandler> handlers,
            int maxOperations,
            long maxBytes) {
        this.self = self;
        this.calls = calls;
        this.handlers = handlers;
        this.maxOperations = maxOperations;
        this.admission = new Admission(maxOperations, maxBytes);
    }

    /** A shard's place: its route, the loop to work on, and the local replica's service if there is one. */
    public record Place(
            ShardRoute route, EventLoop loop, @Nullable ShardEndpoint local) {}

    /**
     * Gives the router its routes; once. Operations that waited start now.
     *
     * @param places of all shards, and of groups beside them that own no slots in the table
     */
    public void open(RouteTable routes, List<Place> places) {
        Map<Integer, ShardClient> byShard = new HashMap<>();
        for (Place place : places) {
            ShardClient client = new ShardClient(self, place.route(), place.loop(), calls, admission, place.local());
            place.loop().execute(() -> place.loop().addTicker(client));
            byShard.put(place.route().id(), client);
        }
        List<Waiting> start;
        synchronized (lock) {
            clients = byShard;
            table = routes;
            start = new ArrayList<>(waiting);
            waiting.clear();
        }
        new RouterServer(self, clients).register(handlers);
        for (Waiting one : start) {
            one.start.run();
        }
    }

    /** The routes; null until the cluster has formed. */
    public @Nullable RouteTable table() {
        return table;
    }

    /** What is known of a group, be it of a shard or another one that {@link #open} was told of; null if nothing is. */
    public @Nullable ShardRoute route(int group) {
        ShardClient client = clients.get(group);
        return client == null ? null : client.route();
    }

    /** The service of the local replica of {@code shard}, if there is one. */
    public @Nullable ShardEndpoint endpoint(int shard) {
        ShardClient client = clients.get(shard);
        return client == null ? null : client.local();
    }

    /** The loop on which {@code shard}'s operations run. */
    public @Nullable EventLoop loop(int shard) {
        ShardClient client = clients.get(shard);
        return client == null ? null : client.loop();
    }

    /** There is a replica of {@code shard} here from now on that may serve; on the shard's loop. */
    public void localAdded(int shard, ShardEndpoint endpoint) {
        ShardClient client = clients.get(shard);
        if (client != null) {
            client.localAdded(endpoint);
        }
    }

    /** The local replica of {@code shard} has failed, was removed or may not serve; on the shard's loop. */
    public void localGone(int shard) {
        ShardClient client = clients.get(shard);
        if (client != null) {
            client.localGone();
        }
    }

    /** Refuses all from now on, and fails what is under way; idempotent. */
    public void shutDown(String reason) {
        List<Waiting> unstarted;
        synchronized (lock) {
            if (refusal != null) {
                return;
            }
            refusal = reason;
            unstarted = new ArrayList<>(waiting);
            waiting.clear();
        }
        for (Waiting one : unstarted) {
            one.completion.failure(new UnavailableException("node " + self + ": " + reason));
        }
        for (ShardClient client : clients.values()) {
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
        List<Waiting> due = new ArrayList<>();
        synchronized (lock) {
            waiting.removeIf(one -> {
                boolean late = nowNanos - one.deadlineNanos >= 0;
                if (late) {
                    due.add(one);
                }
                return late;
            });
        }
        for (Waiting one : due) {
            one.completion.failure(new UnavailableException(
                    "node " + self + ": the cluster has not formed yet: not all of the initial members were reached"));
        }
    }

    /** Runs {@code start} as soon as there are routes. */
    void whenOpen(long deadlineNanos, Completion<?> completion, Runnable start) {
        String refused = refusal;
        if (refused == null && table == null) {
            synchronized (lock) {
                refused = refusal;
                if (refused == null && table == null && waiting.size() < maxOperations) {
                    waiting.add(new Waiting(deadlineNanos, completion, start));
                    return;
                }
            }
            if (refused == null && table == null) {
                completion.failure(new OverloadedException(
                        "node " + self + ": " + maxOperations + " operations already wait for the cluster to form",
                        RETRY_AFTER));
                return;
            }
        }
        if (refused != null) {
            completion.failure(new UnavailableException("node " + self + ": " + refused));
            return;
        }
        start.run();
    }

    /** The routes, for code that runs by {@link #whenOpen}. */
    RouteTable openTable() {
        RouteTable routes = table;
        if (routes == null) {
            throw new IllegalStateException("the cluster has not formed yet");
        }
        return routes;
    }

    /** Writes to the shard of {@code slot}; by {@link #whenOpen}. */
    void write(ShardRoute route, Command command, int bytes, long deadlineNanos, Completion<CommandResult> completion) {
        ShardClient client = client(route);
        Operation.Write write = new Operation.Write(command, System.nanoTime(), deadlineNanos, completion);
        OverloadedException overloaded = admission.admit(write, bytes);
        if (overloaded != null) {
            completion.failure(overloaded);
            return;
        }
        submit(client, write, () -> client.write(write));
    }

    /** Reads from a shard; by {@link #whenOpen}. */
    void read(
            ShardRoute route,
            Query query,
            ReadConsistency consistency,
            long deadlineNanos,
            Completion<QueryResult> completion) {
        ShardClient client = client(route);
        long maxStalenessNanos = switch (consistency.kind()) {
            case LINEARIZABLE -> 0;
            case LOCAL -> Long.MAX_VALUE;
            case BOUNDED_STALE -> boundedNanos(consistency);
        };
        ShardEndpoint local = client.local();
        if (maxStalenessNanos == Long.MAX_VALUE && local != null && refusal == null) {
            local.queryLocally(query, new ShardEndpoint.QueryReply() {
                @Override
                public void answered(QueryResult result) {
                    completion.success(result);
                }

                @Override
                public void refused(ProposalCallback.Refusal reason, @Nullable String leaderHint) {
                    if (client.local() == null) {
                        // It was removed meanwhile; other replicas are as good.
                        send(client, query, maxStalenessNanos, deadlineNanos, completion);
                    } else {
                        completion.failure(new UnavailableException(
                                "shard " + route.id() + ": the replica on node " + self + " has failed or is closed"));
                    }
                }
            });
            return;
        }
        send(client, query, maxStalenessNanos, deadlineNanos, completion);
    }

    private void send(
            ShardClient client,
            Query query,
            long maxStalenessNanos,
            long deadlineNanos,
            Completion<QueryResult> completion) {
        Operation.Read read =
                new Operation.Read(query, maxStalenessNanos, System.nanoTime(), deadlineNanos, completion);
        OverloadedException overloaded = admission.admit(read, 0);
        if (overloaded != null) {
            completion.failure(overloaded);
            return;
        }
        submit(client, read, () -> client.read(read));
    }

    private static long boundedNanos(ReadConsistency consistency) {
        try {
            return Math.min(consistency.maxStaleness().toNanos(), Long.MAX_VALUE - 1);
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE - 1;
        }
    }

    private ShardClient client(ShardRoute route) {
        ShardClient client = clients.get(route.id());
        if (client == null) {
            throw new IllegalStateException("no client for shard " + route.id());
        }
        return client;
    }

    private void submit(ShardClient client, Operation operation, Runnable start) {
        String refused = refusal;
        ElastickvException failure = null;
        if (refused != null) {
            failure = new UnavailableException("node " + self + ": " + refused);
        } else {
            try {
                client.loop().execute(start);
                return;
            } catch (RejectedExecutionException e) {
                failure = new UnavailableException("node " + self + " is closed", e);
            }
        }
        admission.release(operation);
        operation.fail(failure);
    }
}
