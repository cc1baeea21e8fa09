package io.elastickv.embedded;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * Kills, pauses, continues and restarts the processes of a {@link ProcessCluster} at random moments, several at a time too, so
 * that at times no majority is left. Never sends two members' disks away: what was synced stays.
 */
final class ProcessNemesis {

    private final ProcessCluster cluster;
    private final ProcessHistories histories;
    private final SplittableRandom random;
    private final List<String> log = new ArrayList<>();
    private int kills;
    private int pauses;

    ProcessNemesis(ProcessCluster cluster, ProcessHistories histories, long seed) {
        this.cluster = cluster;
        this.histories = histories;
        this.random = new SplittableRandom(seed);
    }

    /** Does faults for about {@code nanos}, then lets all members run and waits until they serve; what was done, in words. */
    String run(long nanos) {
        log.clear();
        long endNanos = System.nanoTime() + nanos;
        while (System.nanoTime() - endNanos < 0) {
            hold(10, 1_500);
            int victim = random.nextInt(cluster.size());
            int other = (victim + 1 + random.nextInt(cluster.size() - 1)) % cluster.size();
            switch (random.nextInt(8)) {
                case 0, 1, 2 -> kill(victim);
                case 3 -> pause(victim);
                case 4 -> {
                    pause(victim);
                    hold(0, 300);
                    kill(other);
                }
                case 5 -> {
                    pause(victim);
                    hold(0, 2_500);
                    kill(victim);
                }
                case 6 -> {
                    log.add("kill all");
                    kills += cluster.size();
                    cluster.killAll();
                }
                default -> {
                    kill(victim);
                    hold(0, 200);
                    kill(other);
                }
            }
            hold(0, 2_500);
            repair();
        }
        cluster.awaitServing();
        return log.toString();
    }

    private void kill(int member) {
        if (cluster.isRunning(member)) {
            log.add("kill " + member);
            kills++;
            cluster.kill(member);
        }
    }

    private void pause(int member) {
        if (cluster.isRunning(member) && !cluster.isPaused(member)) {
            log.add("pause " + member);
            pauses++;
            cluster.pause(member);
        }
    }

    /** All go on; at times the next fault comes before they serve. */
    private void repair() {
        for (int i = 0; i < cluster.size(); i++) {
            if (cluster.isPaused(i)) {
                log.add("continue " + i);
                cluster.resume(i);
            } else if (!cluster.isRunning(i)) {
                log.add("start " + i);
                cluster.start(i);
                histories.join(i);
            }
        }
        if (random.nextInt(3) > 0) {
            cluster.awaitServing();
        }
    }

    private void hold(int leastMillis, int mostMillis) {
        LockSupport.parkNanos(random.nextInt(leastMillis, mostMillis) * 1_000_000L);
    }

    /** How many processes were killed. */
    int kills() {
        return kills;
    }

    /** How many processes were paused. */
    int pauses() {
        return pauses;
    }
}
