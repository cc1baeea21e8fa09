package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.PutOptions;
import io.elastickv.api.ReadConsistency;
import io.elastickv.api.VersionedValue;
import io.elastickv.embedded.internal.node.CheckpointFigures;
import io.elastickv.embedded.internal.node.EmbeddedNode;
import io.elastickv.embedded.internal.placement.Catalog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Checkpoints in a real cluster: what they bound, what they survive, and what becomes of who was away too long. */
@Timeout(180)
class CheckpointIT {

    private static final long SEGMENT_BYTES = 256 << 10;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static LocalCluster.Builder small(int nodes, int shards) {
        return LocalCluster.builder()
                .nodes(nodes)
                .shards(shards)
                .customize(
                        (i, builder) -> builder.checkpoints(64 << 10, 1 << 20).segmentBytes(SEGMENT_BYTES));
    }

    private static CheckpointFigures.Counts counts(ElastickvNode node) {
        return ((EmbeddedNode) node).checkpointCounts();
    }

    private static Bytes key(int i) {
        return Bytes.utf8("key-" + i);
    }

    private static Bytes value(SplittableRandom random, int bytes) {
        byte[] value = new byte[bytes];
        random.nextBytes(value);
        return Bytes.copyOf(value);
    }

    /** Puts so many values, some of them over one another, and remembers what was acknowledged last. */
    private static void fill(KeyValueStore store, SplittableRandom random, int count, Map<Bytes, Bytes> expected) {
        fill(
                store,
                random,
                IntStream.range(0, count).mapToObj(CheckpointIT::key).toList(),
                1000,
                expected);
    }

    private static void fill(
            KeyValueStore store, SplittableRandom random, List<Bytes> keys, int bytes, Map<Bytes, Bytes> expected) {
        List<CompletableFuture<?>> calls = new ArrayList<>();
        for (Bytes key : keys) {
            Bytes value = value(random, bytes);
            expected.put(key, value);
            calls.add(store.async().put(key, value));
            if (calls.size() == 64) {
                calls.forEach(CompletableFuture::join);
                calls.clear();
            }
        }
        calls.forEach(CompletableFuture::join);
    }

    private static Map<Bytes, VersionedValue> localContents(ElastickvNode node, Iterable<Bytes> keys) {
        Map<Bytes, VersionedValue> contents = new HashMap<>();
        for (Bytes key : keys) {
            node.store().get(key, ReadConsistency.local()).ifPresent(value -> contents.put(key, value));
        }
        return contents;
    }

    /** All replicas have the same, which is what was acknowledged. */
    private static void awaitAgreement(LocalCluster cluster, Map<Bytes, Bytes> expected) {
        Awaitility.await("all replicas agree").atMost(PATIENCE).untilAsserted(() -> {
            Map<Bytes, VersionedValue> first = localContents(cluster.node(0), expected.keySet());
            assertThat(first).hasSameSizeAs(expected);
            expected.forEach((key, value) ->
                    assertThat(first.get(key).value()).as("%s", key.toUtf8()).isEqualTo(value));
            for (int i = 1; i < cluster.size(); i++) {
                assertThat(localContents(cluster.node(i), expected.keySet()).equals(first))
                        .as("contents and versions of n%d", i)
                        .isTrue();
            }
        });
    }

    private static long logBytes(LocalCluster cluster, int node) {
        try (Stream<Path> files = Files.list(cluster.directoryOf(node).resolve("wal"))) {
            return files.mapToLong(CheckpointIT::size).sum();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            return 0; // deleted meanwhile
        }
    }

    private static List<Path> checkpointFiles(LocalCluster cluster, int node, Predicate<String> name) {
        try (Stream<Path> files = Files.walk(cluster.directoryOf(node).resolve("checkpoints"))) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> name.test(file.getFileName().toString()))
                    .filter(file -> !file.getParent().endsWith(String.valueOf(Catalog.GROUP))) // those of the shards
                    .sorted(Comparator.comparing(Path::toString))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void flip(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            long at = channel.size() / 2;
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, at);
            one.put(0, (byte) (one.get(0) ^ 0x10));
            channel.write(one.flip(), at);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes until each of these members has made so many checkpoints more. */
    private static void fillUntilCheckpoints(
            LocalCluster cluster, SplittableRandom random, Map<Bytes, Bytes> expected, long count, int... members) {
        long deadlineNanos = System.nanoTime() + PATIENCE.toNanos();
        long[] wanted = Arrays.stream(members)
                .mapToLong(i -> counts(cluster.node(i)).written() + count)
                .toArray();
        while (!IntStream.range(0, members.length)
                .allMatch(m -> counts(cluster.node(members[m])).written() >= wanted[m])) {
            assertThat(System.nanoTime() - deadlineNanos)
                    .as("checkpoints are made while so much is written")
                    .isNegative();
            fill(cluster.store(members[0]), random, 300, expected);
        }
    }

