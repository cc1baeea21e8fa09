package io.elastickv.embedded.internal.shard;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.concurrent.CountDownLatch;

/**
 * Prints what the meter costs those who are counted: a main, not a test. Each figure is the best of five rounds, with the
 * cost of the loop itself taken off.
 */
final class LoadMeterCosts {

    private static final int ROUNDS = 5;
    private static final int CALLS = 20_000_000;
    private static final byte[][] KEYS = new byte[1024][];

    private interface Work {
        void call(LoadMeter meter, int i);
    }

    private LoadMeterCosts() {}

    public static void main(String[] args) throws Exception {
        for (int i = 0; i < KEYS.length; i++) {
            KEYS[i] = ("key-of-16-b" + i).getBytes(US_ASCII);
        }
        print("read on the applying thread", 1, true, (meter, i) -> meter.read(i & 16383, KEYS[i & 1023], 100));
        print("read on another thread", 1, false, (meter, i) -> meter.read(i & 16383, KEYS[i & 1023], 100));
        print("read of one slot, 2 threads", 2, false, (meter, i) -> meter.read(7, KEYS[i & 1023], 100));
        print("read of one slot, 4 threads", 4, false, (meter, i) -> meter.read(7, KEYS[i & 1023], 100));
        print("write, with apply timed", 1, true, (meter, i) -> {
            long begin = meter.beginApply();
            meter.wrote(i & 16383, KEYS[i & 1023]);
            meter.applied(begin, 130);
        });
        LoadMeter[] hot = new LoadMeter[1];
        print("read in a hot slot, sampled", 1, true, (meter, i) -> {
            if (hot[0] != meter) {
                hot[0] = meter;
                heat(meter, 2_000_000);
            }
            meter.read(7, KEYS[i & 1023], 100);
        });
        LoadMeter meter = new LoadMeter(0, 16383);
        for (int i = 0; i < 16384; i++) {
            meter.read(i, KEYS[i & 1023], 10);
        }
        long best = Long.MAX_VALUE;
        for (int i = 0; i < 200; i++) {
            long start = System.nanoTime();
            meter.roll(start + i * 1_000_000_000L, true);
            best = Math.min(best, System.nanoTime() - start);
        }
        System.out.printf("roll of 16384 slots: %d us%n", best / 1_000);
    }

    /** Makes slot 7 hot. */
    private static void heat(LoadMeter meter, int reads) {
        meter.roll(0, true);
        for (int i = 0; i < reads; i++) {
            meter.read(7, KEYS[0], 10);
        }
        meter.roll(1_000_000_000L, true);
    }

    private static void print(String what, int threads, boolean owner, Work work) throws Exception {
        double best = Double.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            double with = run(threads, owner, work);
            double without = run(threads, owner, (meter, i) -> sink(KEYS[i & 1023]));
            best = Math.min(best, with - without);
        }
        System.out.printf("%s: %.1f ns%n", what, best);
    }

    private static void sink(byte[] key) {
        if (key.length == 0) {
            throw new IllegalStateException();
        }
    }

    private static double run(int threads, boolean owner, Work work) throws Exception {
        LoadMeter meter = new LoadMeter(0, 16383);
        CountDownLatch ready = new CountDownLatch(threads);
        CountDownLatch go = new CountDownLatch(1);
        long[] nanos = new long[threads];
        Thread[] all = new Thread[threads];
        for (int t = 0; t < threads; t++) {
            int at = t;
            all[t] = new Thread(() -> {
                for (int i = 0; owner && i < 7; i++) {
                    meter.applied(meter.beginApply(), 0);
                }
                work.call(meter, 0);
                ready.countDown();
                try {
                    go.await();
                } catch (InterruptedException e) {
                    return;
                }
                long start = System.nanoTime();
                for (int i = 0; i < CALLS / threads; i++) {
                    work.call(meter, i);
                }
                nanos[at] = System.nanoTime() - start;
            });
            all[t].start();
        }
        ready.await();
        go.countDown();
        long sum = 0;
        for (int t = 0; t < threads; t++) {
            all[t].join();
            sum += nanos[t];
        }
        return (double) sum / CALLS;
    }
}
