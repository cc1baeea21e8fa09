package io.elastickv.embedded.history;

import java.util.List;

/**
 * What the checker says.
 *
 * @param answer the verdict
 * @param key the register at fault; empty if there is none
 * @param explanation for people: the counterexample, or why there is no verdict
 * @param counterexample the operations that cannot be explained together, as few as were found
 */
public record Verdict(Answer answer, String key, String explanation, List<Operation> counterexample) {

    /** The three possible verdicts. */
    public enum Answer {
        LINEARIZABLE,
        NOT_LINEARIZABLE,
        /** The history is too tangled to be decided within the bounds. */
        UNDECIDED
    }

    static final Verdict LINEARIZABLE = new Verdict(Answer.LINEARIZABLE, "", "linearizable", List.of());

    /** Whether the history is linearizable, for certain. */
    public boolean isLinearizable() {
        return answer == Answer.LINEARIZABLE;
    }

    @Override
    public String toString() {
        return answer + (key.isEmpty() ? "" : ", key " + key) + "\n" + explanation;
    }
}
