package io.elastickv.embedded.internal.node;

import static io.elastickv.embedded.internal.node.SplitCluster.PATIENCE;
import static io.elastickv.embedded.internal.node.SplitCluster.assertCounts;
import static io.elastickv.embedded.internal.node.SplitCluster.awaitSafe;
import static io.elastickv.embedded.internal.node.SplitCluster.nodes;
import static io.elastickv.embedded.internal.node.SplitCluster.split;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.LocalCluster;
import io.elastickv.embedded.internal.placement.ClusterLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a start makes of a split at each of whose steps the node may have ended: the rows of the table in ADR 0013. */
final class SplitCrashIT {

    private static final int BORDER = 6000;

    private LocalCluster cluster;
    private Map<String, AtomicLong> counts;

    @BeforeEach
    void start() {
        cluster = LocalCluster.builder().nodes(1).shards(1).startAndAwaitReady();
        load(200);
    }

    @AfterEach
    void close() {
        cluster.close();
    }

    private void load(int increments) {
        SplitLoad load = new SplitLoad(() -> nodes(cluster), 2);
        load.awaitProgress(increments);
        Map<String, AtomicLong> more = load.stop();
        if (counts != null) {
            counts.forEach((key, count) ->
                    more.computeIfAbsent(key, any -> new AtomicLong()).addAndGet(count.get()));
        }
        counts = more;
    }

    private EmbeddedNode node() {
        return SplitCluster.node(cluster, 0);
    }

    private void splitShard() {
        split(cluster, 0, 1, BORDER, 1);
    }

    private void awaitChild() {
        Awaitility.await()
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> node().hosts().containsKey(1));
    }

    private void restart() {
        cluster.restart(0);
    }

    private void assertAllIsThere() {
        awaitSafe(cluster, 0, 1);
        assertCounts(cluster, counts);
        load(50);
        assertCounts(cluster, counts);
    }

    /** Changes what the directory says that it holds, as long as nobody has it open. */
    private void rewrite(UnaryOperator<HeldReplicas> change) throws IOException {
        Path directory = cluster.directoryOf(0);
        HeldReplicas held = HeldReplicas.ofLines(
                CheckedText.read(directory.resolve(HeldReplicas.FILE), HeldReplicas.KIND, HeldReplicas.VERSION, ""));
        CheckedText.replace(directory, HeldReplicas.FILE, change.apply(held).toText());
    }

    private ShardBirth birth() throws IOException {
        ClusterLayout layout =
                ClusterLayout.ofText(Files.readString(cluster.directoryOf(0).resolve("layout")));
        ShardBirth parent = ShardBirth.formed(layout, layout.placements().get(0));
        return new ShardBirth(1, 0, 2, List.of(new SlotRange(BORDER, 16383)), parent.members());
    }

    /** So short after the split that nothing was done about it. */
    @Test
    void afterTheApply() {
        node().splitOffs().live(Runnable::run, shard -> {});
        splitShard();
        assertThat(node().hosts()).doesNotContainKey(1);
        cluster.stop(0);
        restart();
        awaitChild();
        assertAllIsThere();
    }

    @Test
    void afterTheReplicaIsNoted() throws IOException {
        node().splitOffs().live(Runnable::run, shard -> {});
        splitShard();
        cluster.stop(0);
        ShardBirth birth = birth();
        rewrite(held -> held.with(birth, held.key(0)));
        restart();
        awaitChild();
        assertAllIsThere();
    }

    @Test
    void afterTheReplicaIsNotedAndTheSplitIsNotKnownToBeCommitted() throws IOException {
        cluster.stop(0);
        ShardBirth birth = birth();
        rewrite(held -> held.with(birth, held.key(0)));
        restart();
        assertThat(node().hosts()).as("it has no beginning yet").doesNotContainKey(1);
        SplitCluster.leader(cluster, 0);
        splitShard();
        awaitChild();
        assertAllIsThere();
    }

    @Test
    void afterTheNewLogHasBegun() throws IOException {
        splitShard();
        awaitChild();
        load(100);
        cluster.stop(0);
        // As if none had been written by then.
        delete(cluster.directoryOf(0).resolve("checkpoints").resolve("1"));
        restart();
        assertAllIsThere();
    }

    @Test
    void afterTheNewShardHasACheckpoint() {
        splitShard();
        awaitChild();
        awaitSafe(cluster, 0, 1);
        load(100);
        cluster.stop(0);
        restart();
        assertThat(node().hosts().get(1).checkpoints().isSound()).isTrue();
        assertAllIsThere();
    }

    @Test
    void afterTheParentHasACheckpointToo() {
        splitShard();
        awaitChild();
        awaitSafe(cluster, 0, 1);
        long splitAt = node().hosts().get(0).group().status().appliedIndex();
        Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).until(() -> {
            load(10);
            node().checkpoints().require(0);
            return node().hosts().get(0).group().status().firstIndex() > splitAt;
        });
        cluster.stop(0);
        restart();
        assertThat(node().hosts().get(0).stateMachine().unsafeChildren()).isEmpty();
        assertAllIsThere();
    }

    @Test
    void afterTheNewShardWasRemovedAgain() throws IOException {
        splitShard();
        awaitChild();
        cluster.stop(0);
        rewrite(held -> held.without(1, 5));
        restart();
        assertThat(node().hosts()).doesNotContainKey(1);
        assertThat(node().hosts().get(0).stateMachine().unsafeChildren()).isEmpty();
        assertThat(node().hosts().get(0).stateMachine().ownership().slots().last())
                .isEqualTo(BORDER - 1);
    }

    @Test
    void theParentGetsNoCheckpointBeforeTheNewShardHasOne() {
        node().splitOffs().live(Runnable::run, shard -> {});
        splitShard();
        long splitAt = node().hosts().get(0).group().status().appliedIndex();
        node().checkpoints().require(0);
        node().checkpoints().poll();
        node().checkpoints().poll();
        assertThat(node().hosts().get(0).group().status().checkpoints())
                .allMatch(checkpoint -> checkpoint.index() < splitAt);
        cluster.stop(0);
        restart();
        assertAllIsThere();
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
