package io.elastickv.redis.internal.server;

import io.elastickv.api.Bytes;
import io.elastickv.api.KeySlot;
import io.elastickv.api.Limits;
import io.elastickv.redis.internal.command.Call;
import io.elastickv.redis.internal.command.ClientState;
import io.elastickv.redis.internal.command.CommandException;
import io.elastickv.redis.internal.command.CommandSpec;
import io.elastickv.redis.internal.command.CommandTable;
import io.elastickv.redis.internal.command.Failures;
import io.elastickv.redis.internal.command.Handler;
import io.elastickv.redis.internal.command.Statistics;
import io.elastickv.redis.internal.command.Words;
import io.elastickv.redis.internal.resp.Replies;
import io.elastickv.redis.internal.resp.Reply;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The commands of one connection. A command begins when those before it that have a key in common with it have ended; a
 * command on the whole store begins when all before it have ended, and those after it wait. So a client sees its commands
 * take effect in its order on each key, while commands on different keys are under way together. Neighbours on the same
 * key that can be one operation of the store become one. Replies leave in the order of the commands.
 *
 * <p>Confined to the connection's event loop, except {@link #ended}: calls that end elsewhere are collected in a list
 * without locks, and only the first of them wakes the loop.
 */
final class CommandPipeline {

    /** The world around the pipeline. */
    interface Connection {
        /** Whether the caller is on the event loop. */
        boolean inLoop();

        /** Runs on the event loop soon. */
        void execute(Runnable task);

        /** Whether replies may be written now. */
        boolean writable();

        /** Writes a reply; it is flushed with {@link #flush}. */
        void write(Reply reply, boolean resp3);

        /** Sends what was written. */
        void flush();

        /** Ends the connection after what was written. */
        void close();
    }

    private static final Logger LOG = LoggerFactory.getLogger(CommandPipeline.class);
    private static final int MAX_GROUP = 128;

    private final CommandTable table;
    private final Statistics statistics;
    private final Session client;
    private final Connection connection;
    private final int maxCalls;
    private final long maxBytes;

    private final ArrayDeque<PendingCall> calls = new ArrayDeque<>();
    private final Map<Bytes, PendingCall> lastByKey = new HashMap<>();
    private final ArrayDeque<PendingCall> ready = new ArrayDeque<>();
    private final AtomicReference<@Nullable PendingCall> ended = new AtomicReference<>();
    private @Nullable PendingCall barrier;
    private int unfinished;
    /** Of requests that have not ended and of replies that are not written. */
    private long heldBytes;
    /** What a reply may have, going by the last ones. */
    private long expectedReplyBytes = 1024;

    private boolean draining;
    private boolean closing;

    CommandPipeline(
            CommandTable table,
            Statistics statistics,
            Session client,
            Connection connection,
            int maxCalls,
            long maxBytes) {
        this.table = table;
        this.statistics = statistics;
        this.client = client;
        this.connection = connection;
        this.maxCalls = maxCalls;
        this.maxBytes = maxBytes;
    }

    ClientState client() {
        return client;
    }

    /** Whether no more commands should be taken for now. */
    boolean full() {
        return calls.size() >= maxCalls
                || heldBytes > maxBytes
                || (unfinished > 0 && unfinished * expectedReplyBytes > maxBytes);
    }

    /** Whether the connection is about to end: commands are not taken any more. */
    boolean closing() {
        return closing;
    }

    int unfinished() {
        return unfinished;
    }

    /** Takes a command; {@link #drain()} must follow when there are no more. */
    void submit(byte[][] arguments) {
        PendingCall call = new PendingCall(this, arguments);
        boolean wasDraining = draining;
        draining = true;
        calls.add(call);
        unfinished++;
        heldBytes += call.requestBytes();
        call.suppressed = client.suppressNext();
        statistics.commands.increment();
        try {
            begin(call, arguments);
        } catch (CommandException error) {
            call.fail(error);
        }
        draining = wasDraining;
    }

