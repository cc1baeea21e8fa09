package io.elastickv.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** The small immutable types of the API: what they accept, and what they say otherwise. */
class ValueTypesTest {

    private static final Bytes KEY = Bytes.utf8("k");

    @Test
    void anExpiryLastsAtLeastAMillisecond() {
        assertThat(Expiry.after(Duration.ofMillis(1))).isEqualTo(new Expiry.After(Duration.ofMillis(1)));
        for (Duration duration : List.of(Duration.ZERO, Duration.ofNanos(999_999), Duration.ofSeconds(-1))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Expiry.after(duration))
                    .withMessageContaining("expiry = " + duration);
            assertThatIllegalArgumentException()
                    .as("the record itself checks")
                    .isThrownBy(() -> new Expiry.After(duration));
        }
    }

    @Test
    void anExpiryBeyondWhatMillisecondsCanSayIsRefused() {
        Duration tooLong = Duration.ofSeconds(Long.MAX_VALUE);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Expiry.after(tooLong))
                .withMessageContaining("expiry = ");
        assertThatIllegalArgumentException().isThrownBy(() -> new Expiry.After(tooLong));
    }

    @Test
    void putOptionsAreChangedByCopy() {
        PutOptions defaults = PutOptions.defaults();
        PutOptions changed = defaults.when(Condition.absent())
                .expireAfter(Duration.ofSeconds(2))
                .returnPrevious();
        assertThat(defaults.condition()).isEqualTo(Condition.always());
        assertThat(defaults.expiry()).isEqualTo(Expiry.never());
        assertThat(defaults.returnsPrevious()).isFalse();
        assertThat(changed.condition()).isEqualTo(Condition.absent());
        assertThat(changed.expiry()).isEqualTo(Expiry.after(Duration.ofSeconds(2)));
        assertThat(changed.returnsPrevious()).isTrue();
        assertThat(changed.expiry(Expiry.keep()).condition()).isEqualTo(Condition.absent());
    }

    @Test
    void nullsAreRefusedByName() {
        assertThatNullPointerException()
                .isThrownBy(() -> PutOptions.defaults().when(null))
                .withMessage("condition");
        assertThatNullPointerException()
                .isThrownBy(() -> PutOptions.defaults().expiry(null))
                .withMessage("expiry");
        assertThatNullPointerException().isThrownBy(() -> Expiry.after(null)).withMessage("duration");
        assertThatNullPointerException().isThrownBy(() -> Expiry.at(null)).withMessage("instant");
        assertThatNullPointerException()
                .isThrownBy(() -> ReadConsistency.boundedStale(null))
                .withMessage("maxStaleness");
        assertThatNullPointerException()
                .isThrownBy(() -> Batch.builder().get(null))
                .withMessage("key");
        assertThatNullPointerException()
                .isThrownBy(() -> Batch.builder().put(KEY, null))
                .withMessage("value");
        assertThatNullPointerException()
                .isThrownBy(() -> Batch.builder().require(KEY, null))
                .withMessage("condition");
    }

    @Test
    void aBatchKeepsItsStepsInOrderAndChangesNoMore() {
        Batch.Builder builder = Batch.builder()
                .require(KEY, Condition.present())
                .get(KEY)
                .put(KEY, Bytes.empty())
                .expire(KEY, Duration.ofSeconds(1))
                .delete(KEY);
        Batch batch = builder.build();
        builder.get(KEY).require(KEY, Condition.absent());
        assertThat(batch.steps())
                .containsExactly(
                        new Batch.Get(KEY),
                        new Batch.Put(KEY, Bytes.empty(), PutOptions.defaults()),
                        new Batch.Expire(KEY, Expiry.after(Duration.ofSeconds(1))),
                        new Batch.Delete(KEY));
        assertThat(batch.requirements()).containsExactly(new Batch.Requirement(KEY, Condition.present()));
        assertThatThrownBy(() -> batch.steps().clear()).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void stalenessIsNotNegative() {
        assertThat(ReadConsistency.boundedStale(Duration.ZERO).kind()).isEqualTo(ReadConsistency.Kind.BOUNDED_STALE);
        assertThat(ReadConsistency.boundedStale(Duration.ofSeconds(3))).hasToString("BOUNDED_STALE(PT3S)");
        assertThat(ReadConsistency.linearizable()).hasToString("LINEARIZABLE");
        assertThat(ReadConsistency.local().maxStaleness()).isZero();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ReadConsistency.boundedStale(Duration.ofMillis(-1)))
                .withMessage("maxStaleness = PT-0.001S: must not be negative");
    }

    @Test
    void slotRangesLieWithinTheSlots() {
        SlotRange all = new SlotRange(0, KeySlot.COUNT - 1);
        assertThat(all.size()).isEqualTo(KeySlot.COUNT);
        assertThat(new SlotRange(5, 5).contains(5)).isTrue();
        assertThat(new SlotRange(5, 5).contains(4)).isFalse();
        assertThat(new SlotRange(5, 5).contains(6)).isFalse();
        for (int[] bad : new int[][] {{-1, 3}, {0, KeySlot.COUNT}, {4, 3}}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new SlotRange(bad[0], bad[1]))
                    .withMessageContaining("slot range " + bad[0] + "-" + bad[1]);
        }
    }

    @Test
    void aScanEndsWhereItBegan() {
        assertThat(ScanCursor.START.isStart()).isTrue();
        assertThat(new ScanCursor(1).isStart()).isFalse();
        assertThat(new ScanPage(List.of(), ScanCursor.START).isLast()).isTrue();
        assertThat(new ScanPage(List.of(), new ScanCursor(7)).isLast()).isFalse();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ScanCursor(-1))
                .withMessage("scan cursor = -1: must not be negative");
    }

    @Test
    void aReplicaNeverLagsByLessThanNothing() {
        assertThat(new ReplicaInfo("n1", false, true, 7, 10, Duration.ZERO).lag())
                .isEqualTo(3);
        assertThat(new ReplicaInfo("n1", true, true, 12, 10, Duration.ZERO).lag())
                .isZero();
    }

    @Test
    void aShardOwnsWhatIsInAnyOfItsRanges() {
        ShardInfo shard = new ShardInfo(
                1,
                List.of(new SlotRange(0, 9), new SlotRange(20, 29)),
                1,
                List.of("n1"),
                Optional.empty(),
                0,
                ShardInfo.State.NO_LEADER);
        assertThat(shard.owns(9)).isTrue();
        assertThat(shard.owns(10)).isFalse();
        assertThat(shard.owns(20)).isTrue();
    }

    @Test
    void exceptionsAreNamedForWhatIsKnownOfTheEffect() {
        assertThat(new UnavailableException("x")).isInstanceOf(NotAppliedException.class);
        assertThat(new InvalidRequestException(InvalidRequestException.Reason.CROSS_SLOT, "x").reason())
                .isEqualTo(InvalidRequestException.Reason.CROSS_SLOT);
        assertThat(new OverloadedException("x", Duration.ofMillis(20)).retryAfter())
                .isEqualTo(Duration.ofMillis(20));
        assertThat(new OutcomeUnknownException("x"))
                .isInstanceOf(ElastickvException.class)
                .isNotInstanceOf(NotAppliedException.class);
    }

    @Test
    void anExpiryMayLieInThePast() {
        assertThat(Expiry.at(Instant.EPOCH)).isEqualTo(new Expiry.At(Instant.EPOCH));
    }

    @Test
    void anOperationHasAnEndUnlessItIsRunning() {
        Instant started = Instant.ofEpochSecond(100);
        OperationInfo running = operation(started, Optional.empty(), OperationInfo.Outcome.RUNNING);
        OperationInfo done = operation(started, Optional.of(started.plusSeconds(3)), OperationInfo.Outcome.DONE);

        assertThat(running.isRunning()).isTrue();
        assertThat(running.duration(started.plusSeconds(7))).isEqualTo(Duration.ofSeconds(7));
        assertThat(done.isRunning()).isFalse();
        assertThat(done.duration(started.plusSeconds(7))).isEqualTo(Duration.ofSeconds(3));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> operation(started, Optional.empty(), OperationInfo.Outcome.FAILED))
                .withMessageContaining("operation 9");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> operation(started, Optional.of(started), OperationInfo.Outcome.RUNNING));
    }

    private static OperationInfo operation(Instant started, Optional<Instant> ended, OperationInfo.Outcome outcome) {
        return new OperationInfo(
                9,
                OperationInfo.Kind.TRANSFER_LEADER,
                OptionalInt.of(4),
                Optional.empty(),
                "n1 to n2",
                "n1 carries 1.4 of the mean",
                "LEADER_BALANCE",
                "",
                started,
                ended,
                outcome);
    }

    @Test
    void loadsAreFoundByShardAndByNode() {
        NodeLoadInfo node = new NodeLoadInfo("n1", 10, 5, 100, 1.2, 1, 2, 1000, Long.MAX_VALUE);
        ShardLoadInfo shard = new ShardLoadInfo(
                3, List.of(new SlotRange(0, 9)), Optional.of("n1"), 10, 5, 100, 0.1, 12, 7, 1000, List.of());
        ClusterLoads loads = new ClusterLoads(Instant.EPOCH, List.of(node), List.of(shard));

        assertThat(loads.node("n1")).contains(node);
        assertThat(loads.node("n2")).isEmpty();
        assertThat(loads.shard(3)).contains(shard);
        assertThat(loads.shard(4)).isEmpty();
        assertThat(node.opsPerSecond()).isEqualTo(15);
        assertThat(shard.opsPerSecond()).isEqualTo(15);
    }
}
