package io.elastickv.embedded.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.elastickv.api.SlotRange;
import java.util.List;
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
}
