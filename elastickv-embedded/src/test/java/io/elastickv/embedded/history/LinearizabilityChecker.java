package io.elastickv.embedded.history;

import io.elastickv.embedded.history.Operation.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a history of register operations is linearizable (Herlihy and Wing 1990). Registers are independent, so
 * each key is decided by itself (locality); the search is Wing and Gong's (1993) in Lowe's just-in-time form (2017), see
 * {@link Search}. Bounded in steps and time: what it can't decide within them is {@link Verdict.Answer#UNDECIDED}, never guessed.
 */
public final class LinearizabilityChecker {

    private static final long MAX_SHRINK_NANOS = 5_000_000_000L;

    private final long maxStepsPerKey;
    private final Duration maxTime;
    private final @Nullable String initial;

    /** A checker with generous bounds; registers are absent at first. */
    public LinearizabilityChecker() {
        this(5_000_000, Duration.ofSeconds(60), null);
    }

    /**
     * A checker with bounds.
     *
     * @param maxStepsPerKey how many configurations of one key are looked at
     * @param maxTime how long a whole check may take
     * @param initial what every register holds at first
     */
    public LinearizabilityChecker(long maxStepsPerKey, Duration maxTime, @Nullable String initial) {
        this.maxStepsPerKey = maxStepsPerKey;
        this.maxTime = maxTime;
        this.initial = initial;
    }

    /** Decides. A violation in any key outweighs an undecided key. */
    public Verdict check(Collection<Operation> history) {
        Map<String, List<Operation>> byKey = new LinkedHashMap<>();
        for (Operation operation : history) {
            if (operation.isOk() && operation.returnedNanos() < operation.invokedNanos()) {
                throw new IllegalArgumentException("returned before it was invoked: " + operation);
            }
            byKey.computeIfAbsent(operation.key(), key -> new ArrayList<>()).add(operation);
        }
        long deadlineNanos = System.nanoTime() + maxTime.toNanos();
        Verdict verdict = Verdict.LINEARIZABLE;
        for (Map.Entry<String, List<Operation>> entry : byKey.entrySet()) {
            List<Operation> operations = entry.getValue();
            Search search = new Search(operations, initial, maxStepsPerKey, deadlineNanos);
            switch (search.run()) {
                case LINEARIZABLE -> {}
                case NOT_LINEARIZABLE -> {
                    return violation(entry.getKey(), operations, Objects.requireNonNull(search.stuck));
                }
                case UNDECIDED ->
                    verdict = new Verdict(
                            Verdict.Answer.UNDECIDED,
                            entry.getKey(),
                            operations.size() + " operations, "
                                    + operations.stream()
                                            .filter(Operation::isUnknown)
                                            .count()
                                    + " of unknown outcome: not decided within " + maxStepsPerKey + " steps and "
                                    + maxTime,
                            List.of());
            }
        }
        return verdict;
    }

    private Verdict violation(String key, List<Operation> operations, Operation stuck) {
        // Nothing that was invoked after the return that cannot be explained can explain it.
        List<Operation> prefix = new ArrayList<>();
        for (Operation operation : operations) {
            if (operation.invokedNanos() <= stuck.returnedNanos()
                    && operation.outcome() != Operation.Outcome.NOT_APPLIED) {
                boolean later = operation.isOk() && operation.returnedNanos() > stuck.returnedNanos();
                // A read that returned later says nothing about what came before.
                if (!later || operation.kind() != Kind.READ) {
                    prefix.add(operation);
                }
            }
        }
        List<Operation> few = shrink(prefix);
        few.sort(Comparator.comparingLong(Operation::invokedNanos));
        Search last = new Search(few, initial, maxStepsPerKey, System.nanoTime() + maxTime.toNanos());
        last.run();
        Operation unexplained = last.stuck == null ? stuck : last.stuck;
        long origin = few.get(0).invokedNanos();
        StringBuilder text = new StringBuilder();
        text.append("No order of these operations explains what was seen (times in us; ")
                .append(few.size())
                .append(" of the key's ")
                .append(operations.size())
                .append("):\n");
        for (Operation operation : few) {
            text.append(operation.equals(unexplained) ? "  > " : "    ")
                    .append(operation.describe(origin))
                    .append('\n');
        }
        text.append("When '>' returned the register held one of ")
                .append(last.possibleContents.stream()
                        .map(content -> content == null ? "absent" : content)
                        .toList())
                .append(" or what one of the operations under way made of it.");
        return new Verdict(Verdict.Answer.NOT_LINEARIZABLE, key, text.toString(), List.copyOf(few));
    }

