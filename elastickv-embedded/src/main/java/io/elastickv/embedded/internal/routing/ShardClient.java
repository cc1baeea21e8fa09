package io.elastickv.embedded.internal.routing;

import io.elastickv.api.ElastickvException;
import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.api.OverloadedException;
import io.elastickv.api.UnavailableException;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.raft.EventLoop;
import io.elastickv.embedded.internal.routing.RouterProtocol.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's way to one shard: its session there, the operations under way, and their retries. Lives on one loop, the
 * one of the local replica if there is one, so that a command for a local leader costs a single thread hand-over.
 *
 * <p>Exactly-once (Ongaro's dissertation, section 6.3): the session's id is given by the command that opened it; every
 * command has a sequence number that its retries repeat, and the state machine answers a repeated one with the first
 * result. A command says below which sequence number all answers have arrived, so that results can be forgotten.
 *
 * <p>When the slot of an operation has become another shard's, the operation goes on there (ADR 0014). A command that may
 * have been applied keeps session and number: the new owner has a copy of what the old one remembers of the session, and
 * applies what neither knows. It stays in the session's window here until it has ended there, so that nothing acknowledges
 * it before. A command that was certainly not applied takes a new number there.
 */
final class ShardClient implements EventLoop.Ticker, Attempts.Outcomes {

    private static final Logger LOG = LoggerFactory.getLogger(ShardClient.class);
    private static final long ATTEMPT_TIMEOUT_NANOS = 2_000_000_000L;
    private static final Duration RETRY_AFTER = Duration.ofMillis(20);

    private final String self;
    private final ShardRoute route;
    private final EventLoop loop;
    private final Admission admission;
    private final Routes routes;
    private final Backoff backoff;
    private final Attempts attempts;

    private final Set<Operation> underway = new LinkedHashSet<>();
    private final SessionWindow session = new SessionWindow();
    private boolean openingSession;
    private boolean admitting;
    private long alarmNanos = Long.MAX_VALUE;
    /** The shard owns nothing any more. */
    private boolean retired;

    private volatile boolean left;
    private boolean closed;

    ShardClient(
            String self,
            ShardRoute route,
            EventLoop loop,
            Attempts.Calls calls,
            Admission admission,
            Routes routes,
            Backoff backoff,
            @Nullable ShardEndpoint local) {
        this.self = self;
        this.route = route;
        this.loop = loop;
        this.admission = admission;
        this.routes = routes;
        this.backoff = backoff;
        this.attempts = new Attempts(self, route, loop, calls, routes, this, local);
    }

    EventLoop loop() {
        return loop;
    }

    ShardRoute route() {
        return route;
    }

    @Nullable
    ShardEndpoint local() {
        return attempts.local();
    }

    /** Starts an operation, or goes on with one that comes from another shard; on the loop. */
    void take(Operation operation) {
        if (closed) {
            admission.release(operation);
            operation.done = true;
            boolean maybeApplied = operation instanceof Operation.Write write && write.maybeApplied;
            operation.fail(failure(maybeApplied, "node " + self + " is closed"));
            return;
        }
        operation.holder = this;
        operation.attemptsHere = 0;
        operation.misses = 0;
        underway.add(operation);
        if (retired && isDivided(operation)) {
            divideAnew((Operation.Read) operation);
        } else if (retired && operation.slot == Operation.NO_SLOT) {
            finish(operation);
            operation.fail(new UnavailableException(where() + ": the shard is gone"));
        } else if (ownerOf(operation) != this || !(operation instanceof Operation.Write write)) {
            attempt(operation);
        } else if (write.sessionId != 0
                || write.command instanceof Command.OpenSession
                || write.command instanceof Command.AdvanceTime) {
            // In the session that it came with, or harmless when repeated, so that it needs none.
            attempt(write);
        } else {
            enterSession(write);
        }
    }

    private void enterSession(Operation.Write write) {
        if (session.enter(write)) {
            write.home = this;
            attempt(write);
        } else {
            openSession();
        }
    }

    /** Opens a session unless there is one: before it is needed, if this node is going to write; on the loop. */
    void openSession() {
        if (openingSession || session.isOpen() || closed || retired) {
            return;
        }
        openingSession = true;
        long now = loop.nowNanos();
        // It serves all that wait, so it is tried for as long as any of them has time.
        take(new Operation.Write(
                Operation.NO_SLOT,
                new Command.OpenSession(self),
                now,
                now + ATTEMPT_TIMEOUT_NANOS * 5,
                new Completion<>() {
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
                        if (session.hasWaiting()) {
                            openSession();
                        }
                    }
                }));
    }

    /** Lets the client of a new owner of some of the slots open a session if this one has one; on the loop. */
    void prepare(ShardClient next) {
        if (session.isOpen()) {
            next.loop.executeUnlessEnded(next::openSession);
        }
    }

    private void admitWaiting() {
        if (admitting) {
            return; // what is admitted may end or go elsewhere at once; the loop below sees to the next
        }
        admitting = true;
        try {
            Operation.Write next;
            while (!closed && (next = session.nextToEnter()) != null) {
                session.enter(next);
                next.home = this;
                attempt(next);
            }
        } finally {
            admitting = false;
        }
    }

    private void attempt(Operation operation) {
        ShardClient owner = ownerOf(operation);
        if (owner != this) {
            move(operation, owner);
            return;
        }
        operation.retryAtNanos = Long.MIN_VALUE;
        operation.attempts++;
        operation.attemptsHere++;
        operation.currentAttempt++;
        operation.attemptPending = true;
        long now = loop.nowNanos();
        operation.attemptDeadlineNanos = now + ATTEMPT_TIMEOUT_NANOS;
        long timeoutNanos = Math.max(1, Math.min(ATTEMPT_TIMEOUT_NANOS, operation.deadlineNanos - now));
        if (operation instanceof Operation.Write write) {
            attempts.write(write, encode(write), timeoutNanos);
        } else {
            attempts.read((Operation.Read) operation, timeoutNanos);
        }
    }

    private byte[] encode(Operation.Write write) {
        // Encoded anew for each attempt: the bytes of an earlier one may be in the log, stamped with its time.
        if (write.sessionId == 0) {
            return CommandCodec.encode(Envelope.of(write.command));
        }
        long ackedBelow = write.home == this ? session.ackedBelow(write) : write.ackedBelow;
        return CommandCodec.encode(new Envelope(write.sessionId, write.sequence, ackedBelow, 0, write.command));
    }

    // ---- operations whose slot is another shard's

    private ShardClient ownerOf(Operation operation) {
        if (operation.slot == Operation.NO_SLOT) {
            return this;
        }
        RouteTable table = routes.table();
        ShardClient owner = table == null ? null : table.ofSlot(operation.slot).client();
        return owner == null ? this : owner;
    }

    private static boolean isDivided(Operation operation) {
        return operation instanceof Operation.Read read && read.dividedBy != null;
    }

    private void move(Operation operation, ShardClient owner) {
        underway.remove(operation);
        if (operation instanceof Operation.Write write) {
            write.maybeApplied |= write.attemptPending;
            if (!write.maybeApplied) {
                session.remove(write);
                write.home = null;
            } else if (write.home == this) {
                write.ackedBelow = session.ackedBelow(write);
            }
        }
        operation.attemptPending = false;
        operation.currentAttempt++;
        operation.retryAtNanos = Long.MIN_VALUE;
        operation.holder = null;
        try {
            owner.loop.execute(() -> owner.take(operation));
        } catch (RejectedExecutionException e) {
            // The node is being closed, and with it every client.
            boolean maybeApplied = operation instanceof Operation.Write write && write.maybeApplied;
            operation.done = true;
            admission.release(operation);
            operation.fail(failure(maybeApplied, "node " + self + " is closed"));
        }
        admitWaiting();
        leaveIfDone();
    }

    private void onWrongShard(Operation operation) {
        if (isDivided(operation)) {
            if (routes.table() != ((Operation.Read) operation).dividedBy) {
                divideAnew((Operation.Read) operation);
                return;
            }
        } else {
            ShardClient owner = ownerOf(operation);
            if (owner != this) {
                move(operation, owner);
                return;
            }
        }
        operation.misses++;
        operation.lastProblem = "the shard does not own the slot any more, and who does is not known yet";
        routes.isStale(operation.slot);
        retryIn(operation, backoff.afterMiss(operation.misses));
    }

    private void divideAnew(Operation.Read read) {
        finish(read);
        read.completion.success(new QueryResult.WrongShard(route.ownershipEpoch()));
    }

    /**
     * Lets go on elsewhere what would not be served here any more; on the loop. What waits for an answer waits on: most
     * often it comes, and then it is known whether it had an effect.
     */
    void routesChanged() {
        for (Operation operation : new ArrayList<>(underway)) {
            if (operation.done || operation.holder != this || operation.attemptPending) {
                continue;
            }
            if (isDivided(operation)) {
                if (retired || operation.misses > 0) {
                    divideAnew((Operation.Read) operation);
                }
            } else {
                ShardClient owner = ownerOf(operation);
                if (owner != this) {
                    move(operation, owner);
                }
            }
        }
    }

    /** The shard owns nothing any more: what is under way goes on elsewhere, and so does what still comes; on the loop. */
    void retire() {
        retired = true;
        routesChanged();
        leaveIfDone();
    }

    private void leaveIfDone() {
        if (retired && underway.isEmpty() && !left) {
            left = true;
            loop.removeTicker(this);
        }
    }

    /** Whether it is retired, and nothing was under way any more at some time since. Any thread. */
    boolean hasLeft() {
        return left;
    }

    /** A command of this client's session has ended at another shard; on the loop. */
    private void endedElsewhere(Operation.Write write) {
        session.ended(write);
        admitWaiting();
    }

    // ---- answers

    @Override
    public void onWriteAnswer(
            Operation.Write write, int attempt, Status status, @Nullable String hint, @Nullable CommandResult result) {
        if (write.holder != this) {
            return; // it has gone on, and takes what happened here into account
        }
        if (status == Status.UNKNOWN) {
            write.maybeApplied = true;
        }
        boolean misses = result instanceof CommandResult.WrongShard && write.slot != Operation.NO_SLOT;
        if (write.done || (attempt != write.currentAttempt && (result == null || misses))) {
            return;
        }
        write.attemptPending = false;
        if (misses || status == Status.WRONG_SHARD) {
            onWrongShard(write);
        } else if (result == null) {
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
            write.home = null;
        }
        if (session.isOpen()) {
            admitWaiting();
        } else if (session.hasWaiting()) {
            openSession();
        }
    }

    @Override
    public void onReadAnswer(
            Operation.Read read, int attempt, Status status, @Nullable String hint, @Nullable QueryResult result) {
        if (read.holder != this || read.done || (attempt != read.currentAttempt && result == null)) {
            return;
        }
        boolean misses = status == Status.WRONG_SHARD
                || (result instanceof QueryResult.WrongShard && (read.slot != Operation.NO_SLOT || isDivided(read)));
        if (misses && attempt != read.currentAttempt) {
            return;
        }
        read.attemptPending = false;
        if (misses) {
            onWrongShard(read);
        } else if (result == null) {
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
        int asked = read.currentAttempt;
        take(new Operation.Write(
                Operation.NO_SLOT,
                new Command.AdvanceTime(millis),
                loop.nowNanos(),
                read.deadlineNanos,
                new Completion<>() {
                    @Override
                    public void success(CommandResult result) {
                        if (isStillAt(read, asked)) {
                            attempt(read);
                        }
                    }

                    @Override
                    public void failure(ElastickvException failure) {
                        if (isStillAt(read, asked)) {
                            finish(read);
                            read.fail(new UnavailableException(
                                    where() + ": the expiry of a key could not be recorded: " + failure.getMessage()));
                        }
                    }
                }));
    }

    private boolean isStillAt(Operation.Read read, int attempt) {
        return read.holder == this && !read.done && read.currentAttempt == attempt;
    }

    private void retry(Operation operation, Status status, @Nullable String hint) {
        operation.overloaded = status == Status.OVERLOADED;
        switch (status) {
            case NOT_LEADER -> operation.lastProblem = "no leader is known; last asked: " + attempts.lastAsked();
            case OVERLOADED -> operation.lastProblem = "the leader has too much waiting";
            case UNKNOWN -> {
                if (operation.lastProblem.isEmpty()) {
                    operation.lastProblem = "the leader was lost";
                }
            }
            case NOT_HERE -> operation.lastProblem = "a node without a replica was asked";
            case FAILED, MALFORMED, OK, WRONG_SHARD -> {
                // lastProblem was set where it is known, or the replica here has failed.
            }
        }
        String leader = route.leader();
        // Straight on only to whom another node has named: an overloaded leader names itself.
        boolean better = (status == Status.NOT_LEADER || status == Status.NOT_HERE)
                && hint != null
                && hint.equals(leader)
                && operation.attemptsHere <= 3;
        if (better || ownerOf(operation) != this) {
            attempt(operation);
        } else {
            retryIn(operation, backoff.afterAttempt(operation.attemptsHere, operation.overloaded));
        }
    }

    private void retryIn(Operation operation, long nanos) {
        operation.retryAtNanos = loop.nowNanos() + nanos;
        alarm(operation.retryAtNanos);
    }

    private void alarm(long atNanos) {
        if (alarmNanos == Long.MAX_VALUE || atNanos - alarmNanos < 0) {
            alarmNanos = atNanos;
            loop.tickAt(this, atNanos);
        }
    }

    private void finish(Operation operation) {
        operation.done = true;
        admission.release(operation);
        underway.remove(operation);
        if (operation instanceof Operation.Write write && write.home != null) {
            ShardClient home = write.home;
            if (home == this) {
                session.ended(write);
            } else {
                home.loop.executeUnlessEnded(() -> home.endedElsewhere(write));
            }
        }
        admitWaiting();
        leaveIfDone();
    }

    @Override
    public void tick(long nowNanos) {
        if (alarmNanos != Long.MAX_VALUE && nowNanos - alarmNanos >= 0) {
            alarmNanos = Long.MAX_VALUE;
        }
        if (underway.isEmpty()) {
            return;
        }
        List<Operation> due = null;
        for (Iterator<Operation> i = underway.iterator(); i.hasNext(); ) {
            Operation operation = i.next();
            boolean retries = operation.retryAtNanos != Long.MIN_VALUE;
            if (nowNanos - operation.deadlineNanos >= 0
                    || (operation.attemptPending && nowNanos - operation.attemptDeadlineNanos >= 0)
                    || (retries && nowNanos - operation.retryAtNanos >= 0)) {
                if (due == null) {
                    due = new ArrayList<>();
                }
                due.add(operation);
            } else if (retries) {
                alarm(operation.retryAtNanos);
            }
        }
        if (due == null) {
            return;
        }
        for (Operation operation : due) {
            if (operation.holder != this || operation.done) {
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
        if (operation.overloaded && !maybeApplied) {
            operation.fail(new OverloadedException(message, RETRY_AFTER));
        } else {
            operation.fail(failure(maybeApplied, message));
        }
    }

    private static ElastickvException failure(boolean maybeApplied, String message) {
        return maybeApplied ? new OutcomeUnknownException(message) : new UnavailableException(message);
    }

    private String where() {
        String leader = route.leader();
        return "shard " + route.id() + " via node " + self + " (leader " + (leader == null ? "unknown" : leader) + ")";
    }

    /** There is a replica here from now on; on the loop. */
    void localAdded(ShardEndpoint endpoint) {
        attempts.local(endpoint);
    }

    /** The local replica is gone for good; go on through others; on the loop. */
    void localGone() {
        attempts.local(null);
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
            operation.fail(failure(maybeApplied, where() + ": " + reason));
        }
        underway.clear();
        session.clear();
    }
}
