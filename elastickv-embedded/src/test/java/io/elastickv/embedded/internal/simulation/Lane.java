package io.elastickv.embedded.internal.simulation;

import static io.elastickv.embedded.internal.simulation.VirtualTime.MILLI;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.embedded.history.Operation;
import io.elastickv.embedded.history.Operation.Outcome;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.StoredValue;
import io.elastickv.embedded.internal.simulation.Call.Kind;
import java.util.Objects;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * One thread of a client: one call after another, each with attempts at one node after another until it is answered or given
 * up. All attempts of a command have its session and sequence.
 */
final class Lane {

    private static final int MAX_ATTEMPTS = 12;

    private final Simulation simulation;
    private final Client client;
    private final int process;
    private final SplittableRandom random;

    /** Where all requests go; -1: wherever the leader may be, or anywhere. */
    private final int onlyNode;

    // Of the call under way.
    private @Nullable Call call;
    private @Nullable Session session;
    private long sequence;
    private int group;
    private long startedNanos;
    private int attempts;
    /** The attempt that is waited for; an answer to an earlier one counts too. */
    private int attempt;

    private int unresolved;
    private boolean openingSession;
    /** What a read found that the log must know first; 0 for nothing. */
    private long timeNeeded;

    Lane(Simulation simulation, Client client, int process, int onlyNode, SplittableRandom random) {
        this.simulation = simulation;
        this.client = client;
        this.process = process;
        this.onlyNode = onlyNode;
        this.random = random;
    }

    boolean isBusy() {
        return call != null;
    }

    void think() {
        simulation.time.after(
                1 + random.nextLong(simulation.isBusy() ? 2 * MILLI : 2 * simulation.scenario.thinkNanos), () -> {
                    if (simulation.clientsGoOn) {
                        begin(client.nextCall());
                    }
                });
    }

    void begin(Call next) {
        call = next;
        group = next.key().group();
        if (next.kind() == Kind.MISROUTED) {
            group = (group + 1) % simulation.scenario.groups;
        }
        session = null;
        sequence = 0;
        startedNanos = simulation.time.now();
        attempts = 0;
        unresolved = 0;
        timeNeeded = 0;
        attempt();
    }

    // ---- attempts

    private void attempt() {
        Call current = Objects.requireNonNull(call);
        attempt++;
        attempts++;
        // Even who reads from one node only must tell the leader of the time.
        int node = onlyNode >= 0 && timeNeeded == 0
                ? onlyNode
                : client.target(group, current.kind().reads());
        Answer answer = new Answer(attempt, node);
        if (timeNeeded != 0) {
            command(node, Envelope.of(new Command.AdvanceTime(timeNeeded)), answer);
        } else if (current.kind().reads()) {
            query(node, current.query(), answer);
        } else {
            Session mine = session;
            if (mine == null) {
                mine = client.session(group);
            }
            openingSession = mine.id == 0;
            if (openingSession) {
                command(node, Envelope.of(new Command.OpenSession("c")), answer);
            } else {
                if (session == null) {
                    session = mine;
                    sequence = mine.take();
                }
                unresolved++;
                answer.counts = true;
                command(node, new Envelope(mine.id, sequence, mine.ackedBelow(sequence), 0, current.command()), answer);
            }
        }
        int waited = attempt;
        long patience = simulation.scenario.electionNanos / 4 + random.nextLong(simulation.scenario.electionNanos);
        simulation.time.after(patience, () -> {
            if (waited == attempt && call != null) {
                client.forgetLeader(group);
                again(0);
            }
        });
    }

    private void command(int node, Envelope envelope, Answer answer) {
        byte[] bytes = CommandCodec.encode(envelope);
        simulation.request(client.end, node, group, replica -> replica.write(bytes, answer), answer);
    }

    private void query(int node, Query query, Answer answer) {
        simulation.request(client.end, node, group, replica -> replica.read(query, answer), answer);
    }

    private void again(long afterNanos) {
        if (attempts >= MAX_ATTEMPTS && !simulation.healed) {
            giveUp();
            return;
        }
        int waited = ++attempt;
        simulation.time.after(1 + afterNanos, () -> {
            if (waited == attempt && call != null) {
                attempt();
            }
        });
    }

    /** What a replica says to an attempt, and its way back to the client. */
    private final class Answer implements Reply {

        private final int ofAttempt;
        private final int node;
        private final Call ofCall = Objects.requireNonNull(call);
        /** Whether the attempt may have an effect that matters. */
        boolean counts;

        Answer(int ofAttempt, int node) {
            this.ofAttempt = ofAttempt;
            this.node = node;
        }

        @SuppressWarnings("ReferenceEquality") // that very call, not an equal one
        private void back(Runnable action) {
            simulation.network.call(node, client.end, () -> {
                if (call == ofCall) {
                    action.run();
                }
            });
        }

        @Override
        public void applied(CommandResult result) {
            back(() -> onApplied(result, this));
        }

        @Override
        public void answered(QueryResult result) {
            // However late it comes: the call is still under way.
            back(() -> {
                if (ofAttempt == attempt || !(result instanceof QueryResult.NeedsTime)) {
                    onAnswered(result);
                }
            });
        }

