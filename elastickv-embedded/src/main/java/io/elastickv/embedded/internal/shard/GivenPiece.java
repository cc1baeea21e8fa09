package io.elastickv.embedded.internal.shard;

import io.elastickv.api.SlotRange;
import io.elastickv.embedded.internal.command.Piece;
import io.elastickv.embedded.internal.storage.GivenSlots;
import io.elastickv.embedded.internal.storage.ShardStore;
import io.elastickv.embedded.internal.storage.SlotSpan;
import java.util.List;

/**
 * Slots that a shard gave away, with what they have: nobody changes that any more.
 *
 * @param slots which, whom to, and since when
 * @param store of these slots alone
 */
record GivenPiece(GivenSlots slots, ShardStore store) {

    SlotRange range() {
        return new SlotRange(slots.slots().first(), slots.slots().last());
    }

    static GivenSlots of(long epoch, int first, int last, int to, long versionFloor) {
        return new GivenSlots(epoch, new SlotSpan(first, last), to, versionFloor);
    }

    /** What is there, for the shard that takes it in. Any thread; passes over the buckets. */
    Piece read(List<Piece.Session> sessions) {
        SlotSpan span = slots.slots();
        List<Piece.Entry> entries = PieceReader.read(store, span.first(), span.last());
        return new Piece(store.logTimeMillis(), slots.versionFloor(), entries, sessions);
    }

    /** Frees it, once its readers have left; blocks for that. */
    void close() {
        store.close();
    }
}
