package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.Automation;
import io.elastickv.api.Bytes;
import io.elastickv.api.ClusterView;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.NodeInfo;
import io.elastickv.api.OperationInfo;
import io.elastickv.api.ShardInfo;
import io.elastickv.embedded.history.LinearizabilityChecker;
import io.elastickv.embedded.history.Operation;
import io.elastickv.embedded.history.Verdict;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes join, leave and are lost; shards split and merge: all by the cluster itself, under load. */
final class ElasticityIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path directory;

    private static void await(String what, BooleanSupplier condition) {
        Awaitility.await(what)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(50))
                .until(condition::getAsBoolean);
    }

    private ElastickvNode join(String name, List<String> addresses) {
        return Elastickv.builder()
                .name(name)
                .address("127.0.0.1", FreePorts.choose(1).get(0))
                .join(addresses)
                .storage(StorageEngine.HEAP)
                .electionTimeout(Duration.ofMillis(500))
                .dataDirectory(directory.resolve(name))
                .start();
    }

    private static Map<String, Integer> replicas(ClusterView view) {
        Map<String, Integer> counts = new HashMap<>();
        view.shards().forEach(shard -> shard.replicas().forEach(node -> counts.merge(node, 1, Integer::sum)));
        return counts;
    }

    private static Map<String, Integer> leaders(ClusterView view) {
        Map<String, Integer> counts = new HashMap<>();
        view.shards().forEach(shard -> shard.leader().ifPresent(node -> counts.merge(node, 1, Integer::sum)));
        return counts;
    }

    private static boolean fullyReplicated(ClusterView view, int copies) {
        return view.shards().stream()
                .allMatch(shard ->
                        shard.replicas().size() == copies && shard.leader().isPresent());
    }

    private static void assertLinearizable(List<Operation> history, long seed, long least) {
        Verdict verdict = new LinearizabilityChecker().check(history);
        long ok = history.stream()
                .filter(operation -> operation.outcome() == Operation.Outcome.OK)
                .count();
        System.out.printf("seed %d: %d operations, %d ok: %s%n", seed, history.size(), ok, verdict.answer());
        assertThat(verdict.answer()).as("seed %d\n%s", seed, verdict).isEqualTo(Verdict.Answer.LINEARIZABLE);
        assertThat(ok).as("seed %d", seed).isGreaterThan(least);
    }

    private static LocalCluster.Builder elastic(int nodes, int shards) {
        return LocalCluster.builder().nodes(nodes).shards(shards).drivesPlacement();
    }

    @Test
    void aNodeJoinsIsFilledAndLeavesAgainUnderLoad() {
        try (LocalCluster cluster = elastic(3, 6).startAndAwaitReady();
                RegisterLoad load = new RegisterLoad(cluster::running, 21, 8, 10, Duration.ofMillis(2_500))) {
            ClusterView view = cluster.node(0).cluster();
            try (ElastickvNode fourth =
                    join("n9", List.of("127.0.0.1:1", cluster.seeds().get(1)))) {
                fourth.awaitReady(PATIENCE);
                assertThat(fourth.cluster().clusterId()).isEqualTo(view.clusterId());
                await(
                        "n9 is a member everywhere",
                        () -> cluster.running().stream()
                                .allMatch(node -> node.cluster().nodes().stream()
                                        .filter(NodeInfo::member)
                                        .anyMatch(info -> info.name().equals("n9"))));
                await(
                        "replicas and leaders flow to n9: " + replicas(view),
                        () -> replicas(view).getOrDefault("n9", 0) >= 3
                                && leaders(view).getOrDefault("n9", 0) >= 1);
                Bytes key = Bytes.utf8("through the new one");
                fourth.store().put(key, key);
                assertThat(cluster.store(2).get(key)).isPresent();

                fourth.cluster().drainNode("n9", PATIENCE);
                assertThat(replicas(view)).doesNotContainKey("n9");
                await(
                        "n9 is forgotten",
                        () -> view.nodes().stream()
                                .noneMatch(info -> info.name().equals("n9") && info.member()));
            }
            await("three replicas each", () -> fullyReplicated(view, 3));
            assertLinearizable(load.stop(), 21, 300);
        }
        assertThatThrownBy(() -> join("n9", List.of("127.0.0.1:1")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("empty directory");
    }

    @Test
    void theReplicasOfALostNodeAreMadeAnewAfterTheGracePeriod() {
        try (LocalCluster cluster = elastic(4, 4)
                        .customize((i, builder) -> builder.replaceDeadNodesAfter(Duration.ofSeconds(3)))
                        .startAndAwaitReady();
                RegisterLoad load = new RegisterLoad(cluster::running, 22, 8, 10, Duration.ofMillis(2_500))) {
            cluster.crash(3);
            ClusterView view = cluster.node(0).cluster();
            await("replaced", () -> fullyReplicated(view, 3) && !replicas(view).containsKey("n3"));
            assertThat(view.operations())
                    .anyMatch(operation -> operation.kind() == OperationInfo.Kind.REPLACE_REPLICA
                            && operation.reason().contains("n3"));
            assertLinearizable(load.stop(), 22, 300);
        }
    }

    @Test
    void shardsSplitAndMergeUnderLoad() {
        try (LocalCluster cluster = elastic(3, 2).startAndAwaitReady();
                RegisterLoad load = new RegisterLoad(cluster::running, 23, 8, 10, Duration.ofMillis(2_500));
                CounterLoad counters = new CounterLoad(cluster::running, 24, 4, 6, Duration.ofMillis(2_500))) {
            ClusterView view = cluster.node(1).cluster();
            view.setAutomation(Automation.REPAIRS, PATIENCE);
            List<Integer> children = new ArrayList<>();
            for (int round = 0; round < 6; round++) {
                ShardInfo widest = view.shards().stream()
                        .max((a, b) -> Integer.compare(slots(a), slots(b)))
                        .orElseThrow();
                int first = widest.slots().get(0).first() + slots(widest) / 2;
                int child = view.splitShard(widest.id(), first, PATIENCE);
                children.add(child);
                assertThat(view.shardOfSlot(first).id()).isEqualTo(child);
                assertThat(view.shardOfSlot(first - 1).id()).isEqualTo(widest.id());
            }
            assertThat(children).doesNotHaveDuplicates();
            assertThat(view.shards()).hasSize(8);
            await(
                    "all of them are led",
                    () -> cluster.running().stream()
                            .allMatch(node -> node.cluster().shards().size() == 8
                                    && node.cluster().shards().stream()
                                            .allMatch(shard -> shard.leader().isPresent())));
            while (view.shards().size() > 2) {
                view.mergeShards(view.shards().get(0).id(), PATIENCE);
            }
            assertThat(slots(view.shards().get(0)) + slots(view.shards().get(1)))
                    .isEqualTo(16_384);
            counters.stopAndVerify("splits and merges");
            assertLinearizable(load.stop(), 23, 300);
        }
    }

    private static int slots(ShardInfo shard) {
        return shard.slots().stream().mapToInt(range -> range.size()).sum();
    }

    @Test
    void whatCannotBeIsRefusedWithTheReason() {
        try (LocalCluster cluster = elastic(3, 2).startAndAwaitReady()) {
            ClusterView view = cluster.node(1).cluster();
            assertThatThrownBy(() -> view.splitShard(0, 0, PATIENCE)).isInstanceOf(InvalidRequestException.class);
            assertThatThrownBy(() -> view.splitShard(77, 5, PATIENCE)).isInstanceOf(InvalidRequestException.class);
            assertThatThrownBy(() -> view.drainNode("n7", PATIENCE)).isInstanceOf(InvalidRequestException.class);
            assertThatThrownBy(() -> view.mergeShards(1, PATIENCE)).isInstanceOf(InvalidRequestException.class);
            assertThatThrownBy(() -> view.moveReplica(0, "n0", "n1", PATIENCE))
                    .isInstanceOf(InvalidRequestException.class);
            assertThatThrownBy(() -> view.setReplicationFactor(0, PATIENCE))
                    .isInstanceOf(InvalidRequestException.class);
            assertThat(view.plan(PATIENCE).summary()).isNotBlank();
        }
    }
}
