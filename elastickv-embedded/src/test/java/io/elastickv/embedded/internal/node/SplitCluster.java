package io.elastickv.embedded.internal.node;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.LocalCluster;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.node.ReplicaProtocol.Changed;
import io.elastickv.embedded.internal.node.ReplicaProtocol.State;
import io.elastickv.embedded.internal.raft.core.Role;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;

/** What tests of splits ask of a cluster. */
final class SplitCluster {

    static final Duration PATIENCE = Duration.ofSeconds(30);

    private SplitCluster() {}

    static List<EmbeddedNode> nodes(LocalCluster cluster) {
        List<EmbeddedNode> nodes = new ArrayList<>();
        cluster.running().forEach(node -> nodes.add((EmbeddedNode) node));
        return nodes;
    }

    static EmbeddedNode node(LocalCluster cluster, int i) {
        return (EmbeddedNode) cluster.node(i);
    }

    static EmbeddedNode leader(LocalCluster cluster, int shard) {
        return Awaitility.await("a leader of shard " + shard)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .until(
                        () -> nodes(cluster).stream()
                                .filter(node -> {
                                    ShardHost host = node.hosts().get(shard);
                                    return host != null && host.group().status().role() == Role.LEADER;
                                })
                                .findFirst()
                                .orElse(null),
                        found -> found != null);
    }

    static long deadline() {
        return System.nanoTime() + 1_000_000_000L;
    }

    /** Asks until it is done. */
    static void split(LocalCluster cluster, int shard, long epoch, int firstSlot, int child) {
        Awaitility.await("shard " + shard + " is split")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> {
                    EmbeddedNode leader = leader(cluster, shard);
                    Changed changed = leader.control()
                            .split(leader.name(), shard, epoch, epoch + 1, firstSlot, child, epoch + 1, deadline());
                    assertThat(changed == null ? State.UNDER_WAY : changed.state())
                            .as("%s", changed)
                            .isNotEqualTo(State.IMPOSSIBLE);
                    return changed != null && changed.state() == State.DONE;
                });
    }

    /** Waits until every node has a replica of each shard that is part of its group and safe by itself. */
    static void awaitSafe(LocalCluster cluster, int... shards) {
        for (EmbeddedNode node : nodes(cluster)) {
            for (int shard : shards) {
                Awaitility.await("shard " + shard + " on " + node.name())
                        .atMost(PATIENCE)
                        .pollInterval(Duration.ofMillis(10))
                        .untilAsserted(() -> {
                            ShardHost host = node.hosts().get(shard);
                            assertThat(host).isNotNull();
                            assertThat(host.group().status().failed()).isFalse();
                            assertThat(host.group().status().leader()).isNotNull();
                            assertThat(host.group().status().stateLost()).isFalse();
                            assertThat(host.stateMachine().unsafeChildren()).isEmpty();
                            if (host.birth().isSplitOff()) {
                                assertThat(host.checkpoints().isSound()).isTrue();
                            }
                        });
            }
        }
    }

    /** Each replica of the owner of each key has counted it so often. */
    static void assertCounts(LocalCluster cluster, Map<String, AtomicLong> counts) {
        for (EmbeddedNode node : nodes(cluster)) {
            Awaitility.await("the counters on " + node.name())
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(10))
                    .untilAsserted(() -> counts.forEach((key, count) ->
                            assertThat(count(node, key.getBytes(UTF_8))).as(key).isEqualTo(count.get())));
        }
    }

    static long count(EmbeddedNode node, byte[] key) {
        int slot = KeySlot.of(key);
        for (ShardHost host : node.hosts().values()) {
            if (host.group().groupId() < 1 << 30
                    && host.stateMachine().ownership().slots().contains(slot)) {
                QueryResult result = host.stateMachine().queryLocal(new Query.Get(key), 0);
                if (result instanceof QueryResult.Value value && value.value() != null) {
                    return Long.parseLong(new String(value.value().value(), UTF_8));
                }
            }
        }
        return 0;
    }

    /** How often the owner has counted a key; -1 if no node leads it. */
    static long countAtOwner(List<EmbeddedNode> nodes, String key) {
        byte[] bytes = key.getBytes(UTF_8);
        ShardHost owner = SplitLoad.owner(nodes, KeySlot.of(bytes));
        if (owner == null) {
            return -1;
        }
        QueryResult result = owner.stateMachine().queryLocal(new Query.Get(bytes), 0);
        return result instanceof QueryResult.Value value && value.value() != null
                ? Long.parseLong(new String(value.value().value(), UTF_8))
                : 0;
    }
}