    @Test
    void theLogStaysBoundedHoweverMuchIsWritten() {
        SplittableRandom random = new SplittableRandom(1);
        Map<Bytes, Bytes> expected = new HashMap<>();
        try (LocalCluster cluster = LocalCluster.builder()
                .shards(4)
                .customize(
                        (i, builder) -> builder.checkpoints(64 << 10, 4 << 20).segmentBytes(1 << 20))
                .startAndAwaitReady()) {
            // One shard is written to only once, and must not pin the log for the others.
            Bytes rare = key(0);
            cluster.store(0).put(rare, Bytes.utf8("1"));
            int idle = cluster.shardOf(rare);
            List<Bytes> keys = IntStream.range(1, 1000)
                    .mapToObj(CheckpointIT::key)
                    .filter(key -> cluster.shardOf(key) != idle)
                    .limit(400)
                    .toList();
            for (int round = 0; round < 20; round++) {
                fill(cluster.store(round % 3), random, keys, 4000, expected);
                for (int i = 0; i < 3; i++) {
                    int member = i;
                    Awaitility.await("the log of n" + i + " after " + (round + 1) * 1.6 + " MB")
                            .atMost(PATIENCE)
                            .until(() -> logBytes(cluster, member) < 16 << 20);
                }
            }
            awaitAgreement(cluster, expected);
            Awaitility.await("the log shrinks").atMost(PATIENCE).until(() -> logBytes(cluster, 1) < 8 << 20);
            for (int i = 0; i < 3; i++) {
                assertThat(counts(cluster.node(i)).failed()).isZero();
                assertThat(checkpointFiles(cluster, i, name -> name.endsWith(".manifest")))
                        .hasSizeBetween(4, 8);
                assertThat(checkpointFiles(cluster, i, name -> name.endsWith(".manifest")))
                        .as("the idle shard's")
                        .anyMatch(file -> file.getParent().endsWith(String.valueOf(idle)));
            }
        }
    }

    @Test
    void whoWasAwayWhileTheLogWentOnCatchesUpByTheStateUnderLoad() {
        SplittableRandom random = new SplittableRandom(2);
        Map<Bytes, Bytes> expected = new HashMap<>();
        try (LocalCluster cluster = small(3, 1).startAndAwaitReady()) {
            fill(cluster.store(0), random, 200, expected);
            int away = (cluster.awaitLeaderOf(0) + 1) % 3;
            cluster.stop(away);
            int present = (away + 1) % 3;
            fillUntilCheckpoints(cluster, random, expected, 4, present, (away + 2) % 3);
            long seed = System.nanoTime();
            try (CounterLoad load =
                    new CounterLoad(() -> List.of(cluster.node(present)), seed, 4, 3, Duration.ofSeconds(10))) {
                load.awaitProgress(50);
                cluster.restart(away);
                Awaitility.await("the state arrives")
                        .atMost(PATIENCE)
                        .until(() -> counts(cluster.node(away)).installed() > 0);
                load.awaitProgress(50);
                cluster.awaitReady();
                load.stopAndVerify("a state is fetched, seed " + seed);
                assertThat(load.unknown()).isZero();
            }
            for (int i = 0; i < 3; i++) {
                Bytes counter = CounterLoad.key(i);
                cluster.store(0).get(counter).ifPresent(value -> expected.put(counter, value.value()));
            }
            awaitAgreement(cluster, expected);
            assertThat(counts(cluster.node(present)).served()
                            + counts(cluster.node((away + 2) % 3)).served())
                    .isPositive();
            // And it is a full member: with it and one other the cluster goes on.
            cluster.stop(present);
            cluster.store(away).put(key(0), Bytes.utf8("after"));
        }
    }

    @Test
    void everythingIsThereAfterARestartOfAll() {
        SplittableRandom random = new SplittableRandom(3);
        Map<Bytes, Bytes> expected = new HashMap<>();
        Bytes short1 = Bytes.utf8("short");
        Bytes long1 = Bytes.utf8("long");
        Bytes counter = Bytes.utf8("counter");
        try (LocalCluster cluster = small(3, 2).startAndAwaitReady()) {
            cluster.store(0).put(short1, Bytes.utf8("x"), PutOptions.defaults().expireAfter(Duration.ofMinutes(1)));
            cluster.store(0).put(long1, Bytes.utf8("y"), PutOptions.defaults().expireAfter(Duration.ofDays(9)));
            for (int i = 0; i < 4; i++) {
                fill(cluster.store(0), random, 500, expected);
                cluster.store(i % 3).increment(counter, 1);
                cluster.store(0).delete(key(7));
            }
            fillUntilCheckpoints(cluster, random, expected, 4, 0, 1, 2);
            cluster.store(0).delete(key(7));
            expected.remove(key(7));
            awaitAgreement(cluster, expected);
            Map<Bytes, VersionedValue> before = localContents(cluster.node(0), expected.keySet());
            for (int i = 0; i < 3; i++) {
                cluster.crash(i);
            }
            cluster.advanceClocks(Duration.ofMinutes(2));
            for (int i = 0; i < 3; i++) {
                cluster.restart(i);
            }
            cluster.awaitReady();
            awaitAgreement(cluster, expected);
            assertThat(localContents(cluster.node(2), expected.keySet())).isEqualTo(before);
            assertThat(cluster.store(0).get(key(7))).isEmpty();
            assertThat(cluster.store(1).get(short1)).as("expired meanwhile").isEmpty();
            assertThat(cluster.store(1).describe(long1)).isPresent();
            assertThat(cluster.store(2).get(long1).map(VersionedValue::value)).contains(Bytes.utf8("y"));
            assertThat(cluster.store(2).increment(counter, 1)).isEqualTo(5);
        }
    }

