package io.elastickv.embedded.internal.placement.plan;

import java.util.Arrays;

/** The operations per second of some slots; the other ones have none. Immutable. */
public final class SlotLoads {

    /** Nothing is known of any slot. */
    public static final SlotLoads UNKNOWN = new SlotLoads(new int[0], new double[0]);

    private final int[] slots;
    private final double[] loads;
    private final double total;

    private SlotLoads(int[] slots, double[] loads) {
        this.slots = slots;
        this.loads = loads;
        double sum = 0;
        for (double load : loads) {
            sum += load;
        }
        this.total = sum;
    }

    /**
     * Of these.
     *
     * @param slots the slots, ascending
     * @param loads the load of each
     * @throws IllegalArgumentException if the arrays do not fit or the slots do not ascend
     */
    public static SlotLoads of(int[] slots, double[] loads) {
        if (slots.length != loads.length) {
            throw new IllegalArgumentException(slots.length + " slots, but " + loads.length + " loads");
        }
        for (int i = 1; i < slots.length; i++) {
            if (slots[i] <= slots[i - 1]) {
                throw new IllegalArgumentException("slot " + slots[i] + " after slot " + slots[i - 1]);
            }
        }
        return new SlotLoads(slots.clone(), loads.clone());
    }

    /** The load of a slot. */
    public double of(int slot) {
        int at = Arrays.binarySearch(slots, slot);
        return at < 0 ? 0 : loads[at];
    }

    /** Told of a slot and its load. */
    public interface Visitor {
        /** Called once for each, in ascending order. */
        void visit(int slot, double load);
    }

    /** Visits the slots whose load is known. */
    public void forEach(Visitor visitor) {
        for (int i = 0; i < slots.length; i++) {
            visitor.visit(slots[i], loads[i]);
        }
    }

    /** The sum. */
    public double total() {
        return total;
    }

    /** The slot with the most load, the lowest of several; -1 if none has any. */
    public int hottest() {
        int best = -1;
        double most = 0;
        for (int i = 0; i < slots.length; i++) {
            if (loads[i] > most) {
                most = loads[i];
                best = slots[i];
            }
        }
        return best;
    }
}
