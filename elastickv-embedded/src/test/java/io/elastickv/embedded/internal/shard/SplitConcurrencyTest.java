package io.elastickv.embedded.internal.shard;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.ScanPosition;
import io.elastickv.embedded.internal.command.StoredValue;
import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.storage.CaptureFailedException;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.storage.SlotSpan;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Shards that split under load, each with a thread that writes and now and then takes a checkpoint, while others read and
 * scan. Two keys of each slot hold numbers whose sum never changes: a reader that sees another has seen half of a write, or
 * that of one side with that of another.
 */
class SplitConcurrencyTest {

    private static final long RUN_NANOS = TimeUnit.MILLISECONDS.toNanos(2_500);
    private static final int TAGS = 1_500;
    private static final long SUM = 1_000_000;

    private final ConcurrentSkipListMap<Integer, ShardStateMachine> machines = new ConcurrentSkipListMap<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final AtomicInteger splits = new AtomicInteger();
    private final AtomicInteger checkpoints = new AtomicInteger();
    private final List<Future<?>> running = new ArrayList<>();

    @AfterEach
    void end() throws Exception {
        stop.set(true);
        threads.shutdown();
        assertThat(threads.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
        machines.values().forEach(ShardStateMachine::close);
    }

    private static byte[] key(int tag, int which) {
        return ("{" + tag + "}" + which).getBytes(US_ASCII);
    }

    private static byte[] value(long number, int padding) {
        return (number + ":" + "x".repeat(padding)).getBytes(US_ASCII);
    }

    private static long number(StoredValue value) {
        String text = new String(value.value(), US_ASCII);
        return Long.parseLong(text.substring(0, text.indexOf(':')));
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void readersSeeWholeWritesWhileShardsSplit(StorageEngine engine) throws Exception {
        StorageOptions options = new StorageOptions(4096, 64, 2, 64);
        ShardStateMachine root = ShardStateMachine.create(0, 1, SlotRanges.of(0, 16383), engine, options);
        machines.put(0, root);
        root.onSplit((parent, split, child) -> {
            parent.childIsSafe(split.newShard());
            splits.incrementAndGet();
            machines.put(split.firstSlot(), child);
            start(() -> own(child, split.newShard(), split.newEpoch(), split.firstSlot(), engine));
        });
        long index = 0;
        for (int tag = 0; tag < TAGS; tag++) {
            root.apply(++index, write(tag, 0, 10));
        }
        start(() -> own(root, 0, 1, 0, engine));
        for (int reader = 0; reader < 2; reader++) {
            int seed = reader;
            start(() -> read(new Random(seed)));
        }
        start(this::scan);
        if (ended.await(RUN_NANOS, TimeUnit.NANOSECONDS)) {
            throw new AssertionError(failure.get());
        }
        stop.set(true);
        List<Future<?>> all;
        synchronized (running) {
            all = List.copyOf(running);
        }
        for (Future<?> one : all) {
            one.get(20, TimeUnit.SECONDS);
        }
        assertThat(failure.get()).isNull();
        assertThat(splits.get()).isGreaterThan(4);
        assertThat(checkpoints.get()).isGreaterThan(3);
    }

    private interface Work {
        void run() throws Exception;
    }

    private void start(Work work) {
        synchronized (running) {
            running.add(threads.submit(() -> {
                try {
                    work.run();
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                    ended.countDown();
                    stop.set(true);
                }
            }));
        }
    }

    private static byte[] write(int tag, long number, int padding) {
        return CommandCodec.encode(Envelope.of(new Command.AtomicBatch(
                List.of(),
                List.of(
                        new Command.Put(
                                key(tag, 0), value(number, padding), Precondition.ALWAYS, ExpiryChange.NEVER, false),
                        new Command.Put(
                                key(tag, 1),
                                value(SUM - number, 7),
                                Precondition.ALWAYS,
                                ExpiryChange.NEVER,
                                false)))));
    }

    /** The apply thread of a shard. */
    private void own(ShardStateMachine machine, int shard, long firstEpoch, int firstSlot, StorageEngine engine)
            throws Exception {
        SplittableRandom random = new SplittableRandom(shard);
        CheckpointDirectory directory =
                CheckpointDirectory.open(new FaultyFiles(), Path.of("/data/checkpoints/" + shard), shard);
        Future<?> writing = null;
        long epoch = firstEpoch;
        long index = machine.appliedIndex();
        long nextSplit = System.nanoTime() + random.nextLong(RUN_NANOS / 3);
        while (!stop.get()) {
            int tag = random.nextInt(TAGS);
            int padding = random.nextInt(random.nextInt(4) == 0 ? 400 : 20);
            machine.apply(++index, write(tag, random.nextLong(SUM), padding));
            if (writing == null || writing.isDone()) {
                if (writing != null) {
                    writing.get();
                }
                StateCapture capture = machine.beginCapture();
                writing = threads.submit(() -> {
                    checkpoint(capture, directory, shard, firstSlot, engine);
                    return null;
                });
            }
            if (System.nanoTime() - nextSplit > 0 && splits.get() < 24) {
                int slot = 1 + random.nextInt(16383);
                CommandResult result = machine.apply(
                        ++index,
                        CommandCodec.encode(Envelope.of(new Command.SplitShard(
                                epoch, epoch + 1, slot, 1 + shard * 31 + (int) epoch, 1, new byte[0]))));
                if (result instanceof CommandResult.ShardSplit) {
                    epoch++;
                    nextSplit = System.nanoTime() + random.nextLong(RUN_NANOS / 3);
                }
            }
        }
        if (writing != null) {
            writing.get();
        }
    }

    private void checkpoint(
            StateCapture capture, CheckpointDirectory directory, int shard, int firstSlot, StorageEngine engine)
            throws Exception {
        try (capture) {
            CheckpointManifest manifest = directory.write(capture, 1, "who".getBytes(UTF_8));
            directory.retain(1);
            try (ShardStateMachine loaded = ShardStateMachine.create(
                    shard, 1, SlotRanges.of(0, 16383), engine, new StorageOptions(16384, 8192, 2, 4096))) {
                loaded.install(loaded.load(directory, manifest), Runnable::run);
                SlotSpan slots = manifest.slots().get(0);
                assertThat(slots.first()).isEqualTo(firstSlot);
                for (int tag = 0; tag < TAGS; tag++) {
                    int slot = KeySlot.of(key(tag, 0));
                    assertThat(pair(loaded, tag) != null).isEqualTo(slot >= slots.first() && slot <= slots.last());
                }
            }
            checkpoints.incrementAndGet();
        } catch (CaptureFailedException e) {
            assertThat(e).hasMessageContaining("bytes of entries were changed");
        }
    }

    /** Both values of a tag, whose sum must be right; null if the shard does not own it. */
    private static List<StoredValue> pair(ShardStateMachine machine, int tag) {
        QueryResult result = machine.query(new Query.GetMany(List.of(key(tag, 0), key(tag, 1))), 0);
        if (result instanceof QueryResult.WrongShard) {
            return null;
        }
        List<StoredValue> values = ((QueryResult.Values) result).values();
        assertThat(values).as("tag %d, slot %d", tag, KeySlot.of(key(tag, 0))).doesNotContainNull();
        assertThat(number(values.get(0)) + number(values.get(1))).isEqualTo(SUM);
        assertThat(values.get(0).version()).isEqualTo(values.get(1).version());
        return values;
    }

    private void read(Random random) {
        long[] versions = new long[TAGS];
        while (!stop.get()) {
            int tag = random.nextInt(TAGS);
            ShardStateMachine machine =
                    machines.floorEntry(KeySlot.of(key(tag, 0))).getValue();
            if (random.nextBoolean()) {
                List<StoredValue> values = pair(machine, tag);
                if (values != null) {
                    assertThat(values.get(0).version()).isGreaterThanOrEqualTo(versions[tag]);
                    versions[tag] = values.get(0).version();
                }
            } else {
                QueryResult result = machine.query(new Query.Get(key(tag, 0)), 0);
                if (result instanceof QueryResult.Value value) {
                    assertThat(value.value()).isNotNull();
                    assertThat(value.value().version()).isGreaterThanOrEqualTo(versions[tag]);
                    versions[tag] = value.value().version();
                }
            }
        }
    }

    /** No key is ever deleted, so each is in every scan. */
    private void scan() {
        int scanId = 0;
        while (!stop.get()) {
            scanId = 1 + scanId % 60_000;
            Set<String> found = new HashSet<>();
            long cursor = new ScanPosition(0, 0, scanId).toCursor();
            do {
                Map.Entry<Integer, ShardStateMachine> at = machines.floorEntry((int) (cursor >>> 48));
                if (at.getValue().query(new Query.Scan(cursor, 100), 0) instanceof QueryResult.Page page) {
                    page.keys().forEach(key -> found.add(new String(key, US_ASCII)));
                    cursor = page.nextCursor();
                }
            } while (cursor != 0 && !stop.get());
            if (cursor == 0) {
                assertThat(found).hasSize(2 * TAGS);
            }
        }
    }
}
