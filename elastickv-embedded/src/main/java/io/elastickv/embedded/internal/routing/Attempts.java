package io.elastickv.embedded.internal.routing;

import io.elastickv.api.Bytes;
import io.elastickv.api.UnsafeBytes;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.MalformedCommandException;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryCodec;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.ResultCodec;
import io.elastickv.embedded.internal.raft.EventLoop;
import io.elastickv.embedded.internal.raft.ProposalCallback;
import io.elastickv.embedded.internal.routing.RouterProtocol.Response;
import io.elastickv.embedded.internal.routing.RouterProtocol.Status;
import io.elastickv.embedded.internal.transport.NodeRpc;
import io.elastickv.embedded.internal.transport.RpcCallback;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.nio.ByteBuffer;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How one attempt of an operation reaches a replica of the shard, the one here or one elsewhere, and what comes back. On
 * the loop of the shard's client.
 */
final class Attempts {

    private static final Logger LOG = LoggerFactory.getLogger(Attempts.class);

    /** Calls other nodes, as {@link NodeRpc} does. */
    interface Calls {
        /** See {@link NodeRpc#call(String, int, byte[], long, RpcCallback)}. */
        void call(String peer, int method, byte[] payload, long timeoutNanos, RpcCallback callback);
    }

    /** Told what became of attempts, on the loop. */
    interface Outcomes {
        /** A command's attempt has ended; with a result, or how else. */
        void onWriteAnswer(
                Operation.Write write,
                int attempt,
                Status status,
                @Nullable String hint,
                @Nullable CommandResult result);

        /** A query's attempt has ended; with a result, or how else. */
        void onReadAnswer(
                Operation.Read read, int attempt, Status status, @Nullable String hint, @Nullable QueryResult result);
    }

    private final String self;
    private final ShardRoute route;
    private final EventLoop loop;
    private final Calls calls;
    private final Routes routes;
    private final Outcomes outcomes;
    private volatile @Nullable ShardEndpoint local;
    private @Nullable String lastTarget;
    private @Nullable String lastReader;

    Attempts(
            String self,
            ShardRoute route,
            EventLoop loop,
            Calls calls,
            Routes routes,
            Outcomes outcomes,
            @Nullable ShardEndpoint local) {
        this.self = self;
        this.route = route;
        this.loop = loop;
        this.calls = calls;
        this.routes = routes;
        this.outcomes = outcomes;
        this.local = local;
    }

    /** The service of the replica here, if there is one; any thread. */
    @Nullable
    ShardEndpoint local() {
        return local;
    }

    void local(@Nullable ShardEndpoint endpoint) {
        local = endpoint;
    }

    /** Who was asked last, for messages. */
    String lastAsked() {
        return lastTarget == null ? self : lastTarget;
    }

    /** Proposes {@code envelope} here if the leader may be here, else asks another node to. */
    void write(Operation.Write write, byte[] envelope, long timeoutNanos) {
        int attempt = write.currentAttempt;
        ShardEndpoint endpoint = local;
        String leader = route.leader();
        if (endpoint != null && (leader == null || leader.equals(self))) {
            endpoint.write(envelope, new ProposalCallback() {
                @Override
                public void applied(Object result) {
                    outcomes.onWriteAnswer(write, attempt, Status.OK, null, (CommandResult) result);
                }

                @Override
                public void notProposed(Refusal reason, @Nullable String leaderHint) {
                    outcomes.onWriteAnswer(write, attempt, Status.of(reason), leaderHint, null);
                }

                @Override
                public void unknown() {
                    outcomes.onWriteAnswer(write, attempt, Status.UNKNOWN, null, null);
                }
            });
            return;
        }
        String target = leader != null && !leader.equals(self) ? leader : nextTarget();
        byte[] request = RouterProtocol.request(route.id(), slotOf(write), 0, envelope);
        calls.call(target, RouterProtocol.METHOD_WRITE, request, timeoutNanos, new Answer(target) {
            @Override
            void onResponse(Response response) {
                CommandResult result = response.status() == Status.OK ? ResultCodec.decode(response.body()) : null;
                outcomes.onWriteAnswer(write, attempt, response.status(), response.leader(), result);
            }

            @Override
            void onFailure(RpcFailure failure) {
                boolean silent = failure == RpcFailure.NO_ANSWER;
                String problem = "node " + target + (silent ? " did not answer" : " cannot be reached");
                failed(write, attempt, problem);
                outcomes.onWriteAnswer(write, attempt, silent ? Status.UNKNOWN : Status.FAILED, null, null);
            }
        });
    }

