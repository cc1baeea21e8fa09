package io.elastickv.embedded.internal.placement.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The planner in clusters that live: whatever happens to them, they come to rest, balanced and whole. */
final class PlannerSimulationTest {

    private static final long MIB = 1 << 20;
    private static final long SEEDS = Long.getLong("planner.seeds", 200);

    /** Thirty seconds of grace, so that a simulated minute shows everything. */
    static final PlanSettings SETTINGS = new PlanSettings(
            Automation.ALL,
            3,
            30_000,
            PlanSettings.DEFAULT.costs(),
            new PlanSettings.Budgets(32, 6, 2, 2, 2048 * MIB, 12),
            PlanSettings.DEFAULT.cooldowns(),
            PlanSettings.DEFAULT.balance(),
            PlanSettings.DEFAULT.splitting(),
            new PlanSettings.Merging(600_000, 20, 512 * MIB, 1));

    static SimulatedCluster cluster(long seed, int nodes, int zones, int shards, int slots) {
        SimulatedCluster cluster = new SimulatedCluster(seed, slots, SETTINGS);
        for (int i = 0; i < nodes; i++) {
            cluster.addNode("n" + (100 + i), "z" + i % zones);
        }
        cluster.form(shards, 64 * MIB);
        return cluster;
    }

    @Test
    void comesToRestBalancedAndWholeWhateverHappens() {
        for (long seed = 1; seed <= SEEDS; seed++) {
            try {
                liveThroughTrouble(seed);
            } catch (AssertionError e) {
                throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
            }
        }
    }

    private void liveThroughTrouble(long seed) {
        SplittableRandom dice = new SplittableRandom(seed * 31);
        int nodes = 4 + dice.nextInt(8);
        int zones = dice.nextBoolean() ? 1 : 3;
        if (zones == 3) {
            nodes = 6 + 3 * dice.nextInt(3);
        }
        SimulatedCluster cluster = cluster(seed, nodes, zones, nodes * (1 + dice.nextInt(6)), 512);
        cluster.failures = 0.1;
        spread(cluster, dice, 4000.0 * nodes);
        cluster.steps(30);
        for (int trouble = 0; trouble < 4; trouble++) {
            String victim = "n" + (100 + dice.nextInt(nodes));
            switch (dice.nextInt(5)) {
                case 0 -> {
                    cluster.kill(victim);
                    cluster.steps(5 + dice.nextInt(20));
                    cluster.revive(victim);
                }
                case 1 -> {
                    if (staying(cluster) > 4 && zones == 1 && canLose(cluster, victim)) {
                        cluster.kill(victim);
                    }
                }
                case 2 -> cluster.addNode("m" + trouble, "z" + trouble % zones);
                case 3 -> {
                    if (staying(cluster) > 4 && zones == 1) {
                        cluster.drain(victim);
                    }
                }
                default -> spread(cluster, dice, 4000.0 * nodes);
            }
            cluster.steps(10 + dice.nextInt(40));
        }
        cluster.failures = 0;
        cluster.steps(200);
        int noisy = cluster.started;
        cluster.steps(30);
        assertThat(cluster.started - noisy).as("operations for noise").isLessThan(5);
        cluster.noise = 0;
        cluster.steps(90);
        int before = cluster.started;
        cluster.steps(30);
        assertThat(cluster.started - before)
                .as("operations at rest: " + cluster.last.describe())
                .isZero();
        assertWhole(cluster);
        assertThat(cluster.shares())
                .as(cluster.last.describe())
                .allSatisfy((node, share) -> assertThat(share).isLessThan(1.3));
    }

    private static long staying(SimulatedCluster cluster) {
        return cluster.nodes.values().stream()
                .filter(node -> node.lifecycle() == NodeState.Lifecycle.ACTIVE && cluster.isUp(node.name()))
                .count();
    }

    /** Whether all shards keep a quorum without a node: nothing can be planned for those that do not. */
    private static boolean canLose(SimulatedCluster cluster, String node) {
        return cluster.shards.values().stream().allMatch(shard -> {
            long voters = shard.replicas().stream().filter(ReplicaState::voter).count();
            long left = shard.replicas().stream()
                    .filter(replica -> replica.voter()
                            && cluster.isUp(replica.node())
                            && !replica.node().equals(node))
                    .count();
            return left * 2 > voters;
        });
    }

