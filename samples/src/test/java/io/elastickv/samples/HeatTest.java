package io.elastickv.samples;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.ShardInfo;
import io.elastickv.api.SlotRange;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The heat map in a terminal. */
final class HeatTest {

    private static ShardInfo shard(int id, int first, int last) {
        return new ShardInfo(
                id,
                List.of(new SlotRange(first, last)),
                1,
                List.of("n1"),
                Optional.of("n1"),
                1,
                ShardInfo.State.SERVING);
    }

    @Test
    void adjacentSlotsShareAColumn() {
        HeatHistory history = new HeatHistory(4);
        double[] slots = new double[16384];
        slots[0] = 1;
        slots[4095] = 2;
        slots[4096] = 10;
        slots[16383] = 5;
        HeatHistory.Row row = history.add(Instant.EPOCH, slots);
        assertThat(row.loads()).containsExactly(3, 10, 0, 5);
        assertThat(history.most()).isEqualTo(10);
    }

    @Test
    void columnsNeedNotDivideTheSlots() {
        HeatHistory history = new HeatHistory(100);
        double[] slots = new double[16384];
        java.util.Arrays.fill(slots, 1);
        double sum = 0;
        for (double load : history.add(Instant.EPOCH, slots).loads()) {
            assertThat(load).isBetween(163.0, 164.0);
            sum += load;
        }
        assertThat(sum).isEqualTo(16384);
    }

    @Test
    void heatIsLogarithmicOverThreeDecades() {
        assertThat(HeatHistory.heat(1000, 1000)).isEqualTo(1);
        assertThat(HeatHistory.heat(100, 1000)).isBetween(0.66, 0.67);
        assertThat(HeatHistory.heat(0.01, 1000)).isEqualTo(0.05);
        assertThat(HeatHistory.heat(0, 1000)).isZero();
        assertThat(HeatHistory.heat(0, 0)).isZero();
    }

    @Test
    void withoutColoursCharactersTellHotFromCold() {
        assertThat(HeatText.row(new double[] {0, 1, 100, 1000}, 1000, false)).isEqualTo(" .O@");
    }

    @Test
    void coloursAreSetOnlyWhereTheyChangeAndResetAtTheEnd() {
        String row = HeatText.row(new double[] {0, 0, 1000, 1000}, 1000, true);
        assertThat(row).isEqualTo("\u001b[48;5;16m  \u001b[48;5;231m  \u001b[0m");
    }

    @Test
    void shardsAreNamedWhereTheyBeginAsFarAsThereIsRoom() {
        List<ShardInfo> shards =
                List.of(shard(0, 0, 8191), shard(17, 8192, 8447), shard(18, 8448, 9215), shard(1, 9216, 16383));
        assertThat(HeatText.shards(shards, 64)).isEqualTo("|0" + " ".repeat(30) + "|17 |1");
    }
}