    /** Asks the replica here if it serves, else another one; for a relieved key whoever's turn it is. */
    void read(Operation.Read read, long timeoutNanos) {
        int attempt = read.currentAttempt;
        ShardEndpoint endpoint = local;
        boolean serves = endpoint != null && !endpoint.group().status().failed();
        String reader = read.attemptsHere == 1 ? readerOfRelieved(read) : null;
        if (endpoint != null && serves && (reader == null || reader.equals(self))) {
            ShardEndpoint.QueryReply reply = new ShardEndpoint.QueryReply() {
                @Override
                public void answered(QueryResult result) {
                    onLoop(() -> outcomes.onReadAnswer(read, attempt, Status.OK, null, result));
                }

                @Override
                public void refused(ProposalCallback.Refusal reason, @Nullable String leaderHint) {
                    onLoop(() -> outcomes.onReadAnswer(read, attempt, Status.of(reason), leaderHint, null));
                }
            };
            if (freshEnough(read, endpoint)) {
                endpoint.queryLocally(read.query, reply);
            } else {
                endpoint.query(read.query, reply);
            }
            return;
        }
        String leader = route.leader();
        String target;
        if (reader != null && !reader.equals(self)) {
            target = reader;
        } else {
            target = leader != null && !leader.equals(self) ? leader : nextTarget();
        }
        byte[] request = RouterProtocol.request(
                route.id(),
                slotOf(read),
                read.anyStaleness() ? RouterProtocol.FLAG_LOCAL : 0,
                QueryCodec.encode(read.query));
        calls.call(target, RouterProtocol.METHOD_READ, request, timeoutNanos, new Answer(target) {
            @Override
            void onResponse(Response response) {
                QueryResult result = response.status() == Status.OK ? QueryCodec.decodeResult(response.body()) : null;
                outcomes.onReadAnswer(read, attempt, response.status(), response.leader(), result);
            }

            @Override
            void onFailure(RpcFailure failure) {
                failed(
                        read,
                        attempt,
                        "node " + target
                                + (failure == RpcFailure.NO_ANSWER ? " did not answer" : " cannot be reached"));
                outcomes.onReadAnswer(read, attempt, Status.FAILED, null, null);
            }
        });
    }

    private void failed(Operation operation, int attempt, String problem) {
        if (operation.holder == outcomes && operation.currentAttempt == attempt) {
            operation.lastProblem = problem;
        }
    }

    private static int slotOf(Operation operation) {
        return operation.slot == Operation.NO_SLOT ? RouterProtocol.NO_SLOT : operation.slot;
    }

    private @Nullable String readerOfRelieved(Operation.Read read) {
        Set<Bytes> relieved = route.relieved();
        if (relieved.isEmpty()
                || read.maxStalenessNanos != 0
                || !(read.query instanceof Query.Get get)
                || !relieved.contains(UnsafeBytes.wrap(get.key()))) {
            return null;
        }
        lastReader = route.replicaAfter(lastReader);
        return lastReader;
    }

    private boolean freshEnough(Operation.Read read, ShardEndpoint endpoint) {
        if (read.maxStalenessNanos == 0 || read.anyStaleness()) {
            return read.anyStaleness();
        }
        long freshAsOf = endpoint.group().freshAsOfNanos();
        return freshAsOf != Long.MIN_VALUE && loop.nowNanos() - freshAsOf <= read.maxStalenessNanos;
    }

    private void onLoop(Runnable task) {
        if (loop.inLoop()) {
            task.run();
        } else {
            loop.execute(task);
        }
    }

    private String nextTarget() {
        String next = route.replicaAfter(lastTarget);
        if (next == null || next.equals(self)) {
            next = route.replicaAfter(next);
        }
        lastTarget = next == null ? self : next;
        return lastTarget;
    }

    private void forgetLeader(String node) {
        if (local == null) {
            // With a replica here the group itself tells who leads; without one only answers do.
            route.forget(node);
        }
    }

    /** An RPC's end, brought to the loop. */
    private abstract class Answer implements RpcCallback {

        private final String target;

        Answer(String target) {
            this.target = target;
        }

        abstract void onResponse(Response response);

        abstract void onFailure(RpcFailure failure);

        @Override
        public void success(ByteBuffer answer) {
            Response response;
            try {
                response = RouterProtocol.decodeResponse(answer);
                if (response.status() == Status.WRONG_SHARD || response.status() == Status.NOT_HERE) {
                    routes.learn(RouterProtocol.decodeClaims(response.body()));
                }
            } catch (IllegalArgumentException e) {
                LOG.warn("shard {}: an answer of node {} cannot be read: {}", route.id(), target, e.getMessage());
                loop.executeUnlessEnded(() -> onFailure(RpcFailure.NO_ANSWER));
                return;
            }
            loop.executeUnlessEnded(() -> {
                Status status = response.status();
                boolean served = status == Status.OK || status == Status.WRONG_SHARD;
                if (status == Status.NOT_HERE || (response.leader() == null && !served)) {
                    forgetLeader(target);
                }
                if (response.leader() != null) {
                    route.learn(response.term(), response.leader());
                }
                try {
                    onResponse(response);
                } catch (MalformedCommandException e) {
                    LOG.warn("shard {}: a result of node {} cannot be read: {}", route.id(), target, e.getMessage());
                    onFailure(RpcFailure.NO_ANSWER);
                }
            });
        }

        @Override
        public void failure(RpcFailure failure) {
            loop.executeUnlessEnded(() -> {
                forgetLeader(target);
                onFailure(failure);
            });
        }
    }
}
