package io.elastickv.embedded.internal.shard;

import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.CommandResult.BatchDone;
import io.elastickv.embedded.internal.command.CommandResult.Written;
import io.elastickv.embedded.internal.command.Piece;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Remembers the results of commands, so that a retry is answered with the first result instead of being applied again.
 * Source: D. Ongaro, "Consensus: Bridging Theory and Practice" (2014), section 6.3; here with many outstanding commands
 * per session, in any order, as RIFL has them (C. Lee et al., SOSP 2015).
 *
 * <p>Everything it forgets, it forgets at a place in the log that is the same on every replica. For the apply thread only;
 * what {@link #capture} returns may be read by another, because from then on the table copies before it changes.
 */
final class SessionTable {

    private static final CommandResult FORGOTTEN = new CommandResult.OutcomeForgotten();
    private static final CommandResult UNKNOWN = new CommandResult.SessionUnknown();

    /** One session. */
    private static final class Session {

        final long id;
        SessionResults results;

        Session(long id, SessionResults results) {
            this.id = id;
            this.results = results;
        }
    }

    /**
     * A session at some time; immutable as long as somebody may read it.
     *
     * @param id the session's id
     * @param results what is remembered of it
     */
    record Captured(long id, SessionResults results) {}

    private record PayloadKey(long sessionId, long sequence) {}

    private record Payload(Session session, int bytes) {}

    private final SessionLimits limits;
    /** In the order of their last use. */
    private final LinkedHashMap<Long, Session> sessions = new LinkedHashMap<>(16, 0.75f, true);
    /** The results that carry values, in the order of the log, with their sizes in bytes. */
    private final LinkedHashMap<PayloadKey, Payload> payloads = new LinkedHashMap<>();

    private long payloadBytes;
    /** Numbers the results that carry values. */
    private long lastPayload;
    /** What a session had before the present period may be read elsewhere. */
    private int period;

    SessionTable(SessionLimits limits) {
        this.limits = limits;
    }

    /** Opens a session; the one used longest ago gives way if there are too many. */
    void open(long id, long nowMillis) {
        closeIdle(nowMillis);
        sessions.put(id, new Session(id, new SessionResults(period, nowMillis)));
        if (sessions.size() > limits.maxSessions()) {
            closeEldest();
        }
    }

    /**
     * Begins a command.
     *
     * @return what to answer instead of applying it; null to apply it, and then call {@link #finish}
     */
    @Nullable
    CommandResult begin(long id, long sequence, long ackedBelow, long nowMillis) {
        closeIdle(nowMillis);
        Session session = sessions.get(id);
        if (session == null) {
            return UNKNOWN;
        }
        SessionResults results = writable(session);
        results.lastUseMillis = nowMillis;
        raiseFloor(session, ackedBelow);
        if (sequence < results.floor) {
            return FORGOTTEN;
        }
        return results.get(sequence);
    }

    /** Keeps the result of a command that {@link #begin} let through. */
    void finish(long id, long sequence, CommandResult result) {
        Session session = sessions.get(id);
        if (session == null) {
            throw new IllegalStateException("session " + id + " vanished during a command");
        }
        keep(session, sequence, result);
    }

    private void keep(Session session, long sequence, CommandResult result) {
        long id = session.id;
        SessionResults results = writable(session);
        if (sequence - results.floor >= limits.maxResultsPerSession()) {
            raiseFloor(session, sequence - limits.maxResultsPerSession() + 1);
        }
        int payload = payloadBytes(result);
        results.put(sequence, result, payload > 0 ? ++lastPayload : 0);
        if (payload > 0) {
            payloads.put(new PayloadKey(id, sequence), new Payload(session, payload));
            payloadBytes += payload;
            while (payloadBytes > limits.maxPayloadBytes() && payloads.size() > 1) {
                forgetEldestPayload();
            }
        }
    }

    int size() {
        return sessions.size();
    }

    /** The bytes of previous values that are kept. */
    long payloadBytes() {
        return payloadBytes;
    }

    /** All sessions as they are now, the one used longest ago first. Takes a few nanoseconds per session. */
    List<Captured> capture() {
        period++;
        List<Captured> captured = new ArrayList<>(sessions.size());
        for (Session session : sessions.values()) {
            captured.add(new Captured(session.id, session.results));
        }
        return captured;
    }

    /**
     * A table of its own that remembers the same. Takes as long as {@link #capture}, and some ten nanoseconds for each result
     * that carries values.
     */
    SessionTable copy() {
        List<Captured> all = capture();
        SessionTable copy = new SessionTable(limits);
        copy.period = period; // what is shared is older, so both copy before they change it
        Map<Long, Session> byId = new HashMap<>();
        for (Captured captured : all) {
            Session session = new Session(captured.id(), captured.results());
            copy.sessions.put(session.id, session);
            byId.put(session.id, session);
        }
        payloads.forEach((key, payload) -> {
            Session session = byId.get(key.sessionId());
            if (session == null) {
                throw new IllegalStateException("a result of session " + key.sessionId() + ", which is closed");
            }
            copy.payloads.put(key, new Payload(session, payload.bytes()));
        });
        copy.payloadBytes = payloadBytes;
        copy.lastPayload = lastPayload;
        return copy;
    }

    /** What is remembered of all sessions, to be added to another table. */
    static List<Piece.Session> export(List<Captured> all) {
        List<Piece.Session> exported = new ArrayList<>(all.size());
        for (Captured captured : all) {
            List<Piece.Result> results = new ArrayList<>();
            captured.results().forEach((sequence, result, order) -> results.add(new Piece.Result(sequence, result)));
            exported.add(new Piece.Session(
                    captured.id(), captured.results().lastUseMillis, captured.results().floor, results));
        }
        return exported;
    }

    /**
     * Adds what another shard remembers. Of a session that both know each has results that the other has not, and never
     * another result of the same command: only the owner of its slot decided it.
     */
    void absorb(List<Piece.Session> others) {
        for (Piece.Session other : others) {
            Session session = sessions.get(other.id());
            if (session == null) {
                session = new Session(
                        other.id(),
                        new SessionResults(period, other.lastUseMillis(), other.floor(), other.floor() - 1));
                sessions.put(other.id(), session);
            }
            raiseFloor(session, other.floor());
            SessionResults results = writable(session);
            results.lastUseMillis = Math.max(results.lastUseMillis, other.lastUseMillis());
            for (Piece.Result result : other.results()) {
                if (result.sequence() >= session.results.floor && session.results.get(result.sequence()) == null) {
                    keep(session, result.sequence(), result.result());
                }
            }
        }
        List<Session> byUse = new ArrayList<>(sessions.values());
        byUse.sort(Comparator.comparingLong(session -> session.results.lastUseMillis));
        sessions.clear();
        byUse.forEach(session -> sessions.put(session.id, session));
        while (sessions.size() > limits.maxSessions()) {
            closeEldest();
        }
    }

    /** Takes over a session that another table had, in the order of their last use, before anything else happens. */
    void restore(Captured captured) {
        sessions.put(captured.id(), new Session(captured.id(), captured.results()));
    }

    /** Takes over which results carry values, after all sessions are restored. */
    void restorePayloads() {
        record Found(long order, Session session, long sequence, int bytes) {}
        List<Found> found = new ArrayList<>();
        for (Session session : sessions.values()) {
            session.results.forEach((sequence, result, payloadOrder) -> {
                if (payloadOrder > 0) {
                    found.add(new Found(payloadOrder, session, sequence, payloadBytes(result)));
                }
            });
        }
        found.sort((a, b) -> Long.compare(a.order(), b.order()));
        for (Found payload : found) {
            payloads.put(
                    new PayloadKey(payload.session().id, payload.sequence()),
                    new Payload(payload.session(), payload.bytes()));
            payloadBytes += payload.bytes();
            lastPayload = payload.order();
        }
    }

    /** Whether a result must have been numbered when it was kept. */
    static boolean carriesValues(CommandResult result) {
        return payloadBytes(result) > 0;
    }

    private SessionResults writable(Session session) {
        if (session.results.period != period) {
            session.results = session.results.copy(period);
        }
        return session.results;
    }

    private void raiseFloor(Session session, long floor) {
        if (floor > session.results.floor) {
            writable(session).raiseFloor(floor, (sequence, result, order) -> {
                if (order > 0) {
                    forgetPayload(session.id, sequence);
                }
            });
        }
    }

    private void forgetPayload(long id, long sequence) {
        Payload payload = payloads.remove(new PayloadKey(id, sequence));
        payloadBytes -= payload == null ? 0 : payload.bytes();
    }

    /** The sequence stays known, so a retry is not applied; what it answers is that the result is forgotten. */
    private void forgetEldestPayload() {
        Iterator<Map.Entry<PayloadKey, Payload>> iterator = payloads.entrySet().iterator();
        Map.Entry<PayloadKey, Payload> eldest = iterator.next();
        writable(eldest.getValue().session()).put(eldest.getKey().sequence(), FORGOTTEN, 0);
        payloadBytes -= eldest.getValue().bytes();
        iterator.remove();
    }

    private void closeIdle(long nowMillis) {
        while (!sessions.isEmpty()) {
            Session eldest = sessions.values().iterator().next();
            if (nowMillis - eldest.results.lastUseMillis < limits.idleMillis()) {
                return;
            }
            closeEldest();
        }
    }

    private void closeEldest() {
        Iterator<Session> iterator = sessions.values().iterator();
        Session eldest = iterator.next();
        eldest.results.forEach((sequence, result, order) -> {
            if (order > 0) {
                forgetPayload(eldest.id, sequence);
            }
        });
        iterator.remove();
    }

    private static int payloadBytes(CommandResult result) {
        if (result instanceof Written written) {
            return payloadBytes(written);
        }
        if (result instanceof BatchDone batch) {
            int sum = 0;
            for (Written written : batch.results()) {
                sum += 16 + payloadBytes(written);
            }
            return sum;
        }
        return 0;
    }

    private static int payloadBytes(Written written) {
        return written.previous() == null ? 0 : 32 + written.previous().value().length;
    }
}
