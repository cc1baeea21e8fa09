package io.elastickv.embedded.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.elastickv.api.SlotRange;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RoutesTest {

    private final ShardRoute route = shard(1, 0, 16383);

    private static ShardRoute shard(int id, int first, int last) {
        return new ShardRoute(id, 1, List.of(new SlotRange(first, last)), List.of("n1", "n2", "n3"));
    }

    @Test
    void replicasAreLearnedOfInTheOrderOfTheirEpochs() {
        ShardRoute route = new ShardRoute(0, 1, List.of(), List.of("n1", "n2"));
        assertThat(route.learnReplicas(1, List.of("n9"))).isFalse();
        assertThat(route.learnReplicas(4, List.of("n2", "n3"))).isTrue();
        assertThat(route.learnReplicas(3, List.of("n1"))).isFalse();
        assertThat(route.learnReplicas(5, List.of())).as("nobody is no news").isFalse();
        assertThat(route.replicas()).containsExactly("n2", "n3");
        assertThat(route.epoch()).isEqualTo(4);
        assertThat(route.replicaAfter("n2")).isEqualTo("n3");
        assertThat(route.replicaAfter("n1")).as("not there any more").isEqualTo("n2");
    }

    @Test
    void aNewRouteKnowsNoLeader() {
        assertThat(route.leader()).isNull();
        assertThat(route.term()).isZero();
    }

    @Test
    void newsOfALaterTermReplaceWhatWasKnown() {
        assertThat(route.learn(3, "n1")).isTrue();
        assertThat(route.learn(4, null)).isTrue();
        assertThat(route.leader()).isNull();
        assertThat(route.learn(4, "n2")).isTrue();
        assertThat(route.leader()).isEqualTo("n2");
        assertThat(route.term()).isEqualTo(4);
    }

    @Test
    void newsOfAnEarlierTermAndNobodyInTheSameTermAreIgnored() {
        route.learn(4, "n2");
        assertThat(route.learn(3, "n1")).isFalse();
        assertThat(route.learn(4, null)).isFalse();
        assertThat(route.learn(4, "n2")).as("nothing new").isFalse();
        assertThat(route.leader()).isEqualTo("n2");
    }

    @Test
    void aLeaderThatIsGoneIsForgottenButNotItsTerm() {
        route.learn(4, "n2");
        assertThat(route.forget("n1")).isFalse();
        assertThat(route.forget("n2")).isTrue();
        assertThat(route.leader()).isNull();
        assertThat(route.learn(3, "n1")).isFalse();
        assertThat(route.learn(4, "n2")).isTrue();
    }

    @Test
    void replicasFollowOneAnotherInACircle() {
        assertThat(route.replicaAfter(null)).isEqualTo("n1");
        assertThat(route.replicaAfter("n1")).isEqualTo("n2");
        assertThat(route.replicaAfter("n3")).isEqualTo("n1");
        assertThat(route.replicaAfter("stranger")).isEqualTo("n1");
    }

    @Test
    void everySlotHasTheShardThatOwnsIt() {
        ShardRoute low = shard(0, 0, 8000);
        ShardRoute high =
                new ShardRoute(1, 1, List.of(new SlotRange(8001, 9000), new SlotRange(9001, 16383)), List.of("n1"));
        RouteTable table = new RouteTable(List.of(low, high));
        assertThat(table.ofSlot(0)).isSameAs(low);
        assertThat(table.ofSlot(8000)).isSameAs(low);
        assertThat(table.ofSlot(8001)).isSameAs(high);
        assertThat(table.ofSlot(16383)).isSameAs(high);
        assertThat(table.shards()).containsExactly(low, high);
    }

    @Test
    void aSlotWithoutOwnerOrWithTwoIsNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RouteTable(List.of(shard(0, 0, 100), shard(1, 102, 16383))))
                .withMessage("slot 101 has no owner");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RouteTable(List.of(shard(0, 0, 100), shard(1, 100, 16383))))
                .withMessage("slot 100 is owned by shard 0 and by shard 1");
    }

    @Test
    void aReplicaThatLostItsLeaderSaysSoOnceAndOfNoOlderTerm() {
        ShardRoute route = shard(0, 0, 10);
        route.learn(3, "n2");
        assertThat(route.lost(2)).as("an older term").isFalse();
        assertThat(route.leader()).isEqualTo("n2");
        assertThat(route.lost(3)).isTrue();
        assertThat(route.leader()).isNull();
        assertThat(route.lost(3)).as("again").isFalse();
        assertThat(route.learn(3, "n2")).as("it was there all the time").isTrue();
    }

    private static Claim claim(int shard, long epoch, int first, int last) {
        return new Claim(shard, epoch, List.of(new SlotRange(first, last)), List.of());
    }

    private static RouteBook book() {
        RouteBook book = new RouteBook();
        book.learn(List.of(new Claim(0, 1, List.of(new SlotRange(0, 16383)), List.of("n1", "n2"))));
        return book;
    }

    @Test
    void aSplitIsLearnedFromEitherHalf() {
        RouteBook book = book();
        ShardRoute parent = book.table().ofSlot(0);
        assertThat(book.learn(List.of(claim(0, 2, 0, 8191))))
                .as("nobody claims the rest")
                .isFalse();
        assertThat(book.table().ofSlot(9000)).isSameAs(parent);
        assertThat(book.learn(List.of(claim(5, 2, 8192, 16383)))).isTrue();
        RouteTable table = book.table();
        assertThat(table.ofSlot(8191)).as("the route of a shard stays").isSameAs(parent);
        assertThat(table.ofSlot(8192).id()).isEqualTo(5);
        assertThat(table.ofSlot(8192).replicas())
                .as("it begins where its parent is")
                .containsExactly("n1", "n2");
        assertThat(parent.slots()).containsExactly(new SlotRange(0, 8191));
        assertThat(parent.epoch()).isEqualTo(2);
    }

    @Test
    void claimsMayComeInAnyOrderAndAgain() {
        List<Claim> claims = new ArrayList<>(List.of(
                claim(0, 2, 0, 8191),
                claim(1, 2, 8192, 16383),
                claim(1, 3, 8192, 9999),
                claim(2, 3, 10000, 16383),
                claim(2, 4, 10000, 11999),
                claim(3, 4, 12000, 16383)));
        for (int seed = 0; seed < 200; seed++) {
            Collections.shuffle(claims, new Random(seed));
            RouteBook book = book();
            claims.forEach(claim -> book.learn(List.of(claim)));
            assertThat(book.learn(claims)).as("seed %d: nothing new", seed).isFalse();
            RouteTable table = book.table();
            assertThat(table.shards())
                    .as("seed %d", seed)
                    .extracting(ShardRoute::id)
                    .containsExactly(0, 1, 2, 3);
            assertThat(table.ofSlot(11_999).id()).isEqualTo(2);
            assertThat(table.ofSlot(12_000).id()).isEqualTo(3);
            assertThat(table.runOf(11_999)).isEqualTo(table.runOf(10_000));
            assertThat(table.slotsOf(table.ofSlot(10_000))).containsExactly(new SlotRange(10_000, 11_999));
        }
    }

    @Test
    void aShardThatWasMergedAwayIsForgotten() {
        RouteBook book = book();
        book.learn(List.of(claim(0, 2, 0, 8191), claim(5, 2, 8192, 16383)));
        book.learn(List.of(claim(0, 3, 0, 9999), claim(5, 3, 10000, 16383)));
        assertThat(book.table().ofSlot(9999).id()).isZero();
        book.learn(List.of(claim(0, 4, 0, 16383)));
        assertThat(book.table().shards()).extracting(ShardRoute::id).containsExactly(0);
        assertThat(book.table().ofShard(5)).isNull();
    }

    @Test
    void whatIsToldOfASlotIsNotMoreThanWhatIsKnown() {
        RouteBook book = book();
        book.learn(List.of(claim(0, 2, 0, 8191)));
        // That the right half is still the parent's is what epoch 1 said, not epoch 2: who is told so must still
        // believe it.
        assertThat(book.table().runOf(9000).claim().epoch()).isEqualTo(1);
        RouteBook asker = book();
        asker.learn(List.of(book.table().runOf(9000).claim()));
        assertThat(asker.learn(List.of(claim(5, 2, 8192, 16383)))).isTrue();
    }
}
