package io.elastickv.embedded.internal.shard;

import static io.elastickv.embedded.internal.shard.ShardFixture.b;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.CommandResult;
import io.elastickv.embedded.internal.command.CommandResult.Incremented;
import io.elastickv.embedded.internal.command.CommandResult.OutcomeForgotten;
import io.elastickv.embedded.internal.command.CommandResult.SessionUnknown;
import io.elastickv.embedded.internal.command.CommandResult.Written;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.command.StoredValue;
import io.elastickv.embedded.internal.storage.StorageEngine;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class SessionTest {

    private final ShardFixture shard = new ShardFixture(StorageEngine.HEAP);

    @AfterEach
    void close() {
        shard.close();
    }

    private long open() {
        return ((CommandResult.SessionOpened) shard.apply(new Command.OpenSession("node"))).sessionId();
    }

    private CommandResult increment(long session, long sequence, long ackedBelow) {
        return shard.apply(session, sequence, ackedBelow, new Command.Increment(b("n"), 1));
    }

    @Test
    void aSessionIsNumberedByItsEntryAndItsShard() {
        shard.put("a", "1");
        assertThat(open()).isEqualTo(2 << 19 | 1);
        assertThat(open()).isEqualTo(3 << 19 | 1);
    }

    @Test
    void aRetryGetsTheFirstResultAndChangesNothing() {
        long session = open();
        assertThat(increment(session, 1, 1)).isEqualTo(new Incremented(1));
        assertThat(increment(session, 1, 1)).isEqualTo(new Incremented(1));
        assertThat(increment(session, 2, 1)).isEqualTo(new Incremented(2));
        assertThat(increment(session, 1, 1)).isEqualTo(new Incremented(1));
        assertThat(shard.get("n")).isEqualTo("2");
    }

    @Test
    void sequencesMayComeInAnyOrder() {
        long session = open();
        assertThat(increment(session, 70, 1)).isEqualTo(new Incremented(1));
        assertThat(increment(session, 3, 1)).isEqualTo(new Incremented(2));
        assertThat(increment(session, 1, 1)).isEqualTo(new Incremented(3));
        assertThat(increment(session, 70, 1)).isEqualTo(new Incremented(1));
        assertThat(increment(session, 3, 1)).isEqualTo(new Incremented(2));
        assertThat(increment(session, 2, 1)).isEqualTo(new Incremented(4));
    }

    @Test
    void whatIsAcknowledgedIsForgottenAndNeverAppliedAgain() {
        long session = open();
        increment(session, 1, 1);
        increment(session, 2, 2);
        assertThat(increment(session, 1, 1)).isEqualTo(new OutcomeForgotten());
        // A command given up by its owner, that arrives only now.
        increment(session, 9, 8);
        assertThat(increment(session, 7, 1)).isEqualTo(new OutcomeForgotten());
        assertThat(shard.get("n")).isEqualTo("3");
    }

    @Test
    void anUnknownSessionAppliesNothing() {
        assertThat(increment(99, 1, 1)).isEqualTo(new SessionUnknown());
        assertThat(shard.get("n")).isNull();
    }

    @Test
    void anIdleSessionExpiresByTheLogsTime() {
        long session = open();
        long other = open();
        shard.nowMillis += SessionLimits.DEFAULTS.idleMillis() - 1;
        assertThat(increment(session, 1, 1)).isEqualTo(new Incremented(1));
        shard.nowMillis += 1;
        assertThat(increment(other, 1, 1)).isEqualTo(new SessionUnknown());
        assertThat(increment(session, 2, 1)).isEqualTo(new Incremented(2));
    }

    @Test
    void theSessionUsedLongestAgoGivesWay() {
        SessionTable table = new SessionTable(new SessionLimits(2, 1_000, 100, 1_000));
        table.open(1, 0);
        table.open(2, 0);
        assertThat(table.begin(1, 1, 1, 0)).isNull();
        table.finish(1, 1, new Incremented(5));
        table.open(3, 0);
        assertThat(table.begin(2, 1, 1, 0)).isEqualTo(new SessionUnknown());
        assertThat(table.begin(1, 1, 1, 0)).isEqualTo(new Incremented(5));
        assertThat(table.size()).isEqualTo(2);
    }

    @Test
    void aRetryGetsThePreviousValueOfTheFirstTime() {
        long session = open();
        shard.put("a", "old");
        Command put = new Command.Put(b("a"), b("new"), Precondition.ALWAYS, ExpiryChange.NEVER, true);
        Written first = (Written) shard.apply(session, 1, 1, put);
        assertThat(first.previous().value()).isEqualTo(b("old"));
        assertThat(shard.apply(session, 1, 1, put)).isEqualTo(first);
    }

    @Test
    void valuesInResultsAreBoundedAndTheOldestForgotten() {
        SessionTable table = new SessionTable(new SessionLimits(10, 1_000, 100, 1_000));
        table.open(1, 0);
        table.open(2, 0);
        Written large = new Written(true, 1, new StoredValue(new byte[400], 1, 0));
        for (int session = 1; session <= 2; session++) {
            for (int sequence = 1; sequence <= 2; sequence++) {
                assertThat(table.begin(session, sequence, 1, 0)).isNull();
                table.finish(session, sequence, large);
                assertThat(table.payloadBytes()).isLessThanOrEqualTo(1_000);
            }
        }
        assertThat(table.begin(1, 1, 1, 0)).isEqualTo(new OutcomeForgotten());
        assertThat(table.begin(1, 2, 1, 0)).isEqualTo(new OutcomeForgotten());
        assertThat(table.begin(2, 1, 1, 0)).isEqualTo(large);
        assertThat(table.begin(2, 3, 3, 0)).isNull();
        table.finish(2, 3, new Written(true, 1, new StoredValue(new byte[5_000], 1, 0)));
        assertThat(table.begin(2, 3, 3, 0))
                .as("the last one is kept, whatever its size")
                .isInstanceOf(Written.class);
        assertThat(table.begin(2, 4, 4, 0)).isNull();
        assertThat(table.payloadBytes()).isZero();
    }

    @Test
    void resultsAreBoundedAndTheOldestForgotten() {
        SessionTable table = new SessionTable(new SessionLimits(10, 1_000, 100, 1_000));
        table.open(1, 0);
        for (int sequence = 1; sequence <= 150; sequence++) {
            assertThat(table.begin(1, sequence, 1, 0)).isNull();
            table.finish(1, sequence, new Incremented(sequence));
        }
        assertThat(table.begin(1, 50, 1, 0)).isEqualTo(new OutcomeForgotten());
        assertThat(table.begin(1, 51, 1, 0)).isEqualTo(new Incremented(51));
        assertThat(table.begin(1, Long.MAX_VALUE, 1, 0)).isNull();
        table.finish(1, Long.MAX_VALUE, new Incremented(7));
        assertThat(table.begin(1, 150, 1, 0)).isEqualTo(new OutcomeForgotten());
        assertThat(table.begin(1, Long.MAX_VALUE, 1, 0)).isEqualTo(new Incremented(7));
    }

    @Test
    void aWrongShardIsNoOutcome() {
        try (ShardFixture half = new ShardFixture(StorageEngine.HEAP, ShardFixture.SMALL, SlotRanges.of(0, 8191))) {
            long id = ((CommandResult.SessionOpened) half.apply(new Command.OpenSession("node"))).sessionId();
            Command put = new Command.Put(b("a"), b("1"), Precondition.ALWAYS, ExpiryChange.NEVER, false);
            assertThat(half.apply(id, 1, 1, put)).isEqualTo(new CommandResult.WrongShard(7));
            assertThat(half.apply(
                            id, 1, 1, new Command.Put(b("b"), b("1"), Precondition.ALWAYS, ExpiryChange.NEVER, false)))
                    .isEqualTo(new Written(true, 3, null));
        }
    }

    /** Many clients whose messages are repeated and reordered, against a map that remembers everything. */
    @RepeatedTest(3)
    void retriesAreExactlyOnce() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int clients = 4;
        long[] sessions = new long[clients];
        long[] nextSequence = new long[clients];
        List<List<Long>> outstanding = new ArrayList<>();
        Map<String, CommandResult> first = new HashMap<>();
        for (int client = 0; client < clients; client++) {
            sessions[client] = open();
            outstanding.add(new ArrayList<>());
        }
        long applied = 0;
        for (int i = 0; i < 20_000; i++) {
            int client = random.nextInt(clients);
            List<Long> open = outstanding.get(client);
            if (open.size() < 40 && random.nextBoolean()) {
                open.add(++nextSequence[client]);
            } else if (!open.isEmpty()) {
                long sequence = open.get(random.nextInt(open.size()));
                long ackedBelow = open.stream().mapToLong(s -> s).min().orElseThrow();
                CommandResult result = increment(sessions[client], sequence, ackedBelow);
                CommandResult before = first.putIfAbsent(client + "/" + sequence, result);
                if (before == null) {
                    applied++;
                    assertThat(result).as("seed %d", seed).isEqualTo(new Incremented(applied));
                } else {
                    assertThat(result).as("seed %d", seed).isEqualTo(before);
                }
                if (random.nextInt(3) == 0) {
                    open.remove(sequence);
                }
            }
        }
        assertThat(shard.get("n")).as("seed %d", seed).isEqualTo(Long.toString(applied));
    }
}
