package io.elastickv.embedded.internal.placement.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.Bytes;
import io.elastickv.api.SlotRange;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The planner's rules one by one. */
final class PlannerTest {

    private static final long NOW = 10_000_000;
    private static final long MIB = 1 << 20;

    private final List<NodeState> nodes = new ArrayList<>();
    private final List<ShardState> shards = new ArrayList<>();
    private final List<RunningOperation> running = new ArrayList<>();
    private final Map<Integer, ShardLoad> loads = new HashMap<>();
    private PlanSettings settings = PlanSettings.DEFAULT;

    private void nodes(String... names) {
        for (String name : names) {
            nodes.add(NodeState.active(name, ""));
        }
    }

    private void change(String name, NodeState state) {
        nodes.replaceAll(node -> node.name().equals(name) ? state : node);
    }

    private void down(String name, long forMillis) {
        change(name, NodeState.active(name, "").with(NodeState.Liveness.DOWN, NOW - forMillis));
    }

    private ShardState shard(int id, String... replicas) {
        ShardState shard = new ShardState(
                id,
                1,
                List.of(new SlotRange(id * 100, id * 100 + 99)),
                java.util.Arrays.stream(replicas).map(ReplicaState::voter).toList(),
                replicas[0],
                replicas[0],
                10 * MIB,
                List.of(),
                ShardStamps.NONE);
        shards.add(shard);
        return shard;
    }

    private void load(int id, double... ofSlots) {
        int[] slots = new int[ofSlots.length];
        double sum = 0;
        for (int i = 0; i < slots.length; i++) {
            slots[i] = id * 100 + i;
            sum += ofSlots[i];
        }
        loads.put(id, new ShardLoad(sum, sum, 0, 0, SlotLoads.of(slots, ofSlots), List.of(), ShardLoad.NOT_COLD));
    }

    private Plan plan() {
        CatalogView view = new CatalogView(nodes, shards, running, settings);
        Plan plan = Planner.plan(view, new Loads(loads), NOW);
        PlanChecker.check(view, plan, NOW);
        return plan;
    }

    private List<Operation> operations() {
        return plan().operations().stream().map(Plan.Step::operation).toList();
    }

    @Test
    void nothingMovesWithinTheGracePeriod() {
        nodes("a", "b", "c", "d");
        shard(1, "a", "b", "c");
        down("c", settings.graceMillis() - 1);
        assertThat(operations()).isEmpty();
    }

    @Test
    void aNodeBeyondTheGracePeriodIsReplaced() {
        nodes("a", "b", "c", "d");
        shard(1, "a", "b", "c");
        down("c", settings.graceMillis());
        assertThat(operations()).containsExactly(new Operation.ReplaceDeadReplica(1, 1, "c", "d"));
        assertThat(plan().operations().get(0).reason()).contains("300 s", "2 of 3");
    }

    @Test
    void aSuspectNodeIsLeftAloneHoweverLong() {
        nodes("a", "b", "c", "d");
        shard(1, "a", "b", "c");
        change("c", NodeState.active("c", "").with(NodeState.Liveness.SUSPECT, 0));
        assertThat(operations()).isEmpty();
    }

    @Test
    void aShardWithoutAQuorumIsLeftAndNamed() {
        nodes("a", "b", "c", "d", "e");
        shard(1, "a", "b", "c");
        down("b", settings.graceMillis());
        down("c", settings.graceMillis());
        assertThat(operations()).isEmpty();
        assertThat(plan().notDone())
                .anyMatch(not -> not.subject().equals("shard 1") && not.reason().contains("quorum"));
    }

    @Test
    void theShardWithTheFewestVotersToSpareComesFirst() {
        nodes("a", "b", "c", "d", "e", "f", "g");
        settings = settings.withReplicationFactor(5).with(new PlanSettings.Budgets(1, 1, 1, 1, Long.MAX_VALUE, 12));
        shard(1, "a", "b", "c", "f", "d");
        shard(2, "a", "b", "c", "d", "e");
        down("d", settings.graceMillis());
        down("e", settings.graceMillis());
        assertThat(operations())
                .singleElement()
                .satisfies(op -> assertThat(((Operation.OfShard) op).shard()).isEqualTo(2));
    }