    /**
     * Leaves out whatever is not needed for the contradiction, in ever smaller pieces, but no write that a remaining operation
     * refers to. Bounded: what it has not got to stays in.
     */
    private List<Operation> shrink(List<Operation> operations) {
        long deadlineNanos = System.nanoTime() + MAX_SHRINK_NANOS;
        List<Operation> few = withoutAnswersOfDeletes(operations, deadlineNanos);
        int piece = Math.max(1, few.size() / 2);
        while (System.nanoTime() - deadlineNanos < 0) {
            boolean smaller = false;
            for (int end = few.size(); end > 0 && System.nanoTime() - deadlineNanos < 0; end -= piece) {
                List<Operation> without = without(few, Math.max(0, end - piece), Math.min(end, few.size()));
                if (without.size() < few.size()) {
                    Search search = new Search(without, initial, 200_000, deadlineNanos);
                    if (search.run() == Verdict.Answer.NOT_LINEARIZABLE) {
                        few = without;
                        smaller = true;
                    }
                }
            }
            if (!smaller && piece == 1) {
                break;
            }
            piece = Math.max(1, piece / 2);
        }
        return few;
    }

    /** A delete that tells whether the key existed forbids to leave out writes; often it need not have told. */
    private List<Operation> withoutAnswersOfDeletes(List<Operation> operations, long deadlineNanos) {
        List<Operation> quiet = new ArrayList<>();
        for (Operation operation : operations) {
            quiet.add(
                    operation.kind() == Kind.DELETE && operation.isOk()
                            ? Operation.delete(
                                    operation.process(),
                                    operation.key(),
                                    null,
                                    operation.invokedNanos(),
                                    operation.returnedNanos())
                            : operation);
        }
        Search search = new Search(quiet, initial, maxStepsPerKey, deadlineNanos);
        return search.run() == Verdict.Answer.NOT_LINEARIZABLE ? quiet : new ArrayList<>(operations);
    }

    /** Without those from {@code from} to {@code to} that no remaining operation refers to. */
    private static List<Operation> without(List<Operation> operations, int from, int to) {
        List<Operation> kept = new ArrayList<>(operations.subList(0, from));
        kept.addAll(operations.subList(to, operations.size()));
        boolean anyWriteMatters = false;
        Set<String> seen = new HashSet<>();
        for (Operation operation : kept) {
            // These depend on what the register did not hold, so any write may be why.
            anyWriteMatters |= isRefusal(operation) || (operation.kind() == Kind.DELETE && operation.answer() != null);
            if (operation.kind() == Kind.READ) {
                seen.add(String.valueOf(operation.value()));
            } else if (operation.kind() == Kind.CAS) {
                seen.add(String.valueOf(operation.expected()));
            }
        }
        List<Operation> result = new ArrayList<>(operations.subList(0, from));
        for (Operation operation : operations.subList(from, to)) {
            boolean writes = operation.kind() != Kind.READ && !isRefusal(operation);
            if (writes && (anyWriteMatters || seen.contains(String.valueOf(operation.value())))) {
                result.add(operation);
            }
        }
        result.addAll(operations.subList(to, operations.size()));
        return result;
    }

    private static boolean isRefusal(Operation operation) {
        return operation.kind() == Kind.CAS && Boolean.FALSE.equals(operation.answer());
    }
}
