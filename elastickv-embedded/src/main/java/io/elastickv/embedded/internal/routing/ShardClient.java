package io.elastickv.embedded.internal.routing;

import io.elastickv.api.ElastickvException;
import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.api.OverloadedException;
import io.elastickv.api.UnavailableException;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.MalformedCommandException;
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
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's way to one shard: its session there, the operations under way, and their retries. Lives on one loop, the
 * one of the local replica if there is one, so that a command for a local leader costs a single thread hand-over.
 *
 * <p>Exactly-once (Ongaro's dissertation, section 6.3): the session's id is the log index of the command that opened it;
 * every command has a sequence number that its retries repeat, and the state machine answers a repeated one with the
 * first result. A command says below which sequence number all answers have arrived, so that results can be forgotten.
 */
final class ShardClient implements EventLoop.Ticker {

    private static final Logger LOG = LoggerFactory.getLogger(ShardClient.class);
    private static final long ATTEMPT_TIMEOUT_NANOS = 2_000_000_000L;
    private static final long FIRST_BACKOFF_NANOS = 5_000_000L;
    private static final long MAX_BACKOFF_NANOS = 100_000_000L;
    private static final Duration RETRY_AFTER = Duration.ofMillis(20);

    /** Calls other nodes, as {@link NodeRpc} does. */
    interface Calls {
        /** See {@link NodeRpc#call(String, int, byte[], long, RpcCallback)}. */
        void call(String peer, int method, byte[] payload, long timeoutNanos, RpcCallback callback);
    }

    private final String self;
    private final ShardRoute route;
    private final EventLoop loop;
    private final Calls calls;
    private final Admission admission;
    private volatile @Nullable ShardEndpoint local;

    private final Set<Operation> underway = new LinkedHashSet<>();
    private final SessionWindow session = new SessionWindow();
    private boolean openingSession;
    private @Nullable String lastTarget;
    private boolean closed;

    ShardClient(
            String self,
            ShardRoute route,
            EventLoop loop,
            Calls calls,
            Admission admission,
            @Nullable ShardEndpoint local) {
        this.admission = admission;
        this.self = self;
        this.route = route;
        this.loop = loop;
        this.calls = calls;
        this.local = local;
    }

    EventLoop loop() {
        return loop;
    }

    ShardRoute route() {
        return route;
    }

    @Nullable
    ShardEndpoint local() {
        return local;
    }

    /** Starts a command; on the loop. */
    void write(Operation.Write write) {
        if (closed) {
            admission.release(write);
            write.fail(new UnavailableException("node " + self + " is closed"));
            return;
        }
        underway.add(write);
        if (write.command instanceof Command.OpenSession || write.command instanceof Command.AdvanceTime) {
            // Harmless when repeated, so they need no session.
            attempt(write);
        } else if (session.enter(write)) {
            attempt(write);
        } else {
            openSession();
        }
    }

    /** Starts a query; on the loop. */
    void read(Operation.Read read) {
        if (closed) {
            admission.release(read);
            read.fail(new UnavailableException("node " + self + " is closed"));
            return;
        }
        underway.add(read);
        attempt(read);
    }

    private void openSession() {
        if (openingSession || session.isOpen()) {
            return;
        }
        openingSession = true;
        long now = loop.nowNanos();
        // It serves all that wait, so it is tried for as long as any of them has time.
        Operation.Write open = new Operation.Write(
                new Command.OpenSession(self), now, now + ATTEMPT_TIMEOUT_NANOS * 5, new Completion<>() {
                    @Override
                    public void success(CommandResult result) {
                        openingSession = false;
                        if (result instanceof CommandResult.SessionOpened opened) {
                            session.opened(opened.sessionId());
                            admitWaiting();
                        } else {
                            LOG.error("shard {}: opening a session was answered with {}", route.id(), result);
                        }
                    }

                    @Override
                    public void failure(ElastickvException failure) {
                        openingSession = false;
                        LOG.debug("shard {}: no session could be opened", route.id(), failure);
                        if (session.hasWaiting() && !closed) {
                            openSession();
                        }
                    }
                });
        write(open);
    }

    private void admitWaiting() {
        Operation.Write next;
        while (!closed && (next = session.nextToEnter()) != null) {
            session.enter(next);
            attempt(next);
        }
    }

    private void attempt(Operation operation) {
        operation.retryAtNanos = Long.MIN_VALUE;
        operation.attempts++;
        operation.currentAttempt++;
        operation.attemptPending = true;
        operation.attemptDeadlineNanos = loop.nowNanos() + ATTEMPT_TIMEOUT_NANOS;
        if (operation instanceof Operation.Write write) {
            attemptWrite(write);
        } else {
            attemptRead((Operation.Read) operation);
        }
    }

    private void attemptWrite(Operation.Write write) {
        int attempt = write.currentAttempt;
        ShardEndpoint endpoint = local;
        String leader = route.leader();
        if (endpoint != null && (leader == null || leader.equals(self))) {
            endpoint.write(encode(write), new ProposalCallback() {
                @Override
                public void applied(Object result) {
                    onWriteAnswer(write, attempt, Status.OK, null, (CommandResult) result);
                }

                @Override
                public void notProposed(Refusal reason, @Nullable String leaderHint) {
                    onWriteAnswer(write, attempt, Status.of(reason), leaderHint, null);
                }

                @Override
                public void unknown() {
                    onWriteAnswer(write, attempt, Status.UNKNOWN, null, null);
                }
            });
            return;
        }
        String target = leader != null && !leader.equals(self) ? leader : nextTarget();
        byte[] request = RouterProtocol.request(route.id(), 0, encode(write));
        calls.call(target, RouterProtocol.METHOD_WRITE, request, attemptTimeout(write), new Answer(target) {
            @Override
            void onResponse(Response response) {
                CommandResult result = response.status() == Status.OK ? ResultCodec.decode(response.body()) : null;
                onWriteAnswer(write, attempt, response.status(), response.leader(), result);
            }

            @Override
            void onFailure(RpcFailure failure) {
                if (failure == RpcFailure.NO_ANSWER) {
                    write.lastProblem = "node " + target + " did not answer";
                    onWriteAnswer(write, attempt, Status.UNKNOWN, null, null);
                } else {
                    write.lastProblem = "node " + target + " cannot be reached";
                    onWriteAnswer(write, attempt, Status.FAILED, null, null);
                }
            }
        });
    }

    private byte[] encode(Operation.Write write) {
        // Encoded anew for each attempt: the bytes of an earlier one may be in the log, stamped with its time.
        return CommandCodec.encode(
                write.sessionId == 0
                        ? Envelope.of(write.command)
                        : new Envelope(write.sessionId, write.sequence, session.ackedBelow(write), 0, write.command));
    }

    private void attemptRead(Operation.Read read) {
        int attempt = read.currentAttempt;
        ShardEndpoint endpoint = local;
        if (endpoint != null && !endpoint.group().status().failed()) {
            ShardEndpoint.QueryReply reply = new ShardEndpoint.QueryReply() {
                @Override
                public void answered(QueryResult result) {
                    onLoop(() -> onReadAnswer(read, attempt, Status.OK, null, result));
                }

                @Override
                public void refused(ProposalCallback.Refusal reason, @Nullable String leaderHint) {
                    onLoop(() -> onReadAnswer(read, attempt, Status.of(reason), leaderHint, null));
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
        String target = leader != null && !leader.equals(self) ? leader : nextTarget();
        byte[] request = RouterProtocol.request(
                route.id(), read.anyStaleness() ? RouterProtocol.FLAG_LOCAL : 0, QueryCodec.encode(read.query));
        calls.call(target, RouterProtocol.METHOD_READ, request, attemptTimeout(read), new Answer(target) {
            @Override
            void onResponse(Response response) {
                QueryResult result = response.status() == Status.OK ? QueryCodec.decodeResult(response.body()) : null;
                onReadAnswer(read, attempt, response.status(), response.leader(), result);
            }

            @Override
            void onFailure(RpcFailure failure) {
                read.lastProblem =
                        "node " + target + (failure == RpcFailure.NO_ANSWER ? " did not answer" : " cannot be reached");
                onReadAnswer(read, attempt, Status.FAILED, null, null);
            }
        });
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
            } catch (IllegalArgumentException e) {
                LOG.warn("shard {}: an answer of node {} cannot be read: {}", route.id(), target, e.getMessage());
                loop.executeUnlessEnded(() -> onFailure(RpcFailure.NO_ANSWER));
                return;
            }
            loop.executeUnlessEnded(() -> {
                if (response.status() == Status.NOT_HERE
                        || (response.leader() == null && response.status() != Status.OK)) {
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

    private void forgetLeader(String node) {
        if (local == null) {
            // With a replica here the group itself tells who leads; without one only answers do.
            route.forget(node);
        }
    }

    private String nextTarget() {
        String next = route.replicaAfter(lastTarget);
        if (next.equals(self)) {
            next = route.replicaAfter(next);
        }
        lastTarget = next;
        return next;
    }

    private long attemptTimeout(Operation operation) {
        return Math.max(1, Math.min(ATTEMPT_TIMEOUT_NANOS, operation.deadlineNanos - loop.nowNanos()));
    }

    private void onWriteAnswer(
            Operation.Write write, int attempt, Status status, @Nullable String hint, @Nullable CommandResult result) {
        if (status == Status.UNKNOWN) {
            write.maybeApplied = true;
        }
        if (write.done || (attempt != write.currentAttempt && result == null)) {
            return;
        }
        write.attemptPending = false;
        if (result == null) {
            retry(write, status, hint);
        } else if (result instanceof CommandResult.SessionUnknown) {
            onSessionUnknown(write);
        } else if (result instanceof CommandResult.OutcomeForgotten) {
            finish(write);
            write.fail(
                    new OutcomeUnknownException(where() + ": the outcome of a retried command is not known any more"));
        } else {
            finish(write);
            write.completion.success(result);
        }
    }

    /** The shard has forgotten our session, or never knew it. */
    private void onSessionUnknown(Operation.Write write) {
        if (session.isOpen() && write.sessionId == session.id()) {
            LOG.info("shard {}: session {} has expired, opening another", route.id(), session.id());
            session.lost();
        }
        if (write.maybeApplied) {
            // An earlier attempt may have taken effect before the session was forgotten.
            finish(write);
            write.fail(new OutcomeUnknownException(where() + ": the session expired during a retry"));
        } else {
            session.leave(write);
        }
        if (session.isOpen()) {
            admitWaiting();
        } else if (session.hasWaiting()) {
            openSession();
        }
    }

    private void onReadAnswer(
            Operation.Read read, int attempt, Status status, @Nullable String hint, @Nullable QueryResult result) {
        if (read.done || (attempt != read.currentAttempt && result == null)) {
            return;
        }
        read.attemptPending = false;
        if (result == null) {
            retry(read, status, hint);
        } else if (result instanceof QueryResult.NeedsTime needsTime) {
            advanceTime(read, needsTime.millis());
        } else {
            finish(read);
            read.completion.success(result);
        }
    }

    /**
     * The query met a key that has expired by the leader's clock but not yet by the log's. Its death is made an event of
     * the log before anybody is told of it, so that no replica with a slower clock can show it alive afterwards.
     */
    private void advanceTime(Operation.Read read, long millis) {
        write(new Operation.Write(
                new Command.AdvanceTime(millis), loop.nowNanos(), read.deadlineNanos, new Completion<>() {
                    @Override
                    public void success(CommandResult result) {
                        if (!read.done) {
                            attempt(read);
                        }
                    }

                    @Override
                    public void failure(ElastickvException failure) {
                        if (!read.done) {
                            finish(read);
                            read.fail(new UnavailableException(
                                    where() + ": the expiry of a key could not be recorded: " + failure.getMessage()));
                        }
                    }
                }));
    }

    private void retry(Operation operation, Status status, @Nullable String hint) {
        operation.overloaded = status == Status.OVERLOADED;
        switch (status) {
            case NOT_LEADER ->
                operation.lastProblem = "no leader is known; last asked: " + (lastTarget == null ? self : lastTarget);
            case OVERLOADED -> operation.lastProblem = "the leader has too much waiting";
            case UNKNOWN -> {
                if (operation.lastProblem.isEmpty()) {
                    operation.lastProblem = "the leader was lost";
                }
            }
            case NOT_HERE -> operation.lastProblem = "a node without a replica was asked";
            case FAILED, MALFORMED, OK -> {
                // lastProblem was set where it is known, or the replica here has failed.
            }
        }
        String leader = route.leader();
        // Straight on only to whom another node has named: an overloaded leader names itself.
        boolean better = (status == Status.NOT_LEADER || status == Status.NOT_HERE)
                && hint != null
                && hint.equals(leader)
                && operation.attempts <= 3;
        long backoff = better ? 0 : backoffNanos(operation.attempts);
        operation.retryAtNanos = loop.nowNanos() + backoff;
        if (backoff == 0) {
            attempt(operation);
        }
    }

    private static long backoffNanos(int attempts) {
        long nanos = Math.min(MAX_BACKOFF_NANOS, FIRST_BACKOFF_NANOS << Math.min(attempts, 10));
        return nanos / 2 + ThreadLocalRandom.current().nextLong(nanos / 2 + 1);
    }

    private void finish(Operation operation) {
        operation.done = true;
        admission.release(operation);
        underway.remove(operation);
        session.trim();
        admitWaiting();
    }

    @Override
    public void tick(long nowNanos) {
        if (underway.isEmpty()) {
            return;
        }
        List<Operation> due = null;
        for (Iterator<Operation> i = underway.iterator(); i.hasNext(); ) {
            Operation operation = i.next();
            if (nowNanos - operation.deadlineNanos >= 0
                    || (operation.attemptPending && nowNanos - operation.attemptDeadlineNanos >= 0)
                    || (operation.retryAtNanos != Long.MIN_VALUE && nowNanos - operation.retryAtNanos >= 0)) {
                if (due == null) {
                    due = new ArrayList<>();
                }
                due.add(operation);
            }
        }
        if (due == null) {
            return;
        }
        for (Operation operation : due) {
            if (operation.done) {
                continue;
            }
            if (nowNanos - operation.deadlineNanos >= 0) {
                expire(operation);
            } else {
                if (operation.attemptPending && operation instanceof Operation.Write write) {
                    write.maybeApplied = true;
                }
                attempt(operation);
            }
        }
    }

    private void expire(Operation operation) {
        boolean maybeApplied =
                operation instanceof Operation.Write write && (write.maybeApplied || write.attemptPending);
        long millis = (operation.deadlineNanos - operation.startNanos) / 1_000_000;
        String message = where() + ": no answer within " + millis + " ms (" + operation.attempts + " attempts; "
                + operation.lastProblem + ")";
        String trouble = route.trouble();
        if (trouble != null) {
            message += "; " + trouble;
        }
        finish(operation);
        if (maybeApplied) {
            operation.fail(new OutcomeUnknownException(message));
        } else if (operation.overloaded) {
            operation.fail(new OverloadedException(message, RETRY_AFTER));
        } else {
            operation.fail(new UnavailableException(message));
        }
    }

    private String where() {
        String leader = route.leader();
        return "shard " + route.id() + " via node " + self + " (leader " + (leader == null ? "unknown" : leader) + ")";
    }

    /** There is a replica here from now on; on the loop. */
    void localAdded(ShardEndpoint endpoint) {
        local = endpoint;
    }

    /** The local replica is gone for good; go on through others; on the loop. */
    void localGone() {
        local = null;
        route.forget(self);
    }

    /** Fails all that is under way; on the loop. */
    void close(String reason) {
        closed = true;
        for (Operation operation : new ArrayList<>(underway)) {
            if (operation.done) {
                continue;
            }
            boolean maybeApplied = operation instanceof Operation.Write write
                    && (write.maybeApplied || (write.attemptPending && write.attempts > 0));
            operation.done = true;
            admission.release(operation);
            operation.fail(
                    maybeApplied
                            ? new OutcomeUnknownException(where() + ": " + reason)
                            : new UnavailableException(where() + ": " + reason));
        }
        underway.clear();
        session.clear();
    }
}
