package io.elastickv.embedded.internal.placement.plan;

import io.elastickv.api.Bytes;

/**
 * A key that stands out in its slot, as Space-Saving (Metwally et al., 2005) finds it.
 *
 * @param slot its slot
 * @param key the key
 * @param shareOfSlot its part of the slot's operations, 0 to 1; the lower bound, without the counter's possible error
 */
public record HotKey(int slot, Bytes key, double shareOfSlot) {}
