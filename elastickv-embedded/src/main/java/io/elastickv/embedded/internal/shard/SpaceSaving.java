package io.elastickv.embedded.internal.shard;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The most frequent keys of a stream: Space-Saving (Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent and
 * Top-k Elements in Data Streams", ICDT 2005). It has a fixed number of counters; a key without one takes over the smallest
 * and inherits its count as its possible error, so a key's true count lies between {@code count - error} and {@code count}.
 *
 * <p>Counts fade, so that what is frequent now counts: all by the same factor, which keeps the bounds. A fast stream is
 * sampled. {@link #offer} is for any thread and never waits: who meets another one inside goes without being counted, which
 * is one more sample left out.
 */
final class SpaceSaving {

    /** A key with at least a 32nd of the stream has a counter. */
    private static final int COUNTERS = 32;
    /** Below this there is nothing to be said. */
    private static final double LEAST_TOTAL = 20;
    /** What is worth being reported, as a part of the stream. */
    private static final double LEAST_SHARE = 0.05;
    /** About so many of a stream's elements per second are counted: enough for shares within some percent. */
    private static final double SAMPLES_PER_SECOND = 2_000;

    private static final int MAX_STRIDE = 1 << 10;

    /** A key and the part of the stream that it has at least. */
    record Share(byte[] key, double share) {}

    /** 1 while somebody is inside; what follows is only for him. */
    private final AtomicInteger busy = new AtomicInteger();

    private final byte[][] keys = new byte[COUNTERS][];
    private final int[] hashes = new int[COUNTERS];
    private final double[] counts = new double[COUNTERS];
    private final double[] errors = new double[COUNTERS];
    private int used;
    private double total;

    /** One of so many, a power of two, less one; read by {@link #offer} without more ado. */
    private volatile int sampleMask;

    /** Counts {@code key}, which must not change any more. */
    void offer(byte[] key) {
        int mask = sampleMask;
        if (mask != 0 && (ThreadLocalRandom.current().nextInt() & mask) != 0) {
            return;
        }
        if (!busy.compareAndSet(0, 1)) {
            return;
        }
        try {
            add(key);
        } finally {
            busy.setRelease(0);
        }
    }

    private void add(byte[] key) {
        total++;
        int hash = Arrays.hashCode(key);
        int least = 0;
        for (int i = 0; i < used; i++) {
            if (hashes[i] == hash && Arrays.equals(keys[i], key)) {
                counts[i]++;
                return;
            }
            if (counts[i] < counts[least]) {
                least = i;
            }
        }
        int at = used < COUNTERS ? used++ : least;
        errors[at] = counts[at];
        counts[at]++;
        hashes[at] = hash;
        keys[at] = key;
    }

    /** The keys that stand out, the most frequent first. */
    List<Share> top() {
        enter();
        try {
            List<Share> top = new ArrayList<>();
            for (int i = 0; i < used && total >= LEAST_TOTAL; i++) {
                double share = (counts[i] - errors[i]) / total;
                if (share >= LEAST_SHARE) {
                    top.add(new Share(keys[i], share));
                }
            }
            top.sort((a, b) -> Double.compare(b.share(), a.share()));
            return top;
        } finally {
            busy.setRelease(0);
        }
    }

    /** Lets all counts fade to this part of what they are. */
    void fade(double factor) {
        enter();
        try {
            for (int i = 0; i < used; i++) {
                counts[i] *= factor;
                errors[i] *= factor;
            }
            total *= factor;
        } finally {
            busy.setRelease(0);
        }
    }

    /** The stream has about so many elements per second: samples accordingly. */
    void expect(double perSecond) {
        int stride = 1;
        while (stride < MAX_STRIDE && perSecond / stride > SAMPLES_PER_SECOND) {
            stride <<= 1;
        }
        sampleMask = stride - 1;
    }

    /** Whoever is inside leaves within a microsecond. */
    private void enter() {
        while (!busy.compareAndSet(0, 1)) {
            Thread.onSpinWait();
        }
    }
}
