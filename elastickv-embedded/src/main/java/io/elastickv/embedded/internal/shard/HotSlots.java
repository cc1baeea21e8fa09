package io.elastickv.embedded.internal.shard;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The slots of a shard that are hot, each with the keys that stand out in it. Immutable but for what the sketches count. */
final class HotSlots {

    /** More are not worth looking into: what stands out stands out in one or two. */
    private static final int MOST = 8;
    /** A slot is hot from so many operations per second on; what has fewer does not overload anybody. */
    private static final double MIN_OPS_PER_SECOND = 100;
    /** And with this part of its shard's operations. */
    private static final double MIN_SHARE = 0.1;
    /** A hot slot remains so down to this part of both. */
    private static final double STAYS = 0.5;

    private final int[] slots;
    private final SpaceSaving[] sketches;

    private HotSlots(int[] slots, SpaceSaving[] sketches) {
        this.slots = slots;
        this.sketches = sketches;
    }

    /** Counts a key of {@code slot}, if that is hot. Any thread. */
    void offer(int slot, byte[] key) {
        for (int i = 0; i < slots.length; i++) {
            if (slots[i] == slot) {
                sketches[i].offer(key);
                return;
            }
        }
    }

    /** The sketch of a slot, null if it is not hot. */
    private @Nullable SpaceSaving of(int slot) {
        for (int i = 0; i < slots.length; i++) {
            if (slots[i] == slot) {
                return sketches[i];
            }
        }
        return null;
    }

    /**
     * The slots that are hot now; those that were keep their sketches.
     *
     * @param before those that were, null if none
     * @param first the slot of the first rate
     * @param opsPerSecond of each slot
     * @param total their sum
     * @param fade what is left of what the sketches have counted
     * @return null if none is
     */
    static @Nullable HotSlots choose(
            @Nullable HotSlots before, int first, double[] opsPerSecond, double total, double fade) {
        double enough = Math.max(MIN_OPS_PER_SECOND, MIN_SHARE * total);
        if (total < MIN_OPS_PER_SECOND * STAYS) {
            return null;
        }
        List<Integer> chosen = new ArrayList<>();
        for (int i = 0; i < opsPerSecond.length; i++) {
            if (opsPerSecond[i] >= enough * STAYS) {
                boolean wasHot = before != null && before.of(first + i) != null;
                if (wasHot || opsPerSecond[i] >= enough) {
                    chosen.add(first + i);
                }
            }
        }
        if (chosen.isEmpty()) {
            return null;
        }
        chosen.sort((a, b) -> Double.compare(opsPerSecond[b - first], opsPerSecond[a - first]));
        int count = Math.min(MOST, chosen.size());
        int[] slots = new int[count];
        SpaceSaving[] sketches = new SpaceSaving[count];
        for (int i = 0; i < count; i++) {
            slots[i] = chosen.get(i);
            SpaceSaving kept = before == null ? null : before.of(slots[i]);
            if (kept != null) {
                kept.fade(fade);
            }
            sketches[i] = kept != null ? kept : new SpaceSaving();
            sketches[i].expect(opsPerSecond[slots[i] - first]);
        }
        return new HotSlots(slots, sketches);
    }

    /** Those from {@code first} to {@code last}; null if there are none. The sketches are the same. */
    @Nullable
    HotSlots within(int first, int last) {
        int count = 0;
        for (int slot : slots) {
            count += slot >= first && slot <= last ? 1 : 0;
        }
        if (count == 0) {
            return null;
        }
        int[] some = new int[count];
        SpaceSaving[] theirs = new SpaceSaving[count];
        int at = 0;
        for (int i = 0; i < slots.length; i++) {
            if (slots[i] >= first && slots[i] <= last) {
                some[at] = slots[i];
                theirs[at++] = sketches[i];
            }
        }
        return new HotSlots(some, theirs);
    }

    /** The keys that stand out, slot by slot. */
    List<MeterReading.Key> keys() {
        List<MeterReading.Key> keys = new ArrayList<>();
        for (int i = 0; i < slots.length; i++) {
            for (SpaceSaving.Share share : sketches[i].top()) {
                keys.add(new MeterReading.Key(slots[i], share.key(), share.share()));
            }
        }
        return keys;
    }
}
