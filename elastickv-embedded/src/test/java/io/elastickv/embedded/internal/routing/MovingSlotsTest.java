package io.elastickv.embedded.internal.routing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.KeySlot;
import io.elastickv.api.NotAppliedException;
import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.api.ReadConsistency;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.routing.RouterProtocol.Request;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/**
 * Increments of keys whose shards are split under them. Whatever happens, none counts twice, one that succeeded counts, one
 * that is said not to be applied never does. If nothing gets lost, none is even refused.
 */
@Timeout(120)
class MovingSlotsTest {

    private static final Logger LOGGER = (Logger) LoggerFactory.getLogger("io.elastickv.embedded.internal.routing");
    private static final int ROUNDS = Integer.getInteger("moving.rounds", 60);

    private int successes;
    private int unknown;
    private int notApplied;
    private long slowestNanos;

    @BeforeEach
    void silence() {
        LOGGER.setLevel(Level.OFF);
    }

    @AfterEach
    void speakAgain() {
        LOGGER.setLevel(null);
    }

    private static long seed() {
        return Long.getLong("moving.seed", new Random().nextLong());
    }

    @Test
    void noSplitMakesACommandCountTwiceOrAnAnswerLie() {
        long first = seed();
        for (int round = 0; round < ROUNDS; round++) {
            try (Run run = new Run(first + round, true)) {
                run.go();
            }
        }
        // The test is only worth something if all of them happen.
        assertThat(successes).as("seed %d", first).isGreaterThan(20 * ROUNDS);
        assertThat(unknown).as("seed %d", first).isGreaterThan(ROUNDS);
        assertThat(notApplied).as("seed %d", first).isGreaterThan(ROUNDS / 4);
    }

    @Test
    void noOperationFailsOnlyBecauseAShardWasSplit() {
        long first = seed();
        for (int round = 0; round < ROUNDS; round++) {
            try (Run run = new Run(first + round, false)) {
                run.go();
            }
        }
        assertThat(unknown + notApplied).as("seed %d", first).isZero();
        assertThat(slowestNanos / 1_000_000)
                .as("seed %d: ms that one took", first)
                .isLessThan(150);
    }

    private final class Run implements AutoCloseable {

        private static final int WRITES = 60;

        private final long seed;
        private final boolean faults;
        private final Random random;
        private final ShardWorld world;
        private final Map<String, Told<CommandResult>> writes = new HashMap<>();
        private final Map<String, Told<QueryResult>> reads = new HashMap<>();
        private final Map<Long, Map<Long, String>> keysBySequence = new HashMap<>();
        private final Map<Long, Long> ackedBelow = new HashMap<>();

        Run(long seed, boolean faults) {
            this.seed = seed;
            this.faults = faults;
            this.random = new Random(seed ^ 0x5eed);
            this.world = new ShardWorld(seed, 1 + random.nextInt(3), 2);
            world.faults = faults;
            world.watch = this::watch;
        }

        void go() {
            boolean shutDown = faults && random.nextInt(4) == 0;
            for (int step = 0; step < (faults ? 600 : 300); step++) {
                if (writes.size() < WRITES && random.nextInt(3) == 0) {
                    write("k" + writes.size());
                }
                if (random.nextInt(12) == 0) {
                    world.splitSomewhere();
                }
                if (random.nextInt(20) == 0) {
                    world.changeLeader();
                }
                if (random.nextInt(5) == 0) {
                    world.spread();
                }
                if (faults && random.nextInt(200) == 0) {
                    world.leap();
                }
                world.advance(random.nextInt(faults ? 30 : 8));
                if (shutDown && step == 300) {
                    world.routers.get(0).shutDown("the node is closed");
                }
            }
            world.advance(12_000);
            check();
        }

        private void write(String key) {
            Router router = world.routers.get(random.nextInt(world.routers.size()));
            Told<CommandResult> told = new Told<>() {
                @Override
                public synchronized void success(CommandResult value) {
                    super.success(value);
                    read(router, key);
                }
            };
            writes.put(key, told);
            long start = world.nanos();
            long timeoutNanos = faults ? (1 + random.nextInt(6000)) * 1_000_000L : 10_000_000_000L;
            router.write(
                    KeySlot.of(key.getBytes(UTF_8)),
                    new Command.Increment(key.getBytes(UTF_8), 1),
                    10,
                    start + timeoutNanos,
                    new Completion<>() {
                        @Override
                        public void success(CommandResult result) {
                            slowestNanos = Math.max(slowestNanos, faults ? 0 : world.nanos() - start);
                            told.success(result);
                        }

                        @Override
                        public void failure(ElastickvException failure) {
                            told.failure(failure);
                        }
                    });
            world.manual.run();
        }

