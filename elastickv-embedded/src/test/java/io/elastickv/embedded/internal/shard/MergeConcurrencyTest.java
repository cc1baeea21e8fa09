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
import io.elastickv.embedded.internal.command.StoredValue;
import io.elastickv.embedded.internal.files.FaultyFiles;
import io.elastickv.embedded.internal.storage.CaptureFailedException;
import io.elastickv.embedded.internal.storage.CheckpointDirectory;
import io.elastickv.embedded.internal.storage.CheckpointManifest;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Shards that are split and merged again under writes, while other threads read and checkpoints are written. Two keys of each
 * slot hold numbers whose sum never changes, and a key's version never goes back, whichever shard has it.
 */
class MergeConcurrencyTest {

    private static final long RUN_NANOS = TimeUnit.MILLISECONDS.toNanos(2_500);
    private static final int TAGS = 800;
    private static final long SUM = 1_000_000;

    private final List<ShardStateMachine> machines = new CopyOnWriteArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private volatile boolean stop;
    private int pieces;
    private final AtomicInteger checkpoints = new AtomicInteger();

    @AfterEach
    void end() throws Exception {
        stop = true;
        threads.shutdown();
        assertThat(threads.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
        machines.forEach(ShardStateMachine::close);
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

    private static Command write(int tag, long number, int padding) {
        return new Command.AtomicBatch(
                List.of(),
                List.of(
                        new Command.Put(
                                key(tag, 0), value(number, padding), Precondition.ALWAYS, ExpiryChange.NEVER, false),
                        new Command.Put(
                                key(tag, 1), value(SUM - number, 7), Precondition.ALWAYS, ExpiryChange.NEVER, false)));
    }

    /** The thread that applies to both shards. */
    private final class Writer {

        private final Random random = new Random(7);
        private final StorageEngine engine;
        private Future<?> writing = threads.submit(() -> {});
        private int number;

        Writer(StorageEngine engine) {
            this.engine = engine;
        }

        CommandResult apply(ShardStateMachine machine, Command command) {
            return machine.apply(machine.appliedIndex() + 1, CommandCodec.encode(Envelope.of(command)));
        }

        void write(ShardStateMachine left, ShardStateMachine right, int count) throws Exception {
            for (int i = 0; i < count; i++) {
                int tag = random.nextInt(TAGS);
                int padding = random.nextInt(random.nextInt(4) == 0 ? 400 : 20);
                Command write = MergeConcurrencyTest.write(tag, random.nextInt((int) SUM), padding);
                ShardStateMachine owner = left.ownership().slots().contains(KeySlot.of(key(tag, 0))) ? left : right;
                apply(owner, write);
            }
            if (writing.isDone()) {
                writing.get();
                ShardStateMachine of = random.nextBoolean() ? left : right;
                if (!of.isCapturing()) {
                    StateCapture capture = of.beginCapture();
                    int shard = ++number;
                    writing = threads.submit(() -> {
                        checkpoint(capture, shard, engine);
                        return null;
                    });
                }
            }
        }

        /** Splits the left shard, writes to both, and merges them again piece by piece. */
        void round(ShardStateMachine left, int child) throws Exception {
            long epoch = left.ownership().epoch();
            int border = 1 + random.nextInt(16383);
            apply(left, new Command.SplitShard(epoch, epoch + 1, border, child, epoch + 1, new byte[0]));
            ShardStateMachine right = machines.get(machines.size() - 1);
            write(left, right, 200);
            while (!right.ownership().slots().isEmpty()) {
                long next = right.ownership().epoch() + 1;
                SlotRanges owned = right.ownership().slots();
                int last = random.nextInt(3) == 0
                        ? owned.last()
                        : owned.first() + random.nextInt(owned.last() - owned.first() + 1);
                apply(right, new Command.GiveSlots(next - 1, next, owned.first(), last, 0));
                var piece = right.readGiven(next, right.sessions().get());
                assertThat(apply(left, new Command.AbsorbSlots(child, next, owned.first(), last, piece)))
                        .isEqualTo(new CommandResult.Done());
                pieces++;
                write(left, right, 50);
                apply(right, new Command.DropSlots(next));
                write(left, right, 50);
                left.tidyUp(random.nextInt(50));
            }
        }
    }

    private void checkpoint(StateCapture capture, int shard, StorageEngine engine) throws Exception {
        try (capture) {
            CheckpointDirectory directory =
                    CheckpointDirectory.open(new FaultyFiles(), Path.of("/data/checkpoints/" + shard), shard);
            CheckpointManifest manifest = directory.write(capture, 1, "who".getBytes(UTF_8));
            try (ShardStateMachine loaded = ShardStateMachine.create(
                    shard, 1, SlotRanges.of(0, 16383), engine, new StorageOptions(16384, 8192, 2, 4096))) {
                loaded.install(loaded.load(directory, manifest), Runnable::run);
                for (int tag = 0; tag < TAGS; tag++) {
                    boolean owned = loaded.ownership().slots().contains(KeySlot.of(key(tag, 0)));
                    assertThat(pair(loaded, tag) != null).isEqualTo(owned);
                }
            }
            checkpoints.incrementAndGet();
        } catch (CaptureFailedException e) {
            assertThat(e).hasMessageContaining("given up");
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
        while (!stop) {
            int tag = random.nextInt(TAGS);
            for (ShardStateMachine machine : machines) {
                List<StoredValue> values = pair(machine, tag);
                if (values != null) {
                    assertThat(values.get(0).version()).isGreaterThanOrEqualTo(versions[tag]);
                    versions[tag] = values.get(0).version();
                    break;
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void readersSeeWholeWritesWhileShardsMerge(StorageEngine engine) throws Exception {
        ShardStateMachine left =
                ShardStateMachine.create(0, 1, SlotRanges.of(0, 16383), engine, new StorageOptions(4096, 64, 2, 64));
        machines.add(left);
        left.onSplit((parent, split, child) -> {
            parent.childIsSafe(split.newShard());
            machines.add(child);
        });
        Writer writer = new Writer(engine);
        for (int tag = 0; tag < TAGS; tag++) {
            writer.apply(left, write(tag, 0, 10));
        }
        List<Future<?>> readers = new ArrayList<>();
        for (int reader = 0; reader < 3; reader++) {
            int seed = reader;
            readers.add(threads.submit(() -> {
                try {
                    read(new Random(seed));
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                }
            }));
        }
        long end = System.nanoTime() + RUN_NANOS;
        int rounds = 0;
        long latest = end + 4 * RUN_NANOS;
        while ((System.nanoTime() - end < 0 || pieces < 8) && System.nanoTime() - latest < 0 && failure.get() == null) {
            writer.round(left, ++rounds);
        }
        stop = true;
        for (Future<?> reader : readers) {
            reader.get(20, TimeUnit.SECONDS);
        }
        writer.writing.get(20, TimeUnit.SECONDS);
        assertThat(failure.get()).isNull();
        for (int tag = 0; tag < TAGS; tag++) {
            assertThat(pair(left, tag)).isNotNull();
        }
        assertThat(pieces).isGreaterThan(3);
        assertThat(checkpoints.get()).isPositive();
    }
}
