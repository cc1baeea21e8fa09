package io.elastickv.embedded.internal.shard;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.ExpiryRule;
import io.elastickv.embedded.internal.command.Piece;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryCodec;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.ResultCodec;
import io.elastickv.embedded.internal.command.StoredValue;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Shards that split at random, each with a random log, a model, and two replicas of different storage which must agree in
 * all that can be seen.
 */
final class SplitWorld implements AutoCloseable {

    private static final int FILLERS = 400;

    record Entry(long index, byte[] envelope, byte[] result) {}

    /** All that can be seen of a machine's state, entries included that are expired but not removed. */
    record Picture(
            long index,
            long logTimeMillis,
            long size,
            Map<String, String> entries,
            List<Integer> slotSizes,
            List<String> expiring) {}

    private record Sent(long session, long sequence, long ackedBelow, Command command, byte[] result) {}

    /** A replica of every shard there is, made by the splits in the logs. */
    static final class Replicas implements SplitHost, AutoCloseable {

        final Map<Integer, ShardStateMachine> machines = new TreeMap<>();

        Replicas(StorageEngine engine, StorageOptions options) {
            this(ShardStateMachine.create(0, 1, SlotRanges.of(0, 16383), engine, options), 0);
        }

        Replicas(ShardStateMachine machine, int shard) {
            machine.onSplit(this);
            machines.put(shard, machine);
        }

        @Override
        public void split(ShardStateMachine parent, Command.SplitShard split, ShardStateMachine child) {
            machines.put(split.newShard(), child);
            parent.childIsSafe(split.newShard());
        }

        ShardStateMachine of(Shard shard) {
            return machines.get(shard.id);
        }

        @Override
        public void close() {
            machines.values().forEach(ShardStateMachine::close);
        }
    }

    /** Slots on their way. */
    private record Given(Command.GiveSlots command, Shard to, Map<String, StoredValue> entries, boolean absorbed) {}

    /** What is known of a shard. */
    static final class Shard {

        final int id;
        final ShardModel model;
        final RandomCommands commands;
        final List<Entry> log = new ArrayList<>();
        /** Those it knows. */
        final Set<Long> sessions = new TreeSet<>();

        final Map<Long, Long> floors = new HashMap<>();
        private final List<Sent> sent = new ArrayList<>();
        long epoch;
        SlotRanges owned;
        long index;
        long versionOffset;
        /** What it gave away and has not deleted; and whom it is given to. */
        Given given;
        /** It is to take slots in. */
        boolean isTaking;

        Shard(int id, long epoch, SlotRanges owned, long index, ShardModel model, Random random) {
            this.id = id;
            this.epoch = epoch;
            this.owned = owned;
            this.index = index;
            this.model = model;
            this.commands = new RandomCommands(random, model, 700);
        }

        long version() {
            return index + versionOffset;
        }
    }

    final long seed;
    final Random random;
    final Replicas first;
    final Replicas second;
    final Map<Integer, Shard> shards = new TreeMap<>();
    /** A client numbers its commands, whichever shard gets them. */
    private final Map<Long, Long> sequences = new HashMap<>();

    int merged;
    private long clock = 1_000;

    SplitWorld(long seed, StorageEngine engine) {
        this.seed = seed;
        this.random = new Random(seed);
        first = new Replicas(engine, options());
        second = new Replicas(engine == StorageEngine.HEAP ? StorageEngine.OFF_HEAP : StorageEngine.HEAP, options());
        shards.put(0, new Shard(0, 1, SlotRanges.of(0, 16383), 0, new ShardModel(), random));
    }

    StorageOptions options() {
        return new StorageOptions(1 << (7 + random.nextInt(8)), 64, 2, random.nextBoolean() ? 64 : 4096);
    }

    Shard anyShard() {
        List<Shard> all = new ArrayList<>(shards.values());
        return all.get(random.nextInt(all.size()));
    }

