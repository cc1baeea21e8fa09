package io.elastickv.embedded.internal.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class CodecTest {

    private static final int MUTATIONS_PER_SAMPLE = 3_000;

    @Test
    void everyKindIsAmongTheSamples() {
        assertCovers(Command.class, Samples.commands());
        assertCovers(CommandResult.class, Samples.results());
        assertCovers(Query.class, Samples.queries());
        assertCovers(QueryResult.class, Samples.queryResults());
        assertCovers(Precondition.class, Samples.preconditions());
        assertCovers(ExpiryChange.class, Samples.expiries());
        assertCovers(
                Command.Step.class,
                Samples.commands().stream()
                        .filter(Command.AtomicBatch.class::isInstance)
                        .flatMap(batch -> ((Command.AtomicBatch) batch).steps().stream())
                        .toList());
    }

    private static void assertCovers(Class<?> sealed, List<?> samples) {
        assertThat(samples.stream().map(Object::getClass).distinct().toList())
                .as(sealed.getSimpleName())
                .containsExactlyInAnyOrder(sealed.getPermittedSubclasses());
        assertThat(samples.stream()
                        .map(sample -> ((Encodable) sample).type())
                        .distinct()
                        .count())
                .as("types of %s", sealed.getSimpleName())
                .isEqualTo(sealed.getPermittedSubclasses().length);
    }

    @Test
    void whatIsEncodedIsDecoded() {
        for (Command command : Samples.commands()) {
            byte[] encoded = CommandCodec.encode(new Envelope(1L << 40, 300, 290, Long.MIN_VALUE + 5, command));
            CommandCodec.stampTime(encoded, -7);
            Envelope decoded = CommandCodec.decode(encoded);
            assertThat(decoded.sessionId()).isEqualTo(1L << 40);
            assertThat(decoded.sequence()).isEqualTo(300);
            assertThat(decoded.ackedBelow()).isEqualTo(290);
            assertThat(decoded.timeMillis()).isEqualTo(-7);
            assertThat(decoded.command()).usingRecursiveComparison().isEqualTo(command);
            assertThat(CommandCodec.encode(decoded)).isEqualTo(encoded);
        }
        for (CommandResult result : Samples.results()) {
            assertThat(ResultCodec.decode(ResultCodec.encode(result)))
                    .usingRecursiveComparison()
                    .isEqualTo(result);
        }
        for (Query query : Samples.queries()) {
            assertThat(QueryCodec.decode(QueryCodec.encode(query)))
                    .usingRecursiveComparison()
                    .isEqualTo(query);
        }
        for (QueryResult result : Samples.queryResults()) {
            assertThat(QueryCodec.decodeResult(QueryCodec.encode(result)))
                    .usingRecursiveComparison()
                    .isEqualTo(result);
        }
    }

    /** These bytes are in logs on disks: they may be added to, never changed. */
    @Test
    void commandsHaveTheirBytes() {
        assertCommand(
                "01 0000000000000102 ac02 05 02 01 016b 0176 00 00 00",
                new Envelope(
                        300,
                        5,
                        3,
                        258,
                        new Command.Put(
                                Samples.b("k"), Samples.b("v"), Precondition.ALWAYS, ExpiryChange.NEVER, false)));
        assertCommand(
                "01 0000000000000000 00 00 00 01 016b 00 03ac02 02e807 01",
                new Command.Put(
                        Samples.b("k"),
                        new byte[0],
                        new Precondition.VersionIs(300),
                        new ExpiryChange.After(1_000),
                        true));
        assertCommand(
                "01 0000000000000000 00 00 00 02 016b 040177 01",
                new Command.Delete(Samples.b("k"), new Precondition.ValueIs(Samples.b("w")), true));
        assertCommand("01 0000000000000000 00 00 00 03 016b 03", new Command.Increment(Samples.b("k"), -2));
        assertCommand(
                "01 0000000000000000 00 00 00 04 016b 0303 02",
                new Command.Expire(Samples.b("k"), new ExpiryChange.At(-2), ExpiryRule.IF_ANY));
        assertCommand(
                "01 0000000000000000 00 00 00 05 02 0161 0131 0162 00",
                new Command.PutAll(List.of(Samples.b("a"), Samples.b("b")), List.of(Samples.b("1"), Samples.b(""))));
        assertCommand(
                "01 0000000000000000 00 00 00 06 02 0161 0162",
                new Command.DeleteAll(List.of(Samples.b("a"), Samples.b("b"))));
        assertCommand(
                "01 0000000000000000 00 00 00 07 01 0161 01 02 40 0161 04 0162 01 04",
                new Command.AtomicBatch(
                        List.of(new Command.Requirement(Samples.b("a"), Precondition.ABSENT)),
                        List.of(
                                new Command.Get(Samples.b("a")),
                                new Command.Expire(Samples.b("b"), ExpiryChange.KEEP, ExpiryRule.IF_EARLIER))));
        assertCommand("01 0000000000000000 00 00 00 08", new Command.Clear());
        assertCommand("01 0000000000000000 00 00 00 09 026e31", new Command.OpenSession("n1"));
        assertCommand("01 0000000000000000 00 00 00 0a 04", new Command.AdvanceTime(2));
        assertCommand("01 0000000000000000 00 00 00 0b 01 0161", new Command.EvictExpired(List.of(Samples.b("a"))));
        assertCommand(
                "01 0000000000000000 00 00 00 0c 03 04 8040 ac02 01 0377686f",
                new Command.SplitShard(3, 4, 8192, 300, 1, Samples.b("who")));
        assertCommand(
                "01 0000000000000000 00 00 00 0d 03 05 8040 ff7f ac02", new Command.GiveSlots(3, 5, 8192, 16383, 300));
        assertCommand(
                "01 0000000000000000 00 00 00 0e ac02 05 8040 ff7f 07 ac02 01 016b 0176 09 00"
                        + " 01 0b 06 02 02 02 0d 04 02 02",
                new Command.AbsorbSlots(300, 5, 8192, 16383, Samples.piece()));
        assertCommand("01 0000000000000000 00 00 00 0f 05", new Command.DropSlots(5));
        assertCommand("01 0000000000000000 00 00 00 20 ff7f", new Command.ClearAround(16383));
    }

    @Test
    void resultsAndQueriesHaveTheirBytes() {
        StoredValue value = new StoredValue(Samples.b("v"), 300, 2);
        assertResult("01 01 01 05 00", new CommandResult.Written(true, 5, null));
        assertResult("01 01 00 00 01 0176 ac02 02", new CommandResult.Written(false, 0, value));
        assertResult("01 02 05", new CommandResult.Incremented(-3));
        assertResult("01 03", new CommandResult.NotAnInteger());
        assertResult("01 04", new CommandResult.Overflow());
        assertResult("01 05 01", new CommandResult.Expired(true));
        assertResult("01 06 03", new CommandResult.Count(3));
        assertResult(
                "01 07 01 01 01 05 00",
                new CommandResult.BatchDone(true, List.of(new CommandResult.Written(true, 5, null))));
        assertResult("01 08 09", new CommandResult.SessionOpened(9));
        assertResult("01 09", new CommandResult.SessionUnknown());
        assertResult("01 0a", new CommandResult.OutcomeForgotten());
        assertResult("01 0b 04", new CommandResult.WrongShard(4));
        assertResult("01 0c", new CommandResult.CrossSlot());
        assertResult("01 0d", new CommandResult.Done());
        assertResult("01 0e ac02", new CommandResult.ShardSplit(300));
        assertResult("01 20 ac02 ff7f", new CommandResult.Cleared(300, 16383));

        assertQuery("01 01 016b", new Query.Get(Samples.b("k")));
        assertQuery("01 02 016b", new Query.Describe(Samples.b("k")));
        assertQuery("01 03 01 016b", new Query.GetMany(List.of(Samples.b("k"))));
        assertQuery("01 04 0002000000030004 0a", new Query.Scan(new ScanPosition(2, 3, 4).toCursor(), 10));
        assertQuery("01 05", new Query.Size());
        assertQuery("01 06 07", new Query.SlotSize(7));
        assertQuery("01 07 07 0a", new Query.SlotKeys(7, 10));
        assertQuery("01 08 0000000000000001", new Query.RandomKey(1));
        assertQuery("01 09 07 ac02", new Query.CountSlots(7, 300));

        assertQueryResult("01 01 01 0176 ac02 02", new QueryResult.Value(value));
        assertQueryResult("01 02 01 08 09 0a 0b", new QueryResult.Described(true, 8, 9, 10, 11));
        assertQueryResult("01 03 01 02 00 01 0176 ac02 02", new QueryResult.Values(Arrays.asList(null, value), true));
        assertQueryResult("01 04 01 0161 0000000000000001", new QueryResult.Page(List.of(Samples.b("a")), 1));
        assertQueryResult("01 05 03", new QueryResult.Count(3));
        assertQueryResult("01 06 01 0161", new QueryResult.Keys(List.of(Samples.b("a"))));
        assertQueryResult("01 07 02", new QueryResult.WrongShard(2));
        assertQueryResult("01 08 02", new QueryResult.NeedsTime(2));
        assertQueryResult("01 09 03 ac02", new QueryResult.Counted(3, 300));
    }

    private static void assertCommand(String hex, Command command) {
        assertCommand(hex, Envelope.of(command));
    }

    private static void assertCommand(String hex, Envelope envelope) {
        assertThat(hex(CommandCodec.encode(envelope))).isEqualTo(hex.replace(" ", ""));
    }

    private static void assertResult(String hex, CommandResult result) {
        assertThat(hex(ResultCodec.encode(result))).isEqualTo(hex.replace(" ", ""));
    }

    private static void assertQuery(String hex, Query query) {
        assertThat(hex(QueryCodec.encode(query))).isEqualTo(hex.replace(" ", ""));
    }

    private static void assertQueryResult(String hex, QueryResult result) {
        assertThat(hex(QueryCodec.encode(result))).isEqualTo(hex.replace(" ", ""));
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    @Test
    void damagedBytesAreRefusedOrReadAndNothingElse() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (Command command : Samples.commands()) {
            byte[] encoded = CommandCodec.encode(new Envelope(9, 8, 7, 6, command));
            damage(seed, random, encoded, CommandCodec::decode, CommandCodec::encode);
        }
        for (CommandResult result : Samples.results()) {
            damage(seed, random, ResultCodec.encode(result), ResultCodec::decode, ResultCodec::encode);
        }
        for (Query query : Samples.queries()) {
            damage(seed, random, QueryCodec.encode(query), QueryCodec::decode, QueryCodec::encode);
        }
        for (QueryResult result : Samples.queryResults()) {
            damage(seed, random, QueryCodec.encode(result), QueryCodec::decodeResult, QueryCodec::encode);
        }
    }

    /** Every prefix, and random changes; what is still decoded must encode to the same bytes: there is one encoding. */
    private static <T> void damage(
            long seed, Random random, byte[] good, Function<byte[], T> decode, Function<T, byte[]> encode) {
        int prefixes = Math.min(good.length, 500);
        for (int length = 0; length < prefixes; length++) {
            byte[] prefix = Arrays.copyOf(good, length);
            assertThatThrownBy(() -> decode.apply(prefix))
                    .as("prefix of %d bytes", length)
                    .isInstanceOf(MalformedCommandException.class);
        }
        int mutations = good.length > 1_000 ? 100 : MUTATIONS_PER_SAMPLE;
        for (int i = 0; i < mutations; i++) {
            byte[] bad = random.nextInt(4) == 0 ? Arrays.copyOf(good, random.nextInt(good.length + 8)) : good.clone();
            for (int changes = random.nextInt(4); changes >= 0 && bad.length > 0; changes--) {
                bad[random.nextInt(Math.min(bad.length, 64))] = (byte) random.nextInt();
            }
            try {
                T decoded = decode.apply(bad);
                assertThat(encode.apply(decoded)).as("seed %d", seed).isEqualTo(bad);
            } catch (MalformedCommandException expected) {
                // refused
            } catch (RuntimeException | Error e) {
                fail("seed " + seed + ": " + hex(Arrays.copyOf(bad, Math.min(bad.length, 200))), e);
            }
        }
    }

    @Test
    void lengthsAreBoundedBeforeAnythingIsAllocated() {
        // A list of 2^31-1 keys, and a value of 16 MiB, in messages of a few bytes.
        assertThatThrownBy(() ->
                        CommandCodec.decode(HexFormat.of().parseHex("010000000000000000000000" + "06" + "ffffffff07")))
                .isInstanceOf(MalformedCommandException.class);
        assertThatThrownBy(() -> CommandCodec.decode(
                        HexFormat.of().parseHex("010000000000000000000000" + "01" + "016b" + "80808008")))
                .isInstanceOf(MalformedCommandException.class);
    }

    @Test
    void sizesOutsideTheLimitsAreRefused() {
        assertThatThrownBy(() -> new Query.Get(new byte[0])).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Query.Get(new byte[CommandLimits.MAX_KEY_BYTES + 1]))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Command.Put(
                        new byte[1],
                        new byte[CommandLimits.MAX_VALUE_BYTES + 1],
                        Precondition.ALWAYS,
                        ExpiryChange.NEVER,
                        false))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Envelope.of(new Command.Increment(new byte[0], 1)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void scanPositionsAreNumbersInScanOrder() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 10_000; i++) {
            ScanPosition position =
                    new ScanPosition(random.nextInt(16384), random.nextInt(), 1 + random.nextInt(65535));
            assertThat(ScanPosition.ofCursor(position.toCursor()))
                    .as("seed %d", seed)
                    .isEqualTo(position);
            assertThat(position.toCursor()).isPositive();
            ScanPosition other = new ScanPosition(random.nextInt(16384), random.nextInt(), position.scanId());
            assertThat(Long.compare(position.order(), other.order()))
                    .isEqualTo(Long.compare(position.toCursor(), other.toCursor()));
        }
        assertThatThrownBy(() -> ScanPosition.ofCursor(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ScanPosition.ofCursor(1L << 62)).isInstanceOf(IllegalArgumentException.class);
        // CRC32C of "123456789", as RFC 3720 has it.
        assertThat(ScanPosition.hash(Samples.b("123456789"))).isEqualTo(0xe3069283);
    }
}
