package io.elastickv.embedded.internal.shard;

import io.elastickv.embedded.internal.command.CommandResult;
import org.jspecify.annotations.Nullable;

/** The results of one session: a ring over the sequences from {@link #floor} on. Not thread-safe. */
final class SessionResults {

    private static final int MIN_RING = 16;
    private static final int KEEP_RING = 1024;

    /** A result that carries values, with its number among all such results of the table. */
    private record WithValues(CommandResult result, long order) {}

    /** Sees results. */
    @FunctionalInterface
    interface Visitor {
        /** Sees one; {@code payloadOrder} is 0 for a result without values. */
        void visit(long sequence, CommandResult result, long payloadOrder);
    }

    /** When it was copied last, in captures of the table; see {@link SessionTable}. */
    final int period;

    long lastUseMillis;
    /** Smaller sequences are forgotten. */
    long floor;
    /** The largest sequence seen. */
    long last;

    /** Results, and results {@link WithValues}. */
    private @Nullable Object[] ring;

    SessionResults(int period, long nowMillis) {
        this(period, nowMillis, 0, 0);
    }

    /** For results from {@code floor} to {@code last}, without any. */
    SessionResults(int period, long lastUseMillis, long floor, long last) {
        this.period = period;
        this.lastUseMillis = lastUseMillis;
        this.floor = floor;
        this.last = last;
        int length = MIN_RING;
        while (last - floor >= length) {
            length *= 2;
        }
        this.ring = new @Nullable Object[length];
    }

    private SessionResults(int period, SessionResults from) {
        this.period = period;
        this.lastUseMillis = from.lastUseMillis;
        this.floor = from.floor;
        this.last = from.last;
        this.ring = from.ring.clone();
    }

    SessionResults copy(int newPeriod) {
        return new SessionResults(newPeriod, this);
    }

    /** The result of a sequence not below the floor; null if it is not known. */
    @Nullable
    CommandResult get(long sequence) {
        return sequence <= last ? resultOf(ring[indexOf(sequence)]) : null;
    }

    /** Sets the result of a sequence not below the floor. */
    void put(long sequence, CommandResult result, long payloadOrder) {
        widenTo(sequence);
        last = Math.max(last, sequence);
        ring[indexOf(sequence)] = payloadOrder > 0 ? new WithValues(result, payloadOrder) : result;
    }

    /** Forgets the results below {@code newFloor}, which is not less than the floor, and shows them. */
    void raiseFloor(long newFloor, Visitor forgotten) {
        long end = Math.min(newFloor, last + 1);
        for (long sequence = floor; sequence < end; sequence++) {
            int i = indexOf(sequence);
            show(sequence, ring[i], forgotten);
            ring[i] = null;
        }
        floor = newFloor;
        if (last < newFloor) {
            last = newFloor - 1;
            if (ring.length > KEEP_RING) {
                ring = new @Nullable Object[MIN_RING];
            }
        }
    }

    /** Shows all results, in the order of their sequences. */
    void forEach(Visitor visitor) {
        for (long sequence = floor; sequence <= last; sequence++) {
            show(sequence, ring[indexOf(sequence)], visitor);
        }
    }

    private static void show(long sequence, @Nullable Object kept, Visitor visitor) {
        CommandResult result = resultOf(kept);
        if (result != null) {
            visitor.visit(sequence, result, kept instanceof WithValues with ? with.order() : 0);
        }
    }

    private static @Nullable CommandResult resultOf(@Nullable Object kept) {
        return kept instanceof WithValues with ? with.result() : (CommandResult) kept;
    }

    private int indexOf(long sequence) {
        return (int) sequence & (ring.length - 1);
    }

    private void widenTo(long sequence) {
        int length = ring.length;
        while (sequence - floor >= length) {
            length *= 2;
        }
        if (length == ring.length) {
            return;
        }
        @Nullable Object[] wider = new @Nullable Object[length];
        for (long s = floor; s <= last; s++) {
            wider[(int) s & (length - 1)] = ring[indexOf(s)];
        }
        ring = wider;
    }
}
