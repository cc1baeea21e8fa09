package io.elastickv.embedded.corruption;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Counts what damage led to, by kind of file and region. */
public final class OutcomeTable {

    /** What a damage led to; anything else fails the test. */
    public enum Outcome {
        /** The node serves, and neither said nor did anything about it. */
        NO_EFFECT("no effect"),
        /** The node said what is damaged, and has its content from another copy of its own: an older checkpoint and the log. */
        REPAIRED_ALONE("repaired alone"),
        /** The node said what is damaged or missing, and got it from the other members. */
        REPAIRED_FROM_PEERS("repaired from peers"),
        /** The node did not start; the message names the file and says what to do. */
        REFUSED("refused");

        private final String text;

        Outcome(String text) {
            this.text = text;
        }
    }

    private final Map<String, Map<Outcome, Integer>> rows = new TreeMap<>();

    /** Counts one. */
    public void add(Damage damage, Outcome outcome) {
        String what = damage.kind() == Damage.Kind.FLIP
                ? damage.region().name()
                : damage.region().kind() + ": " + damage.kind().name().toLowerCase(Locale.ROOT);
        rows.computeIfAbsent(what, any -> new EnumMap<>(Outcome.class)).merge(outcome, 1, Integer::sum);
    }

    /** How many there were of one outcome. */
    public int count(Outcome outcome) {
        return rows.values().stream()
                .mapToInt(row -> row.getOrDefault(outcome, 0))
                .sum();
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        text.append(String.format(Locale.ROOT, "%-52s", "damaged"));
        for (Outcome outcome : Outcome.values()) {
            text.append(String.format(Locale.ROOT, " %20s", outcome.text));
        }
        text.append('\n');
        rows.forEach((name, row) -> line(text, name, row));
        Map<Outcome, Integer> sum = new EnumMap<>(Outcome.class);
        for (Outcome outcome : Outcome.values()) {
            sum.put(outcome, count(outcome));
        }
        line(text, "all", sum);
        return text.toString();
    }

    private static void line(StringBuilder text, String name, Map<Outcome, Integer> row) {
        text.append(String.format(Locale.ROOT, "%-52s", name));
        for (Outcome outcome : Outcome.values()) {
            int count = row.getOrDefault(outcome, 0);
            text.append(String.format(Locale.ROOT, " %20s", count == 0 ? "" : "" + count));
        }
        text.append('\n');
    }
}
