package io.elastickv.api;

/**
 * A range of slots.
 *
 * @param first the first slot
 * @param last the last slot, included
 */
public record SlotRange(int first, int last) {

    /**
     * Checks the bounds.
     *
     * @throws IllegalArgumentException if the range is empty or outside 0 to 16383
     */
    public SlotRange {
        if (first < 0 || last >= KeySlot.COUNT || first > last) {
            throw new IllegalArgumentException("slot range " + first + "-" + last + ": must be within 0-16383");
        }
    }

    /** Whether {@code slot} is in the range. */
    public boolean contains(int slot) {
        return slot >= first && slot <= last;
    }

    /** The number of slots. */
    public int size() {
        return last - first + 1;
    }
}
