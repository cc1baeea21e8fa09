package io.elastickv.embedded.internal.shard;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.offset;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** What is counted, how it becomes means, and what a split leaves to whom. Time is virtual. */
final class LoadMeterTest {

    private static final long SECOND = 1_000_000_000L;

    private long now = 17 * SECOND;
    private final LoadMeter meter = new LoadMeter(100, 199, () -> now);

    private MeterReading second(LoadMeter which, boolean leads) {
        now += SECOND;
        return which.roll(now, leads);
    }

    private void write(int slot, int times) {
        for (int i = 0; i < times; i++) {
            meter.wrote(slot, key("k" + slot));
        }
    }

    private void read(int slot, int times) {
        for (int i = 0; i < times; i++) {
            meter.read(slot, key("k" + slot), 10);
        }
    }

    private static byte[] key(String text) {
        return text.getBytes(UTF_8);
    }

    private static double of(MeterReading reading, int slot, double[] values) {
        for (int i = 0; i < reading.slots().length; i++) {
            if (reading.slots()[i] == slot) {
                return values[i];
            }
        }
        return 0;
    }

    @Test
    void aSteadyLoadBecomesItsMean() {
        meter.roll(now, true);
        MeterReading reading = MeterReading.NONE;
        for (int i = 0; i < 30; i++) {
            read(100, 200);
            write(150, 50);
            write(199, 25);
            reading = second(meter, true);
        }

        assertThat(reading.readsPerSecond()).isCloseTo(200, within(0.1));
        assertThat(reading.writesPerSecond()).isCloseTo(75, within(0.1));
        assertThat(reading.readBytesPerSecond()).isCloseTo(2000, within(1.0));
        assertThat(reading.slots()).containsExactly(100, 150, 199);
        assertThat(of(reading, 150, reading.slotWrites())).isCloseTo(50, within(0.1));
        assertThat(of(reading, 199, reading.slotWrites())).isCloseTo(25, within(0.1));
        // Half a minute is one time constant: 1 - 1/e.
        assertThat(reading.steadyReadsPerSecond()).isCloseTo(200 * 0.632, within(1.0));
    }

    @Test
    void aLoadIsSeenToTwoThirdsAfterThreeSecondsAndGoneAfterHalfAMinute() {
        meter.roll(now, true);
        MeterReading reading = MeterReading.NONE;
        for (int i = 0; i < 3; i++) {
            write(120, 1000);
            reading = second(meter, true);
        }
        assertThat(reading.writesPerSecond()).isCloseTo(632, within(1.0));

        for (int i = 0; i < 60; i++) {
            reading = second(meter, true);
        }
        assertThat(reading.writesPerSecond()).isZero();
        assertThat(reading.slots()).isEmpty();
    }

    @Test
    void whatWasAppliedBeforeTheFirstWindowIsNoLoad() {
        write(120, 1_000_000);
        meter.roll(now, true);
        assertThat(second(meter, true).writesPerSecond()).isZero();
    }

    @Test
    void aWindowThatIsTooShortIsLeftToGrow() {
        meter.roll(now, true);
        write(120, 100);
        now += SECOND / 10;
        assertThat(meter.roll(now, true).writesPerSecond()).isZero();
        now += 9 * SECOND / 10;
        assertThat(meter.roll(now, true).writesPerSecond()).isCloseTo(100 * 0.2835, within(0.1));
    }

