package io.elastickv.samples;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** The loads of slots over time: a row per moment, a column per so many adjacent slots. Not thread-safe. */
final class HeatHistory {

    /** One moment; the loads are operations per second of a column's slots together. */
    record Row(Instant time, double[] loads) {}

    private final int columns;
    private final List<Row> rows = new ArrayList<>();

    HeatHistory(int columns) {
        this.columns = columns;
    }

    /** Adds a moment; {@code slotLoads} has a figure per slot. */
    Row add(Instant time, double[] slotLoads) {
        double[] sums = new double[columns];
        for (int slot = 0; slot < slotLoads.length; slot++) {
            sums[(int) ((long) slot * columns / slotLoads.length)] += slotLoads[slot];
        }
        Row row = new Row(time, sums);
        rows.add(row);
        return row;
    }

    int columns() {
        return columns;
    }

    /** In the order in which they were added. */
    List<Row> rows() {
        return rows;
    }

    /** The largest load of any column at any moment. */
    double most() {
        double most = 0;
        for (Row row : rows) {
            for (double load : row.loads()) {
                most = Math.max(most, load);
            }
        }
        return most;
    }

    /**
     * How hot something is between 0 and 1: logarithmic over three decades below the hottest, so that a tenth of the load
     * still shows.
     */
    static double heat(double load, double most) {
        if (load <= 0 || most <= 0) {
            return 0;
        }
        return Math.max(0.05, Math.min(1, 1 + Math.log10(load / most) / 3));
    }
}
