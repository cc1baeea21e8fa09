package io.elastickv.embedded.internal.node;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.ResultCodec;
import io.elastickv.embedded.internal.raft.core.Role;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Writers that count up keys all over the slots, each increment under the session and sequence of its writer, and tried
 * again there until it is answered, at whichever shard owns the slot by then. It goes to the replicas themselves.
 */
final class SplitLoad implements AutoCloseable {

    static final int KEYS = 200;
    private static final long ATTEMPT_MILLIS = 1_000;

    private final Supplier<List<EmbeddedNode>> nodes;
    private final List<Thread> threads = new ArrayList<>();
    private final Map<String, AtomicLong> counts = new ConcurrentHashMap<>();
    private final AtomicLong done = new AtomicLong();
    private final AtomicLong longestNanos = new AtomicLong();
    private volatile @Nullable Throwable failure;
    private volatile boolean stopped;

    SplitLoad(Supplier<List<EmbeddedNode>> nodes, int writers) {
        this.nodes = nodes;
        for (int writer = 0; writer < writers; writer++) {
            int number = writer;
            Thread thread = new Thread(() -> run(number), "split-load-" + writer);
            threads.add(thread);
        }
        threads.forEach(Thread::start);
    }

    static byte[] key(int number) {
        return ("key-" + number).getBytes(UTF_8);
    }

    /** A writer's session in a shard. */
    private static final class Session {
        final long id;
        long sequence;

        Session(long id) {
            this.id = id;
        }
    }

    private void run(int writer) {
        Map<Integer, Session> sessions = new HashMap<>();
        try {
            for (long round = 1; !stopped; round++) {
                byte[] key = key((int) ((round * 7 + writer * 31) % KEYS));
                long start = System.nanoTime();
                increment(sessions, key);
                longestNanos.accumulateAndGet(System.nanoTime() - start, Math::max);
                counts.computeIfAbsent(new String(key, UTF_8), any -> new AtomicLong())
                        .incrementAndGet();
                done.incrementAndGet();
            }
        } catch (Throwable e) {
            failure = e;
        }
    }

    private void increment(Map<Integer, Session> sessions, byte[] key) {
        int slot = KeySlot.of(key);
        while (true) {
            ShardHost owner = owner(nodes.get(), slot);
            int shard = owner == null ? -1 : owner.group().groupId();
            Session session = sessions.computeIfAbsent(shard, any -> open(slot));
            long sequence = ++session.sequence;
            CommandResult result =
                    call(slot, new Envelope(session.id, sequence, sequence, 0, new Command.Increment(key, 1)));
            if (result instanceof CommandResult.Incremented) {
                return;
            }
            if (!(result instanceof CommandResult.SessionUnknown)) {
                throw new AssertionError("unexpected " + result);
            }
            // Opened by the parent after the split, so nothing was done under it for a slot of the child.
            sessions.remove(shard);
        }
    }

    private Session open(int slot) {
        return new Session(
                ((CommandResult.SessionOpened) call(slot, Envelope.of(new Command.OpenSession("w")))).sessionId());
    }

    /** Has a command applied by the owner of a slot, once, however long that takes. */
    CommandResult call(int slot, Envelope envelope) {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (System.nanoTime() - deadline < 0) {
            ShardHost owner = owner(nodes.get(), slot);
            if (owner != null) {
                try {
                    CommandResult result = ResultCodec.decode(
                            owner.propose(CommandCodec.encode(envelope)).get(ATTEMPT_MILLIS, TimeUnit.MILLISECONDS));
                    if (!(result instanceof CommandResult.WrongShard)) {
                        return result;
                    }
                } catch (ExecutionException | TimeoutException e) {
                    // Not proposed, or nobody knows: it is tried again as the same.
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                } catch (RuntimeException e) {
                    // The node is closing.
                }
            }
            LockSupport.parkNanos(200_000);
        }
        throw new AssertionError("no outcome for slot " + slot + " within 30 s");
    }

    /** The replica that leads the shard of a slot, by the largest epoch that any replica knows of. */
    static @Nullable ShardHost owner(List<EmbeddedNode> nodes, int slot) {
        ShardHost best = null;
        for (EmbeddedNode node : nodes) {
            for (ShardHost host : node.hosts().values()) {
                var owned = host.stateMachine().ownership();
                if (host.group().groupId() < (1 << 30)
                        && host.group().status().role() == Role.LEADER
                        && owned.slots().contains(slot)
                        && (best == null
                                || owned.epoch()
                                        > best.stateMachine().ownership().epoch())) {
                    best = host;
                }
            }
        }
        return best;
    }

    /** Waits until so many more increments are done. */
    void awaitProgress(int more) {
        long goal = done.get() + more;
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (done.get() < goal) {
            if (failure != null || System.nanoTime() - deadline > 0) {
                throw new AssertionError("no progress", failure);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** The longest that an increment has taken since the last call. */
    long takeLongestMillis() {
        return longestNanos.getAndSet(0) / 1_000_000;
    }

    /** Ends the load: how often each key was counted up. */
    Map<String, AtomicLong> stop() {
        close();
        if (failure != null) {
            throw new AssertionError(failure);
        }
        return counts;
    }

    @Override
    public void close() {
        stopped = true;
        for (Thread thread : threads) {
            try {
                thread.join(40_000);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }
}