    @Test
    void noReadOfAnyThreadIsLost() throws Exception {
        meter.roll(now, false);
        int threads = 6;
        int each = 50_000;
        CountDownLatch go = new CountDownLatch(1);
        List<Thread> readers = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            Thread reader = new Thread(() -> {
                try {
                    go.await();
                } catch (InterruptedException e) {
                    return;
                }
                read(130, each);
            });
            reader.start();
            readers.add(reader);
        }
        becomeOwner();
        go.countDown();
        read(130, each);
        for (Thread reader : readers) {
            reader.join();
        }
        MeterReading reading = second(meter, false);
        assertThat(of(reading, 130, reading.slotReads()) / (1 - Math.exp(-1 / 3.0)))
                .isCloseTo((threads + 1) * (double) each, within(0.5));
    }

    /** This thread is the one that applies, from the first command that is timed on. */
    private void becomeOwner() {
        for (int i = 0; i < 7; i++) {
            meter.applied(meter.beginApply(), 0);
        }
    }

    @Test
    void oneCommandInSevenIsTimedAndStandsForAll() {
        meter.roll(now, true);
        for (int i = 0; i < 70; i++) {
            long begin = meter.beginApply();
            now += 5_000;
            meter.applied(begin, 100);
        }
        now += SECOND - 70 * 5_000;
        MeterReading reading = meter.roll(now, true);
        double weight = 1 - Math.exp(-1 / 3.0);
        assertThat(reading.applyNanosPerSecond()).isCloseTo(350_000 * weight, within(2_000.0));
        assertThat(reading.writeBytesPerSecond()).isCloseTo(7_000 * weight, within(0.1));
    }

    @Test
    void aPauseInATimedCommandCountsOnce() {
        meter.roll(now, true);
        for (int i = 0; i < 7; i++) {
            long begin = meter.beginApply();
            now += i == 6 ? 20_000_000 : 5_000;
            meter.applied(begin, 0);
        }
        now += SECOND - 20_030_000;
        assertThat(meter.roll(now, true).applyNanosPerSecond())
                .isLessThan(21_500_000 * (1 - Math.exp(-1 / 3.0)))
                .isGreaterThan(19_000_000 * (1 - Math.exp(-1 / 3.0)));
    }

    @Test
    void keysAreCountedOnlyInSlotsThatAreHot() {
        meter.roll(now, true);
        MeterReading reading = MeterReading.NONE;
        for (int i = 0; i < 5; i++) {
            for (int j = 0; j < 100; j++) {
                meter.read(110, key(j < 90 ? "hot" : "other" + j), 3);
            }
            for (int slot = 150; slot < 200; slot++) {
                read(slot, 10);
            }
            reading = second(meter, true);
        }
        assertThat(reading.hotKeys()).extracting(MeterReading.Key::slot).containsOnly(110);
        assertThat(reading.hotKeys().get(0).key()).isEqualTo(key("hot"));
        assertThat(reading.hotKeys().get(0).shareOfSlot()).isCloseTo(0.9, offset(0.03));
    }

    @Test
    void aFollowerDoesNotCountTheKeysThatItApplies() {
        meter.roll(now, false);
        MeterReading reading = MeterReading.NONE;
        for (int i = 0; i < 5; i++) {
            write(110, 500);
            for (int j = 0; j < 200; j++) {
                meter.read(110, key("read"), 3);
            }
            reading = second(meter, false);
        }
        assertThat(reading.hotKeys()).hasSize(1);
        assertThat(reading.hotKeys().get(0).key()).isEqualTo(key("read"));
        assertThat(reading.hotKeys().get(0).shareOfSlot()).isEqualTo(1);
    }

    @Test
    void aSplitGivesEachSideWhatIsKnownOfItsSlots() {
        meter.roll(now, true);
        for (int i = 0; i < 60; i++) {
            write(110, 300);
            write(180, 100);
            second(meter, true);
        }
        write(110, 300);
        write(180, 100);
        LoadMeter right = meter.split(150);
        assertThat(right.lastReading().writesPerSecond()).isCloseTo(100, within(0.1));
        assertThat(meter.lastReading().writesPerSecond()).isCloseTo(300, within(0.1));

        MeterReading left = second(meter, true);
        MeterReading child = right.roll(now, true);
        assertThat(left.slots()).containsExactly(110);
        assertThat(child.slots()).containsExactly(180);
        // What was counted in the window of the split is not lost either.
        assertThat(left.writesPerSecond()).isCloseTo(300, within(0.1));
        assertThat(child.writesPerSecond()).isCloseTo(100, within(0.1));
        double steady = 400 * (1 - Math.exp(-60 / 30.0));
        assertThat(left.steadyWritesPerSecond() + child.steadyWritesPerSecond()).isCloseTo(steady, within(5.0));
        assertThat(left.steadyWritesPerSecond()).isCloseTo(steady * 0.75, within(4.0));
    }

    @Test
    void keysThatStandOutGoWithTheirSlot() {
        meter.roll(now, true);
        for (int i = 0; i < 5; i++) {
            write(180, 500);
            second(meter, true);
        }
        LoadMeter right = meter.split(150);
        assertThat(right.lastReading().hotKeys()).hasSize(1);
        assertThat(meter.lastReading().hotKeys()).isEmpty();
    }

    @Test
    void afterTheSplitReadsOfWhatWentAwayAreNotCounted() {
        meter.roll(now, true);
        meter.split(150);
        read(180, 100);
        write(180, 100);
        MeterReading reading = second(meter, true);
        assertThat(reading.readsPerSecond()).isZero();
        assertThat(reading.writesPerSecond()).isZero();
    }

    @Test
    void aSplitMustDivideTheSlots() {
        assertThatIllegalArgumentException().isThrownBy(() -> meter.split(100)).withMessageContaining("100-199");
        assertThatIllegalArgumentException().isThrownBy(() -> meter.split(200));
    }

    @Test
    void aMergeTakesOverWhatIsKnownOfTheOtherShard() {
        LoadMeter right = new LoadMeter(200, 299, () -> now);
        meter.roll(now, true);
        right.roll(now, true);
        for (int i = 0; i < 60; i++) {
            write(110, 10);
            for (int j = 0; j < 20; j++) {
                right.wrote(250, key("r"));
            }
            second(meter, true);
            right.roll(now, true);
        }
        meter.cover(100, 299);
        meter.adopt(right, 200, 299);

        assertThat(meter.lastReading().slots()).containsExactly(110, 250);
        assertThat(meter.lastReading().writesPerSecond()).isCloseTo(30, within(0.1));
        write(110, 10);
        write(250, 20);
        assertThat(second(meter, true).writesPerSecond()).isCloseTo(30, within(0.1));
    }
}
