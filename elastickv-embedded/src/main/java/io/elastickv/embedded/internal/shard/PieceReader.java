package io.elastickv.embedded.internal.shard;

import io.elastickv.api.KeySlot;
import io.elastickv.embedded.internal.command.Piece;
import io.elastickv.embedded.internal.command.ScanPosition;
import io.elastickv.embedded.internal.command.StoredValue;
import io.elastickv.embedded.internal.storage.ScanResult;
import io.elastickv.embedded.internal.storage.ShardStore;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Reads the entries of consecutive slots, in the order of the slots. Any thread; takes milliseconds. */
final class PieceReader {

    /** Each page passes over the bucket anew. */
    private static final int KEYS_PER_PAGE = 16_384;

    /** What nobody changes may be looked at as it was before. */
    private static final int FROZEN = 1;

    private static final int ANEW = 0;

    private PieceReader() {}

    /** Those of slots that nobody changes any more. */
    static List<Piece.Entry> read(ShardStore store, int first, int last) {
        List<Piece.Entry> entries = new ArrayList<>();
        forEach(store, first, last, FROZEN, entry -> entries.add(entry));
        return entries;
    }

    /**
     * How far slots from {@code first} on fit into so many bytes.
     *
     * @param last the last slot to look at
     * @return the last slot that fits; {@code first} if it alone fits into {@code mostBytes}, and {@code first - 1} otherwise
     */
    static int measure(ShardStore store, int first, int last, long bytes, long mostBytes) {
        long[] sum = {0};
        int[] slot = {first};
        int[] fits = {last};
        forEach(store, first, last, ANEW, entry -> {
            int of = KeySlot.of(entry.key());
            if (of != slot[0] && sum[0] > bytes) {
                fits[0] = slot[0]; // the first one, which is larger than a piece should be
                return false;
            }
            slot[0] = of;
            sum[0] += entry.size();
            boolean enough = sum[0] > (of == first ? mostBytes : bytes);
            if (enough) {
                fits[0] = of - 1;
            }
            return !enough;
        });
        return fits[0];
    }

    /** Shows the entries until {@code visitor} has enough; whether it saw all. */
    private static boolean forEach(ShardStore store, int first, int last, int scanId, Predicate<Piece.Entry> visitor) {
        long order = ScanPosition.order(first, 0);
        long end = ScanPosition.order(last + 1, 0);
        while (order < end) {
            ScanResult page = store.scan(order, end, scanId, KEYS_PER_PAGE);
            for (byte[] key : page.keys()) {
                StoredValue value = store.get(KeySlot.of(key), key).value();
                if (value != null && !visitor.test(new Piece.Entry(key, value))) {
                    return false;
                }
            }
            order = page.nextOrder();
        }
        return true;
    }
}
