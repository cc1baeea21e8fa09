package io.elastickv.samples;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.Bytes;
import io.elastickv.api.KeySlot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.IntPredicate;

/**
 * A load on chosen keys: so many operations are always outstanding, each followed by the next as soon as it ends. Counts what
 * it did and how long it took. Thread-safe.
 */
final class Storm {

    private static final int VALUE_BYTES = 100;
    /** Latencies are counted in steps of 2 to the power of a quarter from a microsecond on. */
    private static final int STEPS = 140;

    /** Which of the keys the next operation is on. */
    interface Choice {
        int next(SplittableRandom random);
    }

    /**
     * What was done in a span of time.
     *
     * @param opsPerSecond operations that succeeded
     * @param p50Millis how long half of them took at most
     * @param p99Millis how long 99 % of them took at most
     * @param maxMillis how long all of them took at most
     * @param failed operations that failed
     */
    record Span(double opsPerSecond, double p50Millis, double p99Millis, double maxMillis, long failed) {}

    private final List<AsyncKeyValueStore> stores;
    private final Bytes[] keys;
    private final Choice choice;
    private final double reads;
    private final Bytes value;
    private final AtomicInteger wanted = new AtomicInteger();
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicLongArray latencies = new AtomicLongArray(STEPS);
    private final AtomicLong failed = new AtomicLong();
    private final AtomicLong started = new AtomicLong();

    /**
     * A load that does nothing yet.
     *
     * @param stores take turns
     * @param reads which part of the operations read, 0 to 1
     */
    Storm(List<AsyncKeyValueStore> stores, Bytes[] keys, Choice choice, double reads) {
        this.stores = List.copyOf(stores);
        this.keys = keys.clone();
        this.choice = choice;
        this.reads = reads;
        byte[] bytes = new byte[VALUE_BYTES];
        Arrays.fill(bytes, (byte) 'v');
        this.value = Bytes.copyOf(bytes);
    }

    /** So many keys in wanted slots. */
    static Bytes[] keysIn(IntPredicate slots, int count) {
        List<Bytes> found = new ArrayList<>(count);
        for (long i = 0; found.size() < count; i++) {
            Bytes key = Bytes.utf8("storm-" + i);
            if (slots.test(KeySlot.of(key))) {
                found.add(key);
            }
        }
        return found.toArray(new Bytes[0]);
    }

    /** So many keys in one slot, by their common hash tag. */
    static Bytes[] keysOfOneSlot(int slot, int count) {
        String tag = "";
        for (long i = 0; tag.isEmpty(); i++) {
            if (KeySlot.of(Bytes.utf8("{t" + i + "}")) == slot) {
                tag = "{t" + i + "}";
            }
        }
        Bytes[] keys = new Bytes[count];
        for (int i = 0; i < count; i++) {
            keys[i] = Bytes.utf8(tag + i);
        }
        return keys;
    }

    /** Each key as often as any other. */
    static Choice uniform(int keys) {
        return random -> random.nextInt(keys);
    }

    /** Key number n with a probability in proportion to 1/n^exponent: Zipf's law. */
    static Choice zipf(int keys, double exponent) {
        double[] sums = new double[keys];
        double sum = 0;
        for (int i = 0; i < keys; i++) {
            sum += 1 / Math.pow(i + 1, exponent);
            sums[i] = sum;
        }
        double total = sum;
        return random -> {
            int at = Arrays.binarySearch(sums, random.nextDouble() * total);
            return Math.min(keys - 1, at < 0 ? -at - 1 : at + 1);
        };
    }

    /** Any of the first keys in this part of the operations, any of the others in the rest. */
    static Choice partly(double part, int first, int all) {
        return random -> random.nextDouble() < part ? random.nextInt(first) : first + random.nextInt(all - first);
    }

    /** Keeps so many operations outstanding from now on; 0 ends the load. */
    void outstanding(int count) {
        wanted.set(count);
        while (true) {
            int present = running.get();
            if (present >= wanted.get()) {
                return;
            }
            if (running.compareAndSet(present, present + 1)) {
                next(new SplittableRandom(started.incrementAndGet()));
            }
        }
    }

