package io.elastickv.embedded.internal.storage;

/**
 * Consecutive slots.
 *
 * @param first the first slot
 * @param last the last slot, included
 */
public record SlotSpan(int first, int last) {

    static final int MAX_SLOT = 16383;

    /** Checks the bounds. */
    public SlotSpan {
        if (first < 0 || last > MAX_SLOT || first > last) {
            throw new IllegalArgumentException("slots " + first + "-" + last + ": must be within 0-" + MAX_SLOT);
        }
    }
}
