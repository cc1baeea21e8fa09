package io.elastickv.embedded.internal.command;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Commands, results and queries for tests: a few of each kind, fixed or random. */
final class Samples {

    private Samples() {}

    static byte[] b(String text) {
        return text.getBytes(UTF_8);
    }

    static List<Precondition> preconditions() {
        return List.of(
                Precondition.ALWAYS,
                Precondition.ABSENT,
                Precondition.PRESENT,
                new Precondition.VersionIs(300),
                new Precondition.VersionIs(-1),
                new Precondition.ValueIs(b("w")));
    }

    static List<ExpiryChange> expiries() {
        return List.of(
                ExpiryChange.NEVER,
                ExpiryChange.KEEP,
                new ExpiryChange.After(1_000),
                new ExpiryChange.After(Long.MAX_VALUE),
                new ExpiryChange.At(-2),
                new ExpiryChange.At(Long.MAX_VALUE),
                new ExpiryChange.At(Long.MIN_VALUE));
    }

    static List<Command> commands() {
        List<Command> commands = new ArrayList<>();
        for (Precondition condition : preconditions()) {
            commands.add(new Command.Put(b("k"), b("v"), condition, ExpiryChange.NEVER, false));
            commands.add(new Command.Delete(b("k"), condition, true));
        }
        for (ExpiryChange expiry : expiries()) {
            commands.add(new Command.Put(b("k"), b(""), Precondition.ALWAYS, expiry, true));
            for (ExpiryRule rule : ExpiryRule.values()) {
                commands.add(new Command.Expire(b("k"), expiry, rule));
            }
        }
        for (long delta : new long[] {0, 1, -1, 63, 64, -64, -65, Long.MAX_VALUE, Long.MIN_VALUE}) {
            commands.add(new Command.Increment(b("k"), delta));
            commands.add(new Command.AdvanceTime(delta));
        }
        commands.add(new Command.PutAll(List.of(b("a"), b("b")), List.of(b("1"), b(""))));
        commands.add(new Command.PutAll(List.of(), List.of()));
        commands.add(new Command.DeleteAll(List.of(b("a"), b("bb"))));
        commands.add(new Command.AtomicBatch(
                List.of(new Command.Requirement(b("a"), Precondition.ABSENT)),
                List.of(
                        new Command.Get(b("a")),
                        new Command.Put(b("a"), b("1"), Precondition.PRESENT, ExpiryChange.KEEP, true),
                        new Command.Delete(b("b"), Precondition.ALWAYS, false),
                        new Command.Expire(b("c"), new ExpiryChange.After(5), ExpiryRule.IF_ANY))));
        commands.add(new Command.AtomicBatch(List.of(), List.of()));
        commands.add(new Command.Clear());
        commands.add(new Command.ClearAround(16383));
        commands.add(new Command.OpenSession("node-ä"));
        commands.add(new Command.EvictExpired(List.of(b("a"), b("bb"))));
        commands.add(new Command.SplitShard(3, 4, 8192, 300, 1, b("who")));
        commands.add(new Command.GiveSlots(3, 5, 8192, 16383, 300));
        commands.add(new Command.AbsorbSlots(300, 5, 8192, 16383, piece()));
        commands.add(new Command.AbsorbSlots(0, 1, 0, 0, new Piece(0, 0, List.of(), List.of())));
        commands.add(new Command.DropSlots(5));
        commands.add(new Command.SplitShard(0, Long.MAX_VALUE, 1, 0, -1, new byte[0]));
        byte[] longKey = new byte[CommandLimits.MAX_KEY_BYTES];
        Arrays.fill(longKey, (byte) 3);
        commands.add(new Command.Put(longKey, new byte[200_000], Precondition.ALWAYS, ExpiryChange.NEVER, false));
        return commands;
    }

    static Piece piece() {
        return new Piece(
                7,
                300,
                List.of(new Piece.Entry(b("k"), new StoredValue(b("v"), 9, 0))),
                List.of(new Piece.Session(
                        11,
                        6,
                        2,
                        List.of(
                                new Piece.Result(2, new CommandResult.Done()),
                                new Piece.Result(4, new CommandResult.Incremented(1))))));
    }

    static List<CommandResult> results() {
        StoredValue value = new StoredValue(b("value"), 77, 123_456);
        return List.of(
                new CommandResult.Written(true, 5, null),
                new CommandResult.Written(false, 0, value),
                new CommandResult.Incremented(-3),
                new CommandResult.Incremented(Long.MIN_VALUE),
                new CommandResult.NotAnInteger(),
                new CommandResult.Overflow(),
                new CommandResult.Expired(true),
                new CommandResult.Count(300),
                new CommandResult.BatchDone(
                        true,
                        List.of(
                                new CommandResult.Written(true, 1, null),
                                new CommandResult.Written(false, Long.MAX_VALUE, value))),
                new CommandResult.BatchDone(false, List.of()),
                new CommandResult.SessionOpened(9),
                new CommandResult.SessionUnknown(),
                new CommandResult.OutcomeForgotten(),
                new CommandResult.WrongShard(4),
                new CommandResult.Cleared(300, 16383),
                new CommandResult.CrossSlot(),
                new CommandResult.Done(),
                new CommandResult.ShardSplit(70_000));
    }

    static List<Query> queries() {
        return List.of(
                new Query.Get(b("k")),
                new Query.Describe(b("k")),
                new Query.GetMany(List.of(b("a"), b("bb"))),
                new Query.Scan(new ScanPosition(16383, -1, 65535).toCursor(), 10),
                new Query.Scan(0, Integer.MAX_VALUE),
                new Query.Size(),
                new Query.SlotSize(16383),
                new Query.CountSlots(0, 16383),
                new Query.SlotKeys(5, 100),
                new Query.RandomKey(-1));
    }

    static List<QueryResult> queryResults() {
        StoredValue value = new StoredValue(b("value"), 77, 0);
        return List.of(
                new QueryResult.Value(value),
                new QueryResult.Value(null),
                new QueryResult.Described(true, 8, 9, 10, 11),
                new QueryResult.Described(false, 0, 0, 0, 0),
                new QueryResult.Values(Arrays.asList(value, null, value), true),
                new QueryResult.Page(List.of(b("a"), b("b")), 1L << 48),
                new QueryResult.Count(3),
                new QueryResult.Keys(List.of(b("a"))),
                new QueryResult.WrongShard(2),
                new QueryResult.Counted(70_000, 16383),
                new QueryResult.NeedsTime(1_000));
    }

    static byte[] bytes(Random random, int max) {
        byte[] bytes = new byte[random.nextInt(max + 1)];
        random.nextBytes(bytes);
        return bytes;
    }
}
