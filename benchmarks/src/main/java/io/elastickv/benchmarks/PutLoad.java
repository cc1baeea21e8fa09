package io.elastickv.benchmarks;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.Bytes;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/** Fills a cluster, then puts keys at random, each through the node that led the key's shard at the beginning. */
final class PutLoad {

    private static final int VALUES = 256;
    private static final int FILL_OUTSTANDING = 256;
    private static final long FILL_MINUTES = 60;

    private final BenchmarkCluster cluster;
    private final Bytes[] keys;
    private final Bytes[] values = new Bytes[VALUES];
    private int[] leaders = {};
    private int[] used = {};

    PutLoad(BenchmarkCluster cluster, int keyCount, int valueBytes) {
        this.cluster = cluster;
        this.keys = Workload.keys(keyCount);
        for (int i = 0; i < VALUES; i++) {
            values[i] = Workload.value(i, valueBytes);
        }
    }

    /** Writes each key once; returns how many failed. */
    long fill() throws InterruptedException {
        AsyncKeyValueStore store = cluster.store(0);
        long startNanos = System.nanoTime();
        ClosedLoop loop =
                new ClosedLoop(index -> store.put(keys[(int) index], value(index)), FILL_OUTSTANDING, keys.length);
        boolean ended = loop.awaitEnd(FILL_MINUTES, TimeUnit.MINUTES);
        loop.stop();
        System.out.printf("%d entries written in %.1f s%n", loop.succeeded(), (System.nanoTime() - startNanos) / 1e9);
        return report(loop, ended);
    }

    private Bytes value(long index) {
        return values[(int) (index % VALUES)];
    }

    /**
     * Begins to put, with {@code outstanding} under way, until the loop is stopped.
     *
     * @param spared a node that may go away meanwhile: only keys whose shards others lead are put; -1 for none
     */
    ClosedLoop begin(int outstanding, int spared) {
        leaders = cluster.leaders(keys);
        used = IntStream.range(0, keys.length)
                .filter(key -> leaders[key] != spared)
                .toArray();
        return new ClosedLoop(this::put, outstanding, Long.MAX_VALUE);
    }

    private CompletableFuture<?> put(long index) {
        int key = used[(int) Long.remainderUnsigned(Workload.mix(index), used.length)];
        return cluster.store(leaders[key]).put(keys[key], value(index));
    }

    /** Ends a load; returns how many operations failed. */
    long end(ClosedLoop loop) throws InterruptedException {
        loop.stop();
        return report(loop, loop.awaitEnd(30, TimeUnit.SECONDS));
    }

    /** Some of the keys, for samples. */
    Bytes key(int index) {
        return keys[Math.floorMod(index, keys.length)];
    }

    /** Prints what went wrong, if anything; returns how much. */
    private static long report(ClosedLoop loop, boolean ended) {
        if (loop.failed() > 0) {
            System.out.println("FAILED operations, by error: " + loop.failures());
        }
        if (!ended) {
            System.out.println("FAILED: some operations never ended");
        }
        return loop.failed() + (ended ? 0 : 1);
    }
}
