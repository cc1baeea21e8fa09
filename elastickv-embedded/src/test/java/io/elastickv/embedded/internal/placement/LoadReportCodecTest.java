package io.elastickv.embedded.internal.placement;

import static io.elastickv.embedded.internal.placement.LoadReports.follower;
import static io.elastickv.embedded.internal.placement.LoadReports.key;
import static io.elastickv.embedded.internal.placement.LoadReports.leader;
import static io.elastickv.embedded.internal.placement.LoadReports.report;
import static io.elastickv.embedded.internal.placement.LoadReports.slot;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.elastickv.embedded.internal.shard.MeterReading;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Reports as bytes: the same again, the same for ever, and nothing worse than a refusal of what is damaged. */
final class LoadReportCodecTest {

    private final LoadReport report = report(
            "n1",
            1_700_000_000_000L,
            leader(3, slot(12_345, 1234.5, 67.8, key(12_345, "hot", 0.8125))),
            follower(70_000, slot(7, 0, 0.4)));

    @Test
    void aReportIsTheSameAgain() {
        LoadReport read = LoadReportCodec.decode(LoadReportCodec.encode(report));

        assertThat(read.node()).isEqualTo("n1");
        assertThat(read.wallMillis()).isEqualTo(1_700_000_000_000L);
        assertThat(read.freeBytes()).isEqualTo(1L << 40);
        assertThat(read.replicas()).usingRecursiveComparison().isEqualTo(report.replicas());
    }

    @Test
    void itsBytesAreTheseForEver() {
        assertThat(HexFormat.of().formatHex(LoadReportCodec.encode(report)))
                .isEqualTo("01026e3180d095ffbc3180808080802002030305e807a08d06bac407fc349de203be1aa8bdf105e0e152a0bad9"
                        + "0901b960b960a60501b960bd3f03686f74f0a2040205de0790bf050028001400c03ec0a9070107000400");
    }

    @Test
    void slotsWithHardlyAnyLoadAreLeftOut() {
        MeterReading reading = new MeterReading(
                1,
                1,
                1,
                1,
                0,
                0,
                0,
                new int[] {1, 2, 3},
                new double[] {0.04, 0.06, 0},
                new double[] {0.04, 0, 0.3},
                List.of());
        LoadReport read = LoadReportCodec.decode(LoadReportCodec.encode(report("n", 1, leader(1, reading))));
        assertThat(read.replicas().get(0).reading().slots()).containsExactly(2, 3);
    }

    @Test
    void onlyTheHottestKeysOfASlotAreTold() {
        MeterReading reading = slot(
                9, 1000, 0, key(9, "a", 0.4), key(9, "b", 0.2), key(9, "c", 0.1), key(9, "d", 0.08), key(10, "e", 0.5));
        LoadReport read = LoadReportCodec.decode(LoadReportCodec.encode(report("n", 1, leader(1, reading))));
        assertThat(read.replicas().get(0).reading().hotKeys())
                .extracting(key -> new String(key.key(), UTF_8))
                .containsExactly("a", "b", "c", "e");
    }

    @Test
    void aBusyNodeFitsInSixtyKilobytes() {
        int slots = 10_000;
        MeterReading reading = new MeterReading(
                1e6, 1e5, 1e6, 1e5, 1e9, 1e8, 1e9, new int[slots], new double[slots], new double[slots], List.of());
        for (int i = 0; i < slots; i++) {
            reading.slots()[i] = i;
            reading.slotReads()[i] = 100;
            reading.slotWrites()[i] = 10;
        }
        assertThat(LoadReportCodec.encode(report("n", 1, leader(1, reading)))).hasSizeLessThan(60_000);
    }

    @Test
    void anotherVersionIsRefusedByName() {
        byte[] bytes = LoadReportCodec.encode(report);
        bytes[0] = 9;
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LoadReportCodec.decode(bytes))
                .withMessageContaining("version 9");
    }

    @Test
    void everyCutAndEveryMutationIsReadOrRefused() {
        byte[] bytes = LoadReportCodec.encode(report);
        for (int length = 0; length < bytes.length; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThatIllegalArgumentException().isThrownBy(() -> LoadReportCodec.decode(cut));
        }
        SplittableRandom random = new SplittableRandom(4);
        for (int i = 0; i < 20_000; i++) {
            byte[] mutated = bytes.clone();
            for (int j = random.nextInt(1, 4); j > 0; j--) {
                mutated[random.nextInt(mutated.length)] = (byte) random.nextInt(256);
            }
            try {
                LoadReportCodec.decode(mutated);
            } catch (IllegalArgumentException refused) {
                assertThat(refused.getMessage()).isNotEmpty();
            }
        }
    }
}