    /** Applies the next entry of some shard. */
    void applyNext() {
        Shard shard = anyShard();
        clock += random.nextInt(4) == 0 ? random.nextInt(10) : 0;
        int what = random.nextInt(100);
        if (what < 2 || shard.sessions.isEmpty()) {
            CommandResult result = apply(shard, 0, 0, 0, new Command.OpenSession("owner"));
            long id = ((CommandResult.SessionOpened) result).sessionId();
            shard.sessions.add(id);
            sequences.put(id, 0L);
            shard.floors.put(id, 0L);
            shard.model.apply(shard.version(), clock, new Command.EvictExpired(List.of()));
        } else if (what < 20 && !shard.sent.isEmpty()) {
            retry(shard);
        } else {
            fresh(shard, what);
        }
    }

    private void retry(Shard shard) {
        int back = 1 + random.nextInt(Math.min(shard.sent.size(), random.nextInt(4) == 0 ? 200 : 10));
        Sent sent = shard.sent.get(shard.sent.size() - back);
        CommandResult result = apply(shard, sent.session, sent.sequence, sent.ackedBelow, sent.command);
        shard.model.apply(shard.version(), clock, new Command.EvictExpired(List.of()));
        if (sent.sequence < shard.floors.get(sent.session)) {
            assertThat(result).as("seed %d", seed).isInstanceOf(CommandResult.OutcomeForgotten.class);
        } else {
            assertThat(ResultCodec.encode(result))
                    .as("seed %d: shard %d, retry of %s: %s", seed, shard.id, sent.command, result)
                    .isEqualTo(sent.result);
        }
    }

    private void fresh(Shard shard, int what) {
        Command command = what < 60 ? filler() : shard.commands.next();
        if (command instanceof Command.Clear && random.nextInt(4) > 0) {
            return;
        }
        long session = 0;
        long sequence = 0;
        long ackedBelow = 0;
        if (!(command instanceof Command.EvictExpired || command instanceof Command.AdvanceTime || what % 3 == 0)) {
            List<Long> open = new ArrayList<>(shard.sessions);
            session = open.get(random.nextInt(open.size()));
            sequence = sequences.get(session) + 1;
            ackedBelow = Math.max(0, sequence - random.nextInt(20));
            sequences.put(session, sequence);
            shard.floors.merge(session, ackedBelow, Math::max);
        }
        CommandResult result = apply(shard, session, sequence, ackedBelow, command);
        byte[] encoded = ResultCodec.encode(result);
        CommandResult refusal = refusal(shard, command);
        if (refusal != null) {
            shard.model.apply(shard.version(), clock, new Command.EvictExpired(List.of()));
            assertThat(result).as("seed %d: %s", seed, command).isEqualTo(refusal);
        } else {
            CommandResult expected = shard.model.apply(shard.version(), clock, command);
            if (!(command instanceof Command.EvictExpired)) {
                assertThat(encoded)
                        .as("seed %d, shard %d: %s: %s, expected %s", seed, shard.id, command, result, expected)
                        .isEqualTo(ResultCodec.encode(expected));
            }
        }
        if (session != 0 && !(result instanceof CommandResult.WrongShard)) {
            shard.sent.add(new Sent(session, sequence, ackedBelow, command, encoded));
        }
    }

    /** What a shard answers for the keys alone; null if it does what is asked. */
    private static CommandResult refusal(Shard shard, Command command) {
        List<byte[]> keys = new ArrayList<>();
        if (command instanceof Command.Put put) {
            keys.add(put.key());
        } else if (command instanceof Command.Delete delete) {
            keys.add(delete.key());
        } else if (command instanceof Command.Increment increment) {
            keys.add(increment.key());
        } else if (command instanceof Command.Expire expire) {
            keys.add(expire.key());
        } else if (command instanceof Command.PutAll putAll) {
            keys.addAll(putAll.keys());
        } else if (command instanceof Command.DeleteAll deleteAll) {
            keys.addAll(deleteAll.keys());
        } else if (command instanceof Command.AtomicBatch batch) {
            batch.requirements().forEach(requirement -> keys.add(requirement.key()));
            batch.steps().forEach(step -> keys.add(step.key()));
        }
        boolean ofKeys = command instanceof Command.PutAll
                || command instanceof Command.DeleteAll
                || command instanceof Command.AtomicBatch;
        if (ofKeys && shard.owned.isEmpty()) {
            return new CommandResult.WrongShard(shard.epoch);
        }
        for (byte[] key : keys) {
            if (!shard.owned.contains(KeySlot.of(key))) {
                return new CommandResult.WrongShard(shard.epoch);
            }
            if (KeySlot.of(key) != KeySlot.of(keys.get(0))) {
                return new CommandResult.CrossSlot();
            }
        }
        return null;
    }

