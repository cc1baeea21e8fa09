package io.elastickv.embedded.internal.shard;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryCodec;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.command.ResultCodec;
import io.elastickv.embedded.internal.command.ScanPosition;
import io.elastickv.embedded.internal.command.StoredValue;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.RepeatedTest;

/** Machines of different storage and layout, and a trivial model, given the same random log: nobody can tell them apart. */
class ShardModelTest {

    private static final int COMMANDS = 6_000;

    @RepeatedTest(4)
    void allMachinesDoAsTheModelDoes() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        SlotRanges all = SlotRanges.of(0, 16383);
        List<ShardStateMachine> machines = List.of(
                ShardStateMachine.create(1, 1, all, StorageEngine.HEAP, new StorageOptions(16384, 64, 2, 64)),
                ShardStateMachine.create(1, 1, all, StorageEngine.OFF_HEAP, new StorageOptions(2048, 64, 2, 64)),
                ShardStateMachine.create(1, 1, all, StorageEngine.OFF_HEAP, new StorageOptions(256, 4096, 4, 4096)));
        ShardModel model = new ShardModel();
        RandomCommands commands = new RandomCommands(random, model, 1_000);
        long clock = 100;
        long index = 0;
        try {
            for (int i = 0; i < COMMANDS; i++) {
                clock += random.nextInt(4) == 0 ? random.nextInt(10) : 0;
                index += 1 + random.nextInt(2);
                long time = clock - (random.nextInt(10) == 0 ? 5 : 0);
                Command command = commands.next();
                byte[] entry = CommandCodec.encode(new Envelope(0, 0, 0, time, command));
                byte[] expected = ResultCodec.encode(model.apply(index, time, command));
                for (ShardStateMachine machine : machines) {
                    CommandResult result = machine.apply(index, entry.clone());
                    if (command instanceof Command.EvictExpired) {
                        // The model drops what is expired at once, machines when they meet it; those agree with each
                        // other.
                        expected =
                                ResultCodec.encode(machines.get(0) == machine ? result : ResultCodec.decode(expected));
                    }
                    if (!Arrays.equals(ResultCodec.encode(result), expected)) {
                        fail("seed " + seed + ", command " + i + ": " + command + "\n expected "
                                + ResultCodec.decode(expected) + "\n but was " + result);
                    }
                    assertThat(machine.logTimeMillis()).as("seed %d", seed).isEqualTo(model.timeMillis);
                }
                compareReads(seed, random, commands, model, machines);
                if (i % 500 == 499) {
                    compareWhole(seed, ++index, model, machines);
                }
            }
        } finally {
            machines.forEach(ShardStateMachine::close);
        }
    }

    private static void compareReads(
            long seed, Random random, RandomCommands commands, ShardModel model, List<ShardStateMachine> machines) {
        byte[] key = commands.key();
        StoredValue expected = model.entries.get(ShardModel.s(key));
        long readTime = model.timeMillis + random.nextInt(20);
        boolean dies = expected != null && expected.expiresAtMillis() != 0 && expected.expiresAtMillis() <= readTime;
        for (ShardStateMachine machine : machines) {
            QueryResult result = machine.query(new Query.Get(key), readTime);
            QueryResult described = machine.query(new Query.Describe(key), readTime);
            if (dies) {
                assertThat(result).isEqualTo(new QueryResult.NeedsTime(expected.expiresAtMillis()));
                assertThat(described).isEqualTo(result);
                assertThat(machine.queryLocal(new Query.Get(key), readTime)).isEqualTo(new QueryResult.Value(null));
            } else {
                assertThat(QueryCodec.encode(result))
                        .as("seed %d", seed)
                        .isEqualTo(QueryCodec.encode(new QueryResult.Value(expected)));
                assertThat(described)
                        .as("seed %d", seed)
                        .isEqualTo(
                                expected == null
                                        ? new QueryResult.Described(false, 0, 0, 0, 0)
                                        : new QueryResult.Described(
                                                true,
                                                expected.version(),
                                                expected.value().length,
                                                expected.expiresAtMillis(),
                                                expected.expiresAtMillis() == 0
                                                        ? 0
                                                        : expected.expiresAtMillis() - readTime));
            }
        }
    }

    private static void compareWhole(long seed, long index, ShardModel model, List<ShardStateMachine> machines) {
        Command evict = new Command.EvictExpired(RandomCommands.allKeys());
        TreeSet<String> expected = new TreeSet<>(model.entries.keySet());
        List<String> order = null;
        for (ShardStateMachine machine : machines) {
            machine.apply(index, CommandCodec.encode(Envelope.of(evict)));
            assertThat(machine.query(new Query.Size(), 0))
                    .as("seed %d", seed)
                    .isEqualTo(new QueryResult.Count(expected.size()));
            assertThat(machine.collectExpired(model.timeMillis, 100))
                    .as("seed %d", seed)
                    .isEmpty();
            for (int tag = 0; tag < 5; tag++) {
                String prefix = "{" + tag + "}";
                int slot = KeySlot.of(ShardFixture.b(prefix));
                List<String> ofSlot =
                        expected.stream().filter(k -> k.startsWith(prefix)).toList();
                assertThat(machine.query(new Query.SlotSize(slot), 0)).isEqualTo(new QueryResult.Count(ofSlot.size()));
                assertThat(((QueryResult.Keys) machine.query(new Query.SlotKeys(slot, 100), 0)).keys())
                        .extracting(ShardModel::s)
                        .containsExactlyInAnyOrderElementsOf(ofSlot);
            }
            List<String> scanned = scanAll(machine, 1 + (int) (index % 7), 0x1234);
            assertThat(scanned).as("seed %d", seed).containsExactlyInAnyOrderElementsOf(expected);
            assertThat(order == null || order.equals(scanned))
                    .as("scan order, seed %d", seed)
                    .isTrue();
            order = scanned;
            List<byte[]> keys = RandomCommands.allKeys();
            QueryResult.Values many = (QueryResult.Values) machine.query(new Query.GetMany(keys), model.timeMillis);
            List<StoredValue> values = new ArrayList<>();
            keys.forEach(key -> values.add(model.entries.get(ShardModel.s(key))));
            assertThat(QueryCodec.encode(many))
                    .as("seed %d", seed)
                    .isEqualTo(QueryCodec.encode(new QueryResult.Values(values, false)));
            QueryResult.Keys any = (QueryResult.Keys) machine.query(new Query.RandomKey(index), 0);
            assertThat(any.keys()).hasSize(expected.isEmpty() ? 0 : 1);
            any.keys().forEach(key -> assertThat(expected).contains(ShardModel.s(key)));
        }
    }

    static List<String> scanAll(ShardStateMachine machine, int limit, int scanId) {
        List<String> keys = new ArrayList<>();
        long cursor = new ScanPosition(0, 0, scanId).toCursor();
        do {
            QueryResult.Page page = (QueryResult.Page) machine.query(new Query.Scan(cursor, limit), 0);
            page.keys().forEach(key -> keys.add(ShardModel.s(key)));
            assertThat(page.nextCursor() == 0 || page.nextCursor() > cursor).isTrue();
            cursor = page.nextCursor();
        } while (cursor != 0);
        long[] order = keys.stream()
                .mapToLong(k -> ScanPosition.order(
                        KeySlot.of(k.getBytes(ISO_8859_1)), ScanPosition.hash(k.getBytes(ISO_8859_1))))
                .toArray();
        long[] sorted = order.clone();
        Arrays.sort(sorted);
        assertThat(order).isEqualTo(sorted);
        return keys;
    }
}
