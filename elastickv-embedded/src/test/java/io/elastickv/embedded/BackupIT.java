package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.BackupInfo;
import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.ImportMode;
import io.elastickv.api.ImportResult;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.InvalidRequestException.Reason;
import io.elastickv.api.KeyInfo;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.PutOptions;
import io.elastickv.api.ScanCursor;
import io.elastickv.api.ScanPage;
import io.elastickv.api.ShardInfo;
import io.elastickv.api.UnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Exports of whole clusters, and what comes back from them elsewhere. */
@Timeout(240)
class BackupIT {

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int SHARDS = 4;

    @TempDir
    Path directory;

    private static Map<String, String> contents(KeyValueStore store) {
        List<Bytes> keys = new ArrayList<>();
        ScanCursor cursor = ScanCursor.START;
        do {
            ScanPage page = store.scan(cursor, 10_000);
            keys.addAll(page.keys());
            cursor = page.next();
        } while (!cursor.isStart());
        TreeMap<String, String> contents = new TreeMap<>();
        store.getAll(keys)
                .values()
                .forEach(
                        (key, value) -> contents.put(key.toUtf8(), value.value().toUtf8()));
        return contents;
    }

    /** A key of each shard. */
    private static List<Bytes> keyOfEachShard(LocalCluster cluster) {
        List<ShardInfo> shards = cluster.node(0).cluster().shards();
        List<Bytes> keys = new ArrayList<>();
        for (ShardInfo shard : shards) {
            int number = 0;
            while (cluster.shardOf(Bytes.utf8("chain" + number)) != shard.id()) {
                number++;
            }
            keys.add(Bytes.utf8("chain" + number));
        }
        return keys;
    }

    /**
     * Writes 1, 2, 3... to the same keys in the same order, each when the write before is acknowledged. At any moment the
     * values along the chain do not grow, and differ by at most one.
     */
    private static final class CausalChain implements AutoCloseable {

        private final AtomicBoolean stop = new AtomicBoolean();
        private final List<Bytes> keys;
        final AtomicLongArray acknowledged;
        final AtomicLong slowestNanos = new AtomicLong();
        private final CompletableFuture<Void> end;

        CausalChain(KeyValueStore store, List<Bytes> keys) {
            this.keys = keys;
            this.acknowledged = new AtomicLongArray(keys.size());
            this.end = CompletableFuture.runAsync(() -> run(store), task -> new Thread(task, "chain").start());
        }

        private void run(KeyValueStore store) {
            for (long round = 1; !stop.get(); round++) {
                Bytes value = Bytes.utf8(Long.toString(round));
                for (int i = 0; i < keys.size(); i++) {
                    long begin = System.nanoTime();
                    store.put(keys.get(i), value);
                    slowestNanos.accumulateAndGet(System.nanoTime() - begin, Math::max);
                    acknowledged.set(i, round);
                }
            }
        }

        long[] acknowledged() {
            long[] now = new long[keys.size()];
            for (int i = 0; i < now.length; i++) {
                now[i] = acknowledged.get(i);
            }
            return now;
        }

        @Override
        public void close() throws Exception {
            stop.set(true);
            end.get(30, TimeUnit.SECONDS);
        }
    }

    private static void checkChain(List<Bytes> keys, Map<String, String> restored, long[] atLeast) {
        long before = Long.MAX_VALUE;
        long first = -1;
        for (int i = 0; i < keys.size(); i++) {
            long value = Long.parseLong(restored.getOrDefault(keys.get(i).toUtf8(), "0"));
            first = i == 0 ? value : first;
            assertThat(value)
                    .as("place %d of the chain, in %s", i, restored)
                    .isBetween(Math.max(atLeast[i], first - 1), before);
            before = value;
        }
    }