    @Test
    void aHigherReplicationFactorAddsAndALowerOneRemoves() {
        nodes("a", "b", "c", "d");
        shard(1, "a", "b", "c");
        settings = settings.withReplicationFactor(4);
        assertThat(operations()).containsExactly(new Operation.AddReplica(1, 1, "d"));
        settings = settings.withReplicationFactor(2);
        assertThat(operations()).singleElement().isInstanceOf(Operation.RemoveReplica.class);
        assertThat(operations()).doesNotContain(new Operation.RemoveReplica(1, 1, "a"));
    }

    @Test
    void aSurplusReplicaIsNotRemovedWhereItIsNeededForTheQuorum() {
        nodes("a", "b", "c", "d");
        shard(1, "a", "b", "c", "d");
        down("c", 1000);
        // Two of the three left would be enough; but the one that does not answer is the one to go.
        assertThat(operations()).containsExactly(new Operation.RemoveReplica(1, 1, "c"));
    }

    @Test
    void aLearnerLeftBehindIsPromotedIfNeededAndRemovedIfNot() {
        nodes("a", "b", "c", "d");
        ShardState two = shard(1, "a", "b");
        shards.set(0, SimulatedCluster.replicas(two, null, new ReplicaState("d", false, false)));
        assertThat(operations()).containsExactly(new Operation.AddReplica(1, 2, "d"));
        ShardState three = SimulatedCluster.replicas(shards.get(0), null, ReplicaState.voter("c"));
        shards.set(0, three);
        assertThat(operations()).containsExactly(new Operation.RemoveReplica(1, 3, "d"));
    }

    @Test
    void replacementsGoWhereTheZoneIsFree() {
        nodes.add(NodeState.active("a", "x"));
        nodes.add(NodeState.active("b", "y"));
        nodes.add(NodeState.active("c", "z"));
        nodes.add(NodeState.active("d", "x"));
        nodes.add(NodeState.active("e", "z"));
        shard(1, "a", "b", "c");
        change("c", NodeState.active("c", "z").with(NodeState.Liveness.DOWN, 0));
        assertThat(operations()).containsExactly(new Operation.ReplaceDeadReplica(1, 1, "c", "e"));
    }

    @Test
    void twoReplicasInAZoneAreSpreadOnceThereIsAThirdZone() {
        nodes.add(NodeState.active("a", "x"));
        nodes.add(NodeState.active("b", "y"));
        nodes.add(NodeState.active("c", "y"));
        shard(1, "c", "b", "a");
        assertThat(operations()).isEmpty();
        nodes.add(NodeState.active("d", "z"));
        assertThat(operations()).containsExactly(new Operation.MoveReplica(1, 1, "b", "d"));
    }

    @Test
    void aDrainHandsOverLeadershipsBeforeReplicasMoveAndThenReleasesTheNode() {
        nodes("a", "b", "c", "d");
        shard(1, "a", "b", "c");
        shard(2, "b", "a", "c");
        change("a", NodeState.active("a", "").with(NodeState.Lifecycle.DRAINING));
        assertThat(operations()).singleElement().isInstanceOf(Operation.TransferLeader.class);
        shards.set(0, SimulatedCluster.led(shards.get(0), "c", "c"));
        assertThat(operations())
                .containsExactlyInAnyOrder(
                        new Operation.MoveReplica(1, 1, "a", "d"), new Operation.MoveReplica(2, 1, "a", "d"));
        shards.clear();
        shard(3, "b", "c", "d");
        assertThat(operations()).containsExactly(new Operation.ReleaseNode("a"));
    }

