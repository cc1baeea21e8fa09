package io.elastickv.embedded.internal.placement;

import static io.elastickv.embedded.internal.placement.LoadReports.follower;
import static io.elastickv.embedded.internal.placement.LoadReports.key;
import static io.elastickv.embedded.internal.placement.LoadReports.leader;
import static io.elastickv.embedded.internal.placement.LoadReports.report;
import static io.elastickv.embedded.internal.placement.LoadReports.slot;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.elastickv.api.Bytes;
import io.elastickv.embedded.internal.placement.plan.PlanSettings;
import io.elastickv.embedded.internal.placement.plan.ShardLoad;
import io.elastickv.embedded.internal.shard.MeterReading;
import org.junit.jupiter.api.Test;

/** How the reports of the nodes become the loads of shards, slots and nodes; in virtual time. */
final class LoadBookTest {

    private final LoadBook book = new LoadBook(PlanSettings.DEFAULT.costs(), 1);

    @Test
    void readsAreSummedAndWritesAreTheLeaders() {
        book.heard(report("n1", 1, leader(7, slot(100, 50, 30))), 1_000);
        book.heard(report("n2", 1, follower(7, slot(100, 20, 30))), 1_000);
        book.heard(report("n3", 1, follower(7, slot(100, 10, 30))), 1_000);

        ShardFigures shard = book.shards(1_000).get(7);
        assertThat(shard.leader()).isEqualTo("n1");
        assertThat(shard.readsPerSecond()).isEqualTo(80);
        assertThat(shard.writesPerSecond()).isEqualTo(30);
        assertThat(shard.steadyOpsPerSecond()).isEqualTo(55);
        assertThat(shard.bytesPerSecond()).isEqualTo(80 * 100 + 30 * 200);
        assertThat(shard.entries()).isEqualTo(1000);
        assertThat(shard.sizeBytes()).isEqualTo(100_000);
        assertThat(shard.slots().of(100)).isEqualTo(110);
        assertThat(book.slotLoads(1_000)[100]).isEqualTo(110);
        assertThat(book.sizes(1_000)).containsEntry(7, 100_000L);

        ShardLoad load = book.loads(1_000).of(7);
        assertThat(load.opsPerSecond()).isEqualTo(110);
        assertThat(load.applyNanosPerSecond()).isEqualTo(90_000);
    }

    @Test
    void ofTwoLeadersTheOneWithTheLargerTermLeads() {
        MeterReading reading = slot(1, 0, 10);
        book.heard(report("n1", 1, new LoadReport.Replica(7, 5, true, true, 1, 1, reading)), 0);
        book.heard(report("n2", 1, new LoadReport.Replica(7, 6, true, true, 2, 2, slot(1, 0, 20))), 0);
        assertThat(book.shards(0).get(7).leader()).isEqualTo("n2");
        assertThat(book.shards(0).get(7).writesPerSecond()).isEqualTo(20);
    }

    @Test
    void whileNobodyLeadsTheWritesThatAllHaveAppliedAreStillKnown() {
        book.heard(report("n1", 1, follower(7, slot(1, 5, 10))), 0);
        book.heard(report("n2", 1, follower(7, slot(1, 5, 12))), 0);
        ShardFigures shard = book.shards(0).get(7);
        assertThat(shard.leader()).isNull();
        assertThat(shard.writesPerSecond()).isEqualTo(12);
        assertThat(shard.readsPerSecond()).isEqualTo(10);
    }

    @Test
    void aSilentNodeIsForgotten() {
        book.heard(report("n1", 1, leader(7, slot(1, 10, 0))), 1_000);
        book.heard(report("n2", 1, follower(7, slot(1, 5, 0))), 4_000);

        assertThat(book.nodes(6_000)).containsOnlyKeys("n1", "n2");
        assertThat(book.shards(6_000).get(7).readsPerSecond()).isEqualTo(15);
        assertThat(book.nodes(6_001)).containsOnlyKeys("n2");
        assertThat(book.shards(6_001).get(7).readsPerSecond()).isEqualTo(5);
        assertThat(book.loads(10_000).byShard()).isEmpty();
    }

    @Test
    void aReportThatWasOvertakenIsIgnoredUnlessTheClockWasSetBack() {
        book.heard(report("n1", 2_000, leader(7, slot(1, 10, 0))), 0);
        book.heard(report("n1", 1_000, leader(7, slot(1, 99, 0))), 100);
        assertThat(book.shards(100).get(7).readsPerSecond()).isEqualTo(10);
        book.heard(report("n1", 1_500, leader(7, slot(1, 50, 0))), 6_000);
        assertThat(book.shards(6_000).get(7).readsPerSecond()).isEqualTo(50);
    }

