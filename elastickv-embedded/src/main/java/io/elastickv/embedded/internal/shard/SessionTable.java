package io.elastickv.embedded.internal.shard;

import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.CommandResult.BatchDone;
import io.elastickv.embedded.internal.command.CommandResult.Written;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Remembers the results of commands, so that a retry is answered with the first result instead of being applied again.
 * Source: D. Ongaro, "Consensus: Bridging Theory and Practice" (2014), section 6.3; here with many outstanding commands
 * per session, in any order, as RIFL has them (C. Lee et al., SOSP 2015).
 *
 * <p>Everything it forgets, it forgets at a place in the log that is the same on every replica. For the apply thread only.
 */
final class SessionTable {

    private static final CommandResult FORGOTTEN = new CommandResult.OutcomeForgotten();
    private static final CommandResult UNKNOWN = new CommandResult.SessionUnknown();

    /** The results of one session: a ring over the sequences from {@code floor} on. */
    private static final class Session {

        final long id;
        long lastUseMillis;
        /** Smaller sequences are forgotten. */
        long floor;
        /** The largest sequence seen. */
        long last;

        @Nullable
        CommandResult[] ring = new @Nullable CommandResult[16];

        Session(long id, long nowMillis) {
            this.id = id;
            this.lastUseMillis = nowMillis;
        }

        int indexOf(long sequence) {
            return (int) sequence & (ring.length - 1);
        }

        void widenTo(long sequence) {
            int length = ring.length;
            while (sequence - floor >= length) {
                length *= 2;
            }
            if (length == ring.length) {
                return;
            }
            @Nullable CommandResult[] wider = new @Nullable CommandResult[length];
            for (long s = floor; s <= last; s++) {
                wider[(int) s & (length - 1)] = ring[indexOf(s)];
            }
            ring = wider;
        }
    }

    private record PayloadKey(long sessionId, long sequence) {}

    private record Payload(Session session, int bytes) {}

    private final SessionLimits limits;
    /** In the order of their last use. */
    private final LinkedHashMap<Long, Session> sessions = new LinkedHashMap<>(16, 0.75f, true);
    /** The results that carry values, in the order of the log, with their sizes in bytes. */
    private final LinkedHashMap<PayloadKey, Payload> payloads = new LinkedHashMap<>();

    private long payloadBytes;

    SessionTable(SessionLimits limits) {
        this.limits = limits;
    }

    /** Opens a session; the one used longest ago gives way if there are too many. */
    void open(long id, long nowMillis) {
        closeIdle(nowMillis);
        sessions.put(id, new Session(id, nowMillis));
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
        session.lastUseMillis = nowMillis;
        raiseFloor(session, ackedBelow);
        if (sequence < session.floor) {
            return FORGOTTEN;
        }
        return sequence <= session.last ? session.ring[session.indexOf(sequence)] : null;
    }

    /** Keeps the result of a command that {@link #begin} let through. */
    void finish(long id, long sequence, CommandResult result) {
        Session session = sessions.get(id);
        if (session == null) {
            throw new IllegalStateException("session " + id + " vanished during a command");
        }
        if (sequence - session.floor >= limits.maxResultsPerSession()) {
            raiseFloor(session, sequence - limits.maxResultsPerSession() + 1);
        }
        session.widenTo(sequence);
        session.last = Math.max(session.last, sequence);
        session.ring[session.indexOf(sequence)] = result;
        int payload = payloadBytes(result);
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

    private void raiseFloor(Session session, long floor) {
        if (floor <= session.floor) {
            return;
        }
        long end = Math.min(floor, session.last + 1);
        for (long s = session.floor; s < end; s++) {
            int i = session.indexOf(s);
            CommandResult result = session.ring[i];
            if (result != null) {
                session.ring[i] = null;
                forgetPayload(session.id, s, result);
            }
        }
        session.floor = floor;
        if (session.last < floor) {
            session.last = floor - 1;
            if (session.ring.length > 1024) {
                session.ring = new @Nullable CommandResult[16];
            }
        }
    }

    private void forgetPayload(long id, long sequence, CommandResult result) {
        if (payloadBytes(result) > 0) {
            Payload payload = payloads.remove(new PayloadKey(id, sequence));
            payloadBytes -= payload == null ? 0 : payload.bytes();
        }
    }

    /** The sequence stays known, so a retry is not applied; what it answers is that the result is forgotten. */
    private void forgetEldestPayload() {
        Iterator<Map.Entry<PayloadKey, Payload>> iterator = payloads.entrySet().iterator();
        Map.Entry<PayloadKey, Payload> eldest = iterator.next();
        Session session = eldest.getValue().session();
        session.ring[session.indexOf(eldest.getKey().sequence())] = FORGOTTEN;
        payloadBytes -= eldest.getValue().bytes();
        iterator.remove();
    }

    private void closeIdle(long nowMillis) {
        while (!sessions.isEmpty()) {
            Session eldest = sessions.values().iterator().next();
            if (nowMillis - eldest.lastUseMillis < limits.idleMillis()) {
                return;
            }
            closeEldest();
        }
    }

    private void closeEldest() {
        Iterator<Session> iterator = sessions.values().iterator();
        Session eldest = iterator.next();
        raiseFloor(eldest, eldest.last + 1);
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