    private CommandResult apply(Shard shard, long session, long sequence, long ackedBelow, Command command) {
        shard.index += 1 + random.nextInt(2);
        byte[] envelope = CommandCodec.encode(new Envelope(session, sequence, ackedBelow, clock, command));
        CommandResult result = first.of(shard).apply(shard.index, envelope.clone());
        byte[] encoded = ResultCodec.encode(result);
        assertThat(ResultCodec.encode(second.of(shard).apply(shard.index, envelope.clone())))
                .as("seed %d: both replicas of shard %d: %s", seed, shard.id, command)
                .isEqualTo(encoded);
        shard.log.add(new Entry(shard.index, envelope, encoded));
        return result;
    }

    private Command filler() {
        byte[] key = fillerKey(random.nextInt(FILLERS));
        return switch (random.nextInt(8)) {
            case 0 -> new Command.Delete(key, Precondition.ALWAYS, random.nextBoolean());
            case 1 -> new Command.Expire(key, new ExpiryChange.After(1 + random.nextInt(300)), ExpiryRule.ALWAYS);
            default -> {
                byte[] value = new byte[random.nextInt(random.nextInt(10) == 0 ? 2_000 : 50)];
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

    private static byte[] fillerKey(int n) {
        return ("filler-" + n).getBytes(ISO_8859_1);
    }

    static List<byte[]> allKeys() {
        List<byte[]> keys = RandomCommands.allKeys();
        for (int n = 0; n < FILLERS; n++) {
            keys.add(fillerKey(n));
        }
        return keys;
    }

    /** Splits some shard somewhere, often at or behind the slot of a key. */
    void splitSome() {
        Shard shard = anyShard();
        if (shard.isTaking || shard.owned.isEmpty()) {
            return;
        }
        List<byte[]> keys = allKeys();
        int slot = random.nextInt(3) == 0
                ? 1 + random.nextInt(16383)
                : Math.min(16383, Math.max(1, KeySlot.of(keys.get(random.nextInt(keys.size()))) + random.nextInt(2)));
        boolean stale = random.nextInt(10) == 0;
        int child = shards.size();
        var split = new Command.SplitShard(
                stale ? shard.epoch - 1 : shard.epoch, shard.epoch + 1, slot, child, shard.epoch + 1, new byte[] {1});
        boolean possible = !stale && shard.given == null && slot > shard.owned.first() && slot <= shard.owned.last();
        CommandResult result = apply(shard, 0, 0, 0, split);
        shard.model.apply(shard.version(), clock, new Command.EvictExpired(List.of()));
        if (!possible) {
            assertThat(result).as("seed %d", seed).isEqualTo(new CommandResult.WrongShard(shard.epoch));
            return;
        }
        assertThat(result).as("seed %d", seed).isEqualTo(new CommandResult.ShardSplit(shard.index));
        ShardModel right = new ShardModel();
        right.timeMillis = shard.model.timeMillis;
        shard.model.entries.forEach((key, value) -> {
            if (KeySlot.of(key.getBytes(ISO_8859_1)) >= slot) {
                right.entries.put(key, value);
            }
        });
        shard.model.entries.keySet().removeAll(right.entries.keySet());
        Shard made = new Shard(child, shard.epoch + 1, shard.owned.from(slot), shard.index, right, random);
        made.sessions.addAll(shard.sessions);
        made.versionOffset = shard.versionOffset;
        made.floors.putAll(shard.floors);
        made.sent.addAll(shard.sent);
        shard.owned = shard.owned.below(slot);
        shard.epoch++;
        shards.put(child, made);
    }

    /** Takes the next step of some merge, or begins one; every step is sometimes taken twice. */
    void mergeSome() {
        for (Shard right : shards.values()) {
            Given given = right.given;
            if (given != null && !given.absorbed()) {
                absorb(right, given);
                return;
            }
            if (given != null) {
                apply(right, 0, 0, 0, new Command.DropSlots(given.command().epoch()));
                tick(right);
                right.given = null;
                return;
            }
        }
        for (Shard right : shards.values()) {
            for (Shard left : shards.values()) {
                if (!right.owned.isEmpty()
                        && !left.owned.isEmpty()
                        && left.given == null
                        && left.owned.last() + 1 == right.owned.first()
                        && random.nextBoolean()) {
                    give(left, right);
                    return;
                }
            }
        }
    }

    private void tick(Shard shard) {
        shard.model.apply(shard.version(), clock, new Command.EvictExpired(List.of()));
    }

    private void give(Shard left, Shard right) {
        int first = right.owned.first();
        int last = random.nextBoolean() ? right.owned.last() : first + random.nextInt(right.owned.last() - first + 1);
        long epoch = Math.max(left.epoch, right.epoch) + 1;
        var give = new Command.GiveSlots(right.epoch, epoch, first, last, left.id);
        var stale = new Command.GiveSlots(right.epoch - 1, epoch, first, last, left.id);
        assertThat(apply(right, 0, 0, 0, stale)).isEqualTo(new CommandResult.WrongShard(right.epoch));
        tick(right);
        for (int times = 1 + random.nextInt(2); times > 0; times--) {
            assertThat(apply(right, 0, 0, 0, give)).as("seed %d", seed).isEqualTo(new CommandResult.Done());
            tick(right);
        }
        Map<String, StoredValue> entries = new TreeMap<>();
        right.model.entries.forEach((key, value) -> {
            if (KeySlot.of(key.getBytes(ISO_8859_1)) <= last) {
                entries.put(key, value);
            }
        });
        right.model.entries.keySet().removeAll(entries.keySet());
        right.owned = last == right.owned.last() ? SlotRanges.NONE : right.owned.from(last + 1);
        right.epoch = epoch;
        right.given = new Given(give, left, entries, false);
        left.isTaking = true;
    }

    private void absorb(Shard right, Given given) {
        Shard left = given.to();
        Command.GiveSlots give = given.command();
        Replicas from = random.nextBoolean() ? first : second;
        Piece piece =
                from.of(right).readGiven(give.epoch(), from.of(right).sessions().get());
        var absorb = new Command.AbsorbSlots(right.id, give.epoch(), give.first(), give.last(), piece);
        for (int times = 1 + random.nextInt(2); times > 0; times--) {
            assertThat(apply(left, 0, 0, 0, absorb)).as("seed %d", seed).isEqualTo(new CommandResult.Done());
            if (left.isTaking) {
                left.versionOffset = Math.max(left.versionOffset, piece.versionFloor() - left.index);
                left.isTaking = false;
            }
            left.model.timeMillis = Math.max(left.model.timeMillis, piece.logTimeMillis());
            left.model.entries.putAll(given.entries());
            tick(left);
        }
        left.owned = left.owned.upTo(give.last());
        left.epoch = give.epoch();
        left.sessions.addAll(right.sessions);
        right.floors.forEach((session, floor) -> left.floors.merge(session, floor, Math::max));
        for (Sent one : right.sent) {
            if (!left.sent.contains(one)) {
                left.sent.add(one);
            }
        }
        right.given = new Given(give, left, Map.of(), true);
        merged++;
    }

    /** Both replicas of every shard are what the model says and equal in all that can be seen. */
    void check() {
        for (Shard shard : shards.values()) {
            assertModel(shard, first.of(shard));
            assertThat(picture(first.of(shard)))
                    .as("seed %d, shard %d", seed, shard.id)
                    .isEqualTo(picture(second.of(shard)));
        }
    }

    private void assertModel(Shard shard, ShardStateMachine machine) {
        List<String> alive = new ArrayList<>();
        for (byte[] key : allKeys()) {
            QueryResult expected = shard.owned.contains(KeySlot.of(key))
                    ? new QueryResult.Value(shard.model.entries.get(ShardModel.s(key)))
                    : new QueryResult.WrongShard(shard.epoch);
            assertThat(QueryCodec.encode(machine.query(new Query.Get(key), shard.model.timeMillis)))
                    .as("seed %d, shard %d, key %s", seed, shard.id, ShardModel.s(key))
                    .isEqualTo(QueryCodec.encode(expected));
            if (shard.model.entries.containsKey(ShardModel.s(key))) {
                alive.add(ShardModel.s(key));
            }
        }
        assertThat(scanned(shard, machine))
                .as("seed %d, shard %d", seed, shard.id)
                .hasSameElementsAs(alive);
        var any = (QueryResult.Keys) machine.query(new Query.RandomKey(random.nextLong()), 0);
        assertThat(any.keys()).as("seed %d, shard %d", seed, shard.id).hasSize(alive.isEmpty() ? 0 : 1);
        any.keys().forEach(key -> assertThat(alive).contains(ShardModel.s(key)));
    }

    private List<String> scanned(Shard shard, ShardStateMachine machine) {
        List<String> keys = new ArrayList<>();
        for (var range : shard.owned.ranges()) {
            long cursor = (long) range.first() << 48 | 77;
            long end = (long) (range.last() + 1) << 48;
            do {
                var page = (QueryResult.Page) machine.query(new Query.Scan(cursor, 20), 0);
                page.keys().forEach(key -> keys.add(ShardModel.s(key)));
                cursor = page.nextCursor();
            } while (cursor != 0 && cursor < end);
        }
        return keys;
    }

    /** On the apply thread. */
    static Picture picture(ShardStateMachine of) {
        Map<String, String> found = new TreeMap<>();
        List<Integer> slotSizes = new ArrayList<>();
        for (byte[] key : allKeys()) {
            int slot = KeySlot.of(key);
            if (of.query(new Query.SlotSize(slot), 0) instanceof QueryResult.Count count) {
                slotSizes.add((int) count.count());
                StoredValue value = of.store().peek(slot, key);
                if (value != null) {
                    found.put(
                            ShardModel.s(key),
                            value.version() + " until " + value.expiresAtMillis() + ": " + ShardModel.s(value.value()));
                }
            }
        }
        List<String> expiring = new ArrayList<>();
        of.collectExpired(Long.MAX_VALUE, Integer.MAX_VALUE).forEach(key -> expiring.add(ShardModel.s(key)));
        return new Picture(
                of.appliedIndex(),
                of.logTimeMillis(),
                of.size(),
                found,
                slotSizes,
                expiring.stream().distinct().sorted().toList());
    }

    /** Replays the log of a shard behind what a replica has applied, and those of all shards that it splits off on the way. */
    void replay(Replicas replicas, int shard) {
        ShardStateMachine machine = replicas.machines.get(shard);
        List<Integer> before = new ArrayList<>(replicas.machines.keySet());
        for (Entry entry : shards.get(shard).log) {
            if (entry.index() > machine.appliedIndex()) {
                CommandResult result =
                        machine.apply(entry.index(), entry.envelope().clone());
                assertThat(ResultCodec.encode(result))
                        .as("seed %d, shard %d, entry %d", seed, shard, entry.index())
                        .isEqualTo(entry.result());
            }
        }
        List<Integer> made = new ArrayList<>(replicas.machines.keySet());
        made.removeAll(before);
        made.stream().filter(child -> child > shard).forEach(child -> replay(replicas, child));
        assertThat(picture(machine)).as("seed %d, shard %d", seed, shard).isEqualTo(picture(first.machines.get(shard)));
    }

    @Override
    public void close() {
        first.close();
        second.close();
    }
}