    /** Load all over, with a few slots much hotter than the others, none too hot for a node. */
    private static void spread(SimulatedCluster cluster, SplittableRandom dice, double total) {
        double[] weights = new double[cluster.slotOps.length];
        double sum = 0;
        int hot = dice.nextInt(weights.length);
        for (int i = 0; i < weights.length; i++) {
            int distance = Math.floorMod(i - hot, weights.length);
            weights[i] = 1 + (distance < 32 ? 60 * dice.nextDouble() : 0);
            sum += weights[i];
        }
        for (int i = 0; i < weights.length; i++) {
            cluster.slotOps[i] = total * weights[i] / sum;
        }
    }

    static void assertWhole(SimulatedCluster cluster) {
        for (ShardState shard : cluster.shards.values()) {
            assertThat(shard.replicas())
                    .as(shard + " " + cluster.last.describe())
                    .hasSize(3);
            assertThat(shard.replicas()).as(shard.toString()).allSatisfy(replica -> {
                assertThat(replica.voter()).isTrue();
                assertThat(cluster.isUp(replica.node())).isTrue();
                assertThat(cluster.nodes.get(replica.node()).lifecycle()).isEqualTo(NodeState.Lifecycle.ACTIVE);
            });
            assertThat(shard.leader()).isNotNull();
            long zones = cluster.nodes.values().stream()
                    .filter(node -> node.lifecycle() == NodeState.Lifecycle.ACTIVE && cluster.isUp(node.name()))
                    .map(NodeState::zone)
                    .distinct()
                    .count();
            assertThat(shard.replicas().stream()
                            .map(replica -> cluster.nodes.get(replica.node()).zone())
                            .distinct()
                            .count())
                    .as("zones of " + shard)
                    .isEqualTo(Math.min(3, zones));
        }
    }

    @Test
    void aShardWithAllTheLoadIsSpreadOverAllNodesWithinThirtySeconds() {
        SimulatedCluster cluster = cluster(1, 5, 1, 10, 1000);
        Arrays.fill(cluster.slotOps, 300, 400, 200);
        int seconds = 0;
        do {
            cluster.step();
            seconds++;
        } while (seconds < 100 && hottest(cluster) > 1.3);
        System.out.println("all load on one shard of ten: hottest node within 1.3 of the mean after " + seconds + " s, "
                + cluster.counts);
        assertThat(seconds).isLessThanOrEqualTo(30);
        cluster.steps(120);
        int before = cluster.started;
        cluster.steps(60);
        assertThat(cluster.started).as(cluster.last.describe()).isEqualTo(before);
    }

    @Test
    void anEvenlyLoadedClusterIsLeftAlone() {
        SimulatedCluster cluster = cluster(2, 6, 3, 120, 1200);
        Arrays.fill(cluster.slotOps, 50);
        cluster.steps(300);
        assertThat(cluster.started).as(cluster.counts.toString()).isZero();
    }

    @Test
    void anIdleClusterIsLeftAlone() {
        SimulatedCluster cluster = cluster(3, 6, 3, 12, 1200);
        cluster.settings = SETTINGS.with(new PlanSettings.Merging(600_000, 20, 512 * MIB, 12));
        cluster.steps(1000);
        assertThat(cluster.started).as(cluster.counts.toString()).isZero();
    }

    @Test
    void aNewNodeGetsItsPartAndLittleMoreIsMoved() {
        SimulatedCluster cluster = cluster(4, 5, 1, 100, 1000);
        Arrays.fill(cluster.slotOps, 60);
        cluster.steps(60);
        assertThat(cluster.started).isZero();
        cluster.addNode("n105", "z0");
        cluster.steps(600);
        long minimum = 300 * 64 * MIB / 6;
        double ratio = (double) cluster.bytesMoved / minimum;
        System.out.println("a sixth node: moved " + Words.share(ratio) + " of the minimum, " + cluster.counts + " "
                + cluster.shares());
        assertThat(ratio).isBetween(0.75, 1.15);
        assertLeadersWithin(cluster, 0.10);
        int before = cluster.started;
        cluster.steps(60);
        assertThat(cluster.started).isEqualTo(before);
    }

    static double hottest(SimulatedCluster cluster) {
        return cluster.shares().values().stream().mapToDouble(v -> v).max().orElseThrow();
    }