    @Test
    void aDrainWithTooFewOtherNodesIsNotDoneAndSaysSo() {
        nodes("a", "b", "c");
        shard(1, "b", "a", "c");
        change("a", NodeState.active("a", "").with(NodeState.Lifecycle.DRAINING));
        assertThat(operations()).isEmpty();
        assertThat(plan().describe()).contains("2 of 3 nodes are active, the replication factor is 3");
    }

    @Test
    void aShardThatNoNodeCouldCarryIsSplitInHalvesAndOneIsHandedOver() {
        nodes("a", "b", "c");
        shard(1, "a", "b", "c");
        load(1, 1000, 1000, 1000, 1000);
        assertThat(operations()).containsExactly(new Operation.SplitShard(1, 1, List.of(new SlotRange(102, 199)), "b"));
    }

    @Test
    void aSlotWithMoreThanHalfOfTheLoadIsIsolated() {
        nodes("a", "b", "c");
        shard(1, "a", "b", "c");
        load(1, 500, 3000, 500, 500);
        assertThat(operations()).containsExactly(new Operation.SplitShard(1, 1, List.of(new SlotRange(101, 101)), "b"));
    }

    @Test
    void aKeyWithFourFifthsOfTheLoadIsRelievedAndItsShardNotSplit() {
        nodes("a", "b", "c");
        shard(1, "a", "b", "c");
        load(1, 100, 4900, 100);
        withHotKey(0.9);
        assertThat(operations()).containsExactly(new Operation.RelieveKey(1, 1, 101, Bytes.utf8("k")));
        withHotKey(0.7);
        assertThat(operations()).singleElement().isInstanceOf(Operation.SplitShard.class);
    }

    private void withHotKey(double share) {
        ShardLoad load = loads.get(1);
        HotKey key = new HotKey(101, Bytes.utf8("k"), share);
        loads.put(
                1,
                new ShardLoad(
                        load.opsPerSecond(),
                        load.opsPerSecond(),
                        0,
                        0,
                        load.slots(),
                        List.of(key),
                        ShardLoad.NOT_COLD));
    }

    @Test
    void aRelievedKeyIsLeftSoUntilItsShareHasClearlyFallen() {
        nodes("a", "b", "c");
        ShardState shard = shard(1, "a", "b", "c");
        RelievedKey relieved = new RelievedKey(101, Bytes.utf8("k"));
        shards.set(
                0,
                new ShardState(
                        1, 1, shard.slots(), shard.replicas(), "a", "a", MIB, List.of(relieved), ShardStamps.NONE));
        load(1, 100, 4900, 100);
        withHotKey(0.6);
        assertThat(operations()).isEmpty();
        withHotKey(0.4);
        assertThat(operations()).containsExactly(new Operation.EndRelief(1, 1, 101, Bytes.utf8("k")));
    }

    @Test
    void whatATransferSolvesIsNotSplit() {
        nodes("a", "b", "c");
        for (int i = 1; i <= 3; i++) {
            shard(i, "a", "b", "c");
            load(i, 1000, 1000);
        }
        assertThat(operations()).hasSize(2).allMatch(op -> op instanceof Operation.TransferLeader);
    }

    @Test
    void aTransferThatGainsNextToNothingIsNotDone() {
        nodes("a", "b", "c");
        settings = settings.withReplicationFactor(2);
        shard(1, "a", "b");
        shard(2, "b", "c");
        shard(3, "c", "b");
        shard(4, "a", "b");
        load(1, 1000);
        load(2, 980);
        load(3, 720);
        load(4, 300);
        // b would be at 1.28 of the mean then, and a is at 1.3.
        assertThat(operations()).noneMatch(op -> op instanceof Operation.TransferLeader);
        load(2, 700);
        assertThat(operations()).contains(new Operation.TransferLeader(4, 1, "a", "b"));
    }

