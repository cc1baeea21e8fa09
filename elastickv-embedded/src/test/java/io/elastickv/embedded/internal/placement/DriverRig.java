package io.elastickv.embedded.internal.placement;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.placement.plan.Automation;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** A world, its catalog, and drivers that are killed and followed by others. */
final class DriverRig {

    /** The driver's process ends here. */
    static final class Killed extends Error {
        private static final long serialVersionUID = 1;
    }

    static final long TICK_MILLIS = 250;

    final ClusterLayout layout;
    final FakeWorld world;
    final FakeStore store = new FakeStore();
    final List<CatalogOperation> begun = new ArrayList<>();
    final List<PastOperation> ended = new ArrayList<>();
    final List<String> decided = new ArrayList<>();
    final DriverSettings settings;
    PlacementDriver driver;

    private int points;
    private int killAt = -1;

    DriverRig(ClusterLayout layout, long seed, DriverSettings settings) {
        this.layout = layout;
        this.settings = settings;
        this.world = new FakeWorld(layout, seed);
        world.hook = this::point;
        store.hook = this::point;
        driver = newDriver();
    }

    static DriverRig of(int nodes, int shards) {
        return new DriverRig(CatalogStateTest.layout(nodes, shards), 1, DriverSettings.DEFAULT);
    }

    PlacementDriver newDriver() {
        EventSink events = new EventSink() {
            @Override
            public void began(CatalogOperation operation) {
                begun.add(operation);
            }

            @Override
            public void ended(PastOperation operation) {
                ended.add(operation);
            }

            @Override
            public void decided(String what) {
                decided.add(what);
            }
        };
        return new PlacementDriver(
                store, world, world, events, () -> CatalogState.initial(layout), settings, Runnable::run);
    }

    /** Kills the driver at the point of this number from now on: before or after an act, before or after a commit. */
    void killAt(int point) {
        points = 0;
        killAt = point;
    }

    int points() {
        return points;
    }

    private void point() {
        if (points++ == killAt) {
            throw new Killed();
        }
    }

    void round() {
        world.tick(TICK_MILLIS);
        try {
            driver.round(world.now);
        } catch (CatalogException e) {
            assertThat(e.kind()).isNotNull();
        } catch (Killed e) {
            driver = newDriver();
        }
    }

    void rounds(int count) {
        for (int i = 0; i < count; i++) {
            round();
        }
    }

    /** Asks; 0 if the driver was killed over it, or it was refused. */
    long request(Request request) {
        try {
            return driver.request(request, world.now);
        } catch (Killed e) {
            driver = newDriver();
        } catch (CatalogException | RefusedException e) {
            assertThat(e.getMessage()).isNotEmpty();
        }
        return 0;
    }

    String refused(Request request) {
        try {
            driver.request(request, world.now);
        } catch (RefusedException e) {
            return e.getMessage();
        } catch (CatalogException e) {
            throw new AssertionError(e);
        }
        throw new AssertionError("not refused: " + request);
    }

    CatalogState state() {
        return store.state;
    }

    /** Goes on until nothing is running, nothing is late, and nothing has begun for {@code quiet} rounds. */
    void settle(int most, int quiet) {
        int still = 0;
        for (int i = 0; i < most && still < quiet; i++) {
            int before = begun.size();
            round();
            boolean moving = !state().running().isEmpty() || !world.isSettled() || begun.size() > before;
            still = moving ? 0 : still + 1;
        }
        assertThat(still)
                .as(() -> "it does not come to rest: " + state().running() + "\n" + lastOf(world.log))
                .isEqualTo(quiet);
    }

    /** Lets the planner repair what is left, and checks that the world is whole and as the catalog says. */
    void settleAndCheck() {
        settle(400, 4);
        if (state().settings().automation() == Automation.OFF) {
            request(new Request.SetAutomation(Automation.REPAIRS));
            settle(400, 60);
        }
        check();
    }

    void check() {
        String log = lastOf(world.log);
        assertThat(world.violations).as(log).isEmpty();
        assertThat(state().running()).as(log).isEmpty();
        assertThat(state().graves()).as(log).isEmpty();
        Set<Integer> groups = new TreeSet<>(state().shards().keySet());
        groups.add(Catalog.GROUP);
        assertThat(world.groups.keySet()).as(log).isEqualTo(groups);
        int owned = 0;
        for (CatalogShard shard : state().shards().values()) {
            FakeWorld.Group group = world.groups.get(shard.id());
            assertThat(group.slots).as("shard " + shard.id() + "\n" + log).isEqualTo(shard.slots());
            assertThat(group.epoch).as("shard " + shard.id() + "\n" + log).isEqualTo(shard.epoch());
            assertThat(group.given).as("shard " + shard.id() + "\n" + log).isNull();
            owned += shard.slots().size();
        }
        assertThat(owned).isEqualTo(KeySlot.COUNT);
        int factor =
                Math.min(state().settings().replicationFactor(), state().nodes().size());
        for (FakeWorld.Group group : world.groups.values()) {
            assertThat(group.replicas.values())
                    .as("group " + group.id + "\n" + log)
                    .allMatch(replica -> replica.voter);
            assertThat(state().nodes().keySet())
                    .as("group " + group.id + "\n" + log)
                    .containsAll(group.replicas.keySet());
            assertThat(group.replicas)
                    .as("group " + group.id + "\n" + log)
                    .hasSize(
                            group.id == Catalog.GROUP
                                    ? Catalog.replicas(state().nodes().size())
                                    : factor);
        }
    }

    static String lastOf(List<String> log) {
        return String.join("\n", log.subList(Math.max(0, log.size() - 80), log.size()));
    }
}
