package io.elastickv.embedded.history;

import io.elastickv.embedded.history.Operation.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Decides one register's history. Walks through its invocations and returns in the order of time and keeps every
 * configuration that the register may be in: what it holds, and which of the operations under way have already taken
 * effect. Nothing takes effect before it must (Lowe's just-in-time linearization, "Testing for linearizability", 2017,
 * section 4): when an operation returns, each configuration in which it has not taken effect is extended in all ways by
 * operations under way, up to and including it. Configurations are memoised, and pruned by two facts about registers:
 *
 * <ul>
 *   <li>an operation that can change nothing and that the present content explains may as well take effect now;
 *   <li>an operation with unknown outcome need never take effect, so of two configurations that differ only in these, the one
 *       that has used a subset of what the other has used can do all that the other can; and it need not take effect before
 *       some operation under way depends on it.
 * </ul>
 */
final class Search {

    /** A configuration. Bits are slots of operations under way. */
    private record Configuration(@Nullable String content, BitSet returning, BitSet unknown) {}

    /** What memoised configurations have in common. */
    private record Shape(@Nullable String content, BitSet returning) {}

    private record Event(long nanos, boolean isReturn, Operation operation, int number) {}

    private final List<Operation> operations;
    private final @Nullable String initial;
    private final long maxSteps;
    private final long deadlineNanos;
    private long steps;

    private final IdentityHashMap<Operation, Integer> slots = new IdentityHashMap<>();
    private final List<@Nullable Operation> pending = new ArrayList<>();
    private final BitSet free = new BitSet();
    private int[] lookers = {};
    private int[] movers = {};

    /** The operation whose return nothing explains; null unless the answer was no. */
    @Nullable
    Operation stuck;

    /** What the register may have held when the search got stuck. */
    List<@Nullable String> possibleContents = List.of();

    /** The operations under way at that moment. */
    List<Operation> underWay = List.of();

    Search(List<Operation> operations, @Nullable String initial, long maxSteps, long deadlineNanos) {
        this.operations = operations;
        this.initial = initial;
        this.maxSteps = maxSteps;
        this.deadlineNanos = deadlineNanos;
    }

    private static final class OutOfBounds extends Exception {
        private static final long serialVersionUID = 1L;
    }

    Verdict.Answer run() {
        List<Event> events = new ArrayList<>();
        int number = 0;
        for (Operation operation : relevant()) {
            events.add(new Event(operation.invokedNanos(), false, operation, number));
            if (operation.isOk()) {
                events.add(new Event(operation.returnedNanos(), true, operation, number));
            }
            number++;
        }
        // What happens at the same instant counts as concurrent: invocations first.
        events.sort(Comparator.comparingLong(Event::nanos)
                .thenComparing(Event::isReturn)
                .thenComparingInt(Event::number));
        List<Configuration> configurations = List.of(new Configuration(initial, new BitSet(), new BitSet()));
        try {
            for (Event event : events) {
                if (event.isReturn) {
                    List<Configuration> next = afterReturn(configurations, event.operation);
                    if (next.isEmpty()) {
                        stuck = event.operation;
                        possibleContents = configurations.stream()
                                .map(Configuration::content)
                                .distinct()
                                .toList();
                        underWay = pending.stream().filter(Objects::nonNull).toList();
                        return Verdict.Answer.NOT_LINEARIZABLE;
                    }
                    configurations = next;
                    release(event.operation);
                } else {
                    enter(event.operation);
                }
            }
        } catch (OutOfBounds e) {
            return Verdict.Answer.UNDECIDED;
        }
        return Verdict.Answer.LINEARIZABLE;
    }

    /** Without what had no effect and told nothing. */
    private List<Operation> relevant() {
        List<Operation> relevant = new ArrayList<>();
        for (Operation operation : operations) {
            if (operation.isOk() || (operation.isUnknown() && operation.kind() != Kind.READ)) {
                relevant.add(operation);
            }
        }
        return relevant;
    }

    private void enter(Operation operation) {
        int slot = free.isEmpty() ? pending.size() : free.nextSetBit(0);
        if (slot == pending.size()) {
            pending.add(operation);
        } else {
            free.clear(slot);
            pending.set(slot, operation);
        }
        slots.put(operation, slot);
    }

    private void release(Operation operation) {
        int slot = Objects.requireNonNull(slots.remove(operation));
        pending.set(slot, null);
        free.set(slot);
    }

    private List<Configuration> afterReturn(List<Configuration> before, Operation returning) throws OutOfBounds {
        int target = Objects.requireNonNull(slots.get(returning));
        choose();
        Memo seen = new Memo();
        Memo result = new Memo();
        // Those that used the fewest unknown operations first: they make the others needless.
        PriorityQueue<Configuration> open =
                new PriorityQueue<>(Comparator.comparingInt(c -> c.unknown().cardinality()));
        ArrayDeque<Configuration> found = new ArrayDeque<>();
        for (Configuration configuration : before) {
            Configuration settled = settle(configuration);
            if (seen.add(settled)) {
                open.add(settled);
            }
        }
        while (!open.isEmpty()) {
            Configuration configuration = open.poll();
            if (++steps > maxSteps || ((steps & 1023) == 0 && System.nanoTime() - deadlineNanos > 0)) {
                throw new OutOfBounds();
            }
            if (configuration.returning.get(target)) {
                BitSet rest = (BitSet) configuration.returning.clone();
                rest.clear(target);
                Configuration done = new Configuration(configuration.content, rest, configuration.unknown);
                if (result.add(done)) {
                    found.add(done);
                }
                continue;
            }
            for (int slot : movers) {
                Operation operation = Objects.requireNonNull(pending.get(slot));
                if (configuration.returning.get(slot)
                        || configuration.unknown.get(slot)
                        || !allowed(operation, configuration.content)) {
                    continue;
                }
                String after = contentAfter(operation, configuration.content);
                if (operation.isUnknown() && !isOfUse(after, configuration)) {
                    continue; // would only use it up
                }
                BitSet ok = configuration.returning;
                BitSet unknown = configuration.unknown;
                if (operation.isUnknown()) {
                    unknown = (BitSet) unknown.clone();
                    unknown.set(slot);
                } else {
                    ok = (BitSet) ok.clone();
                    ok.set(slot);
                }
                Configuration next = settle(new Configuration(after, ok, unknown));
                if (seen.add(next)) {
                    open.add(next);
                }
            }
        }
        return new ArrayList<>(found);
    }

