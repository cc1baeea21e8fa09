package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/**
 * Three processes under write load, all killed with SIGKILL at once, again and again: every acknowledged write must be there, no
 * increment may count twice. Prints how long it took to serve again.
 *
 * @param entries how many entries are there before
 * @param rounds how often all are killed
 * @param storage where the members keep values
 * @param heap how large the heap of a member may become
 * @param loadNanos how long the load runs, at least, between two kills
 * @param checkpointBytes how much log makes a checkpoint due, so that kills hit checkpoints too; 0 for the default
 */
record KillAllRounds(
        int entries, int rounds, StorageEngine storage, String heap, long loadNanos, long checkpointBytes) {

    private static final int CHECKED_PER_ROUND = 5_000;
    private static final int PUTS_AT_A_TIME = 64;

    /** Runs it; returns how many puts were acknowledged. */
    int run(Path directory) {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        Map<String, String> settings = new HashMap<>(Map.of("storage", storage.name()));
        if (checkpointBytes > 0) {
            settings.put("checkpointBytes", "" + checkpointBytes);
        }
        try (ProcessCluster cluster = new ProcessCluster(directory, heap, settings)) {
            long start = System.nanoTime();
            PutLoad.fill(cluster.client().store(), entries);
            System.out.printf(
                    Locale.ROOT, "%d entries written in %.1f s%n", entries, (System.nanoTime() - start) / 1e9);
            List<Double> firsts = new ArrayList<>();
            List<Double> alls = new ArrayList<>();
            int puts;
            try (CounterLoad increments =
                            new CounterLoad(() -> List.of(cluster.client()), seed, 4, 6, Duration.ofSeconds(4));
                    PutLoad load = new PutLoad(cluster.client().store(), PUTS_AT_A_TIME)) {
                for (int round = 1; round <= rounds; round++) {
                    long begun = System.nanoTime();
                    do {
                        increments.awaitProgress(100);
                    } while (System.nanoTime() - begun < loadNanos);
                    int before = load.acknowledged();
                    cluster.killAll();
                    for (int i = 0; i < cluster.size(); i++) {
                        cluster.start(i);
                    }
                    List<Long> nanos = cluster.awaitServing();
                    firsts.add(Collections.min(nanos) / 1e9);
                    alls.add(Collections.max(nanos) / 1e9);
                    increments.awaitProgress(20);
                    load.verifyNew();
                    PutLoad.checkEntries(cluster.client().store(), sample(random));
                    System.out.printf(
                            Locale.ROOT,
                            "round %d: killed after %d acknowledged puts; every shard written and read by the first member"
                                    + " %.2f s after its start, by all %.2f s; %s: %s%n",
                            round,
                            before,
                            firsts.get(round - 1),
                            alls.get(round - 1),
                            ProcessCluster.nameOf(0),
                            cluster.member(0).timings());
                }
                increments.stopAndVerify(rounds + " times SIGKILL for all, seed " + seed);
                load.stopAndVerify();
                puts = load.acknowledged();
            }
            BitSet all = new BitSet();
            all.set(0, entries);
            PutLoad.checkEntries(cluster.client().store(), all);
            System.out.printf(
                    Locale.ROOT,
                    "%d rounds, %d entries: all %d acknowledged puts are there; s to serve again, min/median/max: one"
                            + " member %s, all members %s%n",
                    rounds,
                    entries,
                    puts,
                    spread(firsts),
                    spread(alls));
            assertThat(cluster.client().store().size()).isGreaterThanOrEqualTo(entries + puts);
            return puts;
        }
    }

    private BitSet sample(Random random) {
        BitSet numbers = new BitSet();
        for (int i = 0; i < Math.min(entries, CHECKED_PER_ROUND); i++) {
            numbers.set(random.nextInt(entries));
        }
        return numbers;
    }

    private static String spread(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        return String.format(
                Locale.ROOT,
                "%.2f/%.2f/%.2f",
                sorted.get(0),
                sorted.get(sorted.size() / 2),
                sorted.get(sorted.size() - 1));
    }
}
