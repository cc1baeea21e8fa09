package io.elastickv.embedded.internal.placement.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.SlotRange;
import java.util.ArrayList;
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
                replicas.add(ReplicaState.voter(nodes.get((first + r) % nodeCount).name()));
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
                + worst / 1_000_000 + " ms per round (the first one cold), inputs " + (before >> 20) + " MiB, heap in use "
                + ((runtime.totalMemory() - runtime.freeMemory()) >> 20) + " MiB of " + (runtime.maxMemory() >> 20));
        return best;
    }

    private static long used() {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
