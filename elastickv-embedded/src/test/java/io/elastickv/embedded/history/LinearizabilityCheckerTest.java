package io.elastickv.embedded.history;

import static io.elastickv.embedded.history.Operation.cas;
import static io.elastickv.embedded.history.Operation.delete;
import static io.elastickv.embedded.history.Operation.read;
import static io.elastickv.embedded.history.Operation.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.history.Verdict.Answer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class LinearizabilityCheckerTest {

    private static final String K = "k";

    private static Verdict check(Operation... history) {
        return new LinearizabilityChecker().check(Arrays.asList(history));
    }

    private static void assertLinearizable(Operation... history) {
        assertThat(check(history)).matches(Verdict::isLinearizable);
        assertThat(BruteForce.isLinearizable(Arrays.asList(history))).isTrue();
    }

    private static Verdict assertViolation(Operation... history) {
        Verdict verdict = check(history);
        assertThat(verdict.answer()).as("%s", verdict).isEqualTo(Answer.NOT_LINEARIZABLE);
        assertThat(BruteForce.isLinearizable(Arrays.asList(history))).isFalse();
        return verdict;
    }

    // ---- what must be accepted

    @Test
    void acceptsTheEmptyHistory() {
        assertThat(check()).matches(Verdict::isLinearizable);
    }

    @Test
    void acceptsASequence() {
        assertLinearizable(
                read(0, K, null, 0, 1),
                write(0, K, "a", 2, 3),
                read(1, K, "a", 4, 5),
                cas(1, K, "a", "b", true, 6, 7),
                cas(0, K, "a", "c", false, 8, 9),
                delete(0, K, true, 10, 11),
                delete(0, K, false, 12, 13),
                cas(2, K, null, "d", true, 14, 15),
                read(2, K, "d", 16, 17));
    }

    @Test
    void acceptsConcurrentReadsThatSeeAWriteEarlyOrLate() {
        assertLinearizable(
                write(0, K, "a", 0, 1),
                write(0, K, "b", 10, 30),
                read(1, K, "a", 11, 15),
                read(1, K, "b", 16, 18),
                read(2, K, "a", 12, 29));
    }

    @Test
    void acceptsAnUnknownWriteThatTookEffectLate() {
        assertLinearizable(
                write(0, K, "a", 0, 10).unknown(),
                write(1, K, "b", 20, 30),
                read(1, K, "b", 40, 50),
                read(1, K, "a", 60, 70),
                read(1, K, "a", 80, 90));
    }

    @Test
    void acceptsAnUnknownWriteThatNeverTookEffect() {
        assertLinearizable(write(0, K, "a", 0, 10).unknown(), read(1, K, null, 20, 30));
    }

    @Test
    void acceptsAnUnknownCasWhoseExpectationCameTrueLater() {
        assertLinearizable(
                cas(0, K, "b", "c", true, 0, 10).unknown(), write(1, K, "b", 20, 30), read(1, K, "c", 40, 50));
    }

    @Test
    void takesEqualTimesAsConcurrent() {
        assertLinearizable(write(0, K, "a", 0, 10), write(1, K, "b", 10, 20), read(2, K, "a", 20, 21));
    }

    @Test
    void keepsKeysApart() {
        assertThat(check(write(0, "x", "a", 0, 1), read(0, "y", null, 2, 3), read(0, "x", "a", 4, 5)))
                .matches(Verdict::isLinearizable);
    }

    // ---- what must be rejected

    @Test
    void rejectsAStaleRead() {
        assertViolation(write(0, K, "a", 0, 1), write(0, K, "b", 2, 3), read(1, K, "a", 4, 5));
    }

    @Test
    void rejectsAReadThatMissesTheOwnWrite() {
        assertViolation(write(0, K, "a", 0, 1), read(0, K, null, 2, 3));
    }

    @Test
    void rejectsReadsThatGoBackInTime() {
        assertViolation(
                write(0, K, "a", 0, 1), write(0, K, "b", 2, 100), read(1, K, "b", 10, 11), read(2, K, "a", 12, 13));
    }

    @Test
    void rejectsALostUpdate() {
        assertViolation(
                write(0, K, "a", 0, 1),
                cas(1, K, "a", "b", true, 2, 10),
                cas(2, K, "a", "c", true, 3, 9),
                read(0, K, "c", 20, 21));
    }

    @Test
    void rejectsARefusedWriteThatIsSeen() {
        assertViolation(write(0, K, "a", 0, 1).notApplied(), read(1, K, "a", 2, 3));
    }

    @Test
    void rejectsAnUnknownWriteThatTookEffectTwice() {
        assertViolation(
                write(0, K, "a", 0, 1).unknown(),
                read(1, K, "a", 2, 3),
                write(1, K, "b", 4, 5),
                read(1, K, "b", 6, 7),
                read(1, K, "a", 8, 9));
    }

    @Test
    void rejectsAnUnknownWriteSeenBeforeItWasInvoked() {
        assertViolation(read(1, K, "a", 0, 1), write(0, K, "a", 2, 3).unknown());
    }

    @Test
    void rejectsAValueOutOfThinAir() {
        assertViolation(write(0, K, "a", 0, 1), read(1, K, "z", 0, 3));
    }

    @Test
    void rejectsAKeyThatComesBackAfterItsDeletion() {
        assertViolation(write(0, K, "a", 0, 1), delete(0, K, true, 2, 3), read(1, K, "a", 4, 5));
    }

    @Test
    void rejectsACasRefusedWithoutReason() {
        assertViolation(write(0, K, "a", 0, 1), cas(1, K, "a", "b", false, 2, 3));
    }

    @Test
    void rejectsADeleteThatFoundWhatWasDeleted() {
        assertViolation(write(0, K, "a", 0, 1), delete(0, K, true, 2, 5), delete(1, K, true, 3, 6));
    }

    // ---- the counterexample

    @Test
    void showsOnlyWhatContradictsItself() {
        List<Operation> history = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            history.add(write(i % 3, K, "v" + i, i * 10L, i * 10L + 5));
            history.add(read(4, K, "v" + i, i * 10L + 6, i * 10L + 8));
        }
        history.add(read(7, K, "v150", 5_000, 5_001));
        history.add(write(8, K, "later", 6_000, 6_001));
        Verdict verdict = new LinearizabilityChecker().check(history);
        assertThat(verdict.answer()).isEqualTo(Answer.NOT_LINEARIZABLE);
        assertThat(verdict.key()).isEqualTo(K);
        assertThat(verdict.counterexample()).hasSizeLessThanOrEqualTo(3);
        assertThat(verdict.explanation())
                .contains("> ")
                .contains("read -> v150")
                .doesNotContain("later");
    }

    @Test
    void shrunkCounterexamplesStillContradictThemselves() {
        int violations = 0;
        for (long seed = 0; seed < 3_000; seed++) {
            List<Operation> history = random(new SplittableRandom(seed), 7);
            Verdict verdict = new LinearizabilityChecker().check(history);
            if (verdict.answer() == Answer.NOT_LINEARIZABLE) {
                violations++;
                assertThat(BruteForce.isLinearizable(verdict.counterexample()))
                        .as("seed %d: %s", seed, verdict)
                        .isFalse();
            }
        }
        assertThat(violations).isGreaterThan(300);
    }

    // ---- against the definition

    @Test
    void agreesWithBruteForceOnRandomHistories() {
        int linearizable = 0;
        int violations = 0;
        long first = System.nanoTime();
        for (long seed = first; seed < first + 30_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            List<Operation> history = random(random, random.nextInt(1, 9));
            boolean expected = BruteForce.isLinearizable(history);
            Verdict verdict = new LinearizabilityChecker().check(history);
            assertThat(verdict.answer())
                    .as("seed %dL: %s", seed, history)
                    .isEqualTo(expected ? Answer.LINEARIZABLE : Answer.NOT_LINEARIZABLE);
            if (expected) {
                linearizable++;
            } else {
                violations++;
            }
        }
        // Both kinds must be there, or the comparison says nothing.
        assertThat(linearizable).isGreaterThan(3_000);
        assertThat(violations).isGreaterThan(3_000);
    }

    /** Operations with overlapping times and results that often fit: few values, outcomes of all kinds. */
    private static List<Operation> random(SplittableRandom random, int size) {
        String[] values = {"a", "b", "c"};
        List<Operation> history = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            long from = random.nextInt(20);
            long to = from + random.nextInt(12);
            String value = values[random.nextInt(values.length)];
            String other = random.nextInt(4) == 0 ? null : values[random.nextInt(values.length)];
            boolean answer = random.nextBoolean();
            Operation operation = switch (random.nextInt(6)) {
                case 0, 1 -> write(i, K, value, from, to);
                case 2, 3 -> read(i, K, other, from, to);
                case 4 -> cas(i, K, other, value, answer, from, to);
                default -> delete(i, K, random.nextInt(3) == 0 ? null : answer, from, to);
            };
            int outcome = random.nextInt(10);
            history.add(outcome < 2 ? operation.unknown() : outcome == 2 ? operation.notApplied() : operation);
        }
        return history;
    }

    // ---- bounds

    @Test
    void decidesLongHistoriesWithManyUnknownWrites() {
        // A register that really is one, with ten clients; every tenth write is unknown to its client.
        SplittableRandom random = new SplittableRandom(42);
        List<Operation> history = new ArrayList<>();
        String content = null;
        long[] busyUntil = new long[10];
        for (int i = 0; i < 8_000; i++) {
            int client = i % 10;
            long effect = (i + 1) * 100L;
            long from = Math.max(busyUntil[client] + 1, effect - random.nextInt(900));
            long to = effect + random.nextInt(90);
            busyUntil[client] = to;
            if (random.nextBoolean()) {
                history.add(read(client, K, content, from, to));
            } else {
                boolean unknown = random.nextInt(10) == 0;
                boolean applied = !unknown || random.nextBoolean();
                Operation write = write(client, K, "v" + i, from, to);
                history.add(unknown ? write.unknown() : write);
                if (applied) {
                    content = "v" + i;
                }
            }
        }
        long start = System.nanoTime();
        assertThat(new LinearizabilityChecker().check(history)).matches(Verdict::isLinearizable);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(30));

        history.add(read(99, K, "v1", 2_000_000, 2_000_001));
        assertThat(new LinearizabilityChecker().check(history).answer()).isNotEqualTo(Answer.LINEARIZABLE);
    }

    @Test
    void saysSoWhenItCannotDecide() {
        List<Operation> history = new ArrayList<>();
        for (int i = 0; i < 26; i++) {
            history.add(write(i, K, "v" + i, 0, 1000 + i));
        }
        Verdict verdict = new LinearizabilityChecker(1_000, Duration.ofSeconds(10), null).check(history);
        assertThat(verdict.answer()).isEqualTo(Answer.UNDECIDED);
        assertThat(verdict.explanation()).contains("26 operations").contains("1000 steps");
    }
}
