package io.elastickv.embedded.internal.placement;

import io.elastickv.api.SlotRange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a shard itself says that it owns, at a moment after it was asked.
 *
 * @param epoch the version of its ownership
 * @param slots what it owns; empty if it gave all away
 * @param given what it gave away and has not deleted yet; null if there is nothing
 */
public record Ownership(
        long epoch, List<SlotRange> slots, @Nullable Given given) {

    /**
     * Slots that were given away.
     *
     * @param epoch the epoch that giving them led to
     * @param slots the slots
     * @param to the shard that takes them in
     */
    public record Given(long epoch, SlotRange slots, int to) {}

    /** Copies the list. */
    public Ownership {
        slots = List.copyOf(slots);
    }

    boolean owns(SlotRange range) {
        return slots.size() == 1 && slots.get(0).equals(range);
    }
}