    /** Waits until nothing is outstanding; whether that was so in time. After {@code outstanding(0)}. */
    boolean awaitEnd(long millis) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (running.get() > 0 && System.nanoTime() - end < 0) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        return running.get() == 0;
    }

    private void next(SplittableRandom random) {
        int present = running.get();
        if (present > wanted.get()) {
            if (running.compareAndSet(present, present - 1)) {
                return;
            }
            next(random);
            return;
        }
        operate(random, () -> next(random));
    }

    /**
     * Starts so many operations, whatever becomes of those before: an open load, as people make it who do not wait for each
     * other.
     */
    void start(int count, SplittableRandom random) {
        for (int i = 0; i < count; i++) {
            running.incrementAndGet();
            operate(random, running::decrementAndGet);
        }
    }

    private void operate(SplittableRandom random, Runnable then) {
        long startNanos = System.nanoTime();
        AsyncKeyValueStore store = stores.get(random.nextInt(stores.size()));
        Bytes key = keys[choice.next(random)];
        CompletableFuture<?> operation;
        try {
            operation = random.nextDouble() < reads ? store.get(key) : store.put(key, value);
        } catch (RuntimeException e) {
            operation = CompletableFuture.failedFuture(e);
        }
        // Asynchronously: one that ends at once must not deepen the stack.
        CompletableFuture<?> unused = operation.whenCompleteAsync((result, failure) -> {
            if (failure == null) {
                latencies.incrementAndGet(step(System.nanoTime() - startNanos));
            } else {
                failed.incrementAndGet();
            }
            then.run();
        });
    }

    /** Writes every key once. */
    void fill() {
        int batch = 128;
        for (int from = 0; from < keys.length; from += batch) {
            List<CompletableFuture<?>> writes = new ArrayList<>(batch);
            for (int i = from; i < Math.min(keys.length, from + batch); i++) {
                writes.add(stores.get(i % stores.size()).put(keys[i], value));
            }
            CompletableFuture.allOf(writes.toArray(new CompletableFuture<?>[0])).join();
        }
    }

    /** How many operations have failed so far. */
    long failed() {
        return failed.get();
    }

    /** The counts so far, to be compared with later ones. */
    Counts counts() {
        long[] now = new long[STEPS];
        for (int i = 0; i < STEPS; i++) {
            now[i] = latencies.get(i);
        }
        return new Counts(now, failed.get(), System.nanoTime());
    }

    /** Counts at a moment. */
    static final class Counts {

        private final long[] latencies;
        private final long failed;
        private final long nanos;

        Counts(long[] latencies, long failed, long nanos) {
            this.latencies = latencies;
            this.failed = failed;
            this.nanos = nanos;
        }

        /** What was done from then to {@code later}. */
        Span until(Counts later) {
            long[] between = new long[STEPS];
            long count = 0;
            int last = 0;
            for (int i = 0; i < STEPS; i++) {
                between[i] = later.latencies[i] - latencies[i];
                count += between[i];
                last = between[i] > 0 ? i : last;
            }
            double seconds = Math.max(1e-9, (later.nanos - nanos) / 1e9);
            return new Span(
                    count / seconds,
                    quantile(between, count, 0.5),
                    quantile(between, count, 0.99),
                    count == 0 ? 0 : millis(last),
                    later.failed - failed);
        }

        private static double quantile(long[] counts, long total, double part) {
            long rank = (long) Math.ceil(total * part);
            long sum = 0;
            for (int i = 0; i < counts.length; i++) {
                sum += counts[i];
                if (sum >= rank && sum > 0) {
                    return millis(i);
                }
            }
            return 0;
        }
    }

    static int step(long nanos) {
        double micros = Math.max(1, nanos / 1e3);
        return Math.min(STEPS - 1, (int) (4 * Math.log(micros) / Math.log(2)));
    }

    /** The upper bound of a step. */
    static double millis(int step) {
        return Math.pow(2, (step + 1) / 4.0) / 1e3;
    }
}
