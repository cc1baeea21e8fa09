package io.elastickv.embedded.internal.placement;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.Bytes;
import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.FakeWorld.Fate;
import io.elastickv.embedded.internal.placement.plan.Automation;
import io.elastickv.embedded.internal.placement.plan.NodeState;
import io.elastickv.embedded.internal.placement.plan.Operation;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * The driver is killed before and after everything that it does and everything that it writes down, in every kind of operation;
 * another one goes on from the catalog. In the end the operation is done or undone, each slot is owned once, nothing is left
 * behind, and the catalog is as the world is.
 */
class DriverFailoverTest {

    private static final Bytes KEY = Bytes.utf8("k");

    /** An operation, and what it needs before. */
    private record Scenario(Consumer<DriverRig> before, Consumer<DriverRig> begin) {}

    private static Scenario of(Operation operation) {
        return new Scenario(rig -> {}, rig -> DriverScenario.begin(rig, operation));
    }

    private static Scenario of(Request request) {
        return new Scenario(rig -> {}, rig -> rig.request(request));
    }

    private static Map<String, Scenario> scenarios() {
        Map<String, Scenario> all = new LinkedHashMap<>();
        all.put("add", of(new Request.Add(0, "n5")));
        all.put("remove a follower", of(new Request.Remove(0, "n2")));
        all.put("remove the leader", of(new Request.Remove(0, "n1")));
        all.put("move a follower", of(new Request.Move(0, "n2", "n5")));
        all.put("move the leader", of(new Request.Move(0, "n1", "n5")));
        all.put(
                "replace",
                new Scenario(
                        rig -> rig.world.kill("n2"),
                        rig -> DriverScenario.begin(rig, new Operation.ReplaceDeadReplica(0, 1, "n2", "n5"))));
        all.put("move to a node that fails", new Scenario(rig -> {}, rig -> {
            rig.request(new Request.Move(0, "n2", "n5"));
            rig.world.kill("n5");
        }));
        all.put("transfer", of(new Request.Transfer(0, "n3")));
        all.put("split", of(new Request.Split(1, 5000)));
        all.put("take out a window", of(new Operation.SplitShard(1, 1, List.of(new SlotRange(4500, 5000)), "n3")));
        all.put("take out the beginning", of(new Operation.SplitShard(1, 1, List.of(new SlotRange(4096, 4096)), "n3")));
        all.put("split and hand to a node that fails", new Scenario(rig -> {}, rig -> {
            DriverScenario.begin(rig, new Operation.SplitShard(1, 1, List.of(new SlotRange(5000, 8191)), "n3"));
            rig.world.kill("n3");
        }));
        all.put("merge", of(new Request.Merge(1)));
        all.put(
                "merge while a node is away",
                new Scenario(rig -> rig.world.kill("n4"), rig -> rig.request(new Request.Merge(1))));
        all.put("relieve", of(new Operation.RelieveKey(1, 1, 5000, KEY)));
        all.put(
                "end a relief",
                new Scenario(
                        rig -> {
                            DriverScenario.begin(rig, new Operation.RelieveKey(1, 1, 5000, KEY));
                            rig.rounds(4);
                        },
                        rig -> DriverScenario.begin(rig, new Operation.EndRelief(1, 1, 5000, KEY))));
        all.put(
                "release",
                new Scenario(
                        rig -> {
                            rig.request(new Request.SetAutomation(Automation.ALL));
                            rig.world.addNode("n7");
                            rig.request(new Request.Join("n7", "h", 1, "d7", ""));
                            rig.request(new Request.SetAutomation(Automation.OFF));
                            rig.rounds(3);
                            CatalogNode node = rig.state().nodes().get("n7");
                            rig.store.state = rig.state()
                                    .apply(rig.state()
                                            .edit()
                                            .put(node.with(NodeState.Lifecycle.DRAINING, 1))
                                            .toDelta(1));
                        },
                        rig -> DriverScenario.begin(rig, new Operation.ReleaseNode("n7"))));
        return all;
    }

