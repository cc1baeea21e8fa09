package io.elastickv.samples;

import io.elastickv.api.OperationInfo;
import io.elastickv.api.SlotRange;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Figures as people read them. */
final class Figures {

    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

    private Figures() {}

    /** A rate or a number: 0, 0.4, 12, 1.2k, 3.4M. */
    static String count(double value) {
        if (value < 0.05) {
            return "0";
        }
        if (value < 9.95) {
            return String.format(Locale.ROOT, "%.1f", value);
        }
        if (value < 999.5) {
            return String.format(Locale.ROOT, "%.0f", value);
        }
        if (value < 999_950) {
            return String.format(Locale.ROOT, "%.1fk", value / 1e3);
        }
        return String.format(Locale.ROOT, "%.1fM", value / 1e6);
    }

    /** A size: 0 B, 512 B, 1.5 MiB. */
    static String bytes(long bytes) {
        if (bytes == Long.MAX_VALUE) {
            return "?";
        }
        double value = bytes;
        int unit = 0;
        while (value >= 999.5 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, unit == 0 || value >= 99.5 ? "%.0f %s" : "%.1f %s", value, UNITS[unit]);
    }

    /** A duration: 12 ms, 1.3 s, 75 s. */
    static String duration(Duration duration) {
        long millis = Math.max(0, duration.toMillis());
        if (millis < 1_000) {
            return millis + " ms";
        }
        return String.format(Locale.ROOT, millis < 10_000 ? "%.1f s" : "%.0f s", millis / 1e3);
    }

    /** Slots: 0-99,200. */
    static String slots(List<SlotRange> ranges) {
        return ranges.stream()
                .map(range -> range.size() == 1 ? "" + range.first() : range.first() + "-" + range.last())
                .collect(Collectors.joining(","));
    }

    /** A constant as a word: {@code NO_LEADER} is "no leader". */
    static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    /** Operations on the placement, the newest first. */
    static TextTable operations(List<OperationInfo> operations, Instant now) {
        TextTable table = new TextTable("OPERATION", "AGO", "TOOK", "STATE", "WHAT", "BY", "WHY");
        for (int i = operations.size() - 1; i >= 0; i--) {
            OperationInfo operation = operations.get(i);
            String state = word(operation.outcome());
            table.row(
                    Long.toString(operation.id()),
                    duration(Duration.between(operation.started(), now)),
                    duration(operation.duration(now)),
                    operation.note().isEmpty() ? state : state + " (" + operation.note() + ")",
                    operation.what(),
                    word(operation.by()),
                    operation.reason());
        }
        return table;
    }

    private static String word(String rule) {
        return rule.toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