    @Test
    void aCutUnderLoadIsRestoredInClustersOfOtherSizes() throws Exception {
        Path file = directory.resolve("all.backup");
        TreeMap<String, String> model = new TreeMap<>();
        List<Bytes> chainKeys;
        long[] before;
        BackupInfo info;
        try (LocalCluster cluster = LocalCluster.builder()
                .shards(SHARDS)
                .storage(StorageEngine.OFF_HEAP)
                .startAndAwaitReady()) {
            Map<Bytes, Bytes> entries = new HashMap<>();
            Random random = new Random(7);
            for (int i = 0; i < 20_000; i++) {
                byte[] value = new byte[random.nextInt(200)];
                for (int j = 0; j < value.length; j++) {
                    value[j] = (byte) ('a' + random.nextInt(26));
                }
                entries.put(Bytes.utf8("key" + i), Bytes.copyOf(value));
            }
            cluster.store(0).putAll(entries);
            entries.forEach((key, value) -> model.put(key.toUtf8(), value.toUtf8()));

            chainKeys = keyOfEachShard(cluster);
            try (CausalChain chain = new CausalChain(cluster.store(1), chainKeys)) {
                while (chain.acknowledged.get(SHARDS - 1) < 20) {
                    Thread.onSpinWait();
                }
                before = chain.acknowledged();
                info = cluster.node(2).backups().exportTo(file, LONG);
            }
            assertThat(info.entries()).isBetween(20_000L + SHARDS, 20_000L + 2 * SHARDS);
            assertThat(info.shards()).isEqualTo(SHARDS);
            assertThat(info.clusterId()).isEqualTo(cluster.node(0).cluster().clusterId());
            assertThat(info.bytes()).isEqualTo(Files.size(file));
            assertThat(cluster.node(0).backups().verify(file)).isEqualTo(info);
        }
        Map<String, String> small;
        try (LocalCluster target = LocalCluster.builder().nodes(1).shards(8).startAndAwaitReady()) {
            ImportResult result = target.node(0).backups().importFrom(file, ImportMode.INTO_EMPTY, LONG);
            assertThat(result).isEqualTo(new ImportResult(info, info.entries(), 0));
            small = contents(target.store(0));
        }
        checkChain(chainKeys, small, before);
        Map<String, String> large;
        try (LocalCluster target = LocalCluster.builder().nodes(5).shards(6).startAndAwaitReady()) {
            target.startClient("importer").backups().importFrom(file, ImportMode.INTO_EMPTY, LONG);
            large = contents(target.store(4));
        }
        assertThat(large).isEqualTo(small);
        chainKeys.forEach(key -> small.remove(key.toUtf8()));
        assertThat(small).isEqualTo(model);
    }

    private record Taken(Path file, long[] before, long[] otherBefore) {}

    @Test
    void noBackupHasAWriteWithoutThoseItFollowed() throws Exception {
        List<Taken> taken = new ArrayList<>();
        List<Bytes> keys;
        List<Bytes> backwards = new ArrayList<>();
        try (LocalCluster cluster = LocalCluster.builder().shards(SHARDS).startAndAwaitReady()) {
            keys = keyOfEachShard(cluster);
            keys.forEach(key -> backwards.add(0, Bytes.utf8("{" + key.toUtf8() + "}back")));
            ElastickvNode client = cluster.startClient("client");
            client.awaitReady(LONG);
            try (CausalChain chain = new CausalChain(cluster.store(0), keys);
                    CausalChain other = new CausalChain(client.store(), backwards)) {
                for (int round = 0; round < 20; round++) {
                    Taken one =
                            new Taken(directory.resolve("chain" + round), chain.acknowledged(), other.acknowledged());
                    (round % 2 == 0 ? client : cluster.node(round % 3))
                            .backups()
                            .exportTo(one.file, LONG);
                    taken.add(one);
                }
                assertThat(Duration.ofNanos(chain.slowestNanos.get())).isLessThan(Duration.ofSeconds(3));
            }
        }
        try (LocalCluster target = LocalCluster.builder().nodes(1).shards(2).startAndAwaitReady()) {
            for (Taken one : taken) {
                target.store(0).clear();
                target.node(0).backups().importFrom(one.file, ImportMode.INTO_EMPTY, LONG);
                Map<String, String> restored = contents(target.store(0));
                checkChain(keys, restored, one.before);
                checkChain(backwards, restored, one.otherBefore);
            }
        }
    }

    @Test
    void aLeaderThatDiesCostsAnAttemptAtMost() throws Exception {
        try (LocalCluster cluster = LocalCluster.builder().shards(SHARDS).startAndAwaitReady()) {
            byte[] value = new byte[2_000];
            Map<Bytes, Bytes> entries = new HashMap<>();
            for (int i = 0; i < 5_000; i++) {
                entries.put(Bytes.utf8("key" + i), Bytes.copyOf(value));
            }
            cluster.store(0).putAll(entries);
            ElastickvNode client = cluster.startClient("client");
            client.awaitReady(LONG);
            for (int round = 0; round < 3; round++) {
                Path file = directory.resolve("export" + round);
                int victim = cluster.awaitLeaderOf(round);
                CompletableFuture<BackupInfo> export = CompletableFuture.supplyAsync(
                        () -> client.backups().exportTo(file, LONG), task -> new Thread(task, "export").start());
                if (round > 0) {
                    // Amid the transfer, as far as can be told; in the first round before or amid the cut.
                    while (!export.isDone() && !hasUnfinished()) {
                        Thread.onSpinWait();
                    }
                }
                cluster.crash(victim);
                BackupInfo info = export.get(90, TimeUnit.SECONDS);
                assertThat(info.entries()).isEqualTo(5_000);
                assertThat(client.backups().verify(file)).isEqualTo(info);
                cluster.restart(victim);
                cluster.awaitReady();
                client.awaitReady(LONG);
            }
            assertThat(hasUnfinished()).isFalse();
        }
    }

