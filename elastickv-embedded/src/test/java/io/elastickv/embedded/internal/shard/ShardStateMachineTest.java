package io.elastickv.embedded.internal.shard;

import static io.elastickv.embedded.internal.shard.ShardFixture.b;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.CommandResult.Written;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.ExpiryRule;
import io.elastickv.embedded.internal.command.MalformedCommandException;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ShardStateMachineTest {

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void whatIsPutIsReadWithItsIndexAsVersion(StorageEngine engine) {
        try (ShardFixture shard = new ShardFixture(engine)) {
            shard.put("a", "1");
            assertThat(shard.put("a", "2")).isEqualTo(new Written(true, 2, null));
            QueryResult.Value read = (QueryResult.Value) shard.query(new Query.Get(b("a")));
            assertThat(read.value().version()).isEqualTo(2);
            assertThat(shard.get("a")).isEqualTo("2");
            assertThat(shard.get("b")).isNull();
            assertThat(shard.machine.appliedIndex()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void versionsGrowAcrossDeletion(StorageEngine engine) {
        try (ShardFixture shard = new ShardFixture(engine)) {
            shard.put("a", "1");
            assertThat(shard.apply(new Command.Delete(b("a"), Precondition.ALWAYS, false)))
                    .isEqualTo(new Written(true, 0, null));
            assertThat(shard.put("a", "1")).isEqualTo(new Written(true, 3, null));
            assertThat(shard.apply(
                            new Command.Put(b("a"), b("x"), new Precondition.VersionIs(1), ExpiryChange.KEEP, false)))
                    .isEqualTo(new Written(false, 3, null));
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void expiredKeysAreAbsentForEveryCommand(StorageEngine engine) {
        try (ShardFixture shard = new ShardFixture(engine)) {
            shard.put("a", "1", new ExpiryChange.After(100));
            shard.nowMillis += 99;
            assertThat(shard.get("a")).isEqualTo("1");
            assertThat(shard.query(new Query.Describe(b("a"))))
                    .isEqualTo(new QueryResult.Described(true, 1, 1, 1_100, 1));
            shard.nowMillis += 1;
            assertThat(shard.apply(new Command.Expire(b("a"), ExpiryChange.NEVER, ExpiryRule.IF_ANY)))
                    .isEqualTo(new CommandResult.Expired(false));
            assertThat(shard.get("a")).isNull();
            assertThat(shard.apply(new Command.Delete(b("a"), Precondition.ALWAYS, true)))
                    .isEqualTo(new Written(false, 0, null));
            shard.put("a", "1", new ExpiryChange.After(100));
            shard.nowMillis += 100;
            assertThat(shard.apply(new Command.Increment(b("a"), 5))).isEqualTo(new CommandResult.Incremented(5));
            assertThat(shard.query(new Query.Describe(b("a")))).isEqualTo(new QueryResult.Described(true, 5, 1, 0, 0));
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void aDeathThatAReaderSeesIsFirstInTheLog(StorageEngine engine) {
        try (ShardFixture shard = new ShardFixture(engine)) {
            shard.put("a", "1", new ExpiryChange.After(100));
            assertThat(shard.machine.query(new Query.Get(b("a")), 1_200)).isEqualTo(new QueryResult.NeedsTime(1_100));
            assertThat(shard.machine.queryLocal(new Query.Get(b("a")), 1_200)).isEqualTo(new QueryResult.Value(null));
            assertThat(shard.machine.query(new Query.GetMany(List.of(b("a"), b("b"))), 1_200))
                    .isEqualTo(new QueryResult.NeedsTime(1_100));
            assertThat(shard.machine.query(new Query.Get(b("a")), Long.MIN_VALUE))
                    .isNotEqualTo(new QueryResult.Value(null));
            // A leader whose clock is behind proposes it: the log's time moves all the same.
            shard.apply(new Command.AdvanceTime(1_100));
            assertThat(shard.machine.logTimeMillis()).isEqualTo(1_100);
            assertThat(shard.machine.query(new Query.Get(b("a")), 1_200)).isEqualTo(new QueryResult.Value(null));
            assertThat(shard.machine.query(new Query.Get(b("a")), 1_000)).isEqualTo(new QueryResult.Value(null));
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void expiryDoesNotOverflow(StorageEngine engine) {
        try (ShardFixture shard = new ShardFixture(engine)) {
            shard.put("a", "1", new ExpiryChange.After(Long.MAX_VALUE));
            assertThat(shard.query(new Query.Describe(b("a"))))
                    .isEqualTo(new QueryResult.Described(true, 1, 1, Long.MAX_VALUE, Long.MAX_VALUE - 1_000));
            assertThat(shard.put("a", "2", new ExpiryChange.At(1_000))).isEqualTo(new Written(true, 0, null));
            assertThat(shard.get("a")).isNull();
            assertThat(shard.put("b", "2", new ExpiryChange.At(Long.MIN_VALUE))).isEqualTo(new Written(true, 0, null));
            assertThat(shard.get("b")).isNull();
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void timeNeverGoesBack(StorageEngine engine) {
        try (ShardFixture shard = new ShardFixture(engine)) {
            shard.put("a", "1");
            shard.nowMillis = 500;
            shard.put("b", "1", new ExpiryChange.After(10));
            assertThat(shard.machine.logTimeMillis()).isEqualTo(1_000);
            assertThat(shard.query(new Query.Describe(b("b"))))
                    .isEqualTo(new QueryResult.Described(true, 2, 1, 1_010, 10));
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void evictionRemovesOnlyWhatIsExpired(StorageEngine engine) {
        try (ShardFixture shard = new ShardFixture(engine)) {
            shard.put("a", "1", new ExpiryChange.After(100));
            shard.put("b", "1", new ExpiryChange.After(200));
            shard.put("c", "1");
            assertThat(shard.machine.collectExpired(1_099, 10)).isEmpty();
            assertThat(shard.machine.collectExpired(1_100, 10)).containsExactly(b("a"));
            assertThat(shard.machine.collectExpired(1_100, 10)).containsExactly(b("a"));
            Command evict = new Command.EvictExpired(List.of(b("a"), b("b"), b("c"), b("d")));
            assertThat(shard.apply(evict)).isEqualTo(new CommandResult.Count(0));
            shard.nowMillis = 1_150;
            assertThat(shard.apply(evict)).isEqualTo(new CommandResult.Count(1));
            assertThat(shard.machine.size()).isEqualTo(2);
            assertThat(shard.machine.collectExpired(1_150, 10)).isEmpty();
            assertThat(shard.machine.collectExpired(1_200, 10)).containsExactly(b("b"));
        }
    }

    @Test
    void evictedKeysAreOverwrittenInTime() {
        try (ShardFixture shard = new ShardFixture(StorageEngine.HEAP)) {
            shard.put("a", "1", new ExpiryChange.After(100));
            shard.apply(new Command.Expire(b("a"), new ExpiryChange.After(1_000), ExpiryRule.IF_LATER));
            shard.nowMillis = 1_500;
            assertThat(shard.apply(new Command.EvictExpired(List.of(b("a"))))).isEqualTo(new CommandResult.Count(0));
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void expiryRulesAreThoseOfRedis(StorageEngine engine) {
        try (ShardFixture shard = new ShardFixture(engine)) {
            shard.put("a", "1");
            assertThat(expire(shard, "a", 100, ExpiryRule.IF_ANY)).isFalse();
            assertThat(expire(shard, "a", 100, ExpiryRule.IF_LATER)).isFalse();
            assertThat(expire(shard, "a", 100, ExpiryRule.IF_NONE)).isTrue();
            assertThat(expire(shard, "a", 100, ExpiryRule.IF_NONE)).isFalse();
            assertThat(expire(shard, "a", 99, ExpiryRule.IF_LATER)).isFalse();
            assertThat(expire(shard, "a", 101, ExpiryRule.IF_LATER)).isTrue();
            assertThat(expire(shard, "a", 102, ExpiryRule.IF_EARLIER)).isFalse();
            assertThat(expire(shard, "a", 50, ExpiryRule.IF_EARLIER)).isTrue();
            assertThat(expire(shard, "x", 50, ExpiryRule.ALWAYS)).isFalse();
            assertThat(shard.query(new Query.Describe(b("a"))))
                    .isEqualTo(new QueryResult.Described(true, 1, 1, 1_050, 50));
            assertThat(shard.apply(new Command.Expire(b("a"), ExpiryChange.NEVER, ExpiryRule.IF_ANY)))
                    .isEqualTo(new CommandResult.Expired(true));
            assertThat(shard.apply(new Command.Expire(b("a"), ExpiryChange.NEVER, ExpiryRule.IF_ANY)))
                    .isEqualTo(new CommandResult.Expired(false));
            assertThat(shard.apply(new Command.Expire(b("a"), new ExpiryChange.At(1), ExpiryRule.ALWAYS)))
                    .isEqualTo(new CommandResult.Expired(true));
            assertThat(shard.get("a")).isNull();
        }
    }

    private static boolean expire(ShardFixture shard, String key, long millis, ExpiryRule rule) {
        return ((CommandResult.Expired) shard.apply(new Command.Expire(b(key), new ExpiryChange.After(millis), rule)))
                .applied();
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void countersCountAndKeepTheirExpiry(StorageEngine engine) {
        try (ShardFixture shard = new ShardFixture(engine)) {
            assertThat(shard.apply(new Command.Increment(b("n"), Long.MAX_VALUE)))
                    .isEqualTo(new CommandResult.Incremented(Long.MAX_VALUE));
            assertThat(shard.apply(new Command.Increment(b("n"), 1))).isEqualTo(new CommandResult.Overflow());
            assertThat(shard.get("n")).isEqualTo("9223372036854775807");
            shard.put("n", "-9223372036854775808", new ExpiryChange.After(100));
            assertThat(shard.apply(new Command.Increment(b("n"), -1))).isEqualTo(new CommandResult.Overflow());
            assertThat(shard.apply(new Command.Increment(b("n"), 1)))
                    .isEqualTo(new CommandResult.Incremented(Long.MIN_VALUE + 1));
            assertThat(shard.query(new Query.Describe(b("n"))))
                    .isEqualTo(new QueryResult.Described(true, 5, 20, 1_100, 100));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-",
                "+1",
                " 1",
                "1 ",
                "01",
                "-0",
                "-01",
                "1.0",
                "1e3",
                "9223372036854775808",
                "-9223372036854775809",
                "99999999999999999999",
                "100000000000000000000000",
                "a"
            })
    void whatIsNoIntegerIsRefused(String text) {
        try (ShardFixture shard = new ShardFixture(StorageEngine.HEAP)) {
            shard.put("n", text);
            assertThat(shard.apply(new Command.Increment(b("n"), 1))).isEqualTo(new CommandResult.NotAnInteger());
            assertThat(shard.get("n")).isEqualTo(text);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, 10, -10, 922337203685477580L, Long.MAX_VALUE, Long.MIN_VALUE, Long.MIN_VALUE + 1})
    void everyIntegerIsRead(long value) throws Exception {
        assertThat(DecimalIntegers.parse(DecimalIntegers.format(value))).isEqualTo(value);
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void aBatchTakesEffectWholeOrNotAtAll(StorageEngine engine) {
        try (ShardFixture shard = new ShardFixture(engine)) {
            shard.put("{t}a", "1");
            Command.AtomicBatch batch = new Command.AtomicBatch(
                    List.of(new Command.Requirement(b("{t}a"), new Precondition.ValueIs(b("1")))),
                    List.of(
                            new Command.Get(b("{t}b")),
                            new Command.Put(b("{t}b"), b("2"), Precondition.ABSENT, ExpiryChange.NEVER, true),
                            new Command.Get(b("{t}b")),
                            new Command.Delete(b("{t}a"), Precondition.ALWAYS, true),
                            new Command.Expire(b("{t}b"), new ExpiryChange.After(5), ExpiryRule.ALWAYS)));
            CommandResult.BatchDone done = (CommandResult.BatchDone) shard.apply(batch);
            assertThat(done.applied()).isTrue();
            assertThat(done.results()).extracting(Written::applied).containsExactly(false, true, true, true, true);
            assertThat(done.results()).extracting(Written::version).containsExactly(0L, 2L, 2L, 0L, 2L);
            assertThat(done.results().get(2).previous().value()).isEqualTo(b("2"));
            assertThat(done.results().get(3).previous().value()).isEqualTo(b("1"));
            assertThat(shard.apply(batch)).isEqualTo(new CommandResult.BatchDone(false, List.of()));
            assertThat(shard.get("{t}b")).isEqualTo("2");
        }
    }

    @Test
    void commandsOverSeveralSlotsChangeNothing() {
        try (ShardFixture shard = new ShardFixture(StorageEngine.HEAP)) {
            assertThat(shard.apply(new Command.PutAll(List.of(b("a"), b("b")), List.of(b("1"), b("2")))))
                    .isEqualTo(new CommandResult.CrossSlot());
            assertThat(shard.apply(new Command.DeleteAll(List.of(b("a"), b("b")))))
                    .isEqualTo(new CommandResult.CrossSlot());
            assertThat(shard.machine.size()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void slotsOfOtherShardsAreRefusedAtApplyAndAtQuery(StorageEngine engine) {
        // "a" is in slot 15495, "b" in slot 3300.
        try (ShardFixture shard = new ShardFixture(engine, ShardFixture.SMALL, SlotRanges.of(0, 8191))) {
            assertThat(shard.put("a", "1")).isEqualTo(new CommandResult.WrongShard(7));
            assertThat(shard.put("b", "1")).isEqualTo(new Written(true, 2, null));
            assertThat(shard.query(new Query.Get(b("a")))).isEqualTo(new QueryResult.WrongShard(7));
            assertThat(shard.query(new Query.GetMany(List.of(b("b"), b("a")))))
                    .isEqualTo(new QueryResult.WrongShard(7));
            assertThat(shard.query(new Query.SlotSize(15495))).isEqualTo(new QueryResult.WrongShard(7));
            assertThat(shard.query(new Query.SlotSize(3300))).isEqualTo(new QueryResult.Count(1));
            assertThat(shard.apply(new Command.EvictExpired(List.of(b("a"))))).isEqualTo(new CommandResult.Count(0));
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void clearLeavesNothing(StorageEngine engine) {
        try (ShardFixture shard = new ShardFixture(engine)) {
            for (int i = 0; i < 500; i++) {
                shard.put("k" + i, "v".repeat(i), new ExpiryChange.After(10));
            }
            assertThat(shard.apply(new Command.Clear())).isEqualTo(new CommandResult.Done());
            assertThat(shard.machine.size()).isZero();
            assertThat(shard.get("k1")).isNull();
            assertThat(shard.machine.collectExpired(Long.MAX_VALUE, 10)).isEmpty();
            shard.put("k1", "new");
            assertThat(shard.get("k1")).isEqualTo("new");
            assertThat(shard.machine.size()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void theLargestKeysAndValuesFit(StorageEngine engine) {
        try (ShardFixture shard = new ShardFixture(
                engine, io.elastickv.embedded.internal.storage.StorageOptions.DEFAULTS, SlotRanges.of(0, 16383))) {
            byte[] key = new byte[64 * 1024];
            Arrays.fill(key, (byte) 7);
            for (int length : new int[] {0, 1, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 16 * 1024 * 1024}) {
                byte[] value = new byte[length];
                Arrays.fill(value, (byte) length);
                shard.apply(new Command.Put(key, value, Precondition.ALWAYS, ExpiryChange.NEVER, false));
                QueryResult.Value read = (QueryResult.Value) shard.query(new Query.Get(key));
                assertThat(Arrays.equals(read.value().value(), value))
                        .as("length %d", length)
                        .isTrue();
                assertThat(((QueryResult.Described) shard.query(new Query.Describe(key))).valueLength())
                        .isEqualTo(length);
            }
        }
    }

    @Test
    void anUnreadableEntryStopsTheReplica() {
        try (ShardFixture shard = new ShardFixture(StorageEngine.HEAP)) {
            assertThatThrownBy(() -> shard.machine.apply(1, new byte[] {9, 9}))
                    .isInstanceOf(MalformedCommandException.class);
            assertThatThrownBy(() -> shard.get("a")).isInstanceOf(StorageException.class);
        }
    }

    @ParameterizedTest
    @EnumSource(StorageEngine.class)
    void aClosedShardSaysSo(StorageEngine engine) {
        ShardFixture shard = new ShardFixture(engine);
        shard.put("a", "1");
        shard.close();
        shard.close();
        assertThatThrownBy(() -> shard.get("a")).isInstanceOf(StorageException.class);
    }
}
