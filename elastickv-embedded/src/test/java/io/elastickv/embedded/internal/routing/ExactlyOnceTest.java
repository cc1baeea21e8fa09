package io.elastickv.embedded.internal.routing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.elastickv.api.NotAppliedException;
import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandCodec;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.Envelope;
import io.elastickv.embedded.internal.command.Query;
import io.elastickv.embedded.internal.command.QueryResult;
import io.elastickv.embedded.internal.routing.ClientFixture.Sent;
import io.elastickv.embedded.internal.routing.RouterProtocol.Status;
import io.elastickv.embedded.internal.shard.ShardStateMachine;
import io.elastickv.embedded.internal.shard.SlotRanges;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import io.elastickv.embedded.internal.transport.RpcFailure;
import java.time.Duration;
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
 * A real state machine behind a network that loses, delays and refuses: whatever happens, no increment counts twice, one
 * that succeeded counts, and one that is said not to be applied never counts, not even by a message that arrives late.
 */
@Timeout(120)
class ExactlyOnceTest {

    private static final Logger LOGGER = (Logger) LoggerFactory.getLogger("io.elastickv.embedded.internal.routing");

    @BeforeEach
    void silence() {
        LOGGER.setLevel(Level.OFF);
    }

    @AfterEach
    void speakAgain() {
        LOGGER.setLevel(null);
    }

    @Test
    void noFaultOfTheNetworkMakesACommandCountTwiceOrAnAnswerLie() {
        long first = new Random().nextLong();
        int successes = 0;
        int unknown = 0;
        int notApplied = 0;
        for (int round = 0; round < 150; round++) {
            try (Run run = new Run(first + round)) {
                run.go();
                successes += run.successes;
                unknown += run.unknown;
                notApplied += run.notApplied;
            }
        }
        // The test is only worth something if all of them happen.
        assertThat(successes).as("seed %d", first).isGreaterThan(1000);
        assertThat(unknown).as("seed %d", first).isGreaterThan(100);
        assertThat(notApplied).as("seed %d", first).isGreaterThan(100);
    }

    private static final class Run implements AutoCloseable {

        private static final int WRITES = 60;

        private final long seed;
        private final Random random;
        private final ClientFixture node = new ClientFixture();
        private final ShardStateMachine machine =
                ShardStateMachine.create(1, 1, SlotRanges.of(0, 16383), StorageEngine.HEAP, StorageOptions.DEFAULTS);
        private final List<Sent> onTheWay = new ArrayList<>();
        /** Requests that the client gave up, but the network did not. */
        private final List<byte[]> stray = new ArrayList<>();

        private final Map<String, Told<CommandResult>> writes = new HashMap<>();
        private final Map<Long, Map<Long, String>> keysBySequence = new HashMap<>();
        private long index;
        private long shardMillis = 1_000_000;
        int successes;
        int unknown;
        int notApplied;

        Run(long seed) {
            this.seed = seed;
            this.random = new Random(seed);
            node.route.learn(1, "n1");
        }

        void go() {
            boolean close = random.nextInt(4) == 0;
            for (int step = 0; step < 1500; step++) {
                if (writes.size() < WRITES && random.nextInt(3) == 0) {
                    String key = "k" + writes.size();
                    writes.put(
                            key,
                            node.write(
                                    new Command.Increment(key.getBytes(UTF_8), 1),
                                    Duration.ofMillis(1 + random.nextInt(6000))));
                }
                takeSent();
                if (!onTheWay.isEmpty() && random.nextInt(5) > 0) {
                    happen(onTheWay.remove(random.nextInt(onTheWay.size())));
                }
                if (!stray.isEmpty() && random.nextInt(10) == 0) {
                    apply(stray.remove(random.nextInt(stray.size())));
                }
                if (random.nextInt(250) == 0) {
                    shardMillis += 3_700_000; // every session is forgotten
                }
                node.manual.advance(Duration.ofMillis(random.nextInt(60)));
                if (close && step == 700) {
                    node.manual.run(() -> node.client.close("the node is closed"));
                }
            }
            node.manual.advance(Duration.ofSeconds(10));
            takeSent();
            onTheWay.forEach(sent -> stray.add(sent.body()));
            stray.forEach(this::apply);
            check();
        }

        private void takeSent() {
            for (Sent sent : node.sent) {
                Envelope envelope = sent.envelope();
                onTheWay.add(sent);
                if (envelope.sessionId() == 0) {
                    continue;
                }
                Map<Long, String> keys = keysBySequence.computeIfAbsent(envelope.sessionId(), id -> new HashMap<>());
                keys.put(envelope.sequence(), new String(((Command.Increment) envelope.command()).key(), UTF_8));
                keys.forEach((sequence, key) -> {
                    if (sequence < envelope.ackedBelow()) {
                        assertThat(writes.get(key).times())
                                .as("seed %d: %s is acknowledged without an answer", seed, key)
                                .isEqualTo(1);
                    }
                });
            }
            node.sent.clear();
        }

        private void happen(Sent sent) {
            switch (random.nextInt(12)) {
                case 0 -> sent.fail(RpcFailure.NOT_SENT);
                case 1 -> sent.refuse(Status.NOT_LEADER, random.nextInt(3), random.nextBoolean() ? "n2" : null);
                case 2 -> sent.refuse(Status.OVERLOADED, 1, "n1");
                case 3 -> sent.refuse(Status.FAILED, 1, null);
                case 4 -> {
                    sent.fail(RpcFailure.NO_ANSWER);
                    stray.add(sent.body());
                }
                case 5 -> {
                    apply(sent.body());
                    sent.fail(RpcFailure.NO_ANSWER);
                }
                case 6 -> {
                    stray.add(sent.body());
                    sent.refuse(Status.UNKNOWN, 1, null);
                }
                case 7 -> {
                    apply(sent.body());
                    sent.refuse(Status.UNKNOWN, 1, "n3");
                }
                case 8 -> sent.fail(RpcFailure.NO_ANSWER);
                default -> sent.result(apply(sent.body()));
            }
        }

        private CommandResult apply(byte[] envelope) {
            byte[] copy = envelope.clone();
            CommandCodec.stampTime(copy, shardMillis++);
            return machine.apply(++index, copy);
        }

        private void check() {
            writes.forEach((key, told) -> {
                assertThat(told.times()).as("seed %d: answers to %s", seed, key).isEqualTo(1);
                long count = count(key);
                if (told.succeeded()) {
                    successes++;
                    assertThat(told.result()).as("seed %d: %s", seed, key).isEqualTo(new CommandResult.Incremented(1));
                    assertThat(count).as("seed %d: %s succeeded", seed, key).isEqualTo(1);
                } else if (told.failure() instanceof NotAppliedException) {
                    notApplied++;
                    assertThat(count)
                            .as("seed %d: %s was not applied", seed, key)
                            .isZero();
                } else {
                    unknown++;
                    assertThat(told.failure()).isInstanceOf(OutcomeUnknownException.class);
                    assertThat(count).as("seed %d: %s is unknown", seed, key).isBetween(0L, 1L);
                }
            });
            node.assertAllReleased();
        }

        private long count(String key) {
            QueryResult.Value value =
                    (QueryResult.Value) machine.query(new Query.Get(key.getBytes(UTF_8)), shardMillis);
            return value.value() == null
                    ? 0
                    : Long.parseLong(new String(value.value().value(), UTF_8));
        }

        @Override
        public void close() {
            node.close();
            machine.close();
        }
    }
}
