package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.Bytes;
import io.elastickv.api.KeyValueStore;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Members in processes of their own, killed with SIGKILL: what no shutdown code can soften. */
final class ProcessIT {

    @Test
    void nothingAcknowledgedIsLostWhenAllProcessesAreKilledAtOnce(@TempDir Path directory) {
        int puts = new KillAllRounds(2_000, 5, StorageEngine.HEAP, "192m", 0, 50_000).run(directory);
        assertThat(puts).isGreaterThan(500);
    }

    @Test
    @Tag("soak")
    void nothingAcknowledgedIsLostWhenAllProcessesAreKilledAtOnceTwentyTimes(@TempDir Path directory) {
        int entries = Integer.getInteger("elastickv.kill.entries", 1_000_000);
        int rounds = Integer.getInteger("elastickv.kill.rounds", 20);
        new KillAllRounds(entries, rounds, StorageEngine.OFF_HEAP, "512m", 2_000_000_000L, 0).run(directory);
    }

    @Test
    void aDirectoryInUseByAnotherProcessIsRefused(@TempDir Path directory) {
        try (ProcessCluster cluster = new ProcessCluster(directory)) {
            ProcessMember second = cluster.launch(0);
            assertThat(second.awaitExit()).isEqualTo(3);
            assertThat(second.output())
                    .contains("refused: dataDirectory = " + cluster.directoryOf(0))
                    .contains("in use by another node")
                    .contains("stop that one or give this node a directory of its own");
            // Who has it goes on, and when that is gone another may have it.
            cluster.client().store().put(Bytes.utf8("k"), Bytes.utf8("v"));
            cluster.kill(0);
            cluster.start(0);
            cluster.awaitServing();
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
            cluster.kill(ProcessCluster.numberOf(leader));
            load.awaitProgress(1_000);
            stop.set(true);
            Awaitility.await().until(() -> writers.stream().noneMatch(Thread::isAlive));
            System.out.println("SIGKILL of a leader: longest pause of writes per shard in ms: " + pauses);
            assertThat(pauses).hasSize(4).allMatch(pause -> pause < 2_000);

            cluster.start(ProcessCluster.numberOf(leader));
            cluster.awaitServing();
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
