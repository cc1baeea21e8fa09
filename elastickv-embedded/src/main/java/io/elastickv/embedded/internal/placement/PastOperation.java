package io.elastickv.embedded.internal.placement;

import io.elastickv.embedded.internal.placement.plan.Operation;

/**
 * An operation that has ended.
 *
 * @param id its number
 * @param operation what was to be done
 * @param reason why, in words and figures
 * @param by who asked for it, as in {@link CatalogOperation}
 * @param startedMillis when it began, in milliseconds since 1970
 * @param outcome how it ended
 * @param why why it ended like that, or what is to be told about its success; may be empty
 * @param endedMillis when it ended, in milliseconds since 1970
 */
public record PastOperation(
        long id,
        Operation operation,
        String reason,
        String by,
        long startedMillis,
        Outcome outcome,
        String why,
        long endedMillis) {

    /** How an operation ends. */
    public enum Outcome {
        /** What was to be done is done. */
        DONE(1),
        /** Nothing is left of it. */
        UNDONE(2),
        /** It could neither be finished nor undone as a whole; what it left, the planner deals with. */
        FAILED(3);

        private final int code;

        Outcome(int code) {
            this.code = code;
        }

        int code() {
            return code;
        }

        static Outcome ofCode(int code) {
            for (Outcome outcome : values()) {
                if (outcome.code == code) {
                    return outcome;
                }
            }
            throw new IllegalArgumentException("outcome " + code + " of an operation is not known");
        }
    }
}
