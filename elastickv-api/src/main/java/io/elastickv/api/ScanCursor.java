package io.elastickv.api;

/**
 * A position in a scan of all keys. The scan begins at {@link #START} and has ended when {@link #isStart()} is true of
 * the cursor returned. A cursor is a plain number that any node understands, so it may be kept, sent and resumed
 * elsewhere. A key that exists from the scan's beginning to its end is returned at least once; one that is created or
 * deleted meanwhile may or may not be.
 *
 * @param value the position, never negative; 0 is the beginning
 */
public record ScanCursor(long value) {

    /** The beginning of a scan, and the mark of its end. */
    public static final ScanCursor START = new ScanCursor(0);

    /**
     * Checks the value.
     *
     * @throws IllegalArgumentException if {@code value} is negative
     */
    public ScanCursor {
        if (value < 0) {
            throw new IllegalArgumentException("scan cursor = " + value + ": must not be negative");
        }
    }

    /** Whether this is {@link #START}. */
    public boolean isStart() {
        return value == 0;
    }
}
