package io.elastickv.embedded.internal.routing;

import io.elastickv.api.SlotRange;
import java.util.List;

/**
 * That a shard owns slots, as of some epoch of its ownership. Of two claims for a slot the one with the larger epoch is
 * right; for that to be so, only what is committed may be claimed, never what is planned. That a slot is not in a claim says
 * nothing.
 *
 * @param shard the shard's number
 * @param epoch of its ownership
 * @param slots what it owns, or a part of that
 * @param replicas nodes that have a replica as far as known; if none are, those of the last owner of the first slot
 */
public record Claim(int shard, long epoch, List<SlotRange> slots, List<String> replicas) {

    /** Copies the lists. */
    public Claim {
        slots = List.copyOf(slots);
        replicas = List.copyOf(replicas);
    }
}
