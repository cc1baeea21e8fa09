package io.elastickv.embedded.internal.placement;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.FakeWorld.Fate;
import io.elastickv.embedded.internal.placement.plan.NodeState;
import io.elastickv.embedded.internal.placement.plan.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Nodes join, drain, die and come back, shards are split, merged and moved, answers are lost, and drivers are killed, or go on
 * although another one has taken over, all at random. Then all nodes are there and nothing fails any more: the cluster comes to
 * rest, whole, as the catalog says. {@code -Dsim.seeds=N} for more seeds, {@code -Dsim.seed=N} for one.
 */
class DriverSimulationTest {

    private static final long SECONDS = 2;

    @Test
    void aClusterComesToRestWholeWhateverHappened() {
        Long one = Long.getLong("sim.seed");
        int seeds = Integer.getInteger("sim.seeds", 0);
        long until = System.nanoTime() + SECONDS * 1_000_000_000L;
        Map<String, Integer> seen = new TreeMap<>();
        long seed = one == null ? 1 : one;
        int count = 0;
        while (one == null ? (seeds == 0 ? count < 4 || System.nanoTime() < until : count < seeds) : count == 0) {
            Run run = new Run(seed);
            try {
                run.run();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
            run.rig.ended.forEach(past ->
                    seen.merge(past.operation().getClass().getSimpleName() + " " + past.outcome(), 1, Integer::sum));
            seed++;
            count++;
        }
        System.out.println("seeds: " + count + ", operations: " + seen);
        assertThat(seen).isNotEmpty();
    }

    /** One seed. */
    private static final class Run {

        final SplittableRandom random;
        final DriverRig rig;
        private final double faults;
        private final List<PlacementDriver> deposed = new ArrayList<>();
        private int nextNode;

        Run(long seed) {
            random = new SplittableRandom(seed);
            int nodes = 3 + random.nextInt(4);
            nextNode = nodes + 1;
            rig = new DriverRig(CatalogStateTest.layout(nodes, 2 + random.nextInt(6)), seed, DriverSettings.DEFAULT);
            rig.world.pieceSlots = 500 + random.nextInt(4000);
            faults = random.nextInt(3) == 0 ? 0 : random.nextDouble() * 0.15;
        }

        void run() {
            rig.round();
            rig.world.fates = this::fate;
            rig.store.fates = this::fate;
            int steps = 150 + random.nextInt(250);
            for (int i = 0; i < steps; i++) {
                if (random.nextInt(6) == 0) {
                    disturb();
                }
                if (random.nextInt(25) == 0) {
                    rig.killAt(random.nextInt(12));
                }
                if (random.nextInt(40) == 0) {
                    // It does not know yet that another one has taken over.
                    deposed.add(rig.driver);
                    rig.driver = rig.newDriver();
                }
                rig.world.loads = random.nextBoolean() ? FakeWorld.cold(rig.state()) : rig.world.loads;
                rig.round();
                deposed.removeIf(driver -> !actsOn(driver));
            }
            heal();
        }

        private boolean actsOn(PlacementDriver driver) {
            try {
                driver.round(rig.world.now);
                return random.nextInt(8) > 0;
            } catch (CatalogException | DriverRig.Killed e) {
                return false;
            }
        }

        private Fate fate() {
            if (random.nextDouble() >= faults) {
                return Fate.DONE;
            }
            return List.of(Fate.values()).get(1 + random.nextInt(3));
        }

        private void disturb() {
            CatalogState state = rig.state();
            List<String> nodes = List.copyOf(state.nodes().keySet());
            List<CatalogShard> shards = List.copyOf(state.shards().values());
            String node = nodes.get(random.nextInt(nodes.size()));
            CatalogShard shard = shards.get(random.nextInt(shards.size()));
            switch (random.nextInt(12)) {
                case 0 -> {
                    if (nodes.size() < 9) {
                        String name = "n" + nextNode++;
                        rig.world.addNode(name);
                        rig.request(new Request.Join(name, "h-" + name, 1, "d-" + name, ""));
                    }
                }
                case 1 -> rig.request(new Request.Drain(node));
                case 2 -> rig.request(new Request.Stay(node));
                case 3 -> {
                    // Never so many that a group would have no majority left for good.
                    if (rig.world.up.values().stream().allMatch(up -> up)) {
                        rig.world.kill(node);
                    }
                }
                case 4 ->
                    rig.world.up.keySet().stream()
                            .filter(name -> !rig.world.isUp(name))
                            .toList()
                            .forEach(rig.world::revive);
                case 5 -> window(shard, node);
                case 6 ->
                    rig.request(new Request.Split(
                            shard.id(),
                            shard.slots().first() + random.nextInt(shard.slots().size())));
                case 7, 8 -> rig.request(new Request.Merge(shard.id()));
                case 9 -> rig.request(new Request.Move(shard.id(), node, nodes.get(random.nextInt(nodes.size()))));
                case 10 -> rig.request(new Request.Transfer(shard.id(), node));
                default ->
                    state.running().keySet().stream().findFirst().ifPresent(id -> rig.request(new Request.Abandon(id)));
            }
            if (random.nextInt(60) == 0) {
                rig.request(new Request.SetReplicationFactor(1 + random.nextInt(5)));
            }
        }

        private void window(CatalogShard shard, String node) {
            if (shard.slots().size() < 3 || Kinds.busy(rig.state()).contains(shard.id())) {
                return;
            }
            int first = shard.slots().first() + random.nextInt(shard.slots().size() - 1);
            int last = first + random.nextInt(shard.slots().last() - first);
            if (last - first + 1 < shard.slots().size()) {
                DriverScenario.begin(
                        rig,
                        new Operation.SplitShard(shard.id(), shard.epoch(), List.of(new SlotRange(first, last)), node));
            }
        }

        private void heal() {
            rig.killAt(-1);
            rig.world.fates = () -> Fate.DONE;
            rig.store.fates = rig.world.fates;
            rig.world.loads = FakeWorld.cold(rig.state());
            for (String node : List.copyOf(rig.world.up.keySet())) {
                if (rig.state().nodes().containsKey(node)) {
                    rig.world.revive(node);
                } else {
                    // It was released: what it has left is no part of the cluster.
                    rig.world.forget(node);
                }
            }
            for (CatalogNode node : List.copyOf(rig.state().nodes().values())) {
                if (node.lifecycle() == NodeState.Lifecycle.DRAINING) {
                    rig.request(new Request.Stay(node.name()));
                }
            }
            rig.settle(4000, 80);
            rig.check();
        }
    }
}
