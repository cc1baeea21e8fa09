package io.elastickv.embedded.internal.placement.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.SlotRange;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class SplitPointTest {

    private static SplitPoint split(double... loads) {
        int[] slots = new int[loads.length];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = i;
        }
        return SplitPoint.byLoad(List.of(new SlotRange(0, loads.length - 1)), SlotLoads.of(slots, loads), 0.25);
    }

    @Test
    void cutsWhereThePrefixSumIsNearestToHalf() {
        assertThat(split(4, 1, 1, 1, 1).childSlots()).containsExactly(new SlotRange(1, 4));
        assertThat(split(1, 1, 1, 1, 4).childSlots()).containsExactly(new SlotRange(4, 4));
    }

    @Test
    void takesOutAWindowWhereNoCutIsEvenEnough() {
        SplitPoint point = split(3, 4, 3);
        assertThat(point.childSlots()).containsExactly(new SlotRange(1, 1));
        assertThat(point.imbalance()).isLessThanOrEqualTo(0.25);
        assertThat(point.isolated()).isEqualTo(-1);
    }

    @Test
    void isolatesASlotWithMoreThanHalf() {
        assertThat(split(1, 1, 9, 1).isolated()).isEqualTo(2);
        assertThat(split(1, 1, 9, 1).childSlots()).containsExactly(new SlotRange(2, 2));
    }

    @Test
    void doesNotSplitASingleSlotOrWhatNothingIsKnownOf() {
        assertThat(split(5)).isNull();
        assertThat(split(0, 0, 0)).isNull();
    }

    @Test
    void keepsToTheImbalanceOrIsolates() {
        SplittableRandom random = new SplittableRandom(7);
        int split = 0;
        for (int i = 0; i < 2000; i++) {
            double[] loads = new double[2 + random.nextInt(30)];
            for (int s = 0; s < loads.length; s++) {
                loads[s] = random.nextInt(10) == 0 ? random.nextInt(1000) : random.nextInt(20);
            }
            SplitPoint point = split(loads);
            if (point != null) {
                split++;
                assertThat(point.isolated() >= 0 || point.imbalance() <= 0.25).isTrue();
                double sum = 0;
                double total = 0;
                for (int s = 0; s < loads.length; s++) {
                    int slot = s;
                    total += loads[s];
                    sum += point.childSlots().stream().anyMatch(range -> range.contains(slot)) ? loads[s] : 0;
                }
                assertThat(sum / total).isCloseTo(point.part(), org.assertj.core.data.Offset.offset(1e-9));
            }
        }
        assertThat(split).isGreaterThan(1900);
    }

    @Test
    void ofSeveralRangesKeepsTheGaps() {
        SlotLoads loads = SlotLoads.of(new int[] {1, 5, 6, 9}, new double[] {1, 1, 1, 1});
        SplitPoint point =
                SplitPoint.byLoad(List.of(new SlotRange(1, 1), new SlotRange(5, 6), new SlotRange(9, 9)), loads, 0.25);
        assertThat(point.childSlots()).containsExactly(new SlotRange(6, 6), new SlotRange(9, 9));
    }
}
