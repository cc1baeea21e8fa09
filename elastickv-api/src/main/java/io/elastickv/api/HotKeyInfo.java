package io.elastickv.api;

import java.util.Objects;

/**
 * A key that stands out in a hot slot.
 *
 * @param slot its slot
 * @param key the key
 * @param shareOfSlot which part of its slot's operations it has at least, 0 to 1
 * @param relieved whether its reads are being spread over the replicas and its writes limited
 */
public record HotKeyInfo(int slot, Bytes key, double shareOfSlot, boolean relieved) {

    /** Checks that nothing is missing. */
    public HotKeyInfo {
        Objects.requireNonNull(key);
    }
}
