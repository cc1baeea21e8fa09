package io.elastickv.embedded.internal.simulation;

import io.elastickv.embedded.history.LinearizabilityChecker;
import io.elastickv.embedded.history.Operation;
import io.elastickv.embedded.history.Operation.Kind;
import io.elastickv.embedded.history.Operation.Outcome;
import io.elastickv.embedded.history.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the clients did and saw. */
final class Histories {

    /** A history that takes more is left undecided: about one in three hundred, and counted. */
    private static final long MAX_STEPS = 20_000;

    private static final Duration LONG_ENOUGH = Duration.ofSeconds(20);

    private record Counted(boolean read, long value, Outcome outcome, long invokedNanos, long returnedNanos) {}

    private final List<Operation> registers = new ArrayList<>();
    private final Map<String, List<Counted>> counters = new LinkedHashMap<>();
    long operations;
    long undecided;

    void add(Operation operation) {
        operations++;
        registers.add(operation);
    }

    /** {@code value} has been put and dies by itself at some time, unless something else takes its place before. */
    void mortal(String key, String value, long fromNanos) {
        registers.add(new Operation(-1, Kind.CAS, key, value, null, null, Outcome.UNKNOWN, fromNanos, Long.MIN_VALUE));
    }

    void increment(String key, long value, Outcome outcome, long from, long to) {
        count(key, new Counted(false, value, outcome, from, to));
    }

    void readCounter(String key, long value, long from, long to) {
        count(key, new Counted(true, value, Outcome.OK, from, to));
    }

    private void count(String key, Counted counted) {
        operations++;
        counters.computeIfAbsent(key, k -> new ArrayList<>()).add(counted);
    }

    @Nullable
    Violation check() {
        for (Map.Entry<String, List<Counted>> counter : counters.entrySet()) {
            String wrong = checkCounter(counter.getValue());
            if (wrong != null) {
                return new Violation("exactly once", "counter " + counter.getKey() + ": " + wrong);
            }
        }
        Verdict verdict = new LinearizabilityChecker(MAX_STEPS, LONG_ENOUGH, null).check(registers);
        if (verdict.answer() == Verdict.Answer.UNDECIDED) {
            undecided++;
        }
        return verdict.answer() == Verdict.Answer.NOT_LINEARIZABLE
                ? new Violation("linearizability", verdict.toString())
                : null;
    }

    /**
     * Increments by one return each number once, in an order that agrees with time, and so do reads; numbers that nobody
     * was told belong to increments of unknown outcome.
     */
    private static @Nullable String checkCounter(List<Counted> operations) {
        List<Counted> told = new ArrayList<>();
        List<Long> startsOfUnknown = new ArrayList<>();
        for (Counted operation : operations) {
            if (operation.outcome == Outcome.OK) {
                told.add(operation);
            } else if (operation.outcome == Outcome.UNKNOWN) {
                startsOfUnknown.add(operation.invokedNanos);
            }
        }
        // The lowest value that an operation may see is the highest one that was seen before it began.
        List<Counted> byStart = new ArrayList<>(told);
        byStart.sort(Comparator.comparingLong(Counted::invokedNanos));
        told.sort(Comparator.comparingLong(Counted::returnedNanos));
        long floor = 0;
        int ended = 0;
        for (Counted operation : byStart) {
            while (ended < told.size() && told.get(ended).returnedNanos < operation.invokedNanos) {
                floor = Math.max(floor, told.get(ended++).value);
            }
            long least = operation.read ? floor : floor + 1;
            if (operation.value < least) {
                return (operation.read ? "a read" : "an increment") + " returned " + operation.value + " after " + floor
                        + " had been seen";
            }
        }
        // Every number up to the highest one seen was made by one increment, begun before that was seen.
        told.sort(Comparator.comparingLong(Counted::value).thenComparing(Counted::read));
        startsOfUnknown.sort(null);
        long made = 0;
        int used = 0;
        for (Counted operation : told) {
            while (made < (operation.read ? operation.value : operation.value - 1)) {
                if (used == startsOfUnknown.size() || startsOfUnknown.get(used) > operation.returnedNanos) {
                    return "somebody saw " + operation.value + ", but number " + (made + 1)
                            + " was made by nobody: something was counted twice";
                }
                used++;
                made++;
            }
            if (!operation.read) {
                if (made == operation.value) {
                    return "two increments returned " + operation.value;
                }
                made = operation.value;
            }
        }
        return null;
    }
}
