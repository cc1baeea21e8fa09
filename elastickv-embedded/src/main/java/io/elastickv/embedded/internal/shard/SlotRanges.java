package io.elastickv.embedded.internal.shard;

import io.elastickv.api.KeySlot;
import io.elastickv.api.SlotRange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A set of slots. Immutable. */
public final class SlotRanges {

    /** No slots: of a shard that gave all away. */
    public static final SlotRanges NONE = new SlotRanges(List.of());

    private final List<SlotRange> ranges;
    private final long[] bits = new long[KeySlot.COUNT / Long.SIZE];

    private SlotRanges(List<SlotRange> ranges) {
        this.ranges = ranges;
        for (SlotRange range : ranges) {
            for (int slot = range.first(); slot <= range.last(); slot++) {
                bits[slot >> 6] |= 1L << slot;
            }
        }
    }

    /** The slots from {@code first} to {@code last}, both included. */
    public static SlotRanges of(int first, int last) {
        return of(List.of(new SlotRange(first, last)));
    }

    /**
     * The slots of all {@code ranges}; adjacent ones are joined.
     *
     * @throws IllegalArgumentException if there are none, or some overlap
     */
    public static SlotRanges of(List<SlotRange> ranges) {
        if (ranges.isEmpty()) {
            throw new IllegalArgumentException("a shard without slots");
        }
        List<SlotRange> sorted = new ArrayList<>(ranges);
        sorted.sort(Comparator.comparingInt(SlotRange::first));
        List<SlotRange> joined = new ArrayList<>();
        for (SlotRange range : sorted) {
            SlotRange before = joined.isEmpty() ? null : joined.get(joined.size() - 1);
            if (before != null && range.first() <= before.last()) {
                throw new IllegalArgumentException("slot ranges overlap: " + ranges);
            }
            if (before != null && range.first() == before.last() + 1) {
                joined.set(joined.size() - 1, new SlotRange(before.first(), range.last()));
            } else {
                joined.add(range);
            }
        }
        return new SlotRanges(List.copyOf(joined));
    }

    /** The ranges, in order, none adjacent to another. */
    public List<SlotRange> ranges() {
        return ranges;
    }

    /** Whether there are none; then there is no first one and no last one. */
    public boolean isEmpty() {
        return ranges.isEmpty();
    }

    /** The first slot. */
    public int first() {
        return ranges.get(0).first();
    }

    /** The last slot. */
    public int last() {
        return ranges.get(ranges.size() - 1).last();
    }

    /** Whether {@code slot} is one of them. */
    public boolean contains(int slot) {
        return (bits[slot >> 6] & 1L << slot) != 0;
    }

    /**
     * Those below {@code slot}.
     *
     * @throws IllegalArgumentException if there are none
     */
    SlotRanges below(int slot) {
        return of(ranges.stream()
                .filter(range -> range.first() < slot)
                .map(range -> new SlotRange(range.first(), Math.min(range.last(), slot - 1)))
                .toList());
    }

    /**
     * Those from {@code slot} on.
     *
     * @throws IllegalArgumentException if there are none
     */
    SlotRanges from(int slot) {
        return of(ranges.stream()
                .filter(range -> range.last() >= slot)
                .map(range -> new SlotRange(Math.max(range.first(), slot), range.last()))
                .toList());
    }

    /** With those up to {@code slot} too, which follow the last one. */
    SlotRanges upTo(int slot) {
        List<SlotRange> more = new ArrayList<>(ranges);
        more.add(new SlotRange(last() + 1, slot));
        return of(more);
    }

    /** The first slot of the run of consecutive slots that {@code slot} is in. */
    int startOfRun(int slot) {
        return runOf(slot).first();
    }

    /** The last slot of the run of consecutive slots that {@code slot} is in. */
    int endOfRun(int slot) {
        return runOf(slot).last();
    }

    private SlotRange runOf(int slot) {
        for (SlotRange range : ranges) {
            if (range.contains(slot)) {
                return range;
            }
        }
        throw new IllegalArgumentException("slot " + slot + " is not in " + ranges);
    }

    @Override
    public String toString() {
        return ranges.toString();
    }
}