    @Test
    void withinTheBandNothingHappens() {
        nodes("a", "b", "c");
        shard(1, "a", "b", "c");
        shard(2, "b", "a", "c");
        shard(3, "c", "a", "b");
        load(1, 600, 600);
        load(2, 500, 500);
        load(3, 400, 400);
        assertThat(operations()).isEmpty();
    }

    @Test
    void aShardThatWasJustMovedIsLeftAlone() {
        nodes("a", "b", "c");
        for (int i = 1; i <= 3; i++) {
            shard(i, "a", "b", "c");
            load(i, 1000, 1000);
        }
        shards.replaceAll(shard -> SimulatedCluster.stamped(shard, ShardStamps.NONE.transferred(NOW - 1000)));
        assertThat(operations()).noneMatch(op -> op instanceof Operation.TransferLeader);
    }

    @Test
    void aShardWhoseOperationFailedIsLeftAloneForAWhile() {
        nodes("a", "b", "c", "d");
        shards.set(0, SimulatedCluster.stamped(shardOn("a", "b", "c"), ShardStamps.NONE.failed(NOW - 1000)));
        down("c", settings.graceMillis());
        assertThat(operations()).isEmpty();
        shards.set(0, SimulatedCluster.stamped(shards.get(0), ShardStamps.NONE.failed(NOW - 60_000)));
        assertThat(operations()).hasSize(1);
    }

    private ShardState shardOn(String... replicas) {
        return shard(1, replicas);
    }

    @Test
    void aShardWithARunningOperationIsLeftAlone() {
        nodes("a", "b", "c", "d");
        shard(1, "a", "b", "c");
        down("c", settings.graceMillis());
        running.add(new RunningOperation(1, new Operation.ReplaceDeadReplica(1, 1, "c", "d"), NOW));
        assertThat(operations()).isEmpty();
    }

    @Test
    void whatRunsIsExpectedToSucceed() {
        nodes("a", "b", "c");
        shard(1, "a", "b", "c");
        shard(2, "a", "b", "c");
        load(1, 1000, 1000);
        load(2, 1000, 1000);
        running.add(new RunningOperation(1, new Operation.TransferLeader(1, 1, "a", "b"), NOW));
        assertThat(operations()).noneMatch(op -> op instanceof Operation.TransferLeader);
    }

    @Test
    void aLoadThatIsNotThereToStayMovesNoData() {
        nodes("a", "b", "c", "d", "e");
        for (int i = 1; i <= 6; i++) {
            shard(i, "a", "b", "c");
            loads.put(i, new ShardLoad(1000, 1000, 0, 200_000, SlotLoads.UNKNOWN, List.of(), ShardLoad.NOT_COLD));
        }
        assertThat(plan().operations()).anyMatch(step -> step.rule() == Rule.LOAD_BALANCE);
        for (int i = 10; i <= 15; i++) {
            // Steady, and elsewhere.
            shard(i, "d", "e", "c");
            loads.put(i, new ShardLoad(10, 1000, 0, 2_000, SlotLoads.UNKNOWN, List.of(), ShardLoad.NOT_COLD));
        }
        loads.replaceAll((i, load) ->
                i >= 10 ? load : new ShardLoad(1000, 10, 0, 200_000, SlotLoads.UNKNOWN, List.of(), ShardLoad.NOT_COLD));
        assertThat(plan().operations()).noneMatch(step -> step.rule() == Rule.LOAD_BALANCE);
    }

    @Test
    void coldNeighboursAreMergedAfterTheyWereMadeEqual() {
        nodes("a", "b", "c", "d");
        settings = settings.with(new PlanSettings.Merging(60_000, 10, 100 * MIB, 1));
        cold(shard(1, "a", "b", "c"), NOW - 60_000);
        cold(shard(2, "a", "b", "d"), NOW - 60_000);
        assertThat(operations()).contains(new Operation.MoveReplica(2, 1, "d", "c"));
        shards.remove(1);
        cold(shard(2, "b", "a", "c"), NOW - 60_000);
        assertThat(operations()).contains(new Operation.TransferLeader(2, 1, "b", "a"));
        shards.remove(1);
        cold(shard(2, "a", "b", "c"), NOW - 60_000);
        assertThat(operations()).contains(new Operation.MergeShards(1, 1, 2, 1));
        cold(shards.get(1), NOW - 59_999);
        assertThat(operations()).noneMatch(op -> op instanceof Operation.MergeShards);
    }