        @Override
        public void refused(@Nullable String leaderHint) {
            back(() -> {
                if (counts) {
                    unresolved--;
                }
                if (ofAttempt == attempt) {
                    client.leaderIs(group, leaderHint);
                    again(random.nextLong(simulation.scenario.electionNanos / 8));
                }
            });
        }

        @Override
        public void unknown() {
            back(() -> {
                if (ofAttempt == attempt) {
                    again(random.nextLong(MILLI));
                }
            });
        }
    }

    // ---- ends

    private void onApplied(CommandResult result, Answer answer) {
        Call current = Objects.requireNonNull(call);
        if (result instanceof CommandResult.SessionOpened opened) {
            client.opened(group, opened.sessionId());
            if (answer.ofAttempt == attempt && openingSession) {
                again(0);
            }
            return;
        }
        if (!answer.counts) {
            if (answer.ofAttempt == attempt) {
                timeNeeded = 0; // the log knows the time now
                again(0);
            }
            return;
        }
        if (result instanceof CommandResult.SessionUnknown) {
            client.lost(Objects.requireNonNull(session));
            simulation.sessionsLost++;
            giveUp();
            return;
        }
        if (result instanceof CommandResult.OutcomeForgotten) {
            giveUp();
            return;
        }
        if ((result instanceof CommandResult.WrongShard) != (current.kind() == Kind.MISROUTED)) {
            simulation.oracle.violated("slot ownership", current.kind() + " was answered with " + result);
        }
        finish(Outcome.OK, result);
    }

    private void onAnswered(QueryResult result) {
        Call current = Objects.requireNonNull(call);
        long now = simulation.time.now();
        if (result instanceof QueryResult.NeedsTime needs) {
            timeNeeded = needs.millis();
            again(0);
        } else if (result instanceof QueryResult.Value value) {
            saw(current, text(value.value()), now);
        } else if (result instanceof QueryResult.Values values) {
            String first = text(values.values().get(0));
            String second = text(values.values().get(1));
            if (!Objects.equals(first, second)) {
                simulation.oracle.violated("atomic batches", "half of a pair: " + first + " and " + second);
            }
            saw(current, first, now);
        } else {
            simulation.oracle.violated("slot ownership", current.kind() + " was answered with " + result);
        }
    }

    private static @Nullable String text(@Nullable StoredValue value) {
        return value == null ? null : new String(value.value(), UTF_8);
    }

    private void saw(Call current, @Nullable String value, long now) {
        if (current.key().use() == Keys.Use.COUNTER) {
            simulation.histories.readCounter(
                    current.key().name(), value == null ? 0 : Long.parseLong(value), startedNanos, now);
        } else {
            client.saw(current.key(), value);
            simulation.histories.add(Operation.read(process, current.key().name(), value, startedNanos, now));
        }
        simulation.readsSeen++;
        simulation.note(now);
        end();
    }

    private void giveUp() {
        finish(unresolved == 0 ? Outcome.NOT_APPLIED : Outcome.UNKNOWN, null);
    }

    private void finish(Outcome outcome, @Nullable CommandResult result) {
        Call current = Objects.requireNonNull(call);
        if (!current.kind().reads()) {
            record(current, outcome, result);
            simulation.count(outcome);
        }
        if (session != null) {
            session.done(sequence);
        }
        end();
    }

    private void end() {
        call = null;
        attempt++;
        if (onlyNode < 0) {
            think();
        } else {
            client.next(this);
        }
    }

    private void record(Call current, Outcome outcome, @Nullable CommandResult result) {
        long now = simulation.time.now();
        String key = current.key().name();
        String value = current.value();
        simulation.note(Oracle.mix(now, outcome.name().hashCode()));
        Operation ended;
        switch (current.kind()) {
            case PUT, PUT_PAIR ->
                ended = Operation.write(process, key, Objects.requireNonNull(value), startedNanos, now);
            case CAS -> {
                boolean wrote = result instanceof CommandResult.Written written && written.applied();
                ended = Operation.cas(
                        process, key, current.expected(), Objects.requireNonNull(value), wrote, startedNanos, now);
            }
            case DELETE -> {
                boolean existed = result instanceof CommandResult.Written written && written.applied();
                ended = Operation.delete(process, key, existed, startedNanos, now);
            }
            case INCREMENT -> {
                long made = result instanceof CommandResult.Incremented incremented ? incremented.value() : 0;
                simulation.histories.increment(key, made, outcome, startedNanos, now);
                return;
            }
            default -> {
                return;
            }
        }
        if (current.ttlMillis() > 0 && outcome != Outcome.NOT_APPLIED) {
            simulation.histories.mortal(key, Objects.requireNonNull(value), startedNanos);
        }
        if (outcome == Outcome.OK) {
            client.saw(current.key(), ended.kind() == Operation.Kind.DELETE ? null : value);
        }
        simulation.histories.add(
                switch (outcome) {
                    case OK -> ended;
                    case UNKNOWN -> ended.unknown();
                    case NOT_APPLIED -> ended.notApplied();
                });
    }
}
