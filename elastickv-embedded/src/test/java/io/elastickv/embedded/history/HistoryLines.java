package io.elastickv.embedded.history;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Operations as lines of text, to get them out of processes that may end at any moment: an operation is told when it begins, as
 * one of unknown outcome, and again when it has ended. What is read back can be put together with the histories of other
 * processes on the same machine: {@link System#nanoTime()} is the same clock for all of them on Linux.
 */
public final class HistoryLines {

    private static final String START = "#history ";
    private static final String NOTHING = "~";

    private final Map<String, Operation> operations = new HashMap<>();
    private final Map<String, Integer> processes = new HashMap<>();

    /** A journal that hands each line, without an end of line, to {@code out}, before the operation is begun. */
    public static HistoryRecorder.Journal writer(Consumer<String> out) {
        return (number, operation) -> out.accept(line(number, operation));
    }

    private static String line(long number, Operation operation) {
        return START
                + String.join(
                        " ",
                        "" + number,
                        "" + operation.process(),
                        operation.kind().name(),
                        operation.key(),
                        text(operation.expected()),
                        text(operation.value()),
                        text(
                                operation.answer() == null
                                        ? null
                                        : operation.answer().toString()),
                        operation.outcome().name(),
                        "" + operation.invokedNanos(),
                        "" + operation.returnedNanos());
    }

    private static String text(@Nullable String value) {
        return value == null ? NOTHING : value;
    }

    private static @Nullable String value(String text) {
        return text.equals(NOTHING) ? null : text;
    }

    /** Whether a line is of a history. */
    public static boolean isHistory(String line) {
        return line.startsWith(START);
    }

    /**
     * Takes a line.
     *
     * @param source names who wrote it: numbers of operations and processes count within a source
     */
    public synchronized void read(String source, String line) {
        String[] fields = line.substring(START.length()).split(" ", -1);
        if (fields.length != 10) {
            return; // torn when its process was killed
        }
        Integer process = processes.computeIfAbsent(source + "/" + fields[1], any -> processes.size());
        Operation operation = new Operation(
                process,
                Operation.Kind.valueOf(fields[2].toUpperCase(Locale.ROOT)),
                fields[3],
                value(fields[4]),
                value(fields[5]),
                fields[6].equals(NOTHING) ? null : Boolean.valueOf(fields[6]),
                Operation.Outcome.valueOf(fields[7]),
                Long.parseLong(fields[8]),
                Long.parseLong(fields[9]));
        operations.put(source + "/" + fields[0], operation);
    }

    /** All operations that were read since the last call of this method. */
    public synchronized List<Operation> take() {
        List<Operation> taken = new ArrayList<>(operations.values());
        operations.clear();
        return taken;
    }
}
