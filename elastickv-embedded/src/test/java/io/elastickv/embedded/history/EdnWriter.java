package io.elastickv.embedded.history;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Writes a history as EDN, one map per line, in the form of Jepsen's histories: an {@code :invoke} and an {@code :ok},
 * {@code :fail} or {@code :info} per operation, ordered by time. A compare-and-set has {@code [expected new]} as its value
 * and is a {@code :fail} when it was refused, with {@code :error :mismatch}; an absent key is {@code nil}.
 */
public final class EdnWriter {

    private record Line(long nanos, boolean completion, String text) {}

    private EdnWriter() {}

    /** Writes all of {@code history}. */
    public static void write(Collection<Operation> history, Appendable out) {
        long origin = history.stream().mapToLong(Operation::invokedNanos).min().orElse(0);
        List<Line> lines = new ArrayList<>();
        for (Operation operation : history) {
            boolean read = operation.kind() == Operation.Kind.READ;
            lines.add(line(operation, "invoke", operation.invokedNanos(), origin, !read, ""));
            switch (operation.outcome()) {
                case OK -> {
                    boolean refused =
                            operation.kind() == Operation.Kind.CAS && Boolean.FALSE.equals(operation.answer());
                    lines.add(line(
                            operation,
                            refused ? "fail" : "ok",
                            operation.returnedNanos(),
                            origin,
                            true,
                            refused ? ", :error :mismatch" : ""));
                }
                case NOT_APPLIED -> lines.add(line(operation, "fail", operation.returnedNanos(), origin, !read, ""));
                case UNKNOWN -> {
                    if (operation.returnedNanos() >= operation.invokedNanos()) {
                        lines.add(line(operation, "info", operation.returnedNanos(), origin, !read, ""));
                    }
                }
            }
        }
        lines.sort(Comparator.comparingLong(Line::nanos).thenComparing(Line::completion));
        try {
            for (Line line : lines) {
                out.append(line.text).append('\n');
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Line line(
            Operation operation, String type, long nanos, long origin, boolean withValue, String more) {
        String text = "{:process " + operation.process() + ", :type :" + type + ", :f :"
                + operation.kind().name().toLowerCase(Locale.ROOT) + ", :key " + quoted(operation.key()) + ", :value "
                + (withValue ? value(operation) : "nil") + ", :time " + (nanos - origin) + more + "}";
        return new Line(nanos, !type.equals("invoke"), text);
    }

    private static String value(Operation operation) {
        return operation.kind() == Operation.Kind.CAS
                ? "[" + quoted(operation.expected()) + " " + quoted(operation.value()) + "]"
                : quoted(operation.value());
    }

    private static String quoted(@Nullable String text) {
        return text == null ? "nil" : '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
