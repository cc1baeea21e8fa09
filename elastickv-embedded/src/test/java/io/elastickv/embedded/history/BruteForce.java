package io.elastickv.embedded.history;

import io.elastickv.embedded.history.Operation.Kind;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Linearizability by its definition: tries every order. For histories of a few operations on one register. */
final class BruteForce {

    private final List<Operation> operations;

    private BruteForce(List<Operation> operations) {
        this.operations = operations;
    }

    static boolean isLinearizable(List<Operation> history) {
        List<Operation> relevant = history.stream()
                .filter(operation -> operation.outcome() != Operation.Outcome.NOT_APPLIED)
                .toList();
        return new BruteForce(relevant).extend(0, null);
    }

    /** Whether those not in {@code taken} can follow on a register that holds {@code content}. */
    private boolean extend(int taken, @Nullable String content) {
        boolean complete = true;
        for (int i = 0; i < operations.size(); i++) {
            if ((taken & 1 << i) == 0 && operations.get(i).isOk()) {
                complete = false;
            }
        }
        if (complete) {
            return true; // the rest is unknown and may never have taken effect
        }
        for (int i = 0; i < operations.size(); i++) {
            Operation operation = operations.get(i);
            if ((taken & 1 << i) == 0
                    && mayBeNext(taken, operation)
                    && explains(operation, content)
                    && extend(taken | 1 << i, after(operation, content))) {
                return true;
            }
        }
        return false;
    }

    private boolean mayBeNext(int taken, Operation candidate) {
        for (int i = 0; i < operations.size(); i++) {
            Operation other = operations.get(i);
            if ((taken & 1 << i) == 0 && other.isOk() && other.returnedNanos() < candidate.invokedNanos()) {
                return false;
            }
        }
        return true;
    }

    // The semantics of a register once more, in other words than those of the checker.

    private static boolean explains(Operation operation, @Nullable String content) {
        if (operation.isUnknown()) {
            return true;
        }
        String held = content == null ? "(absent)" : content;
        String seen = operation.kind() == Kind.CAS ? operation.expected() : operation.value();
        boolean equal = (seen == null ? "(absent)" : seen).equals(held);
        return switch (operation.kind()) {
            case WRITE -> true;
            case READ -> equal;
            case CAS -> operation.answer() ? equal : !equal;
            case DELETE -> operation.answer() == null || (operation.answer() ? content != null : content == null);
        };
    }

    private static @Nullable String after(Operation operation, @Nullable String content) {
        boolean replaces = operation.kind() == Kind.WRITE
                || (operation.kind() == Kind.CAS
                        && (operation.expected() == null
                                ? content == null
                                : operation.expected().equals(content)));
        if (operation.kind() == Kind.DELETE) {
            return null;
        }
        return replaces ? operation.value() : content;
    }
}
