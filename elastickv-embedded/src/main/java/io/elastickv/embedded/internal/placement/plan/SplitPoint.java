package io.elastickv.embedded.internal.placement.plan;

import io.elastickv.api.SlotRange;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where to split a shard. A slot with more than half of the load becomes a shard of its own. Otherwise the prefix sums of
 * the slots' loads, in the order of the slots, give the cut with the most even halves; if no cut is even enough, because a
 * heavy slot lies across the middle, a window of the slots is taken out instead and the old shard keeps both ends.
 *
 * @param childSlots what the new shard gets
 * @param part its part of the load, 0 to 1
 * @param isolated the slot that is isolated, -1 if none is
 */
record SplitPoint(List<SlotRange> childSlots, double part, int isolated) {

    /** The difference of both parts, in terms of the whole. */
    double imbalance() {
        return Math.abs(1 - 2 * part);
    }

    /** By load; null if no split is at most as uneven as {@code maxImbalance}, or nothing is known of the slots. */
    static @Nullable SplitPoint byLoad(List<SlotRange> slots, SlotLoads loads, double maxImbalance) {
        int[] slot = flatten(slots);
        double[] before = new double[slot.length + 1];
        for (int i = 0; i < slot.length; i++) {
            before[i + 1] = before[i] + loads.of(slot[i]);
        }
        double total = before[slot.length];
        if (slot.length < 2 || total <= 0) {
            return null;
        }
        int hottest = 0;
        for (int i = 1; i < slot.length; i++) {
            if (before[i + 1] - before[i] > before[hottest + 1] - before[hottest]) {
                hottest = i;
            }
        }
        double most = (before[hottest + 1] - before[hottest]) / total;
        if (most > 0.5) {
            return of(slot, hottest, hottest + 1, most, slot[hottest]);
        }
        int cut = 1;
        for (int i = 2; i < slot.length; i++) {
            if (Math.abs(total - 2 * before[i]) < Math.abs(total - 2 * before[cut])) {
                cut = i;
            }
        }
        SplitPoint best = of(slot, cut, slot.length, (total - before[cut]) / total, -1);
        if (best.imbalance() > maxImbalance) {
            best = window(slot, before, total, best);
        }
        return best.imbalance() <= maxImbalance ? best : null;
    }

    /** By the number of slots; null if there is only one. */
    static @Nullable SplitPoint inTheMiddle(List<SlotRange> slots) {
        int[] slot = flatten(slots);
        return slot.length < 2 ? null : of(slot, slot.length / 2, slot.length, 0.5, -1);
    }

    /** The run of slots whose load is nearest to half, by two pointers, if it is nearer than {@code best}. */
    private static SplitPoint window(int[] slot, double[] before, double total, SplitPoint best) {
        double distance = best.imbalance() * total;
        int from = -1;
        int to = -1;
        int end = 1;
        for (int start = 0; start < slot.length; start++) {
            end = Math.max(end, start + 1);
            while (end < slot.length && 2 * (before[end] - before[start]) < total) {
                end++;
            }
            for (int last = Math.max(start + 1, end - 1); last <= end; last++) {
                double off = Math.abs(total - 2 * (before[last] - before[start]));
                if (off < distance && last - start < slot.length) {
                    distance = off;
                    from = start;
                    to = last;
                }
            }
        }
        return from < 0 ? best : of(slot, from, to, (before[to] - before[from]) / total, -1);
    }

    private static SplitPoint of(int[] slot, int from, int to, double part, int isolated) {
        List<SlotRange> ranges = new ArrayList<>();
        int first = slot[from];
        for (int i = from; i < to; i++) {
            if (i + 1 == to || slot[i + 1] != slot[i] + 1) {
                ranges.add(new SlotRange(first, slot[i]));
                first = i + 1 < to ? slot[i + 1] : first;
            }
        }
        return new SplitPoint(ranges, part, isolated);
    }

    private static int[] flatten(List<SlotRange> slots) {
        int count = 0;
        for (SlotRange range : slots) {
            count += range.size();
        }
        int[] all = new int[count];
        int at = 0;
        for (SlotRange range : slots) {
            for (int slot = range.first(); slot <= range.last(); slot++) {
                all[at++] = slot;
            }
        }
        return all;
    }
}
