package io.elastickv.benchmarks;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.KeySlot;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntPredicate;
import java.util.function.LongToIntFunction;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.RejectionInversionZipfSampler;
import org.apache.commons.rng.sampling.distribution.SharedStateDiscreteSampler;
import org.apache.commons.rng.simple.RandomSource;

/** Puts and gets of some keys through one node, with a share of each; which key is a choice of the run. Thread-safe. */
final class ElasticLoad {

    private static final int VALUE_BYTES = 100;
    private static final int CHOICES = 1 << 16;

    private static final long SLOW_NANOS = 100_000_000L;
    private static final int MAX_SLOW = 200;

    private final List<String> slow = new ArrayList<>();
    private final AsyncKeyValueStore store;
    private final Bytes[] keys;
    private final Bytes value = Workload.value(7, VALUE_BYTES);
    private final LongToIntFunction choice;
    private final int readsOfHundred;

    /**
     * A load.
     *
     * @param choice which key the operation of an index is on
     * @param readsOfHundred how many of a hundred operations are gets
     */
    ElasticLoad(ElastickvNode node, Bytes[] keys, LongToIntFunction choice, int readsOfHundred) {
        this.store = node.asyncStore();
        this.keys = keys;
        this.choice = choice;
        this.readsOfHundred = readsOfHundred;
    }

    /** So many keys whose slots are wanted. */
    static Bytes[] keysIn(IntPredicate slots, int count) {
        List<Bytes> found = new ArrayList<>(count);
        for (long i = 0; found.size() < count; i++) {
            Bytes key = Workload.key(i);
            if (slots.test(KeySlot.of(key))) {
                found.add(key);
            }
        }
        return found.toArray(new Bytes[0]);
    }

    /** Each key as often as any other. */
    static LongToIntFunction uniform(int keys) {
        return index -> (int) Long.remainderUnsigned(Workload.mix(index), keys);
    }

    /** Zipfian with this exponent: the first key is the most frequent one; the sequence repeats after 65,536 choices. */
    static LongToIntFunction zipf(int keys, double exponent) {
        UniformRandomProvider random = RandomSource.SPLIT_MIX_64.create(42L);
        SharedStateDiscreteSampler sampler = RejectionInversionZipfSampler.of(random, keys, exponent);
        int[] choices = new int[CHOICES];
        for (int i = 0; i < CHOICES; i++) {
            choices[i] = sampler.sample() - 1;
        }
        return index -> choices[(int) (index & CHOICES - 1)];
    }

    /** Key 0 in {@code share} of the operations, otherwise any. */
    static LongToIntFunction oneHot(int keys, double share) {
        LongToIntFunction rest = uniform(keys);
        return index -> (Workload.mix(~index) >>> 11) * 0x1.0p-53 < share ? 0 : rest.applyAsInt(index);
    }

    /** Starts operation {@code index}. */
    CompletableFuture<?> start(long index) {
        Bytes key = keys[choice.applyAsInt(index)];
        boolean read = Long.remainderUnsigned(Workload.mix(index ^ 0x5bd1e995L), 100) < readsOfHundred;
        long startNanos = System.nanoTime();
        CompletableFuture<?> future = read ? store.get(key) : store.put(key, value);
        return future.whenComplete((result, failure) -> {
            long nanos = System.nanoTime() - startNanos;
            if (nanos > SLOW_NANOS) {
                note(key, read, nanos);
            }
        });
    }

    private void note(Bytes key, boolean read, long nanos) {
        synchronized (slow) {
            if (slow.size() < MAX_SLOW) {
                slow.add(String.format(
                        Locale.ROOT,
                        "%s %s in slot %d took %.0f ms",
                        Instant.now(),
                        read ? "get" : "put",
                        KeySlot.of(key),
                        nanos / 1e6));
            }
        }
    }

    /** The operations that took longer than a tenth of a second since the last call, up to some number of them. */
    List<String> takeSlow() {
        synchronized (slow) {
            List<String> taken = List.copyOf(slow);
            slow.clear();
            return taken;
        }
    }

    /** Writes every key once; how many failed. */
    long fill() throws InterruptedException {
        ClosedLoop loop = new ClosedLoop(index -> store.put(keys[(int) index], value), 128, keys.length);
        boolean ended = loop.awaitEnd(30, java.util.concurrent.TimeUnit.MINUTES);
        loop.stop();
        return loop.failed() + (ended ? 0 : 1);
    }
}