    private static void assertLeadersWithin(SimulatedCluster cluster, double part) {
        Map<String, Integer> leaders = new TreeMap<>();
        cluster.nodes.keySet().forEach(node -> leaders.put(node, 0));
        cluster.shards.values().forEach(shard -> leaders.merge(shard.leader(), 1, Integer::sum));
        double even = (double) cluster.shards.size() / cluster.nodes.size();
        assertThat(leaders)
                .allSatisfy((node, count) -> assertThat((double) count)
                        .as(leaders.toString())
                        .isBetween(Math.min(even * (1 - part), even - 1), Math.max(even * (1 + part), even + 1)));
    }

    @Test
    void leadersAreEvenAgainAfterARestartOfEachNode() {
        SimulatedCluster cluster = cluster(5, 5, 1, 100, 1000);
        Arrays.fill(cluster.slotOps, 60);
        cluster.steps(30);
        for (String node : cluster.nodes.navigableKeySet().toArray(new String[0])) {
            cluster.kill(node);
            cluster.steps(15);
            cluster.revive(node);
            cluster.steps(15);
        }
        cluster.steps(60);
        assertThat(cluster.bytesMoved).as("bytes moved for restarts").isZero();
        assertLeadersWithin(cluster, 0.10);
        assertWhole(cluster);
    }

    @Test
    void aHotSpotThatMovesEveryMinuteCostsABoundedNumberOfOperations() {
        SimulatedCluster cluster = cluster(6, 6, 1, 24, 1200);
        int[] perMinute = new int[30];
        int[] seconds = new int[30];
        for (int minute = 0; minute < perMinute.length; minute++) {
            Arrays.fill(cluster.slotOps, 5);
            int at = cluster.random.nextInt(1150);
            Arrays.fill(cluster.slotOps, at, at + 50, 600);
            int before = cluster.started;
            for (int second = 0; second < 60; second++) {
                cluster.step();
                seconds[minute] += hottest(cluster) > 1.3 ? 1 : 0;
            }
            perMinute[minute] = cluster.started - before;
        }
        System.out.println("hot spot that moves every minute: operations per minute " + Arrays.toString(perMinute)
                + ", seconds above 1.3 of the mean " + Arrays.toString(seconds) + ", " + cluster.counts + ", shards "
                + cluster.shards.size());
        assertThat(Arrays.stream(perMinute).max().orElseThrow())
                .as(Arrays.toString(perMinute))
                .isLessThanOrEqualTo(90);
        cluster.steps(120);
        int before = cluster.started;
        cluster.steps(60);
        assertThat(cluster.started - before)
                .as("operations once it stands still")
                .isZero();
    }

    @Test
    void whatWasSplitIsMergedOnceItHasBeenColdForLong() {
        SimulatedCluster cluster = cluster(7, 5, 1, 10, 1000);
        cluster.settings = SETTINGS.with(new PlanSettings.Merging(120_000, 20, 512 * MIB, 10));
        Arrays.fill(cluster.slotOps, 300, 400, 200);
        cluster.steps(120);
        int most = cluster.shards.size();
        Arrays.fill(cluster.slotOps, 0);
        cluster.steps(1500);
        System.out.println("merged from " + most + " to " + cluster.shards.size() + " shards, " + cluster.counts);
        assertThat(most).isGreaterThan(12);
        assertThat(cluster.shards).hasSize(10);
        int before = cluster.started;
        cluster.steps(120);
        assertThat(cluster.started).as(cluster.last.describe()).isEqualTo(before);
    }

    @Test
    void aDrainedNodeLeavesAndADeadOneIsReplaced() {
        SimulatedCluster cluster = cluster(8, 5, 1, 50, 1000);
        Arrays.fill(cluster.slotOps, 60);
        cluster.steps(20);
        cluster.drain("n101");
        cluster.steps(200);
        assertThat(cluster.nodes).doesNotContainKey("n101");
        cluster.kill("n103");
        cluster.steps(29);
        assertThat(cluster.counts).doesNotContainKey("ReplaceDeadReplica");
        cluster.steps(200);
        assertWhole(cluster);
        cluster.revive("n103");
        cluster.steps(300);
        assertLeadersWithin(cluster, 0.10);
    }
}