    private static DriverRig rig(Scenario scenario) {
        DriverRig rig = DriverRig.of(6, 4);
        rig.round();
        rig.request(new Request.SetAutomation(Automation.OFF));
        rig.rounds(2);
        scenario.before.accept(rig);
        rig.rounds(2);
        return rig;
    }

    private static void finish(DriverRig rig) {
        rig.settle(800, 4);
        rig.killAt(-1);
        rig.world.fates = () -> Fate.DONE;
        rig.store.fates = rig.world.fates;
        for (String node : List.copyOf(rig.world.up.keySet())) {
            if (!rig.world.isUp(node)) {
                rig.world.revive(node);
            }
        }
        rig.settleAndCheck();
    }

    @Test
    void theDriverIsKilledAroundEverythingThatItDoes() {
        Set<Phase> reached = EnumSet.noneOf(Phase.class);
        Map<String, Set<PastOperation.Outcome>> outcomes = new LinkedHashMap<>();
        int runs = 0;
        for (Map.Entry<String, Scenario> entry : scenarios().entrySet()) {
            int points = Integer.MAX_VALUE;
            for (int kill = -1; kill < points; kill++) {
                DriverRig rig = rig(entry.getValue());
                rig.killAt(kill);
                entry.getValue().begin.accept(rig);
                if (kill < 0) {
                    rig.rounds(300);
                    points = Math.min(rig.points(), 120);
                }
                reached.addAll(rig.store.phases);
                describing(entry.getKey() + ", killed at " + kill, rig, () -> finish(rig));
                Set<PastOperation.Outcome> seen =
                        outcomes.computeIfAbsent(entry.getKey(), unused -> EnumSet.noneOf(PastOperation.Outcome.class));
                rig.state().past().stream()
                        .filter(past -> past.by().equals("TEST") || past.by().equals(CatalogOperation.OPERATOR))
                        .forEach(past -> seen.add(past.outcome()));
                runs++;
            }
        }
        assertThat(runs).isGreaterThan(150);
        assertThat(reached).containsExactlyInAnyOrder(Phase.values());
        outcomes.forEach((name, seen) -> assertThat(seen)
                .as(name)
                .isSubsetOf(PastOperation.Outcome.DONE, PastOperation.Outcome.UNDONE)
                .contains(
                        name.equals("move to a node that fails")
                                ? PastOperation.Outcome.UNDONE
                                : PastOperation.Outcome.DONE));
    }

    /** Each thing that is asked for is lost once, done without an answer, or done later; also what is written down. */
    @Test
    void anyAnswerIsLost() {
        Map<Fate, Integer> runs = new EnumMap<>(Fate.class);
        for (Map.Entry<String, Scenario> entry : scenarios().entrySet()) {
            for (Fate fate : List.of(Fate.LOST, Fate.SILENT, Fate.LATE)) {
                int asked = Integer.MAX_VALUE;
                for (int at = 0; at < asked && at < 40; at++) {
                    DriverRig rig = rig(entry.getValue());
                    int[] count = {0};
                    int unlucky = at;
                    rig.world.fates = () -> count[0]++ == unlucky ? fate : Fate.DONE;
                    rig.store.fates = rig.world.fates;
                    entry.getValue().begin.accept(rig);
                    describing(entry.getKey() + ", " + fate + " at " + at, rig, () -> finish(rig));
                    asked = count[0];
                    runs.merge(fate, 1, Integer::sum);
                }
            }
        }
        assertThat(runs.values()).allMatch(count -> count > 50);
    }

    private static void describing(String what, DriverRig rig, Runnable check) {
        try {
            check.run();
        } catch (AssertionError e) {
            throw new AssertionError(
                    what + "\npast: " + rig.state().past() + "\n" + DriverRig.lastOf(rig.world.log), e);
        }
    }
}
