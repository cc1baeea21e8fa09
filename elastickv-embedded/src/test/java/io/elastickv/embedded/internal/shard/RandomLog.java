package io.elastickv.embedded.internal.shard;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryCodec;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.ResultCodec;
import io.elastickv.embedded.internal.command.StoredValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** A random log that a machine has applied, with retries of sessions' commands, and what a model makes of it. */
final class RandomLog {

    private static final int FILLERS = 2_000;

    record Entry(long index, byte[] envelope, byte[] result) {}

    /** All that can be seen of a machine's state, entries included that are expired but not removed. */
    record Picture(
            long index,
            long logTimeMillis,
            long size,
            Map<String, String> entries,
            List<Integer> slotSizes,
            List<String> expiring,
            List<String> scan) {}

    private record Sent(long session, long sequence, long ackedBelow, Command command) {}

    final ShardModel model = new ShardModel();
    final List<Entry> entries = new ArrayList<>();
    private final ShardStateMachine machine;
    private final Random random;
    private final RandomCommands commands;
    private final int maxValueBytes;
    private final List<Long> sessions = new ArrayList<>();
    private final Map<Long, Long> sequences = new TreeMap<>();
    private final List<Sent> sent = new ArrayList<>();
    private long clock = 1_000;
    private long index;
    private int fillers = FILLERS;

    RandomLog(ShardStateMachine machine, Random random, int maxValueBytes) {
        this.machine = machine;
        this.random = random;
        this.maxValueBytes = maxValueBytes;
        this.commands = new RandomCommands(random, model, maxValueBytes);
    }

    RandomLog fillers(int count) {
        fillers = count;
        return this;
    }

    /** Applies the next entry. */
    void applyNext() {
        clock += random.nextInt(4) == 0 ? random.nextInt(10) : 0;
        index += 1 + random.nextInt(2);
        Sent next = next();
        byte[] envelope = CommandCodec.encode(
                new Envelope(next.session(), next.sequence(), next.ackedBelow(), clock, next.command()));
        CommandResult result = machine.apply(index, envelope.clone());
        entries.add(new Entry(index, envelope, ResultCodec.encode(result)));
        if (result instanceof CommandResult.SessionOpened opened) {
            sessions.add(opened.sessionId());
            sequences.put(opened.sessionId(), 0L);
        }
        boolean isRetry = next.session() != 0 && next.sequence() <= sequences.getOrDefault(next.session(), 0L);
        boolean wasApplied = !isRetry
                && !(result instanceof CommandResult.SessionUnknown)
                && !(result instanceof CommandResult.OutcomeForgotten);
        model.apply(index, clock, wasApplied ? next.command() : new Command.EvictExpired(List.of()));
        if (next.session() != 0 && !isRetry) {
            sequences.put(next.session(), next.sequence());
            sent.add(next);
        }
    }

    private Sent next() {
        int what = random.nextInt(100);
        if (what == 0 || sessions.isEmpty()) {
            return new Sent(0, 0, 0, new Command.OpenSession("owner"));
        }
        if (what < 20 && !sent.isEmpty()) {
            // Mostly one of the last.
            int back = 1 + random.nextInt(random.nextInt(4) == 0 ? sent.size() : Math.min(sent.size(), 10));
            return sent.get(sent.size() - back);
        }
        Command command = what < 60 ? filler() : commands.next();
        if (command instanceof Command.EvictExpired || command instanceof Command.AdvanceTime || what % 3 == 0) {
            return new Sent(0, 0, 0, command);
        }
        long session = sessions.get(random.nextInt(sessions.size()));
        long sequence = sequences.get(session) + 1;
        return new Sent(session, sequence, Math.max(0, sequence - random.nextInt(20)), command);
    }

    private Command filler() {
        byte[] key = fillerKey(random.nextInt(fillers));
        return switch (random.nextInt(8)) {
            case 0 -> new Command.Delete(key, Precondition.ALWAYS, random.nextBoolean());
            case 1 -> new Command.Expire(key, new ExpiryChange.After(1 + random.nextInt(300)), anyRule());
            default -> {
                byte[] value = new byte[random.nextInt(random.nextInt(10) == 0 ? maxValueBytes : 50)];
                random.nextBytes(value);
                yield new Command.Put(
                        key,
                        value,
                        Precondition.ALWAYS,
                        random.nextInt(4) == 0 ? new ExpiryChange.After(1 + random.nextInt(500)) : ExpiryChange.NEVER,
                        random.nextInt(4) == 0);
            }
        };
    }

    private static io.elastickv.embedded.internal.command.ExpiryRule anyRule() {
        return io.elastickv.embedded.internal.command.ExpiryRule.ALWAYS;
    }

    private static byte[] fillerKey(int n) {
        return ("filler-" + n).getBytes(ISO_8859_1);
    }

    private List<byte[]> allKeys() {
        List<byte[]> keys = RandomCommands.allKeys();
        for (int n = 0; n < fillers; n++) {
            keys.add(fillerKey(n));
        }
        return keys;
    }

    /** On the apply thread. */
    Picture picture(ShardStateMachine of) {
        Map<String, String> found = new TreeMap<>();
        for (byte[] key : allKeys()) {
            StoredValue value = of.store().peek(KeySlot.of(key), key);
            if (value != null) {
                found.put(
                        ShardModel.s(key),
                        value.version() + " until " + value.expiresAtMillis() + ": " + ShardModel.s(value.value()));
            }
        }
        List<Integer> slotSizes = new ArrayList<>();
        for (int slot = 0; slot < KeySlot.COUNT; slot++) {
            slotSizes.add(of.store().sizeOfSlot(slot));
        }
        List<String> expiring = new ArrayList<>();
        of.collectExpired(Long.MAX_VALUE, Integer.MAX_VALUE).forEach(key -> expiring.add(ShardModel.s(key)));
        expiring.sort(null);
        return new Picture(
                of.appliedIndex(),
                of.logTimeMillis(),
                of.size(),
                found,
                slotSizes,
                expiring,
                ShardModelTest.scanAll(of, 100, 0));
    }

    /** What can be read is what the model has: keys, values, versions, expiry times. */
    void assertThatModelIs(ShardStateMachine of, ShardModel expected) {
        for (byte[] key : allKeys()) {
            QueryResult read = of.query(new Query.Get(key), expected.timeMillis);
            assertThat(QueryCodec.encode(read))
                    .isEqualTo(QueryCodec.encode(new QueryResult.Value(expected.entries.get(ShardModel.s(key)))));
        }
    }

    ShardModel copyOfModel() {
        ShardModel copy = new ShardModel();
        copy.entries.putAll(model.entries);
        copy.timeMillis = model.timeMillis;
        return copy;
    }

    /** Every entry behind what {@code other} has applied gets the result that it had here. */
    void replayOn(ShardStateMachine other) {
        long from = other.appliedIndex();
        for (Entry entry : entries) {
            if (entry.index() > from) {
                CommandResult result =
                        other.apply(entry.index(), entry.envelope().clone());
                assertThat(ResultCodec.encode(result))
                        .as("entry %d", entry.index())
                        .isEqualTo(entry.result());
            }
        }
    }
}
