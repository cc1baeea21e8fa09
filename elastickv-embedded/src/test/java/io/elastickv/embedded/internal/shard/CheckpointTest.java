package io.elastickv.embedded.internal.shard;

import static io.elastickv.embedded.internal.shard.ShardFixture.b;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.ExpiryRule;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.StoredValue;
import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.files.NodeFiles;
import io.elastickv.embedded.internal.storage.CaptureFailedException;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.CheckpointFile;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.storage.CheckpointWrite;
import io.elastickv.embedded.internal.storage.SlotSpan;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CheckpointTest {

    private static final SlotRanges ALL = SlotRanges.of(0, 16383);
    private static final byte[] NOBODY = {};

    private final FaultyFiles files = new FaultyFiles();

    private static CheckpointManifest write(ShardFixture shard, CheckpointDirectory directory) throws IOException {
        try (StateCapture capture = shard.machine.beginCapture()) {
            return directory.write(capture, 5, NOBODY);
        }
    }

    private static ShardFixture load(CheckpointDirectory directory, CheckpointManifest manifest, StorageEngine engine)
            throws IOException {
        ShardFixture loaded = new ShardFixture(engine);
        loaded.machine.install(loaded.machine.load(directory, manifest), Runnable::run);
        loaded.index = manifest.index();
        return loaded;
    }

    private static long open(ShardFixture shard) {
        return ((CommandResult.SessionOpened) shard.apply(new Command.OpenSession("node"))).sessionId();
    }

    private static byte[] bytes(int length, int seed) {
        byte[] value = new byte[length];
        new Random(seed).nextBytes(value);
        return value;
    }

    @Test
    void theManifestSaysWhatTheCheckpointIs() throws IOException {
        CheckpointDirectory directory = CheckpointFixture.open(files);
        try (ShardFixture shard =
                new ShardFixture(StorageEngine.HEAP, new StorageOptions(4096, 64, 2, 64), SlotRanges.of(100, 9_000))) {
            String owned = keyIn(100, 4_095);
            shard.put(owned, "1");
            shard.put(keyIn(8_192, 9_000), "2");
            try (StateCapture capture = shard.machine.beginCapture()) {
                CheckpointManifest manifest = directory.write(capture, 5, b("members"));
                assertThat(manifest.group()).isEqualTo(1);
                assertThat(manifest.index()).isEqualTo(2);
                assertThat(manifest.term()).isEqualTo(5);
                assertThat(new String(manifest.configuration(), UTF_8)).isEqualTo("members");
                assertThat(manifest.epoch()).isEqualTo(7);
                assertThat(manifest.slots()).containsExactly(new SlotSpan(100, 9_000));
                assertThat(manifest.logTimeMillis()).isEqualTo(1_000);
                assertThat(manifest.keys()).isEqualTo(2);
                assertThat(manifest.files())
                        .extracting(CheckpointFile::slots)
                        .containsExactly(
                                new SlotSpan(100, 9_000), new SlotSpan(100, 4_095), new SlotSpan(8_192, 9_000));
                assertThat(manifest.files())
                        .extracting(CheckpointFile::lastChange)
                        .containsExactly(2L, 1L, 2L);
                assertThat(directory.manifests()).containsExactly(manifest);
            }
            // Whoever loads it gets the ownership with it.
            try (ShardFixture loaded = load(directory, directory.manifests().get(0), StorageEngine.HEAP)) {
                assertThat(loaded.get(owned)).isEqualTo("1");
                assertThat(loaded.put(keyIn(9_001, 16_383), "x")).isEqualTo(new CommandResult.WrongShard(7));
                assertThat(loaded.machine.size()).isEqualTo(2);
            }
        }
    }

    private static String keyIn(int first, int last) {
        for (int i = 0; ; i++) {
            int slot = KeySlot.of(b("k" + i));
            if (slot >= first && slot <= last) {
                return "k" + i;
            }
        }
    }

    @Test
    void anEmptyStateIsAStateToo() throws IOException {
        CheckpointDirectory directory = CheckpointFixture.open(files);
        try (ShardFixture shard = new ShardFixture(StorageEngine.HEAP)) {
            shard.apply(new Command.AdvanceTime(77_000));
            CheckpointManifest manifest = write(shard, directory);
            try (ShardFixture loaded = load(directory, manifest, StorageEngine.OFF_HEAP)) {
                assertThat(loaded.machine.appliedIndex()).isEqualTo(1);
                assertThat(loaded.machine.logTimeMillis()).isEqualTo(77_000);
                assertThat(loaded.machine.size()).isZero();
                loaded.put("a", "1");
                assertThat(loaded.get("a")).isEqualTo("1");
            }
        }
    }

    @Test
    void bucketsThatDidNotChangeKeepTheirFiles() throws IOException {
        CheckpointDirectory directory = CheckpointFixture.open(files);
        try (ShardFixture shard = new ShardFixture(StorageEngine.HEAP)) {
            for (int i = 0; i < 100; i++) {
                shard.put("k" + i, "v");
            }
            CheckpointManifest first = write(shard, directory);
            shard.put("k1", "w");
            shard.apply(new Command.Delete(b("nothing"), Precondition.ALWAYS, false));
            CheckpointManifest second = write(shard, directory);
            assertThat(numbersOfBuckets(second)).hasSize(8);
            assertThat(common(first, second)).isEqualTo(7);
            // Also across a restart, once the files are verified, and by what was loaded from them.
            CheckpointDirectory reopened = CheckpointFixture.open(files.afterKill());
            try (ShardFixture loaded = load(reopened, reopened.manifests().get(0), StorageEngine.OFF_HEAP)) {
                loaded.apply(new Command.Expire(b("k2"), new ExpiryChange.After(5_000), ExpiryRule.ALWAYS));
                assertThat(common(second, write(loaded, reopened))).isEqualTo(7);
                loaded.apply(new Command.Delete(b("k2"), Precondition.ALWAYS, false));
                assertThat(common(second, write(loaded, reopened))).isEqualTo(7);
                loaded.apply(new Command.Clear());
                assertThat(numbersOfBuckets(write(loaded, reopened))).isEmpty();
            }
        }
    }

    @Test
    void filesThatNobodyHasVerifiedAreNotUsedAgain() throws IOException {
        CheckpointDirectory directory = CheckpointFixture.open(files);
        try (ShardFixture shard = new ShardFixture(StorageEngine.HEAP)) {
            shard.put("a", "1");
            shard.put("b", "2");
            CheckpointManifest first = write(shard, directory);
            shard.put("a", "3");
            assertThat(common(first, write(shard, CheckpointFixture.open(files.afterKill()))))
                    .isZero();
            CheckpointDirectory verified = CheckpointFixture.open(files.afterKill());
            verified.verify(verified.manifests().get(0));
            assertThat(common(first, write(shard, verified))).isEqualTo(1);
        }
    }

    private static Set<Long> numbersOfBuckets(CheckpointManifest manifest) {
        Set<Long> numbers = new HashSet<>();
        for (CheckpointFile file : manifest.files()) {
            if (file.kind() == CheckpointFile.Kind.BUCKET) {
                numbers.add(file.number());
            }
        }
        return numbers;
    }

    private static int common(CheckpointManifest one, CheckpointManifest other) {
        Set<Long> numbers = numbersOfBuckets(one);
        numbers.retainAll(numbersOfBuckets(other));
        return numbers.size();
    }

    @Test
    void aSecondCheckpointOfAnIndexIsTheFirst() throws IOException {
        CheckpointDirectory directory = CheckpointFixture.open(files);
        try (ShardFixture shard = new ShardFixture(StorageEngine.HEAP)) {
            shard.put("a", "1");
            CheckpointManifest first = write(shard, directory);
            assertThat(write(shard, directory)).isSameAs(first);
            shard.put("a", "2");
            assertThat(write(shard, directory)).isNotSameAs(first);
        }
    }

    @Test
    void oldOnesGoWhenTheyAreNeitherRetainedNorHeld() throws IOException {
        CheckpointDirectory directory = CheckpointFixture.open(files);
        try (ShardFixture shard = new ShardFixture(StorageEngine.HEAP)) {
            List<CheckpointManifest> written = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                shard.put("a", "value " + i);
                written.add(write(shard, directory));
            }
            CheckpointDirectory.Hold hold = directory.hold(written.get(0));
            CheckpointDirectory.Hold again = directory.hold(written.get(0));
            directory.retain(2);
            assertThat(directory.manifests()).containsExactly(written.get(3), written.get(2));
            assertThatThrownBy(() -> directory.hold(written.get(1))).isInstanceOf(IllegalStateException.class);
            assertThat(exists(written.get(1))).isFalse();
            assertThat(exists(written.get(0))).isTrue();
            directory.verify(written.get(0));
            hold.close();
            hold.close();
            directory.retain(2);
            assertThat(exists(written.get(0))).isTrue();
            again.close();
            directory.retain(2);
            assertThat(exists(written.get(0))).isFalse();
            assertThat(files.files()).hasSize(2 * 3);
            // Held ones are not newest ones: after a restart they are gone.
            assertThat(CheckpointFixture.open(files.afterKill()).manifests())
                    .extracting(CheckpointManifest::index)
                    .containsExactly(4L, 3L);
            directory.delete();
            assertThat(files.files()).isEmpty();
        }
    }

    private boolean exists(CheckpointManifest manifest) {
        return manifest.files().stream()
                .allMatch(file -> files.files().contains(CheckpointFixture.DIRECTORY.resolve(file.name())));
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void valuesOfAnySizeAreTheSameAfterwardsAlthoughTheyWereReplacedMeanwhile(
            StorageEngine engine, @TempDir Path temporary) throws IOException {
        CheckpointDirectory directory =
                CheckpointDirectory.open(NodeFiles.system(), temporary.resolve("checkpoints/1"), 1);
        int[] lengths = {0, 1, 63, 64, 65, 16_384, 65_537, 1 << 20, 16 << 20};
        try (ShardFixture shard = new ShardFixture(engine, StorageOptions.DEFAULTS, ALL)) {
            for (int i = 0; i < lengths.length; i++) {
                put(shard, "{same}" + i, bytes(lengths[i], i));
            }
            try (StateCapture capture = shard.machine.beginCapture(64 << 20)) {
                CheckpointWrite write = directory.startWrite(capture, 1, NOBODY);
                for (int i = 0; i < 3; i++) {
                    write.step();
                }
                for (int i = 0; i < lengths.length; i++) {
                    if (i % 2 == 0) {
                        put(shard, "{same}" + i, bytes(lengths[i], -1));
                        put(shard, "{same}" + i, bytes(lengths[i] / 2, -2));
                    } else {
                        shard.apply(new Command.Delete(b("{same}" + i), Precondition.ALWAYS, false));
                    }
                }
                assertThat(capture.heldBytes()).isBetween(16L << 20, 20L << 20);
                while (write.step()) {
                    // to the end
                }
                write.abandon();
                assertThat(capture.heldBytes()).isZero();
            }
            directory.retain(1);
            try (ShardFixture loaded = load(directory, directory.manifests().get(0), StorageEngine.OFF_HEAP)) {
                for (int i = 0; i < lengths.length; i++) {
                    assertThat(value(loaded, "{same}" + i).value()).isEqualTo(bytes(lengths[i], i));
                }
            }
        }
    }

    private static void put(ShardFixture shard, String key, byte[] value) {
        shard.apply(new Command.Put(b(key), value, Precondition.ALWAYS, ExpiryChange.NEVER, false));
    }

    private static StoredValue value(ShardFixture shard, String key) {
        return ((QueryResult.Value) shard.query(new Query.Get(b(key)))).value();
    }

    /** The pieces of values that were replaced during a capture go afterwards. */
    @Test
    void whatACaptureHeldOffHeapIsUsedAgain() throws IOException {
        CheckpointDirectory directory = CheckpointFixture.open(files);
        try (ShardFixture shard = new ShardFixture(StorageEngine.OFF_HEAP)) {
            long most = 0;
            for (int round = 0; round < 40; round++) {
                put(shard, "large", bytes(100_000, round));
                try (StateCapture capture = shard.machine.beginCapture()) {
                    for (int i = 0; i < 3; i++) {
                        put(shard, "large", bytes(100_000, i));
                    }
                    if (round % 3 > 0) {
                        directory.write(capture, 1, NOBODY);
                    }
                }
                if (round == 10) {
                    most = 2 * shard.machine.offHeapBytes();
                }
            }
            assertThat(shard.machine.offHeapBytes()).isLessThan(most);
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void aCaptureThatWouldHoldTooMuchFails(StorageEngine engine) throws IOException {
        CheckpointDirectory directory = CheckpointFixture.open(files);
        try (ShardFixture shard = new ShardFixture(engine)) {
            for (int i = 0; i < 500; i++) {
                put(shard, "k" + i, bytes(1_000, i));
            }
            try (StateCapture capture = shard.machine.beginCapture(100_000)) {
                CheckpointWrite write = directory.startWrite(capture, 1, NOBODY);
                write.step();
                for (int i = 0; i < 500; i++) {
                    put(shard, "k" + i, bytes(1_000, -i));
                }
                assertThat(capture.isFailed()).isTrue();
                assertThat(capture.failure()).contains("more than 100000 bytes");
                assertThat(capture.heldBytes()).isZero();
                assertThatThrownBy(() -> {
                            while (write.step()) {
                                // until it notices
                            }
                        })
                        .isInstanceOf(CaptureFailedException.class)
                        .hasMessageContaining("more than 100000 bytes");
                write.abandon();
            }
            assertThat(files.files()).isEmpty();
            assertThat(write(shard, directory).keys()).isEqualTo(500);
        }
    }

    @Test
    void oneCaptureAtATime() {
        try (ShardFixture shard = new ShardFixture(StorageEngine.HEAP)) {
            StateCapture first = shard.machine.beginCapture();
            assertThatThrownBy(shard.machine::beginCapture).isInstanceOf(IllegalStateException.class);
            first.close();
            shard.machine.beginCapture().close();
        }
    }

    @Test
    void aCaptureThatWasClosedOrWhoseStateIsGoneIsNotWritten() throws IOException {
        CheckpointDirectory directory = CheckpointFixture.open(files);
        ShardFixture shard = new ShardFixture(StorageEngine.OFF_HEAP);
        for (int i = 0; i < 50; i++) {
            shard.put("k" + i, "v");
        }
        StateCapture closed = shard.machine.beginCapture();
        closed.close();
        assertThatThrownBy(() -> directory.write(closed, 1, NOBODY)).isInstanceOf(CaptureFailedException.class);
        StateCapture interrupted = shard.machine.beginCapture();
        CheckpointWrite write = directory.startWrite(interrupted, 1, NOBODY);
        for (int i = 0; i < 5; i++) {
            write.step();
        }
        shard.apply(new Command.Clear());
        shard.close();
        assertThat(interrupted.isFailed()).isTrue();
        assertThatThrownBy(write::step).isInstanceOf(CaptureFailedException.class);
        write.abandon();
        interrupted.close();
        assertThat(files.files()).isEmpty();
    }

    @Test
    void anInstalledStateEndsTheCaptureOfTheOneBefore() throws IOException {
        CheckpointDirectory directory = CheckpointFixture.open(files);
        try (ShardFixture ahead = new ShardFixture(StorageEngine.OFF_HEAP);
                ShardFixture behind = new ShardFixture(StorageEngine.OFF_HEAP)) {
            behind.put("a", "old");
            for (int i = 0; i < 50; i++) {
                ahead.put("k" + i, "v");
            }
            CheckpointManifest manifest = write(ahead, directory);
            CheckpointDirectory other = CheckpointDirectory.open(files, Path.of("/other"), 1);
            StateCapture capture = behind.machine.beginCapture();
            CheckpointWrite write = other.startWrite(capture, 1, NOBODY);
            write.step();
            behind.machine.install(behind.machine.load(directory, manifest), Runnable::run);
            assertThat(capture.failure()).contains("replaced by that of entry 50");
            assertThatThrownBy(write::step).isInstanceOf(CaptureFailedException.class);
            write.abandon();
            // The next one is of the new state, and need not wait for anything.
            behind.index = 50;
            behind.put("b", "new");
            CheckpointManifest next = write(behind, other);
            assertThat(next.keys()).isEqualTo(51);
            assertThat(next.index()).isEqualTo(51);
        }
    }

    @Test
    void aRetryGetsTheFirstResultAfterALoad() throws IOException {
        CheckpointDirectory directory = CheckpointFixture.open(files);
        try (ShardFixture shard = new ShardFixture(StorageEngine.HEAP)) {
            long session = open(shard);
            shard.put("a", "first");
            Command put = new Command.Put(b("a"), b("second"), Precondition.ALWAYS, ExpiryChange.NEVER, true);
            CommandResult.Written written = (CommandResult.Written) shard.apply(session, 3, 2, put);
            CommandResult added = shard.apply(session, 9, 2, new Command.Increment(b("n"), 5));
            try (ShardFixture loaded = load(directory, write(shard, directory), StorageEngine.OFF_HEAP)) {
                CommandResult.Written again = (CommandResult.Written) loaded.apply(session, 3, 2, put);
                assertThat(again.version()).isEqualTo(written.version());
                assertThat(new String(again.previous().value(), UTF_8)).isEqualTo("first");
                assertThat(loaded.apply(session, 9, 2, new Command.Increment(b("n"), 5)))
                        .isEqualTo(added);
                assertThat(loaded.get("n")).isEqualTo("5");
                // In the gap it is new, below the floor it is forgotten, and who never was is unknown.
                assertThat(loaded.apply(session, 5, 2, new Command.Increment(b("n"), 1)))
                        .isEqualTo(new CommandResult.Incremented(6));
                assertThat(loaded.apply(session, 1, 0, new Command.Increment(b("n"), 1)))
                        .isEqualTo(new CommandResult.OutcomeForgotten());
                assertThat(loaded.apply(77, 1, 0, new Command.Increment(b("n"), 1)))
                        .isEqualTo(new CommandResult.SessionUnknown());
                assertThat(loaded.get("n")).isEqualTo("6");
            }
        }
    }

    /** Sessions change while they are being written, too. */
    @Test
    void sessionsAreThoseOfTheIndex() throws IOException {
        CheckpointDirectory directory = CheckpointFixture.open(files);
        try (ShardFixture shard = new ShardFixture(StorageEngine.HEAP)) {
            List<Long> sessions = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                sessions.add(open(shard));
                shard.apply(sessions.get(i), 1, 0, new Command.Increment(b("n"), 1));
            }
            try (StateCapture capture = shard.machine.beginCapture()) {
                for (long session : sessions) {
                    shard.apply(session, 2, 2, new Command.Increment(b("n"), 10));
                }
                open(shard);
                directory.write(capture, 1, NOBODY);
            }
            try (ShardFixture loaded = load(directory, directory.manifests().get(0), StorageEngine.HEAP)) {
                for (int i = 0; i < 3; i++) {
                    assertThat(loaded.apply(sessions.get(i), 1, 0, new Command.Increment(b("n"), 1)))
                            .isEqualTo(new CommandResult.Incremented(i + 1));
                }
                assertThat(loaded.apply(sessions.get(0), 2, 2, new Command.Increment(b("n"), 10)))
                        .isEqualTo(new CommandResult.Incremented(13));
            }
        }
    }

    @Test
    void aStateThatIsNotAheadIsNotInstalled() throws IOException {
        CheckpointDirectory directory = CheckpointFixture.open(files);
        try (ShardFixture shard = new ShardFixture(StorageEngine.HEAP)) {
            shard.put("a", "1");
            CheckpointManifest manifest = write(shard, directory);
            try (LoadedState loaded = shard.machine.load(directory, manifest)) {
                assertThatThrownBy(() -> shard.machine.install(loaded)).isInstanceOf(IllegalArgumentException.class);
            }
            assertThat(shard.get("a")).isEqualTo("1");
        }
    }

    @Test
    void filesAreLoadedByAnyNumberOfThreads() throws Exception {
        CheckpointDirectory directory = CheckpointFixture.open(files);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (ShardFixture shard = new ShardFixture(StorageEngine.OFF_HEAP)) {
            for (int i = 0; i < 2_000; i++) {
                put(shard, "k" + i, bytes(i % 300, i));
            }
            CheckpointManifest manifest = write(shard, directory);
            // Into larger buckets too: several files go into one.
            for (int slotsPerBucket : new int[] {2048, 256, 16384}) {
                try (ShardFixture loaded = new ShardFixture(
                                StorageEngine.OFF_HEAP, new StorageOptions(slotsPerBucket, 64, 2, 64), ALL);
                        StateLoad load = loaded.machine.beginLoad(directory, manifest)) {
                    List<Future<?>> running = new ArrayList<>();
                    for (int i = 0; i < load.fileCount(); i++) {
                        int file = i;
                        running.add(threads.submit(() -> {
                            load.loadFile(file);
                            return null;
                        }));
                    }
                    for (Future<?> each : running) {
                        each.get();
                    }
                    loaded.machine.install(load.finish());
                    assertThat(loaded.machine.size()).isEqualTo(2_000);
                    for (int i = 0; i < 2_000; i++) {
                        assertThat(value(loaded, "k" + i).value()).isEqualTo(bytes(i % 300, i));
                    }
                }
            }
        } finally {
            threads.shutdownNow();
        }
    }

    /** Readers see the old state or the new one, as a whole, and never an error; applied entries only go forward. */
    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void readersSeeOneStateOrTheOther(StorageEngine engine) throws Exception {
        CheckpointDirectory directory = CheckpointFixture.open(files);
        ExecutorService readers = Executors.newFixedThreadPool(2);
        AtomicBoolean stop = new AtomicBoolean();
        try (ShardFixture ahead = new ShardFixture(engine);
                ShardFixture behind = new ShardFixture(engine)) {
            writeRound(ahead, 0);
            writeRound(behind, 0);
            List<Future<Long>> running = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                running.add(readers.submit(() -> {
                    long reads = 0;
                    long last = 0;
                    while (!stop.get()) {
                        long least = behind.machine.appliedIndex();
                        QueryResult.Values values = (QueryResult.Values)
                                behind.machine.query(new Query.GetMany(List.of(b("a"), b("b"), b("c"))), 1_000);
                        long index = Long.parseLong(text(values.values().get(0)));
                        assertThat(index).isGreaterThanOrEqualTo(least).isGreaterThanOrEqualTo(last);
                        for (StoredValue value : values.values()) {
                            assertThat(text(value)).isEqualTo(Long.toString(index));
                        }
                        last = index;
                        reads++;
                    }
                    return reads;
                }));
            }
            for (int round = 1; round <= 60; round++) {
                writeRound(ahead, round);
                CheckpointManifest manifest = write(ahead, directory);
                directory.retain(1);
                behind.machine.install(behind.machine.load(directory, manifest));
                assertThat(behind.machine.appliedIndex()).isEqualTo(ahead.index);
            }
            stop.set(true);
            for (Future<Long> each : running) {
                assertThat(each.get()).isPositive();
            }
        } finally {
            readers.shutdownNow();
        }
    }

    private static String text(StoredValue value) {
        return new String(value.value(), UTF_8);
    }

    /** Each key's value is the index at which the round ends; one command per key, so only whole states agree. */
    private static void writeRound(ShardFixture shard, int round) {
        String end = Long.toString(3L * (round + 1));
        shard.put("a", end);
        shard.put("b", end);
        shard.put("c", end);
    }
}