        /** What was acknowledged is there for all reads that begin then. */
        private void read(Router router, String key) {
            Told<QueryResult> told = new Told<>();
            reads.put(key, told);
            router.read(
                    KeySlot.of(key.getBytes(UTF_8)),
                    new Query.Get(key.getBytes(UTF_8)),
                    ReadConsistency.linearizable(),
                    world.nanos() + 10_000_000_000L,
                    told);
        }

        /** What still comes under its number has not been acknowledged to any shard. */
        private void watch(String node, Request request) {
            if (request.slot() == RouterProtocol.NO_SLOT) {
                return;
            }
            Envelope envelope;
            try {
                envelope = CommandCodec.decode(request.body());
            } catch (RuntimeException e) {
                return; // a query
            }
            if (envelope.sessionId() == 0 || !(envelope.command() instanceof Command.Increment increment)) {
                return;
            }
            Map<Long, String> keys = keysBySequence.computeIfAbsent(envelope.sessionId(), id -> new HashMap<>());
            String before = keys.put(envelope.sequence(), new String(increment.key(), UTF_8));
            assertThat(before).as("seed %d: who had the number", seed).isIn(null, new String(increment.key(), UTF_8));
            long acknowledged = ackedBelow.merge(envelope.sessionId(), envelope.ackedBelow(), Math::max);
            String key = keys.get(envelope.sequence());
            if (writes.get(key).times() == 0) {
                // A number that was left for another one, because it was certainly of no effect, does not come again.
                assertThat(envelope.sequence())
                        .as("seed %d: %s has no answer, but is acknowledged", seed, key)
                        .isGreaterThanOrEqualTo(acknowledged);
            }
        }

        private void check() {
            List<String> failures = new ArrayList<>();
            writes.forEach((key, told) -> {
                assertThat(told.times()).as("seed %d: answers to %s", seed, key).isEqualTo(1);
                long count = count(key);
                if (told.succeeded()) {
                    successes++;
                    assertThat(told.result()).as("seed %d: %s", seed, key).isEqualTo(new CommandResult.Incremented(1));
                    assertThat(count).as("seed %d: %s succeeded", seed, key).isEqualTo(1);
                } else if (told.failure() instanceof NotAppliedException) {
                    notApplied++;
                    failures.add(key + ": " + told.failure());
                    assertThat(count)
                            .as("seed %d: %s was not applied", seed, key)
                            .isZero();
                } else {
                    unknown++;
                    failures.add(key + ": " + told.failure());
                    assertThat(told.failure()).isInstanceOf(OutcomeUnknownException.class);
                    assertThat(count).as("seed %d: %s is unknown", seed, key).isBetween(0L, 1L);
                }
            });
            reads.forEach((key, told) -> {
                assertThat(told.times()).as("seed %d: reads of %s", seed, key).isEqualTo(1);
                if (told.succeeded()) {
                    assertThat(countIn(told.result()))
                            .as("seed %d: %s as read", seed, key)
                            .isEqualTo(1);
                } else {
                    failures.add("read of " + key + ": " + told.failure());
                }
            });
            if (!faults) {
                assertThat(failures).as("seed %d", seed).isEmpty();
            }
        }

        private long count(String key) {
            byte[] bytes = key.getBytes(UTF_8);
            return countIn(world.ownerOf(KeySlot.of(bytes)).machine.query(new Query.Get(bytes), world.millis()));
        }

        private long countIn(QueryResult result) {
            assertThat(result).as("seed %d", seed).isInstanceOf(QueryResult.Value.class);
            QueryResult.Value value = (QueryResult.Value) result;
            return value.value() == null
                    ? 0
                    : Long.parseLong(new String(value.value().value(), UTF_8));
        }

        @Override
        public void close() {
            world.close();
        }
    }
}
