package io.elastickv.redis.internal.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.ElastickvNode;
import io.elastickv.api.ShardInfo;
import io.elastickv.api.SlotRange;
import io.elastickv.redis.fake.FakeCluster;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TopologyTest {

    private static final String ATTRIBUTE = "redis.address";

    private final FakeCluster cluster = new FakeCluster(3, 6, InstantSource.system());

    @AfterEach
    void close() {
        cluster.close();
    }

    private Topology topology(int node) {
        return Topology.of(cluster.node(node).cluster(), ATTRIBUTE, "127.0.0.1", 7000 + node);
    }

    private void publish(int node, String address) {
        ElastickvNode each = cluster.node(node);
        each.cluster().setAttribute(ATTRIBUTE, address);
    }

    private static ShardInfo shard(int id, int first, int last, String leader, String... replicas) {
        return new ShardInfo(
                id,
                List.of(new SlotRange(first, last)),
                1,
                List.of(replicas),
                Optional.ofNullable(leader),
                id + 1,
                leader == null ? ShardInfo.State.NO_LEADER : ShardInfo.State.SERVING);
    }

    @Test
    void idsAreFortyHexadecimalDigitsAndStable() {
        assertThat(Topology.id("n1")).matches("[0-9a-f]{40}").isEqualTo(Topology.id("n1"));
        assertThat(Topology.id("n1")).isEqualTo("40b3eab63f3f1d4fa48e09559401c5ed4efceaa6");
    }

    @Test
    void everyLeaderIsAMasterOfItsMergedSlots() {
        for (int i = 0; i < 3; i++) {
            publish(i, "127.0.0.1:" + (7000 + i));
        }
        cluster.shards(List.of(
                shard(0, 0, 99, "n1", "n1", "n2", "n3"),
                shard(1, 100, 199, "n1", "n1", "n2", "n3"),
                shard(2, 200, 16383, "n2", "n1", "n2", "n3")));
        Topology topology = topology(0);
        assertThat(topology.nodes()).hasSize(3);
        assertThat(topology.self().slots()).containsExactly(new SlotRange(0, 199));
        assertThat(topology.nodes().get(2).master()).contains(Topology.id("n1"));
        assertThat(topology.complete()).isTrue();
        assertThat(topology.shards()).hasSize(3);
        assertThat(topology.shards().get(0).replicas()).hasSize(2);
    }

    @Test
    void slotsWithoutAKnownMasterAreTheAnsweringNodes() {
        publish(1, "127.0.0.1:7001");
        publish(2, "garbage");
        cluster.shards(List.of(
                shard(0, 0, 99, null, "n1", "n2", "n3"),
                shard(1, 100, 199, "n3", "n1", "n2", "n3"),
                shard(2, 200, 16383, "n2", "n1", "n2", "n3")));
        Topology topology = topology(0);
        assertThat(topology.nodes()).extracting(Topology.Node::name).containsExactly("n1", "n2");
        assertThat(topology.self().slots()).containsExactly(new SlotRange(0, 199));
        assertThat(topology.complete()).isFalse();
        assertThat(topology.servedSlots()).isEqualTo(16284);
        assertThat(topology.assignedSlots()).isEqualTo(16384);
        assertThat(topology.shards().get(2).master().port()).isEqualTo(7001);
    }
}
