package io.elastickv.embedded.internal.routing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.elastickv.api.Bytes;
import io.elastickv.embedded.internal.command.Command;
import io.elastickv.embedded.internal.command.ExpiryChange;
import io.elastickv.embedded.internal.command.ExpiryRule;
import io.elastickv.embedded.internal.command.Precondition;
import io.elastickv.embedded.internal.shard.MeterReading;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The token buckets of hot keys, in virtual time. */
final class KeyReliefTest {

    private static final long SECOND = 1_000_000_000L;
    private static final Bytes HOT = Bytes.utf8("hot");

    private MeterReading reading = reading(20_000, 5_000);
    private final KeyRelief relief = new KeyRelief(() -> reading);
    private long now = 5 * SECOND;

    private static MeterReading reading(double writesPerSecond, double applyNanos) {
        return new MeterReading(
                0,
                writesPerSecond,
                0,
                0,
                0,
                0,
                writesPerSecond * applyNanos,
                new int[0],
                new double[0],
                new double[0],
                List.of());
    }

    private static Command put(String key) {
        return new Command.Put(key.getBytes(UTF_8), new byte[10], Precondition.ALWAYS, ExpiryChange.NEVER, false);
    }

    /** How many of so many writes, evenly over a second, are admitted. */
    private int admitted(String key, int writes) {
        int admitted = 0;
        for (int i = 0; i < writes; i++) {
            now += SECOND / writes;
            admitted += relief.admits(put(key), now) ? 1 : 0;
        }
        return admitted;
    }

    @Test
    void aKeyGetsItsPartOfWhatTheLeaderCouldDo() {
        relief.relieve(List.of(HOT), now);
        // 10 us and twice 5 us a write are 50,000/s; half of that for the key.
        assertThat(relief.tokensPerSecond()).isCloseTo(25_000, within(1.0));
        admitted("hot", 100_000);
        assertThat(admitted("hot", 100_000)).isCloseTo(25_000, within(2));
    }

    @Test
    void belowItsRateNothingIsRefused() {
        relief.relieve(List.of(HOT), now);
        assertThat(admitted("hot", 20_000)).isEqualTo(20_000);
    }

    @Test
    void aShortBurstPasses() {
        relief.relieve(List.of(HOT), now);
        int admitted = 0;
        for (int i = 0; i < 5_000; i++) {
            admitted += relief.admits(put("hot"), now) ? 1 : 0;
        }
        assertThat(admitted).isEqualTo(2_500);
        now += SECOND / 100;
        assertThat(relief.admits(put("hot"), now)).isTrue();
    }

    @Test
    void otherKeysAndTheLibrarysOwnCommandsPassAlways() {
        relief.relieve(List.of(HOT), now);
        admitted("hot", 1_000_000);
        assertThat(relief.admits(put("hot"), now)).isFalse();
        assertThat(relief.admits(put("cold"), now)).isTrue();
        assertThat(relief.admits(new Command.OpenSession("n1"), now)).isTrue();
        assertThat(relief.admits(new Command.AdvanceTime(1), now)).isTrue();
        assertThat(relief.admits(new Command.EvictExpired(List.of("hot".getBytes(UTF_8))), now))
                .isTrue();
    }

    @Test
    void allKindsOfWritesOfTheKeyNeedATokenEach() {
        byte[] hot = "hot".getBytes(UTF_8);
        relief.relieve(List.of(HOT), now);
        admitted("hot", 1_000_000);
        List<Command> writes = List.of(
                put("hot"),
                new Command.Delete(hot, Precondition.ALWAYS, false),
                new Command.Increment(hot, 1),
                new Command.Expire(hot, ExpiryChange.NEVER, ExpiryRule.ALWAYS),
                new Command.PutAll(List.of("x".getBytes(UTF_8), hot), List.of(new byte[1], new byte[1])),
                new Command.DeleteAll(List.of(hot)),
                new Command.AtomicBatch(List.of(), List.of(new Command.Delete(hot, Precondition.ALWAYS, false))));
        for (Command write : writes) {
            assertThat(relief.admits(write, now)).as("%s", write).isFalse();
        }
        now += SECOND;
        for (Command write : writes) {
            assertThat(relief.admits(write, now)).as("%s", write).isTrue();
        }
    }

    @Test
    void severalKeysShareThePart() {
        relief.relieve(List.of(HOT, Bytes.utf8("too")), now);
        assertThat(relief.tokensPerSecond()).isCloseTo(12_500, within(1.0));
    }

    @Test
    void theRateFollowsWhatAWriteCosts() {
        relief.relieve(List.of(HOT), now);
        reading = reading(20_000, 45_000);
        admitted("hot", 10_000);
        assertThat(relief.tokensPerSecond()).isCloseTo(5_000, within(1.0));
        reading = MeterReading.NONE;
        admitted("hot", 10_000);
        assertThat(relief.tokensPerSecond()).isCloseTo(31_250, within(1.0));
    }

    @Test
    void afterTheEndOfItsReliefAKeyIsLikeAnyOther() {
        relief.relieve(List.of(HOT), now);
        assertThat(relief.isEmpty()).isFalse();
        relief.relieve(List.of(), now);
        assertThat(relief.isEmpty()).isTrue();
        assertThat(admitted("hot", 1_000_000)).isEqualTo(1_000_000);
    }

    @Test
    void beingNamedAgainFillsNoBucket() {
        relief.relieve(List.of(HOT), now);
        for (int i = 0; i < 5_000; i++) {
            relief.admits(put("hot"), now);
        }
        relief.relieve(List.of(HOT), now);
        assertThat(relief.admits(put("hot"), now)).isFalse();
    }
}
