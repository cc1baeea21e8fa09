package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.Bytes;
import io.elastickv.api.ClusterView;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.KeySlot;
import io.elastickv.api.NodeInfo;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.ReplicaInfo;
import io.elastickv.api.ShardInfo;
import io.elastickv.api.UnavailableException;
import io.elastickv.embedded.history.LinearizabilityChecker;
import io.elastickv.embedded.history.Operation;
import io.elastickv.embedded.history.Verdict;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Replicas that come and go, and members that lose their directories, under load and faults. */
final class MembershipIT {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static Bytes b(String text) {
        return Bytes.utf8(text);
    }

    private static String name(int i) {
        return LocalCluster.nameOf(i);
    }

    private static ClusterView view(LocalCluster cluster, int i) {
        return cluster.node(i).cluster();
    }

    private static Set<String> replicas(LocalCluster cluster, int through, int shard) {
        return new TreeSet<>(view(cluster, through).shards().get(shard).replicas());
    }

    private static void awaitReplicas(LocalCluster cluster, int shard, String... nodes) {
        for (ElastickvNode node : cluster.running()) {
            Awaitility.await("replicas of shard " + shard + " as seen by " + node.name())
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(20))
                    .untilAsserted(
                            () -> assertThat(node.cluster().shards().get(shard).replicas())
                                    .containsExactlyInAnyOrder(nodes));
        }
    }

    /** Waits until every shard has all its replicas back, each of them with everything. */
    private static void awaitFullReplication(LocalCluster cluster, int shards, int copies) {
        for (int shard = 0; shard < shards; shard++) {
            int number = shard;
            Awaitility.await("replicas of shard " + shard)
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(20))
                    .ignoreExceptionsMatching(e -> e instanceof ElastickvException)
                    .untilAsserted(() -> {
                        List<ReplicaInfo> replication =
                                cluster.running().get(0).cluster().replication(number, Duration.ofSeconds(5));
                        assertThat(replication).hasSize(copies).allSatisfy(replica -> {
                            assertThat(replica.voter()).isTrue();
                            assertThat(replica.lag()).isZero();
                        });
                        assertThat(replication.stream().map(ReplicaInfo::node)).doesNotHaveDuplicates();
                    });
        }
    }

    /** Reads the keys from each replica alone: all must have the same. Nothing may be written meanwhile. */
    private static void assertReplicasAreEqual(LocalCluster cluster, List<String> keys) {
        for (String key : keys) {
            Bytes bytes = b(key);
            ShardInfo shard = cluster.running().get(0).cluster().shardOfSlot(KeySlot.of(bytes));
            Optional<String> expected = cluster.store(0).get(bytes).map(v -> v.version() + " " + v.value());
            for (String node : shard.replicas()) {
                Awaitility.await(key + " on " + node)
                        .atMost(PATIENCE)
                        .pollInterval(Duration.ofMillis(20))
                        .untilAsserted(() -> assertThat(cluster.store(LocalCluster.numberOf(node))
                                        .get(bytes, ReadConsistency.local())
                                        .map(v -> v.version() + " " + v.value()))
                                .isEqualTo(expected));
            }
        }
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

    private static List<String> registers(int count) {
        return IntStream.range(0, count).mapToObj(i -> "r" + i).toList();
    }

    // ---- moving replicas

    @Test
    void everyReplicaOfAShardMovesUnderLoad() {
        try (LocalCluster cluster = LocalCluster.builder().nodes(5).shards(2).startAndAwaitReady();
                RegisterLoad load = new RegisterLoad(cluster::running, 11, 8, 10, Duration.ofMillis(2_500))) {
            List<Set<String>> before = List.of(replicas(cluster, 0, 0), replicas(cluster, 0, 1));
            long epoch = view(cluster, 0).shards().get(0).epoch();
            for (int shard = 0; shard < 2; shard++) {
                Set<String> old = before.get(shard);
                List<String> free = IntStream.range(0, 5)
                        .mapToObj(MembershipIT::name)
                        .filter(node -> !old.contains(node))
                        .toList();
                view(cluster, 0).addReplica(shard, free.get(0), PATIENCE);
                view(cluster, 1).addReplica(shard, free.get(1), PATIENCE);
                assertThat(replicas(cluster, 1, shard)).hasSize(5);
                for (String node : old) {
                    view(cluster, 2).removeReplica(shard, node, PATIENCE);
                }
                view(cluster, 3).addReplica(shard, old.iterator().next(), PATIENCE);
            }
            List<Operation> history = load.stop();
            assertLinearizable(history, 11, 300);
            for (int shard = 0; shard < 2; shard++) {
                Set<String> old = before.get(shard);
                Set<String> now = IntStream.range(0, 5)
                        .mapToObj(MembershipIT::name)
                        .filter(node -> !old.contains(node))
                        .collect(Collectors.toCollection(HashSet::new));
                now.add(old.iterator().next());
                awaitReplicas(cluster, shard, now.toArray(new String[0]));
            }
            assertThat(view(cluster, 4).shards().get(0).epoch()).isGreaterThan(epoch + 5);
            awaitFullReplication(cluster, 2, 3);
            assertReplicasAreEqual(cluster, registers(10));
        }
    }

    @Test
    void whatWasChangedHoldsAfterARestart() {
        try (LocalCluster cluster = LocalCluster.builder().nodes(4).shards(2).startAndAwaitReady()) {
            for (int i = 0; i < 20; i++) {
                cluster.store(0).put(b("r" + i), b("v" + i));
            }
            view(cluster, 0).addReplica(0, "n3", PATIENCE);
            view(cluster, 0).removeReplica(0, "n0", PATIENCE);
            awaitReplicas(cluster, 0, "n1", "n2", "n3");
            for (int i = 0; i < 4; i++) {
                cluster.crash(i);
            }
            for (int i = 0; i < 4; i++) {
                cluster.restart(i);
            }
            cluster.awaitReady();
            awaitReplicas(cluster, 0, "n1", "n2", "n3");
            awaitFullReplication(cluster, 2, 3);
            assertReplicasAreEqual(cluster, registers(20));
            // And the one that was removed can come back, with nothing of what it was.
            view(cluster, 2).addReplica(0, "n0", PATIENCE);
            view(cluster, 2).removeReplica(0, "n2", PATIENCE);
            awaitReplicas(cluster, 0, "n0", "n1", "n3");
            assertReplicasAreEqual(cluster, registers(20));
        }
    }

    @Test
    void aLeaderRemovesItself() {
        try (LocalCluster cluster = LocalCluster.builder().nodes(4).shards(1).startAndAwaitReady();
                CounterLoad load = new CounterLoad(cluster::running, 3, 4, 4, Duration.ofSeconds(5))) {
            load.awaitProgress(50);
            int leader = cluster.awaitLeaderOf(0);
            view(cluster, 3).addReplica(0, "n3", PATIENCE);
            view(cluster, leader).removeReplica(0, name(leader), PATIENCE);
            int next = Awaitility.await().atMost(PATIENCE).until(() -> cluster.awaitLeaderOf(0), led -> led != leader);
            assertThat(next).isNotEqualTo(leader);
            load.awaitProgress(50);
            load.stopAndVerify("leader " + leader + " removed itself");
            // Nothing is left of it on the disk.
            Awaitility.await()
                    .atMost(PATIENCE)
                    .until(() -> !Files.exists(
                            cluster.directoryOf(leader).resolve("checkpoints").resolve("0")));
            assertThat(cluster.store(leader).get(CounterLoad.key(0), ReadConsistency.local()))
                    .as("asked of another node")
                    .isPresent();
        }
    }

    @Test
    void aShardShrinksToOneReplicaAndGrowsAgain() {
        try (LocalCluster cluster = LocalCluster.builder().nodes(3).shards(1).startAndAwaitReady()) {
            cluster.store(0).put(b("k"), b("v"));
            view(cluster, 0).removeReplica(0, "n0", PATIENCE);
            view(cluster, 0).removeReplica(0, "n1", PATIENCE);
            awaitReplicas(cluster, 0, "n2");
            assertThatThrownBy(() -> view(cluster, 0).removeReplica(0, "n2", PATIENCE))
                    .isInstanceOf(InvalidRequestException.class)
                    .hasMessage("shard 0: the replica on node n2 is the last one");
            cluster.store(0).put(b("k"), b("w"));
            view(cluster, 1).addReplica(0, "n0", PATIENCE);
            view(cluster, 1).addReplica(0, "n1", PATIENCE);
            view(cluster, 1).removeReplica(0, "n2", PATIENCE);
            assertThat(cluster.store(2).get(b("k")).orElseThrow().value()).isEqualTo(b("w"));
        }
    }

    @Test
    void whatCannotBeIsRefusedAndWhatTakesTooLongGoesOn() {
        try (LocalCluster cluster = LocalCluster.builder().nodes(4).shards(1).startAndAwaitReady()) {
            ClusterView view = view(cluster, 1);
            assertThatThrownBy(() -> view.addReplica(7, "n3", PATIENCE))
                    .isInstanceOf(InvalidRequestException.class)
                    .hasMessageContaining("there is no such shard");
            assertThatThrownBy(() -> view.addReplica(0, "n9", PATIENCE))
                    .isInstanceOf(InvalidRequestException.class)
                    .hasMessage("shard 0: there is no node n9 that stores data");
            assertThatThrownBy(() -> view.addReplica(0, "n1", PATIENCE))
                    .isInstanceOf(InvalidRequestException.class)
                    .hasMessage("shard 0: there is a replica on node n1 already");
            assertThatThrownBy(() -> view.removeReplica(0, "n3", PATIENCE))
                    .isInstanceOf(InvalidRequestException.class)
                    .hasMessage("shard 0: there is no replica on node n3");
            cluster.crash(3);
            assertThatThrownBy(() -> view.addReplica(0, "n3", Duration.ofSeconds(4)))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("no replica on node n3 after PT4S")
                    .hasMessageContaining("n3");
            cluster.crash(2);
            for (int i = 0; i < 2; i++) {
                ClusterView other = view(cluster, i);
                Awaitility.await()
                        .atMost(PATIENCE)
                        .until(() -> other.nodes().get(2).state() == NodeInfo.State.DOWN);
            }
            assertThatThrownBy(() -> view.removeReplica(0, "n1", Duration.ofSeconds(1)))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("a replica still on node n1 after PT1S: without node n1 only 1 of 2 replicas"
                            + " could vote now, which is no majority");
            view.removeReplica(0, "n2", PATIENCE);
            cluster.restart(2);
            cluster.restart(3);
            cluster.awaitReady();
            // The one that was removed while it was down hears of it from the leader.
            view.addReplica(0, "n2", PATIENCE);
            awaitFullReplication(cluster, 1, 3);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 0})
    void replicasMoveWhileTheNetworkBreaks(long given) {
        long seed = given == 0 ? System.nanoTime() : given;
        SplittableRandom random = new SplittableRandom(seed);
        int shards = 2;
        try (LocalCluster cluster =
                        LocalCluster.builder().nodes(5).shards(shards).startAndAwaitReady();
                RegisterLoad load = new RegisterLoad(cluster::running, seed, 6, 10, Duration.ofMillis(1_500))) {
            List<String> log = new ArrayList<>();
            for (int round = 0; round < 12; round++) {
                int shard = random.nextInt(shards);
                int through = random.nextInt(5);
                Set<String> members = replicas(cluster, through, shard);
                boolean add = members.size() <= 3 || (random.nextBoolean() && members.size() < 5);
                String node = IntStream.range(0, 5)
                        .map(i -> (i + through) % 5)
                        .mapToObj(MembershipIT::name)
                        .filter(candidate -> members.contains(candidate) != add)
                        .findFirst()
                        .orElseThrow();
                if (round % 3 == 0) {
                    cluster.heal();
                    int first = random.nextInt(5);
                    cluster.partition(Set.of(first, (first + 1) % 5));
                    log.add("cut off " + first + " and the next");
                } else if (round % 3 == 2) {
                    cluster.heal();
                }
                log.add((add ? "add " : "remove ") + node + " of shard " + shard + " through " + through);
                try {
                    if (add) {
                        view(cluster, through).addReplica(shard, node, Duration.ofSeconds(2));
                    } else {
                        view(cluster, through).removeReplica(shard, node, Duration.ofSeconds(2));
                    }
                } catch (ElastickvException e) {
                    log.add("... " + e.getMessage());
                }
            }
            cluster.heal();
            cluster.awaitReady(PATIENCE);
            List<Operation> history = load.stop();
            log.forEach(System.out::println);
            assertLinearizable(history, seed, 100);
            for (int shard = 0; shard < shards; shard++) {
                int number = shard;
                // Whatever was begun comes to its end.
                Awaitility.await()
                        .atMost(PATIENCE)
                        .untilAsserted(() -> assertThat(view(cluster, 0).replication(number, Duration.ofSeconds(5)))
                                .allSatisfy(replica -> {
                                    assertThat(replica.voter()).isTrue();
                                    assertThat(replica.lag()).isZero();
                                }));
                Set<String> members = view(cluster, 0).replication(shard, Duration.ofSeconds(5)).stream()
                        .map(ReplicaInfo::node)
                        .collect(Collectors.toSet());
                awaitReplicas(cluster, shard, members.toArray(new String[0]));
            }
            assertReplicasAreEqual(cluster, registers(10));
        }
    }

    // ---- lost directories

    @Test
    void aMemberThatLostItsDirectoryComesBackAsANewOneUnderLoad(@TempDir Path elsewhere) throws Exception {
        try (LocalCluster cluster = LocalCluster.builder().nodes(3).shards(4).startAndAwaitReady();
                RegisterLoad load = new RegisterLoad(cluster::running, 21, 6, 12, Duration.ofMillis(2_500))) {
            String clusterId = view(cluster, 0).clusterId();
            Map<Integer, Long> epochs = new HashMap<>();
            view(cluster, 0).shards().forEach(shard -> epochs.put(shard.id(), shard.epoch()));
            cluster.crash(2);
            Path old = elsewhere.resolve("old");
            cluster.moveData(2, old);
            cluster.restart(2).awaitReady(PATIENCE);
            awaitFullReplication(cluster, 4, 3);
            List<Operation> history = load.stop();
            assertLinearizable(history, 21, 300);
            assertReplicasAreEqual(cluster, registers(12));
            assertThat(view(cluster, 2).clusterId()).isEqualTo(clusterId);
            view(cluster, 1).shards().forEach(shard -> assertThat(shard.epoch()).isGreaterThan(epochs.get(shard.id())));
            // Everybody forgets and is told anew; what was known of the lost directory is known still.
            for (int i = 0; i < 3; i++) {
                cluster.stop(i);
            }
            for (int i = 0; i < 3; i++) {
                cluster.restart(i);
            }
            cluster.awaitReady(PATIENCE);
            awaitFullReplication(cluster, 4, 3);

            cluster.crash(2);
            cluster.moveData(2, elsewhere.resolve("new"));
            Files.move(old, cluster.directoryOf(2));
            ElastickvNode returned = cluster.restart(2);
            Awaitility.await()
                    .atMost(PATIENCE)
                    .untilAsserted(() -> assertThatThrownBy(() -> returned.awaitReady(Duration.ofSeconds(1)))
                            .isInstanceOf(UnavailableException.class)
                            .hasMessageContaining("refused: data directory")
                            .hasMessageContaining("was given up when the node came back with directory"));
            assertThatThrownBy(() -> returned.store().put(b("r1"), b("x"))).isInstanceOf(UnavailableException.class);
            cluster.store(0).put(b("r1"), b("y"));
            cluster.stop(2);
            cluster.wipe(2);
            Files.move(elsewhere.resolve("new"), cluster.directoryOf(2));
            cluster.restart(2).awaitReady(PATIENCE);
            awaitFullReplication(cluster, 4, 3);
            assertReplicasAreEqual(cluster, registers(12));
        }
    }

    @Test
    void aLostMemberGetsItsStateFromCheckpointsWhereTheLogIsShort() {
        try (LocalCluster cluster = LocalCluster.builder()
                        .nodes(3)
                        .shards(2)
                        .customize((i, builder) ->
                                builder.checkpoints(64 << 10, 1 << 20).segmentBytes(256 << 10))
                        .startAndAwaitReady();
                CounterLoad load = new CounterLoad(cluster::running, 8, 4, 6, Duration.ofSeconds(5))) {
            Map<Bytes, Bytes> entries = new HashMap<>();
            for (int i = 0; i < 4_000; i++) {
                entries.put(b("k" + i), Bytes.copyOf(new byte[500]));
            }
            cluster.store(0).putAll(entries);
            for (int shard = 0; shard < 2; shard++) {
                Path checkpoints = cluster.directoryOf(0).resolve("checkpoints").resolve("" + shard);
                Awaitility.await()
                        .atMost(PATIENCE)
                        .until(() -> Files.isDirectory(checkpoints)
                                && checkpoints.toFile().list().length > 0);
            }
            cluster.crash(0);
            cluster.wipe(0);
            cluster.restart(0).awaitReady(PATIENCE);
            awaitFullReplication(cluster, 2, 3);
            load.stopAndVerify("state from checkpoints");
            assertReplicasAreEqual(
                    cluster, IntStream.range(0, 6).mapToObj(i -> "counter-" + i).toList());
            assertReplicasAreEqual(
                    cluster, IntStream.range(0, 40).mapToObj(i -> "k" + i * 100).toList());
        }
    }

    @Test
    void aMemberThatIsWipedAgainWhileItIsReplacedIsReplacedAgain() {
        SplittableRandom random = new SplittableRandom(5);
        try (LocalCluster cluster = LocalCluster.builder().nodes(3).shards(3).startAndAwaitReady();
                CounterLoad load = new CounterLoad(cluster::running, 5, 4, 6, Duration.ofSeconds(5))) {
            for (int round = 0; round < 3; round++) {
                cluster.crash(1);
                cluster.wipe(1);
                cluster.restart(1);
                // In the middle of it, or near.
                load.awaitProgress(20 + random.nextInt(200));
            }
            cluster.awaitReady(PATIENCE);
            awaitFullReplication(cluster, 3, 3);
            load.stopAndVerify("wiped three times");
            assertReplicasAreEqual(
                    cluster, IntStream.range(0, 6).mapToObj(i -> "counter-" + i).toList());
        }
    }

    @Test
    void leadersChangeWhileALostMemberIsReplaced() {
        try (LocalCluster cluster = LocalCluster.builder().nodes(5).shards(5).startAndAwaitReady();
                CounterLoad load = new CounterLoad(cluster::running, 7, 4, 8, Duration.ofSeconds(5))) {
            cluster.crash(4);
            cluster.wipe(4);
            cluster.restart(4);
            for (int round = 0; round < 2; round++) {
                load.awaitProgress(30);
                cluster.crash(round);
                load.awaitProgress(30);
                cluster.restart(round);
            }
            cluster.awaitReady(PATIENCE);
            awaitFullReplication(cluster, 5, 3);
            load.stopAndVerify("leaders changed");
            assertReplicasAreEqual(
                    cluster, IntStream.range(0, 8).mapToObj(i -> "counter-" + i).toList());
        }
    }

    @Test
    void withoutAMajorityThatRemembersAShardStaysUnavailableAndSaysWhy() {
        try (LocalCluster cluster = LocalCluster.builder().nodes(3).shards(2).startAndAwaitReady()) {
            cluster.store(0).put(b("k"), b("v"));
            view(cluster, 0).removeReplica(1, "n0", PATIENCE);
            cluster.crash(1);
            cluster.crash(2);
            cluster.wipe(1);
            cluster.wipe(2);
            ElastickvNode wiped = cluster.restart(1);
            cluster.restart(2);
            for (ElastickvNode node : List.of(wiped, cluster.node(0))) {
                Awaitility.await()
                        .atMost(PATIENCE)
                        .untilAsserted(
                                () -> assertThatThrownBy(() -> node.awaitReady(Duration.ofSeconds(1)))
                                        .isInstanceOf(UnavailableException.class)
                                        .hasMessageContaining("no leader is known for shards [0, 1]")
                                        .hasMessageContaining(
                                                "shard 0: no majority of its replicas remembers it: nodes [n1, n2] have"
                                                        + " lost the data directories with theirs, 1 of 3 replicas are left and 2 are needed"));
            }
            assertThatThrownBy(() ->
                            wiped.store().withTimeout(Duration.ofSeconds(1)).get(b("k")))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("no majority of its replicas remembers it");
        }
    }
}
