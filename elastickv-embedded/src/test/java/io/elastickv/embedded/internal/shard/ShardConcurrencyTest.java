package io.elastickv.embedded.internal.shard;

import static io.elastickv.embedded.internal.shard.ShardFixture.b;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.StoredValue;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Readers beside the apply thread: what they see is the state between two commands. */
class ShardConcurrencyTest {

    private static final long RUN_NANOS = TimeUnit.MILLISECONDS.toNanos(1_500);
    private static final int READERS = 3;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicBoolean stop = new AtomicBoolean();

    @AfterEach
    void stopThreads() throws Exception {
        stop.set(true);
        threads.shutdown();
        assertThat(threads.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    }

    /** Runs the readers until the writer has had its time, and returns what they counted. */
    private long run(Runnable writer, Callable<Long> reader) throws Exception {
        List<Future<Long>> results = new ArrayList<>();
        for (int i = 0; i < READERS; i++) {
            results.add(threads.submit(reader));
        }
        long end = System.nanoTime() + RUN_NANOS;
        try {
            while (System.nanoTime() < end && results.stream().noneMatch(Future::isDone)) {
                writer.run();
            }
        } finally {
            stop.set(true);
        }
        long sum = 0;
        for (Future<Long> result : results) {
            sum += result.get(20, TimeUnit.SECONDS);
        }
        return sum;
    }

    /** A value whose every byte follows from its first eight, so that a mixture of two is noticed. */
    private static byte[] checked(long stamp, int length) {
        byte[] value = new byte[length];
        ByteBuffer buffer = ByteBuffer.wrap(value);
        while (buffer.remaining() >= 8) {
            buffer.putLong(stamp * 31);
        }
        return value;
    }

    private static void assertWhole(byte[] value) {
        ByteBuffer buffer = ByteBuffer.wrap(value);
        long first = buffer.getLong(0);
        while (buffer.remaining() >= 8) {
            assertThat(buffer.getLong()).isEqualTo(first);
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void valuesOfAnySizeAreReadWholeWhileTheyAreReplaced(StorageEngine engine) throws Exception {
        try (ShardFixture shard =
                new ShardFixture(engine, new StorageOptions(2048, 64, 2, 1024), SlotRanges.of(0, 16383))) {
            long seed = System.nanoTime();
            Random random = new Random(seed);
            String[] keys = {"a", "b", "{a}2"};
            Runnable writer = () -> {
                byte[] key = b(keys[random.nextInt(keys.length)]);
                int length = 8 * (1 + random.nextInt(random.nextInt(8) == 0 ? 40_000 : 300));
                shard.apply(new Command.Put(
                        key, checked(shard.index + 1, length), Precondition.ALWAYS, ExpiryChange.NEVER, false));
            };
            for (String key : keys) {
                shard.apply(new Command.Put(b(key), checked(0, 8), Precondition.ALWAYS, ExpiryChange.NEVER, false));
            }
            long reads = run(writer, () -> {
                long count = 0;
                long[] lastVersion = new long[keys.length];
                while (!stop.get()) {
                    int i = (int) (count++ % keys.length);
                    StoredValue value = ((QueryResult.Value) shard.machine.query(new Query.Get(b(keys[i])), 0)).value();
                    assertThat(value)
                            .as("seed %d: a key that is never deleted", seed)
                            .isNotNull();
                    assertWhole(value.value());
                    assertThat(value.version()).isGreaterThanOrEqualTo(lastVersion[i]);
                    lastVersion[i] = value.version();
                }
                return count;
            });
            assertThat(reads).isGreaterThan(100);
        }
    }

    /** What is cleared makes room for others that are alike: nobody may take a piece of theirs for one of its own. */
    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void longValuesAreThoseOfTheirKeysWhileEverythingIsClearedAgainAndAgain(StorageEngine engine) throws Exception {
        try (ShardFixture shard =
                new ShardFixture(engine, new StorageOptions(2048, 64, 2, 1024), SlotRanges.of(0, 16383))) {
            byte[][] keys = {b("{t}1"), b("{t}2")};
            Runnable writer = () -> {
                byte[] key = keys[(int) (shard.index / 2 % 2)];
                byte[] value = checked(shard.index + 1, 40_000);
                shard.apply(new Command.Put(key, value, Precondition.ALWAYS, ExpiryChange.NEVER, false));
                shard.apply(new Command.Clear());
            };
            long found = run(writer, () -> {
                long count = 0;
                while (!stop.get()) {
                    StoredValue value = ((QueryResult.Value) shard.machine.query(new Query.Get(keys[0]), 0)).value();
                    if (value != null) {
                        assertWhole(value.value());
                        assertThat(ByteBuffer.wrap(value.value()).getLong() / 31)
                                .isEqualTo(value.version());
                        count++;
                    }
                }
                return count;
            });
            assertThat(found).isGreaterThan(10);
        }
    }

    /** The batch moves a unit from one key to the other; a reader that sees the sum change saw half of it. */
    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void readersSeeAllOfABatchOrNothing(StorageEngine engine) throws Exception {
        try (ShardFixture shard = new ShardFixture(engine)) {
            long[] state = {1_000, 1_000};
            Runnable writer = () -> {
                state[0]--;
                state[1]++;
                List<Command.Step> steps = new ArrayList<>();
                for (int i = 0; i < 2; i++) {
                    byte[] value = checked(state[i], 8 * (1 + (int) (shard.index % 40)));
                    steps.add(new Command.Put(b("{t}" + i), value, Precondition.ALWAYS, ExpiryChange.NEVER, false));
                }
                shard.apply(new Command.AtomicBatch(List.of(), steps));
            };
            writer.run();
            List<byte[]> keys = List.of(b("{t}0"), b("{t}1"));
            long reads = run(writer, () -> {
                long count = 0;
                while (!stop.get()) {
                    QueryResult.Values values = (QueryResult.Values) shard.machine.query(new Query.GetMany(keys), 0);
                    assertThat(values.atomic()).isTrue();
                    long sum = 0;
                    for (StoredValue value : values.values()) {
                        sum += ByteBuffer.wrap(value.value()).getLong() / 31;
                    }
                    assertThat(sum).isEqualTo(2_000);
                    // One after the other: the second read must not be older than the first.
                    long second = first(shard, keys.get(1));
                    long first = first(shard, keys.get(0));
                    assertThat(first + second).isLessThanOrEqualTo(2_000);
                    count++;
                }
                return count;
            });
            assertThat(reads).isGreaterThan(100);
        }
    }

    private static long first(ShardFixture shard, byte[] key) {
        StoredValue value = ((QueryResult.Value) shard.machine.query(new Query.Get(key), 0)).value();
        return ByteBuffer.wrap(value.value()).getLong() / 31;
    }

    /** Keys that stay are in every scan, whatever happens to the others; maps grow, move entries and are cleared meanwhile. */
    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void aScanReturnsEveryKeyThatStays(StorageEngine engine) throws Exception {
        try (ShardFixture shard =
                new ShardFixture(engine, new StorageOptions(4096, 16, 2, 256), SlotRanges.of(0, 16383))) {
            long seed = System.nanoTime();
            Random random = new Random(seed);
            Set<String> staying = new HashSet<>();
            for (int i = 0; i < 3_000; i++) {
                staying.add("stay" + i);
                shard.put("stay" + i, "");
            }
            Runnable writer = () -> {
                if (random.nextBoolean()) {
                    // Rewritten with another length: it moves within its map, or to the next one.
                    shard.put("stay" + random.nextInt(3_000), "x".repeat(random.nextInt(600)));
                } else if (random.nextBoolean()) {
                    shard.put("go" + random.nextInt(5_000), "y".repeat(random.nextInt(100)));
                } else {
                    shard.apply(new Command.Delete(b("go" + random.nextInt(5_000)), Precondition.ALWAYS, false));
                }
            };
            long scans = run(writer, () -> {
                long count = 0;
                Random own = new Random(seed + Thread.currentThread().getId());
                while (!stop.get() || count == 0) {
                    Set<String> missing = new HashSet<>(staying);
                    ShardModelTest.scanAll(shard.machine, 1 + own.nextInt(500), 1 + own.nextInt(5))
                            .forEach(missing::remove);
                    assertThat(missing).as("seed %d", seed).isEmpty();
                    count++;
                }
                return count;
            });
            assertThat(scans).isGreaterThanOrEqualTo(READERS);
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void clearingUnderReadersHarmsNobody(StorageEngine engine) throws Exception {
        try (ShardFixture shard =
                new ShardFixture(engine, new StorageOptions(8192, 64, 2, 64), SlotRanges.of(0, 16383))) {
            long reads = run(
                    () -> {
                        for (int i = 0; i < 50; i++) {
                            shard.put("k" + i, "v".repeat(i * 3));
                        }
                        shard.apply(new Command.Clear());
                    },
                    () -> {
                        long count = 0;
                        while (!stop.get()) {
                            String value = shard.get("k" + count % 50);
                            assertThat(value == null || value.length() == count % 50 * 3)
                                    .isTrue();
                            if (count % 100 == 0) {
                                ShardModelTest.scanAll(shard.machine, 10, 1);
                            }
                            count++;
                        }
                        return count;
                    });
            assertThat(reads).isGreaterThan(100);
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void expiredKeysAreFoundWhileOthersAreWritten(StorageEngine engine) throws Exception {
        try (ShardFixture shard = new ShardFixture(engine)) {
            Random random = new Random(5);
            Runnable writer = () -> {
                shard.put("k" + random.nextInt(2_000), "v", new ExpiryChange.After(1 + random.nextInt(50)));
                shard.nowMillis += random.nextInt(10) == 0 ? 1 : 0;
            };
            run(writer, () -> {
                long found = 0;
                while (!stop.get()) {
                    found += shard.machine
                            .collectExpired(shard.machine.logTimeMillis(), 100)
                            .size();
                }
                return found;
            });
            // Whatever happened meanwhile, nothing that is due is overlooked afterwards.
            shard.nowMillis += 1_000;
            while (true) {
                List<byte[]> expired = shard.machine.collectExpired(shard.nowMillis, 100);
                if (expired.isEmpty()) {
                    break;
                }
                shard.apply(new Command.EvictExpired(expired));
            }
            assertThat(shard.machine.size()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void manyKeysOfOneSlotAreScannedWhateverTheLimit(StorageEngine engine) {
        try (ShardFixture shard = new ShardFixture(engine)) {
            Set<String> expected = new HashSet<>();
            byte[] pad = new byte[20];
            Arrays.fill(pad, (byte) 'p');
            for (int i = 0; i < 40_000; i++) {
                expected.add("{s}" + i);
                shard.put("{s}" + i, "");
            }
            assertThat(new HashSet<>(ShardModelTest.scanAll(shard.machine, 7_000, 3)))
                    .isEqualTo(expected);
        }
    }
}