    private void cold(ShardState shard, long since) {
        loads.put(shard.id(), new ShardLoad(0, 0, 0, 0, SlotLoads.UNKNOWN, List.of(), since));
    }

    @Test
    void leadersReturnToWhereTheyArePreferred() {
        nodes("a", "b", "c");
        ShardState shard = shard(1, "a", "b", "c");
        shard(2, "b", "a", "c");
        shards.set(0, SimulatedCluster.led(shard, "b", "a"));
        assertThat(operations()).containsExactly(new Operation.TransferLeader(1, 1, "b", "a"));
    }

    @Test
    void withoutLoadReplicasAreCounted() {
        nodes("a", "b", "c", "d");
        for (int i = 0; i < 8; i++) {
            shard(
                    i,
                    List.of("a", "b", "c").get(i % 3),
                    List.of("b", "c", "a").get(i % 3),
                    List.of("c", "a", "b").get(i % 3));
        }
        assertThat(plan().operations()).isNotEmpty().allMatch(step -> step.rule() == Rule.COUNT_BALANCE);
        assertThat(plan().operations().get(0).reason()).contains("has 8 replicas", "d 0", "the mean is 6.0");
    }

    @Test
    void theKillSwitchStopsAllAndStillSaysWhatWouldBeDone() {
        nodes("a", "b", "c", "d");
        shard(1, "a", "b", "c");
        load(1, 1000, 1000);
        shard(2, "a", "b", "d");
        down("d", settings.graceMillis());
        settings = settings.with(Automation.OFF);
        assertThat(operations()).isEmpty();
        assertThat(plan().describe()).contains("automation is OFF", "SplitShard[shard=1", "ReplaceDeadReplica[shard=2");
        settings = settings.with(Automation.REPAIRS);
        assertThat(operations()).containsExactly(new Operation.ReplaceDeadReplica(2, 1, "d", "c"));
    }

    @Test
    void aNodeThatRefusedOrIsFullOrJoinsIsNoTarget() {
        nodes("a", "b", "c");
        shard(1, "a", "b", "c");
        down("c", settings.graceMillis());
        NodeState d = NodeState.active("d", "");
        nodes.add(d.with(NodeState.Lifecycle.JOINING));
        assertThat(operations()).isEmpty();
        change("d", new NodeState("d", "", d.lifecycle(), d.liveness(), 0, MIB, ShardStamps.NEVER));
        assertThat(operations()).isEmpty();
        change("d", new NodeState("d", "", d.lifecycle(), d.liveness(), 0, 100 * MIB, NOW - 1000));
        assertThat(operations()).isEmpty();
        change("d", new NodeState("d", "", d.lifecycle(), d.liveness(), 0, 100 * MIB, NOW - 60_000));
        assertThat(operations()).hasSize(1);
    }

    @Test
    void theOrderOfTheInputsDoesNotMatter() {
        nodes("a", "b", "c", "d", "e");
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 30; i++) {
            List<String> names = new ArrayList<>(List.of("a", "b", "c", "d"));
            Collections.rotate(names, random.nextInt(4));
            shard(i, names.get(0), names.get(1), names.get(2));
            load(i, random.nextInt(2000), random.nextInt(2000), random.nextInt(2000));
        }
        Plan expected = plan();
        assertThat(expected.operations()).isNotEmpty();
        for (int i = 0; i < 5; i++) {
            Collections.shuffle(nodes, new java.util.Random(i));
            Collections.shuffle(shards, new java.util.Random(i));
            assertThat(plan()).isEqualTo(expected);
        }
    }
}