    /** Sends an error of the protocol after the replies to the commands before it, and ends the connection. */
    void abort(@Nullable String error) {
        PendingCall call = new PendingCall(this, new byte[0][]);
        call.done = true;
        call.resp3 = client.resp3();
        call.closeAfter = true;
        call.suppressed = client.suppressNext();
        call.reply = error == null ? Replies.NONE : Reply.error(error);
        closing = true;
        calls.add(call);
    }

    /** The connection ends after the replies to the commands read so far. */
    void closeAfterReplies() {
        closing = true;
        PendingCall last = calls.peekLast();
        if (last != null) {
            last.closeAfter = true;
        }
    }

    private void begin(PendingCall call, byte[][] arguments) {
        if (Words.equal(arguments[0], "post") || Words.equal(arguments[0], "host:")) {
            LOG.warn(
                    "Client {} sends HTTP: a web page may be attacking this port. Connection closed.",
                    client.remoteAddress());
            closing = true;
            client.kill();
            return;
        }
        call.resp3 = client.resp3();
        client.lastCommand(null);
        CommandSpec spec = table.resolve(arguments);
        call.spec = spec;
        client.lastCommand(spec);
        if (!client.authenticated() && !spec.withoutPassword()) {
            throw new CommandException("NOAUTH Authentication required.");
        }
        switch (spec.order()) {
            case IMMEDIATE:
                call.started = true;
                run(call, spec.handler());
                call.resp3 = client.resp3();
                call.suppressed &= client.suppresses();
                return;
            case BY_KEY:
                waitForKeys(call, spec);
                break;
            case ALONE:
            default:
                for (PendingCall earlier : calls) {
                    if (earlier != call && !earlier.done) {
                        call.dependsOn(earlier);
                    }
                }
                barrier = call;
        }
        if (call.blockers == 0) {
            ready.add(call);
        }
    }

    private void waitForKeys(PendingCall call, CommandSpec spec) {
        int single = spec.singleKeyIndex();
        if (single > 0) {
            Bytes key = call.bytes(single);
            checkKey(key);
            waitForKey(call, key);
        } else {
            Bytes[] keys = keys(call, spec);
            for (Bytes key : keys) {
                waitForKey(call, key);
            }
        }
        PendingCall alone = barrier;
        if (alone != null) {
            call.dependsOn(alone);
        }
    }

    private static Bytes[] keys(Call call, CommandSpec spec) {
        int[] indexes = spec.keyIndexes(call.size());
        Bytes[] keys = new Bytes[indexes.length];
        for (int i = 0; i < indexes.length; i++) {
            keys[i] = call.bytes(indexes[i]);
            checkKey(keys[i]);
        }
        if (spec.sameSlot()) {
            checkSameSlot(keys);
        }
        return keys;
    }

    private static void checkSameSlot(Bytes[] keys) {
        for (int i = 1; i < keys.length; i++) {
            if (KeySlot.of(keys[i]) != KeySlot.of(keys[0])) {
                throw new CommandException(Failures.CROSS_SLOT);
            }
        }
    }

    private static void checkKey(Bytes key) {
        if (key.isEmpty() || key.length() > Limits.MAX_KEY_BYTES) {
            throw new CommandException(
                    "ERR invalid key: length = " + key.length() + " bytes: must be 1 to " + Limits.MAX_KEY_BYTES);
        }
    }

    private void waitForKey(PendingCall call, Bytes key) {
        PendingCall earlier = lastByKey.put(key, call);
        if (earlier != null && earlier != call && !earlier.done) {
            call.dependsOn(earlier);
        }
    }