    /** J1: entries that a checkpoint already held were replayed on top of it. */
    @Test
    void incrementsCountOnceAcrossRestartsWithCheckpoints() {
        long seed = System.nanoTime();
        int rounds = Integer.getInteger("elastickv.checkpoint.rounds", 4);
        try (LocalCluster cluster = LocalCluster.builder()
                .shards(1)
                .customize((i, builder) -> builder.checkpoints(8 << 10, 1 << 20).segmentBytes(SEGMENT_BYTES))
                .startAndAwaitReady()) {
            for (int round = 0; round < rounds; round++) {
                try (CounterLoad load = new CounterLoad(cluster::running, seed, 6, 3, Duration.ofSeconds(20))) {
                    load.awaitProgress(400);
                    int victim = round % 3;
                    cluster.crash(victim);
                    load.awaitProgress(300);
                    cluster.restart(victim);
                    cluster.awaitReady();
                    load.awaitProgress(300);
                    load.stopAndVerify("restarts with checkpoints, seed " + seed);
                }
                Map<Bytes, Bytes> expected = new HashMap<>();
                for (int i = 0; i < 3; i++) {
                    expected.put(
                            CounterLoad.key(i),
                            cluster.store(0)
                                    .get(CounterLoad.key(i))
                                    .orElseThrow()
                                    .value());
                }
                awaitAgreement(cluster, expected);
                cluster.store(0).clear();
            }
            assertThat(counts(cluster.node(1)).written()).isPositive();
        }
    }

    @Test
    void aDamagedNewestCheckpointFallsBackToTheOneBefore() {
        SplittableRandom random = new SplittableRandom(4);
        Map<Bytes, Bytes> expected = new HashMap<>();
        try (LocalCluster cluster = small(3, 1).startAndAwaitReady()) {
            fillUntilCheckpoints(cluster, random, expected, 3, 2);
            awaitAgreement(cluster, expected);
            cluster.stop(2);
            List<Path> manifests = checkpointFiles(cluster, 2, name -> name.endsWith(".manifest"));
            assertThat(manifests).hasSize(2);
            flip(manifests.get(1));
            cluster.restart(2);
            cluster.awaitReady();
            awaitAgreement(cluster, expected);
            assertThat(counts(cluster.node(2)).installed())
                    .as("from its own disk")
                    .isZero();
        }
    }

    @Test
    void aReplicaWithoutAnyGoodCheckpointIsRebuiltFromItsPeers() {
        SplittableRandom random = new SplittableRandom(5);
        Map<Bytes, Bytes> expected = new HashMap<>();
        try (LocalCluster cluster = small(3, 1).startAndAwaitReady()) {
            fillUntilCheckpoints(cluster, random, expected, 3, 2);
            cluster.stop(2);
            checkpointFiles(cluster, 2, name -> name.endsWith(".bucket")).forEach(CheckpointIT::flip);
            cluster.restart(2);
            fill(cluster.store(0), random, 100, expected);
            Awaitility.await("the state arrives")
                    .atMost(PATIENCE)
                    .until(() -> counts(cluster.node(2)).installed() > 0);
            awaitAgreement(cluster, expected);
            cluster.awaitReady();
            // What came is as good as what was written here: it survives a restart on its own.
            cluster.stop(2);
            cluster.restart(2);
            awaitAgreement(cluster, expected);
            assertThat(counts(cluster.node(2)).installed()).isZero();
        }
    }

    @Test
    void aNodeThatIsAloneRefusesWithTheFileAndTheRemedy() {
        SplittableRandom random = new SplittableRandom(6);
        Map<Bytes, Bytes> expected = new HashMap<>();
        try (LocalCluster cluster = small(1, 1).startAndAwaitReady()) {
            fillUntilCheckpoints(cluster, random, expected, 3, 0);
            cluster.stop(0);
            List<Path> buckets = checkpointFiles(cluster, 0, name -> name.endsWith(".bucket"));
            Map<Path, byte[]> originals = new HashMap<>();
            for (Path file : buckets) {
                originals.put(file, read(file));
                flip(file);
            }
            assertThatThrownBy(() -> cluster.restart(0))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("group 0")
                    .hasMessageContaining("checkpoints/0/")
                    .hasMessageContaining(".bucket, offset")
                    .hasMessageContaining("Restore");
            originals.forEach(CheckpointIT::write);
            cluster.restart(0);
            cluster.awaitReady();
            expected.forEach(
                    (key, value) -> assertThat(cluster.store(0).get(key).map(VersionedValue::value))
                            .isEqualTo(Optional.of(value)));
        }
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void write(Path file, byte[] bytes) {
        try {
            Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
