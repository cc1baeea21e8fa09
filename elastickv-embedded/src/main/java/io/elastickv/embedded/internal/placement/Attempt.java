package io.elastickv.embedded.internal.placement;

import java.util.HashSet;
import java.util.Set;

/**
 * What a driver remembers of the step that an operation is at, for as long as it leads: whether there is progress, and
 * whether something may still happen that was not answered. Used by one thread at a time.
 */
final class Attempt {

    private static final int MAX_TEXTS = 10_000;

    private final int number;
    private final Set<String> texts = new HashSet<>();
    private long progressMillis;
    private long unansweredMillis;
    private String text = "";

    /**
     * Of a step that is now tried for the first time by this driver.
     *
     * @param number the step's number
     * @param fresh whether nobody can have tried it before; what another driver has asked for may still happen
     */
    Attempt(int number, boolean fresh, long now) {
        this.number = number;
        this.progressMillis = now;
        this.unansweredMillis = fresh ? Long.MIN_VALUE / 2 : now;
    }

    int number() {
        return number;
    }

    /** How far it is. */
    String text() {
        return text;
    }

    /** Remembers an answer, and gives it back. */
    Answer heard(Answer answer, long now) {
        if (answer.result() == Answer.Result.NO_ANSWER) {
            unansweredMillis = now;
        } else if (texts.size() < MAX_TEXTS && texts.add(answer.text())) {
            // Two hindrances that take turns are no progress.
            progressMillis = now;
        }
        if (!answer.text().isEmpty()) {
            text = answer.text();
        }
        return answer;
    }

    /** Whether nothing that was asked for can still happen. */
    boolean hasSettled(Scene scene) {
        return scene.now() - unansweredMillis >= scene.settings().settleMillis();
    }

    /** Whether there was no progress for so long. */
    boolean hasStalled(long limitMillis, long now) {
        return now - progressMillis >= limitMillis;
    }
}
