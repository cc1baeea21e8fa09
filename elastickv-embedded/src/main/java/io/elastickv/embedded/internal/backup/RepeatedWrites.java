package io.elastickv.embedded.internal.backup;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.NotAppliedException;
import io.elastickv.api.OverloadedException;
import io.elastickv.api.UnavailableException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes under way, bounded in number and bytes; one that fails is repeated until the deadline, which only suits writes
 * that may be applied twice. {@link #add} and {@link #awaitAll} are for one thread.
 */
final class RepeatedWrites {

    private static final int MAX_WRITES = 256;
    private static final long MAX_BYTES = 16L << 20;
    private static final Duration ATTEMPT = Duration.ofSeconds(10);
    private static final long PAUSE_MILLIS = 100;

    /** Starts a write; the result is how many of its entries had expired. */
    interface Write extends Function<AsyncKeyValueStore, CompletableFuture<Integer>> {}

    private final AsyncKeyValueStore store;
    private final long deadlineNanos;
    private final BooleanSupplier nodeClosed;

    // Guarded by this.
    private int writes;
    private long bytes;
    private long entriesDone;
    private long expired;
    private boolean unknown;
    private boolean stopped;
    private @Nullable RuntimeException failure;

    /**
     * No writes yet.
     *
     * @param nodeClosed whether there is no use in trying again
     */
    RepeatedWrites(AsyncKeyValueStore store, long deadlineNanos, BooleanSupplier nodeClosed) {
        this.store = store;
        this.nodeClosed = nodeClosed;
        this.deadlineNanos = deadlineNanos;
    }

    /**
     * Starts a write, when there is room for it.
     *
     * @throws RuntimeException what one of the writes failed with for good
     */
    void add(int entries, int writeBytes, Write write) {
        synchronized (this) {
            awaitUntil(MAX_WRITES - 1, Math.max(0, MAX_BYTES - writeBytes));
            writes++;
            bytes += writeBytes;
        }
        attempt(entries, writeBytes, write);
    }

    /**
     * Waits for the end of all writes.
     *
     * @throws RuntimeException what one of them failed with for good
     */
    synchronized void awaitAll() {
        awaitUntil(0, 0);
    }

    /** Whether anything may have been written; exact after {@link #stop}. */
    synchronized boolean mayHaveWritten() {
        return unknown || entriesDone > 0;
    }

    /** How many entries were acknowledged. */
    synchronized long entriesDone() {
        return entriesDone;
    }

    /** How many of them had expired. */
    synchronized long expired() {
        return expired;
    }

    /** Repeats nothing any more, and waits for the attempts under way, each of which is bounded. */
    synchronized void stop() {
        stopped = true;
        boolean interrupted = false;
        while (writes > 0) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void awaitUntil(int mostWrites, long mostBytes) {
        boolean interrupted = false;
        while (failure == null && !interrupted && (writes > mostWrites || bytes > mostBytes)) {
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                interrupted = true;
            }
        }
        if (failure != null) {
            throw failure;
        }
        if (interrupted) {
            throw new UnavailableException("the thread was interrupted");
        }
    }

    private void attempt(int entries, int writeBytes, Write write) {
        Duration left = Duration.ofNanos(Math.max(1_000_000, deadlineNanos - System.nanoTime()));
        CompletableFuture<Integer> unused = write.apply(store.withTimeout(left.compareTo(ATTEMPT) < 0 ? left : ATTEMPT))
                .whenComplete((expiredEntries, thrown) -> {
                    if (thrown == null) {
                        done(entries, writeBytes, expiredEntries);
                    } else {
                        failed(entries, writeBytes, write, thrown);
                    }
                });
    }

    private synchronized void done(int entries, int writeBytes, int expiredEntries) {
        entriesDone += entries;
        expired += expiredEntries;
        writes--;
        bytes -= writeBytes;
        notifyAll();
    }

    private void failed(int entries, int writeBytes, Write write, Throwable thrown) {
        Throwable cause =
                thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
        long pauseMillis = cause instanceof OverloadedException overloaded
                ? Math.max(1, overloaded.retryAfter().toMillis())
                : PAUSE_MILLIS;
        synchronized (this) {
            unknown |= !(cause instanceof NotAppliedException);
            if (stopped
                    || nodeClosed.getAsBoolean()
                    || Importer.isFinal(cause)
                    || System.nanoTime() - deadlineNanos >= 0) {
                if (failure == null) {
                    failure = cause instanceof RuntimeException known ? known : new IllegalStateException(cause);
                }
                writes--;
                bytes -= writeBytes;
                notifyAll();
                return;
            }
        }
        CompletableFuture.delayedExecutor(pauseMillis, TimeUnit.MILLISECONDS)
                .execute(() -> attempt(entries, writeBytes, write));
    }
}
