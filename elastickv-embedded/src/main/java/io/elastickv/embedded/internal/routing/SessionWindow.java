package io.elastickv.embedded.internal.routing;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The session of this node at one shard: its id, the commands in it whose results have not arrived, in the order of their
 * sequence numbers, and those that wait for a place. A command that has gone on to another shard with its number stays in
 * it until it has ended there. Owned by the shard's client.
 */
final class SessionWindow {

    /** The most commands of one session under way: what bounds the results that the state machine keeps for it. */
    private static final int MAX_COMMANDS = 16_384;

    private final ArrayDeque<Operation.Write> waiting = new ArrayDeque<>();
    private final ArrayDeque<Operation.Write> commands = new ArrayDeque<>();
    private long id;
    private long nextSequence = 1;

    /** Whether there is a session. */
    boolean isOpen() {
        return id != 0;
    }

    /** The session's id; 0 if there is none. */
    long id() {
        return id;
    }

    /** There is a session from now on. */
    void opened(long sessionId) {
        id = sessionId;
        nextSequence = 1;
    }

    /** The shard does not know the session any more: nothing of it will be told to the shard any more. */
    void lost() {
        id = 0;
        commands.clear();
    }

    /** Gives {@code write} its place and number; if there is no room or no session, it waits. */
    boolean enter(Operation.Write write) {
        if (id == 0 || commands.size() >= MAX_COMMANDS) {
            waiting.add(write);
            return false;
        }
        write.sessionId = id;
        write.sequence = nextSequence++;
        write.ended = false;
        commands.add(write);
        return true;
    }

    /** A command that waits, for which there is room now; null if there is none. */
    Operation.@Nullable Write nextToEnter() {
        if (id == 0 || commands.size() >= MAX_COMMANDS) {
            return null;
        }
        Operation.Write next;
        while ((next = waiting.poll()) != null && next.done) {
            // Its time was up while it waited.
        }
        return next;
    }

    /** Whether commands wait. */
    boolean hasWaiting() {
        waiting.removeIf(write -> write.done);
        return !waiting.isEmpty();
    }

    /** Takes all out that wait. */
    List<Operation.Write> takeWaiting() {
        List<Operation.Write> all = new ArrayList<>(waiting);
        waiting.clear();
        all.removeIf(write -> write.done);
        return all;
    }

    /** Takes {@code write} out of the session or of those that wait: it has certainly not been applied with its number. */
    void remove(Operation.Write write) {
        if (write.sessionId == 0) {
            waiting.remove(write);
            return;
        }
        commands.remove(write);
        write.sessionId = 0;
        write.sequence = 0;
        trim();
    }

    /** Takes {@code write} out of the session and lets it wait for another one. */
    void leave(Operation.Write write) {
        remove(write);
        waiting.add(write);
    }

    /** The command has ended, here or elsewhere; forgets the oldest ones, as far as they have. */
    void ended(Operation.Write write) {
        write.ended = true;
        trim();
    }

    private void trim() {
        Operation.Write head;
        while ((head = commands.peek()) != null && head.ended) {
            commands.poll();
        }
    }

    /**
     * The oldest command of the session whose result has not arrived: {@code write} itself, or one before it; 0, which
     * says nothing, for a command of a lost session.
     */
    long ackedBelow(Operation.Write write) {
        Operation.Write oldest = commands.peek();
        return oldest == null || oldest.sessionId != write.sessionId ? 0 : Math.min(oldest.sequence, write.sequence);
    }

    /** Forgets all. */
    void clear() {
        waiting.clear();
        commands.clear();
    }
}
