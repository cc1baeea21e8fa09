package io.elastickv.embedded.internal.shard;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Piece;
import io.elastickv.embedded.internal.command.StoredValue;
import io.elastickv.embedded.internal.storage.ShardStore;
import io.elastickv.embedded.internal.storage.StorageEngine;
import io.elastickv.embedded.internal.storage.StorageOptions;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PieceReaderTest {

    private final ShardStore store =
            new ShardStore(StorageEngine.HEAP, StorageOptions.DEFAULTS, 0, KeySlot.COUNT - 1, KeySlot::of);

    @AfterEach
    void close() {
        store.close();
    }

    /** Slots in order that have a key of the tags from 0 to {@code tags - 1}. */
    private List<Integer> fill(int tags, int bytes) {
        store.beginCommand(1);
        IntStream.range(0, tags).forEach(tag -> {
            byte[] key = ("{" + tag + "}").getBytes(US_ASCII);
            store.put(KeySlot.of(key), key, new byte[bytes], 1, 0);
        });
        return IntStream.range(0, tags)
                .map(tag -> KeySlot.of(("{" + tag + "}").getBytes(US_ASCII)))
                .distinct()
                .sorted()
                .boxed()
                .toList();
    }

    private int measure(int first, long bytes, long most) {
        return PieceReader.measure(store, first, KeySlot.COUNT - 1, bytes, most);
    }

    @Test
    void slotsAreTakenAsLongAsTheyFit() {
        List<Integer> slots = fill(10, 1000);
        assertThat(slots).hasSize(10);
        assertThat(measure(0, 3 * 1020, 1 << 20)).isEqualTo(slots.get(3) - 1);
        assertThat(measure(slots.get(4), 2 * 1020, 1 << 20)).isEqualTo(slots.get(6) - 1);
        assertThat(measure(0, 1 << 20, 1 << 20)).isEqualTo(KeySlot.COUNT - 1);
    }

    @Test
    void aSlotThatIsTooLargeIsAPieceByItselfOrNone() {
        List<Integer> slots = fill(3, 5000);
        int first = slots.get(0);
        assertThat(measure(first, 1000, 10_000)).isEqualTo(first);
        assertThat(measure(first, 1000, 4_000)).isEqualTo(first - 1);
        assertThat(measure(first + 1, 1000, 4_000))
                .as("what comes before a large one")
                .isEqualTo(slots.get(1) - 1);
    }

    @Test
    void whatIsExpiredIsNotRead() {
        fill(2, 10);
        store.put(KeySlot.of("x".getBytes(US_ASCII)), "x".getBytes(US_ASCII), new byte[1], 1, 5);
        store.advanceTime(5);
        List<Piece.Entry> read = PieceReader.read(store, 0, KeySlot.COUNT - 1);
        assertThat(read).hasSize(2);
        assertThat(read.stream().map(Piece.Entry::value).map(StoredValue::version))
                .containsOnly(1L);
    }
}