    private boolean hasUnfinished() {
        try (var files = Files.list(directory)) {
            return files.anyMatch(file -> file.toString().endsWith(".unfinished"));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void aMomentIsFoundBesideConstantCheckpoints() throws Exception {
        try (LocalCluster cluster = LocalCluster.builder()
                .nodes(1)
                .shards(8)
                .durability(Durability.MEMORY)
                .customize((i, builder) -> builder.checkpoints(1 << 10, 1 << 20))
                .startAndAwaitReady()) {
            AtomicBoolean stop = new AtomicBoolean();
            CompletableFuture<Void> load = CompletableFuture.runAsync(
                    () -> {
                        for (int i = 0; !stop.get(); i++) {
                            Map<Bytes, Bytes> entries = new HashMap<>();
                            for (int j = 0; j < 100; j++) {
                                entries.put(Bytes.utf8("key" + (i * 7 + j) % 5_000), Bytes.utf8("value" + i));
                            }
                            cluster.store(0).putAll(entries);
                        }
                    },
                    task -> new Thread(task, "load").start());
            try {
                for (int i = 0; i < 5; i++) {
                    Path file = directory.resolve("busy" + i);
                    cluster.node(0).backups().exportTo(file, LONG);
                    cluster.node(0).backups().verify(file);
                }
            } finally {
                stop.set(true);
            }
            load.get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void anImportGoesOnWhenALeaderDies() throws Exception {
        Path file = directory.resolve("much");
        try (LocalCluster cluster = LocalCluster.builder().shards(SHARDS).startAndAwaitReady()) {
            Map<Bytes, Bytes> entries = new HashMap<>();
            for (int i = 0; i < 20_000; i++) {
                entries.put(Bytes.utf8("key" + i), Bytes.utf8("value" + i));
            }
            cluster.store(0).putAll(entries);
            cluster.node(0).backups().exportTo(file, LONG);
            cluster.store(0).clear();

            int victim = cluster.awaitLeaderOf(0);
            int through = (victim + 1) % 3;
            CompletableFuture<ImportResult> importing = CompletableFuture.supplyAsync(
                    () -> cluster.node(through).backups().importFrom(file, ImportMode.INTO_EMPTY, LONG),
                    task -> new Thread(task, "import").start());
            while (cluster.store(through).size() < 1_000) {
                Thread.onSpinWait();
            }
            cluster.crash(victim);
            assertThat(importing.get(90, TimeUnit.SECONDS).restored()).isEqualTo(20_000);
            TreeMap<String, String> model = new TreeMap<>();
            entries.forEach((key, value) -> model.put(key.toUtf8(), value.toUtf8()));
            assertThat(contents(cluster.store(through))).isEqualTo(model);
        }
    }

    @Test
    void aShardWithoutMajorityFailsTheExportAndHoldsNobodyUp() throws Exception {
        try (LocalCluster cluster = LocalCluster.builder().nodes(5).shards(5).startAndAwaitReady()) {
            List<ShardInfo> shards = cluster.node(0).cluster().shards();
            ShardInfo lost = shards.get(0);
            List<String> victims = lost.replicas().subList(0, 2);
            ShardInfo alive = shards.stream()
                    .filter(shard ->
                            shard.replicas().stream().filter(victims::contains).count() == 0)
                    .findFirst()
                    .or(() -> shards.stream()
                            .filter(shard -> shard.replicas().stream()
                                            .filter(victims::contains)
                                            .count()
                                    == 1)
                            .findFirst())
                    .orElseThrow();
            Bytes key = keyOfEachShard(cluster).get(alive.id());
            for (String victim : victims) {
                cluster.crash(LocalCluster.numberOf(victim));
            }
            int through = cluster.awaitLeaderOf(alive.id());
            cluster.store(through).put(key, Bytes.utf8("0"));

            Path file = directory.resolve("never");
            try (CausalChain chain = new CausalChain(cluster.store(through), List.of(key))) {
                long begin = System.nanoTime();
                assertThatThrownBy(() -> cluster.node(through).backups().exportTo(file, Duration.ofSeconds(3)))
                        .isInstanceOf(UnavailableException.class)
                        .hasMessageContaining("not every shard has a leader with a majority")
                        .hasMessageContaining("shard " + lost.id());
                assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(6));
                assertThat(chain.acknowledged.get(0)).isGreaterThan(10);
                assertThat(Duration.ofNanos(chain.slowestNanos.get())).isLessThan(Duration.ofMillis(1500));
            }
            assertThat(directory).isEmptyDirectory();
        }
    }

    @Test
    void expiryTimesAreKeptAndTheDeadStayDead() throws Exception {
        Path file = directory.resolve("expiring");
        Optional<KeyInfo> original;
        try (LocalCluster cluster = LocalCluster.builder().nodes(1).shards(2).startAndAwaitReady()) {
            KeyValueStore store = cluster.store(0);
            for (int i = 0; i < 50; i++) {
                store.put(
                        Bytes.utf8("minute" + i),
                        Bytes.utf8("v"),
                        PutOptions.defaults().expireAfter(Duration.ofMinutes(1)));
                store.put(
                        Bytes.utf8("hour" + i),
                        Bytes.utf8("v"),
                        PutOptions.defaults().expireAfter(Duration.ofHours(1)));
                store.put(
                        Bytes.utf8("second" + i),
                        Bytes.utf8("v"),
                        PutOptions.defaults().expireAfter(Duration.ofSeconds(1)));
                store.put(Bytes.utf8("ever" + i), Bytes.utf8("v"));
            }
            original = store.describe(Bytes.utf8("hour7"));
            cluster.advanceClocks(Duration.ofSeconds(2));
            // Seen dead by a reader: from here on they must not come back.
            for (int i = 0; i < 50; i++) {
                assertThat(store.get(Bytes.utf8("second" + i))).isEmpty();
            }
            assertThat(cluster.node(0).backups().exportTo(file, LONG).entries()).isEqualTo(150);
        }
        try (LocalCluster target = LocalCluster.builder().nodes(1).shards(3).startAndAwaitReady()) {
            target.advanceClocks(Duration.ofMinutes(2));
            ImportResult result = target.node(0).backups().importFrom(file, ImportMode.INTO_EMPTY, LONG);
            assertThat(result.restored()).isEqualTo(100);
            assertThat(result.expired()).isEqualTo(50);
            KeyInfo restored = target.store(0).describe(Bytes.utf8("hour7")).orElseThrow();
            assertThat(restored.expiresAt()).isEqualTo(original.orElseThrow().expiresAt());
            assertThat(target.store(0)
                            .describe(Bytes.utf8("ever7"))
                            .orElseThrow()
                            .expiresAt())
                    .isEmpty();
            assertThat(contents(target.store(0)).keySet()).noneMatch(key -> key.startsWith("minute"));
        }
    }

    @Test
    void anImportIsRefusedWhereItWouldDoHarmAndCanBeRepeated() throws Exception {
        Path file = directory.resolve("small");
        try (LocalCluster cluster = LocalCluster.builder().nodes(1).shards(2).startAndAwaitReady()) {
            ElastickvNode node = cluster.node(0);
            KeyValueStore store = cluster.store(0);
            store.put(Bytes.utf8("a"), Bytes.utf8("1"));
            store.put(Bytes.utf8("b"), Bytes.utf8("2"));
            node.backups().exportTo(file, LONG);
            assertThatThrownBy(() -> node.backups().exportTo(file, LONG))
                    .isInstanceOf(InvalidRequestException.class)
                    .hasMessageContaining(file + ": exists already");

            store.put(Bytes.utf8("a"), Bytes.utf8("changed"));
            store.put(Bytes.utf8("c"), Bytes.utf8("3"));
            assertThatThrownBy(() -> node.backups().importFrom(file, ImportMode.INTO_EMPTY, LONG))
                    .isInstanceOfSatisfying(
                            InvalidRequestException.class,
                            e -> assertThat(e.reason()).isEqualTo(Reason.NOT_EMPTY));
            assertThat(contents(store)).isEqualTo(Map.of("a", "changed", "b", "2", "c", "3"));
            for (int i = 0; i < 2; i++) {
                assertThat(node.backups()
                                .importFrom(file, ImportMode.OVER_EXISTING, LONG)
                                .restored())
                        .isEqualTo(2);
                assertThat(contents(store)).isEqualTo(Map.of("a", "1", "b", "2", "c", "3"));
            }

            store.clear();
            byte[] damaged = Files.readAllBytes(file);
            damaged[damaged.length - 40] ^= 1;
            Files.write(file, damaged);
            assertThatThrownBy(() -> node.backups().importFrom(file, ImportMode.INTO_EMPTY, LONG))
                    .isInstanceOfSatisfying(
                            InvalidRequestException.class,
                            e -> assertThat(e.reason()).isEqualTo(Reason.DAMAGED))
                    .hasMessageContaining(" at offset ");
            assertThat(store.size()).isZero();
            assertThatThrownBy(() -> node.backups().importFrom(directory.resolve("none"), ImportMode.INTO_EMPTY, LONG))
                    .isInstanceOf(InvalidRequestException.class)
                    .hasMessageContaining("there is no such file");
            assertThatThrownBy(() -> node.backups().exportTo(directory.resolve("no/such/directory"), LONG))
                    .isInstanceOf(java.io.UncheckedIOException.class)
                    .hasMessageContaining("directory is missing");
        }
    }

    @Test
    void largeValuesAndAnEmptyClusterAreExportedToo() throws Exception {
        Path empty = directory.resolve("empty");
        Path large = directory.resolve("large");
        Random random = new Random(3);
        byte[] value = new byte[16 << 20];
        random.nextBytes(value);
        try (LocalCluster cluster = LocalCluster.builder().nodes(1).shards(2).startAndAwaitReady()) {
            assertThat(cluster.node(0).backups().exportTo(empty, LONG).entries())
                    .isZero();
            cluster.store(0).put(Bytes.utf8("large"), Bytes.copyOf(value));
            cluster.store(0).put(Bytes.utf8("nothing"), Bytes.copyOf(new byte[0]));
            cluster.node(0).backups().exportTo(large, LONG);
        }
        try (LocalCluster target = LocalCluster.builder().nodes(1).shards(1).startAndAwaitReady()) {
            assertThat(target.node(0)
                            .backups()
                            .importFrom(empty, ImportMode.INTO_EMPTY, LONG)
                            .restored())
                    .isZero();
            target.node(0).backups().importFrom(large, ImportMode.INTO_EMPTY, LONG);
            assertThat(target.store(0)
                            .get(Bytes.utf8("large"))
                            .orElseThrow()
                            .value()
                            .toByteArray())
                    .isEqualTo(value);
            assertThat(target.store(0)
                            .get(Bytes.utf8("nothing"))
                            .orElseThrow()
                            .value()
                            .length())
                    .isZero();
        }
    }

    @Test
    void theEndOfTheNodeEndsItsExportsAndImports() throws Exception {
        Path file = directory.resolve("one");
        try (LocalCluster cluster = LocalCluster.builder().shards(1).startAndAwaitReady()) {
            cluster.store(0).put(Bytes.utf8("a"), Bytes.utf8("1"));
            cluster.node(0).backups().exportTo(file, LONG);
            int leader = cluster.awaitLeaderOf(0);
            int through = (leader + 1) % 3;
            ElastickvNode node = cluster.node(through);
            cluster.isolate(through);
            CompletableFuture<?> export = CompletableFuture.supplyAsync(
                    () -> node.backups().exportTo(directory.resolve("never"), Duration.ofHours(1)),
                    task -> new Thread(task, "export").start());
            CompletableFuture<?> importing = CompletableFuture.supplyAsync(
                    () -> node.backups().importFrom(file, ImportMode.OVER_EXISTING, Duration.ofHours(1)),
                    task -> new Thread(task, "import").start());
            cluster.stop(through);
            assertThatThrownBy(() -> export.get(20, TimeUnit.SECONDS)).hasCauseInstanceOf(UnavailableException.class);
            assertThatThrownBy(() -> importing.get(20, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(io.elastickv.api.ElastickvException.class);
            assertThat(directory.resolve("never")).doesNotExist();
        }
    }

    @Test
    void aClusterThatIsNotReachedIsSaid() {
        try (ElastickvNode client = Elastickv.builder()
                .name("client")
                .storageless()
                .seeds("127.0.0.1:" + FreePorts.choose(1).get(0))
                .start()) {
            assertThatThrownBy(() -> client.backups().exportTo(directory.resolve("none"), Duration.ofMillis(300)))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("was not reached");
            assertThat(directory).isEmptyDirectory();
        }
    }
}
