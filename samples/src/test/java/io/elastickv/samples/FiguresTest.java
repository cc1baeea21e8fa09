package io.elastickv.samples;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.SlotRange;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class FiguresTest {

    @Test
    void countsHaveAtMostFourDigits() {
        assertThat(Figures.count(0)).isEqualTo("0");
        assertThat(Figures.count(0.42)).isEqualTo("0.4");
        assertThat(Figures.count(9.96)).isEqualTo("10");
        assertThat(Figures.count(999)).isEqualTo("999");
        assertThat(Figures.count(1_234)).isEqualTo("1.2k");
        assertThat(Figures.count(999_940)).isEqualTo("999.9k");
        assertThat(Figures.count(3_400_000)).isEqualTo("3.4M");
    }

    @Test
    void sizesHaveTheirUnit() {
        assertThat(Figures.bytes(0)).isEqualTo("0 B");
        assertThat(Figures.bytes(999)).isEqualTo("999 B");
        assertThat(Figures.bytes(1 << 20)).isEqualTo("1.0 MiB");
        assertThat(Figures.bytes(300L << 30)).isEqualTo("300 GiB");
        assertThat(Figures.bytes(Long.MAX_VALUE)).isEqualTo("?");
    }

    @Test
    void durationsAreInMillisecondsOrSeconds() {
        assertThat(Figures.duration(Duration.ofMillis(12))).isEqualTo("12 ms");
        assertThat(Figures.duration(Duration.ofMillis(1_320))).isEqualTo("1.3 s");
        assertThat(Figures.duration(Duration.ofSeconds(75))).isEqualTo("75 s");
        assertThat(Figures.duration(Duration.ofSeconds(-1))).isEqualTo("0 ms");
    }

    @Test
    void slotsAreRanges() {
        assertThat(Figures.slots(List.of(new SlotRange(0, 99), new SlotRange(200, 200))))
                .isEqualTo("0-99,200");
    }
}
