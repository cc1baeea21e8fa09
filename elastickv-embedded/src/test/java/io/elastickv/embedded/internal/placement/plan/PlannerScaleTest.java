package io.elastickv.embedded.internal.placement.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.SlotRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What a round of decisions takes in a large cluster. There are more shards than slots: each slot is in several shards, which
 * the planner has no reason to notice as long as nothing is merged.
 */
final class PlannerScaleTest {

    private static final long NOW = 10_000_000;

    @Test
    void aHundredNodesWithTenThousandShards() {
        measure(100, 10_000, 5);
    }

    @Test
    @Tag("soak")
    void aThousandNodesWithAHundredThousandShards() {
        long nanos = measure(1000, 100_000, 10);
        assertThat(nanos).isLessThan(1_000_000_000);
    }

    @Test
    void twoHundredNodesLiveThroughHotSpotsAndLosses() {
        live(200, 2000, 16000, 60);
    }

    @Test
    @Tag("soak")
    void aThousandNodesWithAHundredThousandShardsLiveThroughHotSpotsAndLosses() {
        live(1000, 100_000, 13 * SimulatedCluster.LAYER, 240);
    }

    /** Hot spots move every minute, nodes die for good or for a moment, leave and join; then all comes to rest. */
    private static void live(int nodeCount, int shardCount, int slots, int seconds) {
        PlanSettings settings = new PlanSettings(
                Automation.ALL,
                3,
                30_000,
                PlanSettings.DEFAULT.costs(),
                new PlanSettings.Budgets(2000, 1000, 4, 8, 256L << 30, 12),
                PlanSettings.DEFAULT.cooldowns(),
                PlanSettings.DEFAULT.balance(),
                PlanSettings.DEFAULT.splitting(),
                new PlanSettings.Merging(600_000, 20, 512 << 20, Integer.MAX_VALUE));
        SimulatedCluster cluster = new SimulatedCluster(1, slots, settings);
        for (int i = 0; i < nodeCount; i++) {
            cluster.addNode("n" + (10_000 + i), "z" + i % 4);
        }
        cluster.form(shardCount, 16 << 20);
        cluster.failures = 0.05;
        long slowest = 0;
        for (int second = 0; second < seconds; second++) {
            if (second % 60 == 0) {
                heat(cluster);
            }
            if (second < seconds / 2 && second % 20 == 5) {
                // Far apart, so that no shard loses two replicas.
                cluster.kill("n" + (10_000 + second));
                cluster.drain("n" + (10_010 + second));
                cluster.addNode("m" + second, "z" + second % 4);
            }
            String restarted = "n" + (10_000 + nodeCount / 2 + second / 20 * 20);
            if (second % 20 == 10) {
                cluster.kill(restarted);
            } else if (second % 20 == 15) {
                cluster.revive(restarted);
            }
            cluster.step();
            slowest = Math.max(slowest, cluster.planNanos);
        }
        cluster.failures = 0;
        int waited = 0;
        while (waited < 600 && PlannerSimulationTest.hottest(cluster) > 1.3) {
            cluster.step();
            waited++;
        }
        cluster.steps(100);
        int before = cluster.started;
        cluster.steps(20);
        System.out.println(nodeCount + " nodes, " + cluster.shards.size() + " shards: " + cluster.counts
                + ", at 1.3 of the mean after " + waited + " s more, then " + (cluster.started - before)
                + " operations in 20 s; slowest round " + slowest / 1_000_000 + " ms; " + cluster.last.summary());
        PlannerSimulationTest.assertWhole(cluster);
        assertThat(PlannerSimulationTest.hottest(cluster)).isLessThan(1.3);
        assertThat(cluster.started - before).isLessThan(nodeCount / 10);
    }

    /** Even load, and a tenth as many hot spots as nodes, each with twice the mean of a node. */
    private static void heat(SimulatedCluster cluster) {
        Arrays.fill(cluster.slotOps, 20);
        int spots = cluster.nodes.size() / 10;
        double ops = 20.0 * cluster.slotOps.length / cluster.nodes.size() / 10;
        for (int spot = 0; spot < spots; spot++) {
            int at = cluster.random.nextInt(cluster.slotOps.length - 20);
            Arrays.fill(cluster.slotOps, at, at + 20, ops);
        }
    }

    private static long measure(int nodeCount, int shardCount, int rounds) {
        SplittableRandom random = new SplittableRandom(1);
        List<NodeState> nodes = new ArrayList<>();
        for (int i = 0; i < nodeCount; i++) {
            NodeState node = NodeState.active("n" + (10_000 + i), "z" + i % 5);
            if (i % 100 == 50) {
                node = node.with(NodeState.Liveness.DOWN, 0);
            } else if (i % 100 == 60) {
                node = node.with(NodeState.Lifecycle.DRAINING);
            }
            nodes.add(node);
        }
        List<ShardState> shards = new ArrayList<>();
        Map<Integer, ShardLoad> loads = new HashMap<>();
        for (int i = 0; i < shardCount; i++) {
            int first = random.nextInt(nodeCount);
            List<ReplicaState> replicas = new ArrayList<>();
            for (int r = 0; r < 3; r++) {
                replicas.add(
                        ReplicaState.voter(nodes.get((first + r) % nodeCount).name()));
            }
            int slot = i % 8000 * 2;
            String leader = replicas.get(random.nextInt(3)).node();
            shards.add(new ShardState(
                    i,
                    1,
                    List.of(new SlotRange(slot, slot + 1)),
                    replicas,
                    leader,
                    leader,
                    (long) random.nextInt(1 << 26),
                    List.of(),
                    ShardStamps.NONE));
            double ops = i % 1000 == 0 ? 50_000 : 100 + random.nextInt(100);
            loads.put(
                    i,
                    new ShardLoad(
                            ops,
                            ops,
                            ops * 100,
                            ops * 3000,
                            SlotLoads.of(new int[] {slot, slot + 1}, new double[] {ops / 2, ops / 2}),
                            List.of(),
                            ShardLoad.NOT_COLD));
        }
        PlanSettings settings = PlanSettings.DEFAULT.with(new PlanSettings.Budgets(1000, 300, 2, 2, 64L << 30, 12));
        CatalogView view = new CatalogView(nodes, shards, List.of(), settings);
        Loads all = new Loads(loads);
        long best = Long.MAX_VALUE;
        long worst = 0;
        long before = used();
        for (int i = 0; i < rounds; i++) {
            long start = System.nanoTime();
            Plan plan = Planner.plan(view, all, NOW);
            long took = System.nanoTime() - start;
            best = Math.min(best, took);
            worst = Math.max(worst, took);
            if (i == 0) {
                PlanChecker.check(view, plan, NOW);
                System.out.println(plan.summary() + ": " + plan.operations().size() + " operations planned");
                assertThat(plan.operations()).isNotEmpty();
            }
        }
        Runtime runtime = Runtime.getRuntime();
        System.out.println("planner: " + nodeCount + " nodes, " + shardCount + " shards: " + best / 1_000_000 + " to "
                + worst / 1_000_000 + " ms per round (the first one cold), inputs " + (before >> 20)
                + " MiB, heap in use "
                + ((runtime.totalMemory() - runtime.freeMemory()) >> 20) + " MiB of " + (runtime.maxMemory() >> 20));
        return best;
    }

    private static long used() {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
