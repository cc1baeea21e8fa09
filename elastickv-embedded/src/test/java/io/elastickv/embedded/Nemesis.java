package io.elastickv.embedded;

import io.elastickv.api.ElastickvException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;

/**
 * Does one fault after the other to a cluster of three: isolates members, cuts links one way, crashes and restarts members,
 * moves leaderships, lets clocks jump. Never more than one member is out of reach for good, so the cluster is expected to get
 * through.
 */
final class Nemesis {

    private final LocalCluster cluster;
    private final SplittableRandom random;
    private final int shards;
    private final List<String> log = new ArrayList<>();

    Nemesis(LocalCluster cluster, long seed, int shards) {
        this.cluster = cluster;
        this.random = new SplittableRandom(seed);
        this.shards = shards;
    }

    /** What was done, in order. */
    List<String> log() {
        return log;
    }

    /**
     * Does faults for about {@code duration}, then repairs all.
     *
     * @param hold lets a state last for so many milliseconds while the load goes on
     */
    void run(Duration duration, LongConsumer hold) {
        long endNanos = System.nanoTime() + duration.toNanos();
        while (System.nanoTime() - endNanos < 0) {
            int victim = random.nextInt(cluster.size());
            int other = (victim + 1 + random.nextInt(cluster.size() - 1)) % cluster.size();
            int shard = random.nextInt(shards);
            switch (random.nextInt(6)) {
                case 0 -> {
                    log.add("isolate " + victim);
                    cluster.isolate(victim);
                    hold.accept(random.nextInt(200, 1_500));
                }
                case 1 -> {
                    int leader =
                            cluster.leaderOf(shard).map(LocalCluster::numberOf).orElse(victim);
                    log.add("isolate " + leader + ", which leads shard " + shard);
                    cluster.isolate(leader);
                    hold.accept(random.nextInt(200, 1_500));
                }
                case 2 -> {
                    log.add("cut one way from " + victim + " to " + other);
                    cluster.cutOneWay(victim, other);
                    hold.accept(random.nextInt(200, 1_000));
                }
                case 3 -> {
                    log.add("crash " + victim);
                    cluster.crash(victim);
                    hold.accept(random.nextInt(200, 1_200));
                    cluster.restart(victim);
                    hold.accept(300);
                }
                case 4 -> {
                    log.add("shard " + shard + " to " + victim);
                    transfer(shard, victim, other);
                    hold.accept(random.nextInt(50, 200));
                }
                default -> {
                    Duration jump = Duration.ofMillis(random.nextInt(-60_000, 60_000));
                    log.add("clock of " + victim + " to " + jump);
                    cluster.setClockOffset(victim, jump);
                }
            }
            if (random.nextInt(3) > 0) {
                log.add("heal");
                cluster.heal();
                hold.accept(random.nextInt(50, 800));
            }
            if (Set.of(0, 1, 2).stream().anyMatch(i -> !cluster.isRunning(i))) {
                throw new IllegalStateException("a member was left for dead");
            }
        }
        cluster.heal();
    }

    private void transfer(int shard, int to, int through) {
        try {
            cluster.node(through).cluster().transferLeadership(shard, LocalCluster.nameOf(to), Duration.ofMillis(500));
        } catch (ElastickvException e) {
            log.add("... which did not happen: " + e.getMessage());
        }
    }
}
