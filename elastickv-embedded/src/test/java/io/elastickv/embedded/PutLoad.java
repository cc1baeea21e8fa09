package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.KeyValueStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.IntFunction;

/**
 * Puts keys that nobody else writes, each once, many at a time, and knows which puts were acknowledged. Also fills a store with
 * entries whose values follow from their numbers, and checks them.
 */
final class PutLoad implements AutoCloseable {

    private static final int VALUE_BYTES = 100;
    private static final int CHECKS_AT_A_TIME = 1_024;
    private static final int FILL_BATCH = 200;
    private static final int FILL_BATCHES_AT_A_TIME = 16;

    private final KeyValueStore store;
    private final Semaphore permits;
    private final int outstanding;
    private final BitSet acknowledged = new BitSet();
    private final AtomicReference<Throwable> unexpected = new AtomicReference<>();
    private final Thread thread = new Thread(this::run, "put-load");
    private volatile boolean stop;
    private int verified;

    PutLoad(KeyValueStore store, int outstanding) {
        this.store = store.withTimeout(Duration.ofSeconds(4));
        this.outstanding = outstanding;
        this.permits = new Semaphore(outstanding);
        thread.start();
    }

    private static Bytes key(int number) {
        return Bytes.utf8("put-" + number);
    }

    /** The key of a filled entry. */
    static Bytes entry(int number) {
        return Bytes.utf8("entry-" + number);
    }

    /** A value that follows from a number. */
    static Bytes value(int number) {
        byte[] bytes = new byte[VALUE_BYTES];
        long state = number * 0x9e3779b97f4a7c15L + 1;
        for (int i = 0; i < bytes.length; i++) {
            state = state * 6364136223846793005L + 1442695040888963407L;
            bytes[i] = (byte) (state >>> 56);
        }
        return Bytes.copyOf(bytes);
    }

    private void run() {
        for (int i = 0; !stop; i++) {
            int number = i;
            permits.acquireUninterruptibly();
            CompletableFuture<Long> put = store.async().put(key(number), value(number));
            whenEnded(put, (version, failure) -> {
                if (failure == null) {
                    synchronized (acknowledged) {
                        acknowledged.set(number);
                    }
                } else if (!(cause(failure) instanceof ElastickvException)) {
                    unexpected.compareAndSet(null, failure);
                } // else refused or unknown: it may be there or not
                permits.release();
            });
        }
        permits.acquireUninterruptibly(outstanding); // the last one has ended
    }

    private static <T> void whenEnded(CompletableFuture<T> future, BiConsumer<? super T, ? super Throwable> then) {
        CompletableFuture<T> ending = future.whenComplete(then);
        if (ending.isCompletedExceptionally() && !future.isCompletedExceptionally()) {
            throw new AssertionError(
                    "the test itself failed",
                    ending.handle((result, failure) -> failure).join());
        }
    }

    private static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    /** How many puts were acknowledged. */
    int acknowledged() {
        synchronized (acknowledged) {
            return acknowledged.cardinality();
        }
    }

    /** Checks that every put that was acknowledged since the last call is there; goes on putting meanwhile. */
    void verifyNew() {
        BitSet due;
        synchronized (acknowledged) {
            due = (BitSet) acknowledged.clone();
        }
        due.clear(0, verified);
        check(store, due, PutLoad::key);
        // A put of a lower number may be acknowledged later: only what lies behind the window is done with.
        verified = Math.max(verified, due.length() - outstanding);
    }

    /** Ends the load and checks that every acknowledged put is there. */
    void stopAndVerify() {
        close();
        assertThat(unexpected.get()).isNull();
        check(store, acknowledged, PutLoad::key);
    }

    @Override
    public void close() {
        stop = true;
        try {
            thread.join(30_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        assertThat(thread.isAlive()).as("a put never ended").isFalse();
    }

    /** Writes the entries with the numbers below {@code count}. */
    static void fill(KeyValueStore store, int count) {
        Semaphore permits = new Semaphore(FILL_BATCHES_AT_A_TIME);
        AtomicReference<Throwable> failed = new AtomicReference<>();
        for (int from = 0; from < count && failed.get() == null; from += FILL_BATCH) {
            Map<Bytes, Bytes> batch = new HashMap<>();
            for (int i = from; i < Math.min(count, from + FILL_BATCH); i++) {
                batch.put(entry(i), value(i));
            }
            permits.acquireUninterruptibly();
            whenEnded(store.withTimeout(Duration.ofSeconds(30)).async().putAll(batch), (done, failure) -> {
                if (failure != null) {
                    failed.compareAndSet(null, failure);
                }
                permits.release();
            });
        }
        permits.acquireUninterruptibly(FILL_BATCHES_AT_A_TIME);
        if (failed.get() != null) {
            throw new AssertionError("filling failed", failed.get());
        }
    }

    /** Checks that the filled entries with these numbers are there, as they were written. */
    static void checkEntries(KeyValueStore store, BitSet numbers) {
        check(store, numbers, PutLoad::entry);
    }

    private static void check(KeyValueStore store, BitSet numbers, IntFunction<Bytes> keys) {
        Semaphore permits = new Semaphore(CHECKS_AT_A_TIME);
        List<String> wrong = new ArrayList<>();
        for (int i = numbers.nextSetBit(0); i >= 0; i = numbers.nextSetBit(i + 1)) {
            int number = i;
            Bytes key = keys.apply(number);
            permits.acquireUninterruptibly();
            whenEnded(store.withTimeout(Duration.ofSeconds(30)).async().get(key), (found, failure) -> {
                boolean right = failure == null
                        && found.isPresent()
                        && found.get().value().equals(value(number));
                if (!right) {
                    synchronized (wrong) {
                        wrong.add(key.toUtf8() + ": "
                                + (failure != null ? failure : found.isPresent() ? "another value" : "lost"));
                    }
                }
                permits.release();
            });
        }
        try {
            assertThat(permits.tryAcquire(CHECKS_AT_A_TIME, 60, TimeUnit.SECONDS))
                    .as("all reads end")
                    .isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        assertThat(wrong).isEmpty();
    }
}
