package io.elastickv.embedded.internal.routing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.Bytes;
import io.elastickv.api.KeySlot;
import io.elastickv.api.MultiGetResult;
import io.elastickv.api.ScanCursor;
import io.elastickv.api.ScanPage;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Operations on many slots, whose shards are split while they are under way. */
@Timeout(120)
class ManySlotsTest {

    private static final int ROUNDS = Integer.getInteger("moving.rounds", 30);
    private static final int KEYS = 300;

    private final long first = Long.getLong("moving.seed", new Random().nextLong());

    private interface Check {
        void run(ShardWorld world, String seed);
    }

    private void eachRound(Check check) {
        for (int round = 0; round < ROUNDS; round++) {
            long seed = first + round;
            try (ShardWorld world = new ShardWorld(seed, 1 + (int) Math.floorMod(seed, 4L), 1)) {
                List<Told<CommandResult>> puts = new ArrayList<>();
                for (int i = 0; i < KEYS; i++) {
                    Told<CommandResult> told = new Told<>();
                    byte[] key = key(i);
                    world.routers
                            .get(0)
                            .write(KeySlot.of(key), new Command.Increment(key, 1), 10, deadline(world), told);
                    puts.add(told);
                }
                world.advance(100);
                puts.forEach(put -> assertThat(put.succeeded()).isTrue());
                check.run(world, "seed " + seed);
            }
        }
    }

    private static byte[] key(int i) {
        return ("key" + i).getBytes(UTF_8);
    }

    private static long deadline(ShardWorld world) {
        return world.nanos() + 10_000_000_000L;
    }

    /** Runs {@code call} to its end while shards are split, and whoever likes learns of it. */
    private static <T> T run(ShardWorld world, String seed, Call<T> call) {
        Told<T> told = new Told<>();
        call.start(world.routers.get(0), deadline(world), told);
        for (int i = 0; i < 10_000 && told.times() == 0; i++) {
            disturb(world);
            world.advance(1);
        }
        assertThat(told.times()).as(seed).isEqualTo(1);
        if (!told.succeeded()) {
            throw new AssertionError(seed, told.failure());
        }
        return told.result();
    }

    private static void disturb(ShardWorld world) {
        if (world.random.nextInt(3) == 0 && world.shards.size() < 60) {
            world.splitSomewhere();
        }
        if (world.random.nextInt(10) == 0) {
            world.changeLeader();
        }
        if (world.random.nextInt(6) == 0) {
            world.spread();
        }
    }

    @Test
    void aScanReturnsEveryKeyThatWasThereThroughout() {
        eachRound((world, seed) -> {
            Set<Bytes> seen = new HashSet<>();
            ScanCursor cursor = ScanCursor.START;
            do {
                ScanPage page = run(world, seed, ScanCalls.scan(cursor, 7));
                seen.addAll(page.keys());
                cursor = page.next();
            } while (!cursor.isStart());
            assertThat(seen).as(seed).hasSize(KEYS);
        });
    }

    @Test
    void theSizeIsThatOfAllSlotsEachCountedOnce() {
        eachRound((world, seed) -> {
            for (int i = 0; i < 5; i++) {
                assertThat(run(world, seed, ScanCalls.size())).as(seed).isEqualTo(KEYS);
            }
        });
    }

    @Test
    void manyKeysAreReadFromWhereverTheyAre() {
        List<Bytes> keys = new ArrayList<>();
        for (int i = 0; i < KEYS + 10; i++) {
            keys.add(Bytes.utf8("key" + i));
        }
        eachRound((world, seed) -> {
            for (int i = 0; i < 5; i++) {
                MultiGetResult result = run(world, seed, MultiKeyCalls.getAll(keys));
                assertThat(result.values()).as(seed).hasSize(KEYS);
                assertThat(result.values().keySet()).as(seed).containsExactlyElementsOf(keys.subList(0, KEYS));
            }
        });
    }

    @Test
    void clearingLeavesNothingThatWasThereBefore() {
        eachRound((world, seed) -> {
            run(world, seed, ScanCalls.clear());
            for (int i = 0; i < KEYS; i++) {
                QueryResult.Value value = (QueryResult.Value)
                        world.ownerOf(KeySlot.of(key(i))).machine.query(new Query.Get(key(i)), world.millis());
                assertThat(value.value()).as("%s: key %d", seed, i).isNull();
            }
            assertThat(run(world, seed, ScanCalls.size())).as(seed).isZero();
            assertThat(run(world, seed, ScanCalls.randomKey())).as(seed).isEmpty();
        });
    }

    @Test
    void aKeyIsFoundAtRandomAsLongAsThereIsOne() {
        eachRound((world, seed) -> {
            run(world, seed, ScanCalls.clear());
            byte[] only = key(world.random.nextInt(KEYS));
            Told<CommandResult> told = new Told<>();
            world.routers.get(0).write(KeySlot.of(only), new Command.Increment(only, 1), 10, deadline(world), told);
            world.advance(200);
            assertThat(told.succeeded()).as(seed).isTrue();
            for (int i = 0; i < 3; i++) {
                Optional<Bytes> found = run(world, seed, ScanCalls.randomKey());
                assertThat(found).as(seed).contains(Bytes.copyOf(only));
            }
        });
    }

    @Test
    void whatEveryoneHasHeardOfIsRoutedToAtOnce() {
        eachRound((world, seed) -> {
            for (int i = 0; i < 5; i++) {
                world.splitSomewhere();
            }
            world.spreadAll();
            world.advance(30);
            Set<Integer> asked = new HashSet<>();
            world.watch = (node, request) -> {
                if (request.slot() != RouterProtocol.NO_SLOT) {
                    asked.add(request.shard());
                    assertThat(request.shard()).as(seed).isEqualTo(world.ownerOf(request.slot()).id);
                }
            };
            Told<CommandResult> told = new Told<>();
            byte[] key = key(world.random.nextInt(KEYS));
            world.routers.get(0).write(KeySlot.of(key), new Command.Increment(key, 1), 10, deadline(world), told);
            world.advance(100);
            assertThat(told.result()).as(seed).isEqualTo(new CommandResult.Incremented(2));
            assertThat(asked).as(seed).hasSize(1);
        });
    }
}
