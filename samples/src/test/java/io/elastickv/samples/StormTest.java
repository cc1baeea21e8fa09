package io.elastickv.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.elastickv.api.Bytes;
import io.elastickv.api.KeySlot;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Which keys a storm is on, and how it counts. */
final class StormTest {

    @Test
    void keysAreInTheWantedSlots() {
        Bytes[] keys = Storm.keysIn(slot -> slot < 2048, 500);
        assertThat(keys).hasSize(500).doesNotHaveDuplicates().allMatch(key -> KeySlot.of(key) < 2048);
        assertThat(Storm.keysOfOneSlot(5000, 100)).doesNotHaveDuplicates().allMatch(key -> KeySlot.of(key) == 5000);
    }

    @Test
    void zipfsFirstKeysAreTheMostFrequent() {
        Storm.Choice zipf = Storm.zipf(1_000, 0.99);
        SplittableRandom random = new SplittableRandom(3);
        int[] counts = new int[1_000];
        int total = 200_000;
        for (int i = 0; i < total; i++) {
            counts[zipf.next(random)]++;
        }
        double harmonic = 0;
        for (int i = 1; i <= 1_000; i++) {
            harmonic += Math.pow(i, -0.99);
        }
        assertThat(counts[0] / (double) total).isCloseTo(1 / harmonic, within(0.004));
        assertThat(counts[9] / (double) total).isCloseTo(Math.pow(10, -0.99) / harmonic, within(0.002));
    }

    @Test
    void latenciesAreKnownToAQuarterOfAPowerOfTwo() {
        for (long nanos : new long[] {1, 1_000, 150_000, 3_000_000, 2_000_000_000L}) {
            double millis = Storm.millis(Storm.step(nanos));
            assertThat(millis).isBetween(nanos / 1e6, Math.max(0.002, nanos / 1e6 * 1.2));
        }
    }

    @Test
    void aSpanIsTheDifferenceOfCounts() {
        long[] before = new long[140];
        long[] after = new long[140];
        after[Storm.step(1_000_000)] = 990;
        after[Storm.step(50_000_000)] = 10;
        Storm.Span span = new Storm.Counts(before, 1, 0).until(new Storm.Counts(after, 3, 2_000_000_000L));
        assertThat(span.opsPerSecond()).isEqualTo(500);
        assertThat(span.p50Millis()).isCloseTo(1, within(0.25));
        assertThat(span.p99Millis()).isCloseTo(1, within(0.25));
        assertThat(span.maxMillis()).isCloseTo(50, within(10.0));
        assertThat(span.failed()).isEqualTo(2);
    }
}
