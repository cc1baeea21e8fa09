package io.elastickv.embedded.internal.placement.plan;

import org.jspecify.annotations.Nullable;

/** What the operations under way and those planned so far take of the {@link PlanSettings.Budgets}. */
final class Ledger {

    private final PlanSettings.Budgets budgets;
    private final int[] in;
    private final int[] out;
    private int operations;
    private int moves;
    private long bytes;

    Ledger(PlanSettings.Budgets budgets, int nodes) {
        this.budgets = budgets;
        this.in = new int[nodes];
        this.out = new int[nodes];
    }

    /** Why no further operation can be started; null if one can. */
    @Nullable
    String refusesOperation() {
        return operations < budgets.operations()
                ? null
                : "budget: " + operations + " of " + budgets.operations() + " operations at once";
    }

    /** Why no further state can be fetched, from and to whichever node; null if one can. */
    @Nullable
    String refusesMove(long size) {
        String refusal = refusesOperation();
        if (refusal != null) {
            return refusal;
        }
        if (moves >= budgets.moves()) {
            return "budget: " + moves + " of " + budgets.moves() + " moves at once";
        }
        if (bytes > 0 && bytes + size > budgets.bytesInFlight()) {
            return "budget: " + Words.bytes(bytes) + " of " + Words.bytes(budgets.bytesInFlight()) + " in flight";
        }
        return null;
    }

    /** Whether the node may be sent one more state. */
    boolean roomInto(int node) {
        return in[node] < budgets.movesInPerNode();
    }

    /** Whether the node may serve one more state; nobody knows who serves a shard without a leader. */
    boolean roomOutOf(int node) {
        return node == NodeTable.UNKNOWN || out[node] < budgets.movesOutPerNode();
    }

    /** Takes what an operation needs that fetches nothing. */
    void takeOperation() {
        operations++;
    }

    /** Takes what an operation needs that fetches {@code size} bytes. */
    void takeMove(int from, int to, long size) {
        operations++;
        moves++;
        bytes += size;
        if (to != NodeTable.UNKNOWN) {
            in[to]++;
        }
        if (from != NodeTable.UNKNOWN) {
            out[from]++;
        }
    }
}
