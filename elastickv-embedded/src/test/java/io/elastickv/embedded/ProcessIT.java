package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.KeyValueStore;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Members in processes of their own, killed with SIGKILL: what no shutdown code can soften. */
final class ProcessIT {

    private static final int ROUNDS = 5;

    /** Puts keys that nobody else writes, one after the other; those that were acknowledged must be there. */
    private static final class Puts implements AutoCloseable {

        private final KeyValueStore store;
        private final Queue<Bytes> acknowledged = new ConcurrentLinkedQueue<>();
        private final List<Thread> threads = new ArrayList<>();
        private volatile boolean stop;

        Puts(KeyValueStore store, int threadCount) {
            this.store = store.withTimeout(Duration.ofSeconds(4));
            for (int t = 0; t < threadCount; t++) {
                int number = t;
                Thread thread = new Thread(() -> run(number), "puts-" + t);
                threads.add(thread);
                thread.start();
            }
        }

        private void run(int number) {
            for (int i = 0; !stop; i++) {
                Bytes key = Bytes.utf8("put-" + number + "-" + i);
                try {
                    store.put(key, key);
                    acknowledged.add(key);
                } catch (ElastickvException e) {
                    // Refused or unknown: it may be there or not.
                }
            }
        }

        void verify() {
            close();
            List<CompletableFuture<?>> reads = new ArrayList<>();
            for (Bytes key : acknowledged) {
                reads.add(store.withTimeout(Duration.ofSeconds(30))
                        .async()
                        .get(key)
                        .thenAccept(value -> assertThat(
                                        value.orElseThrow(() -> new AssertionError("lost: " + key.toUtf8()))
                                                .value())
                                .isEqualTo(key)));
            }
            CompletableFuture.allOf(reads.toArray(new CompletableFuture<?>[0]))
                    .orTimeout(60, TimeUnit.SECONDS)
                    .join();
        }

        @Override
        public void close() {
            stop = true;
            for (Thread thread : threads) {
                try {
                    thread.join(30_000);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }

    @Test
    void nothingAcknowledgedIsLostWhenAllProcessesAreKilledAtOnce(@TempDir Path directory) {
        long seed = System.nanoTime();
        try (ProcessCluster cluster = new ProcessCluster(directory);
                CounterLoad load = new CounterLoad(() -> List.of(cluster.client()), seed, 4, 6, Duration.ofSeconds(4));
                Puts puts = new Puts(cluster.client().store(), 4)) {
            for (int round = 0; round < ROUNDS; round++) {
                load.awaitProgress(300);
                cluster.kill(0, 1, 2);
                for (int i = 0; i < 3; i++) {
                    cluster.start(i);
                }
                cluster.awaitReady();
                load.awaitProgress(50);
            }
            load.stopAndVerify(ROUNDS + " times SIGKILL for all, seed " + seed);
            puts.verify();
            System.out.println("    and " + puts.acknowledged.size() + " acknowledged puts are there");
            assertThat(puts.acknowledged).hasSizeGreaterThan(500);
        }
    }

    @Test
    void writesGoOnWithinTwoSecondsWhenOneProcessIsKilled(@TempDir Path directory) {
        long seed = System.nanoTime();
        try (ProcessCluster cluster = new ProcessCluster(directory);
                CounterLoad load =
                        new CounterLoad(() -> List.of(cluster.client()), seed, 4, 6, Duration.ofSeconds(10))) {
            load.awaitProgress(500);
            // One key of each shard, written again and again by a thread each: the longest pause of any counts.
            KeyValueStore store = cluster.client().store().withTimeout(Duration.ofSeconds(10));
            AtomicBoolean stop = new AtomicBoolean();
            Queue<Long> pauses = new ConcurrentLinkedQueue<>();
            List<Thread> writers = new ArrayList<>();
            for (var shard : cluster.client().cluster().shards()) {
                Bytes key = keyOf(cluster, shard.id());
                Thread writer = new Thread(() -> {
                    long longest = 0;
                    long last = System.nanoTime();
                    while (!stop.get()) {
                        store.put(key, key);
                        long now = System.nanoTime();
                        longest = Math.max(longest, now - last);
                        last = now;
                    }
                    pauses.add(Math.max(longest, System.nanoTime() - last) / 1_000_000);
                });
                writers.add(writer);
                writer.start();
            }
            load.awaitProgress(500);
            String leader = cluster.client().cluster().shards().get(0).leader().orElseThrow();
            cluster.kill(Integer.parseInt(leader.substring(1)));
            load.awaitProgress(1_000);
            stop.set(true);
            Awaitility.await().until(() -> writers.stream().noneMatch(Thread::isAlive));
            System.out.println("SIGKILL of a leader: longest pause of writes per shard in ms: " + pauses);
            assertThat(pauses).hasSize(4).allMatch(pause -> pause < 2_000);

            cluster.start(Integer.parseInt(leader.substring(1)));
            cluster.awaitReady();
            load.awaitProgress(100);
            load.stopAndVerify("SIGKILL of one, seed " + seed);
        }
    }

    private static Bytes keyOf(ProcessCluster cluster, int shard) {
        for (int i = 0; ; i++) {
            Bytes key = Bytes.utf8("pause-" + i);
            if (cluster.client().cluster().explain(key).shard() == shard) {
                return key;
            }
        }
    }
}
