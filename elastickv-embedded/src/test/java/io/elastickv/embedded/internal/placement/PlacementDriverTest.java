package io.elastickv.embedded.internal.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.Bytes;
import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.placement.PastOperation.Outcome;
import io.elastickv.embedded.internal.placement.plan.Automation;
import io.elastickv.embedded.internal.placement.plan.NodeState;
import io.elastickv.embedded.internal.placement.plan.Operation;
import io.elastickv.embedded.internal.placement.plan.RelievedKey;
import io.elastickv.embedded.internal.placement.plan.ShardStamps;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlacementDriverTest {

    private static DriverRig quiet(int nodes, int shards) {
        DriverRig rig = DriverRig.of(nodes, shards);
        rig.round();
        rig.request(new Request.SetAutomation(Automation.OFF));
        return rig;
    }

    private static PastOperation last(DriverRig rig) {
        return rig.state().past().get(rig.state().past().size() - 1);
    }

    @Test
    void anEmptyCatalogBeginsWithTheFormation() {
        DriverRig rig = DriverRig.of(3, 8);
        rig.round();

        assertThat(rig.state().revision()).isEqualTo(1);
        assertThat(rig.state().shards()).hasSize(8);
        rig.rounds(20);
        assertThat(rig.state().revision()).as("nothing is to be done").isEqualTo(1);
    }

    @Test
    void aMovedReplicaIsAddedBeforeTheOldOneGoesAndTakesTheLeadershipAlong() {
        DriverRig rig = quiet(4, 4);
        assertThat(rig.world.groups.get(0).leader).isEqualTo("n1");
        long id = rig.request(new Request.Move(0, "n1", "n4"));
        rig.settle(100, 2);

        assertThat(last(rig).id()).isEqualTo(id);
        assertThat(last(rig).outcome()).isEqualTo(Outcome.DONE);
        assertThat(rig.world.groups.get(0).replicas.keySet()).containsExactly("n2", "n3", "n4");
        assertThat(rig.world.groups.get(0).leader).isEqualTo("n4");
        assertThat(rig.state().shards().get(0).preferredLeader()).isEqualTo("n4");
        assertThat(rig.state().shards().get(0).stamps().movedMillis()).isGreaterThan(0);
        rig.settleAndCheck();
    }

    @Test
    void aMoveToANodeThatFailsIsTakenBack() {
        DriverRig rig = quiet(4, 4);
        rig.request(new Request.Move(0, "n1", "n4"));
        rig.round();
        rig.world.kill("n4");
        rig.settle(400, 2);

        assertThat(last(rig).outcome()).isEqualTo(Outcome.UNDONE);
        assertThat(last(rig).why()).contains("no progress for 30 s").contains("n4 does not answer");
        assertThat(rig.state().nodes().get("n4").refusedMillis()).isGreaterThan(0);
        assertThat(rig.state().shards().get(0).stamps().failedMillis()).isGreaterThan(0);
        assertThat(rig.world.groups.get(0).replicas.keySet()).containsExactly("n1", "n2", "n3");
        rig.world.revive("n4");
        rig.settleAndCheck();
    }

    @Test
    void aSplitMakesAShardAndHandsItOver() {
        DriverRig rig = quiet(3, 4);
        long id = rig.request(new Request.Split(1, 5000));
        rig.settle(100, 2);

        assertThat(last(rig).id()).isEqualTo(id);
        assertThat(last(rig).outcome()).isEqualTo(Outcome.DONE);
        CatalogShard child = rig.state().shards().get(4);
        assertThat(child.slots()).isEqualTo(new SlotRange(5000, 8191));
        assertThat(child.epoch()).isEqualTo(2);
        assertThat(rig.state().shards().get(1).slots()).isEqualTo(new SlotRange(4096, 4999));
        assertThat(rig.state().shards().get(1).epoch()).isEqualTo(2);
        assertThat(child.stamps().splitMillis()).isGreaterThan(0);
        assertThat(rig.state().nextShard()).isEqualTo(5);
        rig.settleAndCheck();
    }

    @Test
    void aWindowTakesTwoSplitsAndIsHandedOver() {
        for (SlotRange window :
                List.of(new SlotRange(5000, 5000), new SlotRange(4096, 5000), new SlotRange(6000, 8191))) {
            DriverRig rig = quiet(3, 4);
            Bytes key = Bytes.utf8("k");
            DriverScenario.begin(rig, new Operation.RelieveKey(1, 1, window.first(), key));
            rig.settle(100, 2);
            DriverScenario.begin(rig, new Operation.SplitShard(1, 1, List.of(window), "n1"));
            rig.settle(100, 2);

            assertThat(last(rig).outcome()).isEqualTo(Outcome.DONE);
            CatalogShard hot = rig.state().shards().values().stream()
                    .filter(shard -> shard.slots().equals(window))
                    .findFirst()
                    .orElseThrow();
            assertThat(rig.world.groups.get(hot.id()).leader).isEqualTo("n1");
            assertThat(hot.preferredLeader()).isEqualTo("n1");
            assertThat(hot.relieved()).containsExactly(new RelievedKey(window.first(), key));
            rig.settleAndCheck();
        }
    }

    @Test
    void aMergeMovesPieceByPiece() {
        DriverRig rig = quiet(4, 4);
        long id = rig.request(new Request.Merge(1));
        rig.settle(200, 2);

        assertThat(last(rig).id()).isEqualTo(id);
        assertThat(last(rig).outcome()).isEqualTo(Outcome.DONE);
        assertThat(rig.state().shards().keySet()).containsExactly(0, 1, 3);
        assertThat(rig.state().shards().get(1).slots()).isEqualTo(new SlotRange(4096, 12287));
        assertThat(rig.state().shards().get(1).epoch()).as("two pieces").isEqualTo(3);
        assertThat(rig.state().shards().get(1).stamps().mergedMillis()).isGreaterThan(0);
        assertThat(rig.world.groups).doesNotContainKey(2);
        rig.settleAndCheck();
    }

    @Test
    void whatANodeHasLeftOfAMergedShardGoesWhenTheNodeIsBack() {
        DriverRig rig = quiet(4, 4);
        rig.world.kill("n4");
        rig.request(new Request.Merge(1));
        rig.settle(400, 2);

        assertThat(last(rig).outcome()).isEqualTo(Outcome.DONE);
        assertThat(rig.state().graves())
                .containsEntry(2, new Grave(2, rig.state().graves().get(2).nodes()));
        assertThat(rig.world.groups.get(2).replicas.keySet()).containsExactly("n4");
        rig.world.revive("n4");
        rig.rounds(60);
        assertThat(rig.state().graves()).isEmpty();
        rig.settleAndCheck();
    }

    @Test
    void aDeadNodeIsReplacedAfterTheGracePeriodAndLeaves() {
        DriverRig rig = DriverRig.of(5, 8);
        rig.rounds(4);
        rig.world.kill("n5");
        rig.rounds(4 * 290);
        assertThat(rig.begun)
                .filteredOn(operation -> !(operation.operation() instanceof Operation.TransferLeader))
                .isEmpty();
        rig.rounds(4 * 60);

        assertThat(rig.state().nodes().keySet()).containsExactly("n1", "n2", "n3", "n4");
        assertThat(rig.decided).anyMatch(what -> what.startsWith("node n5 is gone"));
        assertThat(rig.ended)
                .filteredOn(past -> past.operation() instanceof Operation.ReplaceDeadReplica)
                .isNotEmpty()
                .allMatch(past -> past.outcome() == Outcome.DONE && past.by().equals("REPLICATION"));
        rig.settleAndCheck();
    }

    @Test
    void aNodeJoinsAndGetsReplicas() {
        DriverRig rig = DriverRig.of(3, 8);
        rig.round();
        rig.request(new Request.Join("n4", "10.0.0.4", 7804, "d4", "z"));
        assertThat(rig.state().nodes().get("n4").lifecycle()).isEqualTo(NodeState.Lifecycle.JOINING);
        rig.rounds(8);
        assertThat(rig.state().nodes().get("n4").lifecycle()).isEqualTo(NodeState.Lifecycle.JOINING);
        rig.world.addNode("n4");
        rig.settle(2000, 60);

        CatalogNode node = rig.state().nodes().get("n4");
        assertThat(node.lifecycle()).isEqualTo(NodeState.Lifecycle.ACTIVE);
        assertThat(node.joinedMillis()).isGreaterThan(0);
        assertThat(rig.decided).contains("node n4 joins", "node n4 has joined");
        assertThat(rig.world.groups.values())
                .filteredOn(group -> group.replicas.containsKey("n4"))
                .hasSizeGreaterThanOrEqualTo(4);
        rig.check();
    }

    @Test
    void aNodeDrainsAndIsReleased() {
        DriverRig rig = DriverRig.of(5, 8);
        rig.round();
        rig.request(new Request.Drain("n1"));
        rig.settle(4000, 60);

        assertThat(rig.state().nodes().keySet()).containsExactly("n2", "n3", "n4", "n5");
        assertThat(rig.world.groups.values()).noneMatch(group -> group.replicas.containsKey("n1"));
        List<PastOperation> past = rig.state().past();
        int release = -1;
        int lastTransfer = -1;
        int firstMove = Integer.MAX_VALUE;
        for (int i = 0; i < past.size(); i++) {
            Operation operation = past.get(i).operation();
            if (operation instanceof Operation.ReleaseNode) {
                release = i;
            } else if (operation instanceof Operation.TransferLeader transfer
                    && transfer.from().equals("n1")
                    && transfer.shard() != Catalog.GROUP) {
                lastTransfer = i;
            } else if (operation instanceof Operation.MoveReplica move && move.shard() != Catalog.GROUP) {
                firstMove = Math.min(firstMove, i);
            }
        }
        assertThat(lastTransfer).isBetween(0, firstMove);
        assertThat(release).isGreaterThan(firstMove);
        rig.check();
    }

    @Test
    void theCatalogsOwnGroupFollowsTheNodes() {
        DriverRig rig = DriverRig.of(3, 4);
        rig.round();
        for (int i = 4; i <= 6; i++) {
            rig.world.addNode("n" + i);
            rig.request(new Request.Join("n" + i, "10.0.0." + i, 7800 + i, "d" + i, ""));
        }
        rig.settle(4000, 60);

        assertThat(rig.world.groups.get(Catalog.GROUP).replicas).hasSize(5);
        rig.check();
        String leader = rig.world.groups.get(Catalog.GROUP).leader;
        rig.request(new Request.Drain(leader));
        rig.settle(4000, 60);
        assertThat(rig.world.groups.get(Catalog.GROUP).replicas).hasSize(5).doesNotContainKey(leader);
        rig.check();
    }

    @Test
    void theReplicationFactorIsFollowed() {
        DriverRig rig = DriverRig.of(5, 8);
        rig.round();
        for (int factor : new int[] {5, 1, 3}) {
            rig.request(new Request.SetReplicationFactor(factor));
            rig.settle(4000, 60);
            rig.check();
        }
        assertThat(rig.decided).contains("the replication factor is 5, it was 3");
    }

    @Test
    void whatContradictsTheCatalogIsRefusedAndSaysWhy() {
        DriverRig rig = quiet(3, 4);
        String d2 = rig.state().nodes().get("n2").nodeId();

        assertThat(rig.refused(new Request.Join("n2", "10.0.0.2", 7802, "other", "")))
                .contains("a node named n2 is a member")
                .contains("10.0.0.2:7802");
        assertThat(rig.refused(new Request.Join("n9", "10.0.0.2", 7802, "d9", "")))
                .contains("that of node n2");
        assertThat(rig.refused(new Request.Join("n9", "10.0.0.9", 7802, d2, "")))
                .contains("that of node n2");
        assertThat(rig.refused(new Request.Split(9, 1))).contains("no shard 9");
        assertThat(rig.refused(new Request.Split(1, 4096)))
                .contains("4096-8191")
                .contains("not the first");
        assertThat(rig.refused(new Request.Merge(3))).contains("no shard follows shard 3");
        assertThat(rig.refused(new Request.Move(0, "n1", "n2"))).contains("has a replica on n2 already");
        assertThat(rig.refused(new Request.Move(0, "n9", "n2"))).contains("no replica on n9");
        assertThat(rig.refused(new Request.Add(0, "n9"))).contains("no node n9");
        assertThat(rig.refused(new Request.Transfer(0, "n9"))).contains("n9");
        assertThat(rig.refused(new Request.SetReplicationFactor(8))).contains("1-7");
        assertThat(rig.refused(new Request.Drain("n9"))).contains("no node n9");
        assertThat(rig.refused(new Request.Drain("n1"))).contains("automation is OFF");
        rig.request(new Request.SetAutomation(Automation.REPAIRS));
        assertThat(rig.refused(new Request.Drain("n1")))
                .contains("2 nodes would be left")
                .contains("3 replicas");
        assertThat(rig.refused(new Request.Abandon(77))).contains("no operation 77");
        rig.request(new Request.Split(1, 5000));
        assertThat(rig.refused(new Request.Merge(1))).contains("busy").contains("operation 1");
        assertThat(rig.refused(new Request.Merge(0))).contains("busy");
    }

    @Test
    void aMemberThatAsksAgainSaysWhereItIs() {
        DriverRig rig = quiet(3, 4);
        String d2 = rig.state().nodes().get("n2").nodeId();
        long before = rig.state().revision();
        rig.request(new Request.Join("n2", "10.0.0.2", 7802, d2, ""));
        assertThat(rig.state().revision()).isEqualTo(before);
        rig.request(new Request.Join("n2", "10.0.0.22", 7802, d2, "z"));
        assertThat(rig.state().nodes().get("n2").host()).isEqualTo("10.0.0.22");
        assertThat(rig.state().nodes().get("n2").zone()).isEqualTo("z");
    }

    @Test
    void anOperationIsAbandonedIfItCanBeUndone() {
        DriverRig rig = quiet(4, 4);
        long move = rig.request(new Request.Move(0, "n1", "n4"));
        rig.round();
        rig.request(new Request.Abandon(move));
        rig.settle(100, 2);
        assertThat(last(rig).outcome()).isEqualTo(Outcome.UNDONE);
        assertThat(last(rig).why()).contains("an operator has abandoned it");
        assertThat(rig.world.groups.get(0).replicas.keySet()).containsExactly("n1", "n2", "n3");

        long merge = rig.request(new Request.Merge(1));
        rig.request(new Request.Abandon(merge));
        assertThat(last(rig).outcome()).isEqualTo(Outcome.UNDONE);
        rig.settleAndCheck();
    }

    @Test
    void aMergeThatHasGivenGoesOnlyForward() {
        DriverRig rig = quiet(6, 6);
        rig.settle(10, 1);
        long merge = rig.request(new Request.Merge(1));
        // Its replicas are on n2, n3 and n4; those of the right one on n3, n4 and n5.
        rig.world.fates = () -> rig.state().running().get(merge) != null
                        && rig.state().running().get(merge).at().phase() == Phase.ABSORB
                ? FakeWorld.Fate.LOST
                : FakeWorld.Fate.DONE;
        rig.rounds(300);
        assertThat(rig.refused(new Request.Abandon(merge)))
                .contains("only go forward")
                .contains("ABSORB");
        assertThat(rig.state().running().get(merge).at().note()).startsWith("no progress for 30 s");
        rig.world.fates = () -> FakeWorld.Fate.DONE;
        rig.settle(200, 2);
        assertThat(last(rig).outcome()).isEqualTo(Outcome.DONE);
        rig.settleAndCheck();
    }

    @Test
    void withAutomationOffNothingBeginsAndThePlanSaysWhatWould() throws Exception {
        DriverRig rig = quiet(4, 4);
        rig.world.kill("n1");
        rig.rounds(4 * 310);
        assertThat(rig.begun).isEmpty();
        DryRun plan = rig.driver.plan(rig.world.now);
        assertThat(plan.shards().operations()).isEmpty();
        assertThat(plan.describe()).contains("automation is OFF").contains("n1 has been down");
        assertThat(rig.state().nodes()).hasSize(4);
        rig.request(new Request.SetAutomation(Automation.REPAIRS));
        rig.settle(2000, 60);
        assertThat(rig.state().nodes()).hasSize(3);
        rig.check();
    }

    @Test
    void aReliefIsWrittenDownAndEnds() {
        DriverRig rig = quiet(3, 4);
        Bytes key = Bytes.utf8("hot");
        DriverScenario.begin(rig, new Operation.RelieveKey(1, 1, 5000, key));
        rig.settle(20, 2);
        assertThat(rig.state().shards().get(1).relieved()).containsExactly(new RelievedKey(5000, key));
        DriverScenario.begin(rig, new Operation.EndRelief(1, 1, 5000, key));
        rig.settle(20, 2);
        assertThat(rig.state().shards().get(1).relieved()).isEmpty();
        rig.settleAndCheck();
    }

    @Test
    void aTransferMakesItsTargetThePreferredLeader() {
        DriverRig rig = quiet(3, 4);
        rig.request(new Request.Transfer(0, "n3"));
        rig.settle(20, 2);
        assertThat(rig.state().shards().get(0).preferredLeader()).isEqualTo("n3");
        assertThat(rig.state().shards().get(0).stamps().transferredMillis()).isGreaterThan(0);
        rig.world.kill("n3");
        rig.round();
        assertThat(rig.state().shards().get(0).preferredLeader())
                .as("an election changes nothing")
                .isEqualTo("n3");
        rig.round();
        rig.request(new Request.Transfer(0, "n3"));
        rig.settle(100, 2);
        assertThat(last(rig).outcome()).isEqualTo(Outcome.UNDONE);
        assertThat(rig.state().shards().get(0).stamps().failedMillis()).isNotEqualTo(ShardStamps.NEVER);
    }

    @Test
    void anotherDriverKeepsThisOneFromWriting() throws Exception {
        DriverRig rig = quiet(4, 4);
        PlacementDriver other = rig.newDriver();
        other.round(rig.world.now);
        rig.request(new Request.Move(0, "n1", "n4"));
        CatalogState known = other.state();
        CatalogDelta delta =
                known.edit().put(new CatalogSettings(2, Automation.ALL, 1)).toDelta(1);
        assertThatThrownBy(() -> rig.store.commit(known, delta)).isInstanceOf(CatalogException.class);
        // Both take steps, in turn.
        for (int i = 0; i < 60; i++) {
            rig.round();
            other.round(rig.world.now);
        }
        assertThat(last(rig).outcome()).isEqualTo(Outcome.DONE);
        rig.settleAndCheck();
    }
}