    @Test
    void aShardIsColdSinceItsLoadFellBelowTheBoundWithoutABreak() {
        book.heard(report("n1", 1, leader(7, slot(1, 0.2, 0.1))), 1_000);
        assertThat(book.loads(1_000).of(7).coldSinceMillis()).isEqualTo(1_000);
        book.heard(report("n1", 2, leader(7, slot(1, 0.3, 0.1))), 5_000);
        assertThat(book.loads(5_000).of(7).coldSinceMillis()).isEqualTo(1_000);
        book.heard(report("n1", 3, leader(7, slot(1, 30, 0.1))), 6_000);
        assertThat(book.loads(6_000).of(7).coldSinceMillis()).isEqualTo(ShardLoad.NOT_COLD);
        book.heard(report("n1", 4, leader(7, slot(1, 0, 0))), 7_000);
        assertThat(book.loads(7_000).of(7).coldSinceMillis()).isEqualTo(7_000);
    }

    @Test
    void ofAShardThatNobodySpeaksOfNothingIsKnown() {
        assertThat(book.loads(0).of(7)).isSameAs(ShardLoad.NONE);
        assertThat(book.loads(0).of(7).coldSinceMillis()).isEqualTo(ShardLoad.NOT_COLD);
    }

    @Test
    void aKeysShareIsWeighedByWhatEachReplicaServed() {
        // 90 of 100 on n1, 10 of 100 on n2: half of all.
        book.heard(report("n1", 1, leader(7, slot(9, 60, 40, key(9, "k", 0.9)))), 0);
        book.heard(report("n2", 1, follower(7, slot(9, 100, 40, key(9, "k", 0.1), key(9, "other", 0.3)))), 0);

        ShardFigures shard = book.shards(0).get(7);
        assertThat(shard.hotKeys()).hasSize(2);
        assertThat(shard.hotKeys().get(0).key()).isEqualTo(Bytes.utf8("k"));
        assertThat(shard.hotKeys().get(0).shareOfSlot()).isCloseTo(0.5, within(1e-9));
        assertThat(shard.hotKeys().get(1).shareOfSlot()).isCloseTo(0.15, within(1e-9));
    }

    @Test
    void aNodeCarriesWhatItServesAndWhatItLeads() {
        book.heard(report("n1", 1, leader(7, slot(9, 60, 40)), follower(8, slot(10, 5, 100))), 0);

        NodeFigures node = book.nodes(0).get("n1");
        assertThat(node.readsPerSecond()).isEqualTo(65);
        assertThat(node.writesPerSecond()).isEqualTo(40);
        assertThat(node.bytesPerSecond()).isEqualTo(65 * 100 + 40 * 200);
        assertThat(node.leaders()).isEqualTo(1);
        assertThat(node.replicas()).isEqualTo(2);
        assertThat(node.storedBytes()).isEqualTo(190_000);
        // 10 us per operation, 1 ns per byte, twice what it applies.
        assertThat(node.cost()).isEqualTo(105 * 10_000.0 + 14_500 + 2 * (40 + 100) * 3_000.0);
    }

    @Test
    void aMovedLeadershipIsNoDipInTheLoad() {
        // The old leader's reads fade with the same weight with which the new one's rise.
        double fade = Math.exp(-1 / 3.0);
        double old = 90;
        double young = 0;
        for (int second = 0; second < 10; second++) {
            old *= fade;
            young += (90 - young) * (1 - fade);
            book.heard(report("n1", second, follower(7, slot(1, old, 30))), second * 1000);
            book.heard(report("n2", second, leader(7, slot(1, young, 30))), second * 1000);
            assertThat(book.loads(second * 1000).of(7).opsPerSecond()).isCloseTo(120, within(1e-6));
        }
    }

    @Test
    void anotherNodeGetsTheSameFigures() {
        book.heard(report("n1", 1, leader(7, slot(9, 60, 40, key(9, "k", 0.9)))), 10_000);
        book.heard(report("n2", 1, follower(7, slot(9, 100, 40))), 8_000);
        LoadBook copy = LoadBook.decode(book.encode(10_000), 500_000);

        assertThat(copy.shards(500_000)).usingRecursiveComparison().isEqualTo(book.shards(10_000));
        assertThat(copy.slotLoads(500_000)).isEqualTo(book.slotLoads(10_000));
        assertThat(copy.nodes(503_000)).containsKeys("n1", "n2");
        assertThat(copy.nodes(503_001)).containsOnlyKeys("n1");
        byte[] damaged = book.encode(10_000);
        damaged[0] = 2;
        assertThatIllegalArgumentException().isThrownBy(() -> LoadBook.decode(damaged, 0));
    }
}
