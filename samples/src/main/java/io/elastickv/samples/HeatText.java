package io.elastickv.samples;

import io.elastickv.api.KeySlot;
import io.elastickv.api.ShardInfo;
import java.util.Arrays;
import java.util.List;

/** A row of a heat map in a terminal: background colours of the 256 that nearly all have, or characters. */
final class HeatText {

    /** From cold to hot: dark blue, violet, red, orange, yellow, white. */
    private static final int[] COLOURS = {17, 18, 54, 90, 126, 161, 196, 202, 208, 214, 220, 226, 229, 231};

    private static final String SHADES = ".:-=+*oO#%@";
    private static final String RESET = "\u001b[0m";

    private HeatText() {}

    /** The loads of one moment, in terms of {@code most}. */
    static String row(double[] loads, double most, boolean colours) {
        StringBuilder text = new StringBuilder();
        int present = -1;
        for (double load : loads) {
            double heat = HeatHistory.heat(load, most);
            if (!colours) {
                text.append(heat == 0 ? ' ' : SHADES.charAt(step(heat, SHADES.length())));
                continue;
            }
            int colour = heat == 0 ? 16 : COLOURS[step(heat, COLOURS.length)];
            if (colour != present) {
                text.append("\u001b[48;5;").append(colour).append('m');
                present = colour;
            }
            text.append(' ');
        }
        return colours ? text.append(RESET).toString() : text.toString();
    }

    private static int step(double heat, int steps) {
        return Math.min(steps - 1, (int) (heat * steps));
    }

    /** Where shards begin: their numbers above their first columns, as far as there is room. */
    static String shards(List<ShardInfo> shards, int columns) {
        char[] line = new char[columns];
        Arrays.fill(line, ' ');
        int free = 0;
        for (ShardInfo shard : shards) {
            if (shard.slots().isEmpty()) {
                continue;
            }
            int column = (int) ((long) shard.slots().get(0).first() * columns / KeySlot.COUNT);
            String label = "|" + shard.id();
            if (column >= free && column + label.length() <= columns) {
                label.getChars(0, label.length(), line, column);
                free = column + label.length();
            } else if (column < columns && line[column] == ' ') {
                line[column] = '|';
                free = Math.max(free, column + 1);
            }
        }
        return new String(line).stripTrailing();
    }
}