    /** Begins what may begin, ends what has ended, writes what may be written. */
    void drain() {
        draining = true;
        boolean more = true;
        while (more) {
            more = false;
            PendingCall call = ready.poll();
            while (call != null) {
                more = true;
                start(call);
                call = ready.poll();
            }
            PendingCall finished = ended.getAndSet(null);
            while (finished != null) {
                more = true;
                PendingCall following = finished.next;
                finished.next = null;
                finish(finished);
                finished = following;
            }
        }
        draining = false;
        writeReplies();
    }

    private void start(PendingCall call) {
        CommandSpec spec = Objects.requireNonNull(call.spec);
        call.started = true;
        PendingCall following = follower(call, spec);
        if (following == null || !spec.mergeable(call)) {
            run(call, spec.handler());
            return;
        }
        List<PendingCall> group = new ArrayList<>();
        group.add(call);
        while (following != null && group.size() < MAX_GROUP && spec.mergeable(following)) {
            following.started = true;
            group.add(following);
            following = follower(following, spec);
        }
        try {
            spec.handleAll(group);
        } catch (RuntimeException failure) {
            group.forEach(member -> member.fail(failure));
        }
    }

    /** The call that waits for nothing but this one and is of the same command; null if there is none. */
    private static @Nullable PendingCall follower(PendingCall call, CommandSpec spec) {
        List<PendingCall> dependants = call.dependants;
        if (dependants == null || dependants.size() != 1) {
            return null;
        }
        PendingCall next = dependants.get(0);
        return next.blockers == 1 && next.spec == spec ? next : null;
    }

    private static void run(PendingCall call, @Nullable Handler handler) {
        try {
            if (handler == null) {
                throw new IllegalStateException("no handler");
            }
            handler.handle(call);
        } catch (RuntimeException failure) {
            call.fail(failure);
        }
    }

    /** A call has got its reply; from any thread. */
    void ended(PendingCall call) {
        PendingCall head;
        do {
            head = ended.get();
            call.next = head;
        } while (!ended.compareAndSet(head, call));
        if (head == null && !(connection.inLoop() && draining)) {
            connection.execute(this::drain);
        }
    }

    private void finish(PendingCall call) {
        call.done = true;
        unfinished--;
        Reply reply = call.reply;
        long weight = reply == null ? 0 : reply.weight();
        call.replyBytes = weight;
        heldBytes += weight - call.requestBytes();
        expectedReplyBytes = Math.max(weight, expectedReplyBytes - (expectedReplyBytes >> 4));
        if (reply instanceof Reply.Failure) {
            statistics.errors.increment();
        }
        if (barrier == call) {
            barrier = null;
        }
        forgetKeys(call);
        List<PendingCall> dependants = call.dependants;
        if (dependants != null) {
            call.dependants = null;
            for (PendingCall dependant : dependants) {
                if (--dependant.blockers == 0 && !dependant.started) {
                    ready.add(dependant);
                }
            }
        }
    }

    private void forgetKeys(PendingCall call) {
        CommandSpec spec = call.spec;
        if (spec == null || spec.order() != CommandSpec.Order.BY_KEY || lastByKey.isEmpty()) {
            return;
        }
        int single = spec.singleKeyIndex();
        if (single > 0) {
            lastByKey.remove(call.bytes(single), call);
        } else {
            for (int index : spec.keyIndexes(call.size())) {
                lastByKey.remove(call.bytes(index), call);
            }
        }
    }

    /** Writes the replies that are due, as far as the client takes them. */
    void writeReplies() {
        boolean wrote = false;
        PendingCall first = calls.peek();
        while (first != null && first.done && connection.writable()) {
            calls.poll();
            Reply reply = first.reply;
            if (reply != null) {
                heldBytes -= first.replyBytes;
                if (!first.suppressed) {
                    connection.write(reply, first.resp3);
                    wrote = true;
                }
            }
            if (first.closeAfter) {
                closing = true;
                calls.clear();
                connection.flush();
                connection.close();
                return;
            }
            first = calls.peek();
        }
        if (wrote) {
            connection.flush();
        }
    }
}