    /** Finds, among the operations under way, those that depend on the content, and those that may change it. */
    private void choose() {
        List<Integer> looking = new ArrayList<>();
        for (int slot = 0; slot < pending.size(); slot++) {
            Operation operation = pending.get(slot);
            if (operation != null && dependsOnContent(operation)) {
                looking.add(slot);
            }
        }
        List<Integer> moving = new ArrayList<>();
        for (int slot = 0; slot < pending.size(); slot++) {
            Operation operation = pending.get(slot);
            if (operation == null || changesNothing(operation)) {
                continue;
            }
            boolean useful = operation.isOk();
            for (int i = 0; !useful && i < looking.size(); i++) {
                int place = looking.get(i);
                useful = place != slot && fits(Objects.requireNonNull(pending.get(place)), operation.value());
            }
            if (useful) {
                moving.add(slot);
            }
        }
        lookers = looking.stream().mapToInt(Integer::intValue).toArray();
        movers = moving.stream().mapToInt(Integer::intValue).toArray();
    }

    private static boolean dependsOnContent(Operation operation) {
        return switch (operation.kind()) {
            case READ, CAS -> true;
            case WRITE -> false;
            case DELETE -> operation.answer() != null;
        };
    }

    /** Whether a register that holds {@code content} is what {@code looker} needs. */
    private static boolean fits(Operation looker, @Nullable String content) {
        return (looker.kind() == Kind.CAS && looker.answer() == null)
                ? Objects.equals(looker.expected(), content)
                : allowed(looker, content);
    }

    /** Whether an operation under way needs the register to hold {@code content} and not what it holds now. */
    private boolean isOfUse(@Nullable String content, Configuration now) {
        for (int slot : lookers) {
            Operation looker = Objects.requireNonNull(pending.get(slot));
            if (!now.returning.get(slot)
                    && !now.unknown.get(slot)
                    && fits(looker, content)
                    && !fits(looker, now.content)) {
                return true;
            }
        }
        return false;
    }

    /** Lets take effect what cannot change anything and is explained by the present content. */
    private Configuration settle(Configuration configuration) {
        BitSet more = null;
        for (int slot : lookers) {
            Operation operation = Objects.requireNonNull(pending.get(slot));
            if (operation.isOk()
                    && changesNothing(operation)
                    && !configuration.returning.get(slot)
                    && allowed(operation, configuration.content)) {
                if (more == null) {
                    more = (BitSet) configuration.returning.clone();
                }
                more.set(slot);
            }
        }
        return more == null ? configuration : new Configuration(configuration.content, more, configuration.unknown);
    }

    private static boolean changesNothing(Operation operation) {
        return switch (operation.kind()) {
            case READ -> true;
            case WRITE -> false;
            case CAS, DELETE -> Boolean.FALSE.equals(operation.answer());
        };
    }

    /** Whether the operation can have had its result on a register that holds {@code content}. */
    static boolean allowed(Operation operation, @Nullable String content) {
        return switch (operation.kind()) {
            case READ -> Objects.equals(operation.value(), content);
            case WRITE -> true;
            case CAS ->
                operation.answer() == null || operation.answer() == Objects.equals(operation.expected(), content);
            case DELETE -> operation.answer() == null || operation.answer() == (content != null);
        };
    }

    /** What the register holds afterwards. */
    static @Nullable String contentAfter(Operation operation, @Nullable String content) {
        return switch (operation.kind()) {
            case READ -> content;
            case WRITE -> operation.value();
            case CAS -> Objects.equals(operation.expected(), content) ? operation.value() : content;
            case DELETE -> null;
        };
    }

    /** Configurations seen, without those that another makes needless. */
    private static final class Memo {

        private final Map<Shape, List<long[]>> seen = new HashMap<>();

        /** Whether the configuration is new. */
        boolean add(Configuration configuration) {
            long[] used = configuration.unknown.toLongArray();
            List<long[]> known = seen.computeIfAbsent(
                    new Shape(configuration.content, configuration.returning), shape -> new ArrayList<>());
            for (long[] one : known) {
                if (isSubset(one, used)) {
                    return false;
                }
            }
            known.add(used);
            return true;
        }

        private static boolean isSubset(long[] small, long[] large) {
            if (Arrays.equals(small, large)) {
                return true;
            }
            for (int i = 0; i < small.length; i++) {
                long other = i < large.length ? large[i] : 0;
                if ((small[i] & ~other) != 0) {
                    return false;
                }
            }
            return true;
        }
    }
}
