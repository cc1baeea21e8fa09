package io.elastickv.embedded.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.api.UnavailableException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.Test;

class GatherTest {

    private final Told<String> told = new Told<>();
    private final List<Integer> collected = new ArrayList<>();

    private Gather<String> gather(int parts, boolean changes) {
        return new Gather<>(parts, changes, told, () -> "all of " + collected);
    }

    @Test
    void itCompletesWhenTheLastPartHas() {
        Gather<String> gather = gather(3, true);
        gather.<Integer>part(collected::add).success(1);
        gather.<Integer>part(collected::add).success(2);
        assertThat(told.times()).isZero();
        gather.<Integer>part(collected::add).success(3);
        assertThat(told.result()).isEqualTo("all of [1, 2, 3]");
    }

    @Test
    void aFailureWaitsForTheOtherParts() {
        Gather<String> gather = gather(2, false);
        UnavailableException failure = new UnavailableException("no leader");
        gather.<Integer>part(collected::add).failure(failure);
        assertThat(told.times()).isZero();
        gather.<Integer>part(collected::add).success(1);
        assertThat(told.failure()).as("a read has no effect").isSameAs(failure);
    }

    @Test
    void aChangeOfWhichNoPartSucceededIsNotApplied() {
        Gather<String> gather = gather(2, true);
        UnavailableException failure = new UnavailableException("no leader");
        gather.<Integer>part(collected::add).failure(failure);
        gather.<Integer>part(collected::add).failure(new UnavailableException("another"));
        assertThat(told.failure()).isSameAs(failure);
    }

    @Test
    void aChangeOfWhichAPartSucceededIsUnknown() {
        Gather<String> gather = gather(2, true);
        gather.<Integer>part(collected::add).success(1);
        gather.<Integer>part(collected::add).failure(new UnavailableException("no leader"));
        assertThat(told.failure())
                .isInstanceOf(OutcomeUnknownException.class)
                .hasMessage("1 parts of the operation took effect and another did not: no leader")
                .hasCauseInstanceOf(UnavailableException.class);
    }

    @Test
    void anUnknownPartMakesTheWholeUnknownWhateverTheOrder() {
        OutcomeUnknownException unknown = new OutcomeUnknownException("lost");
        Gather<String> gather = gather(3, true);
        gather.<Integer>part(collected::add).failure(new UnavailableException("first"));
        gather.<Integer>part(collected::add).failure(unknown);
        gather.<Integer>part(collected::add).failure(new UnavailableException("last"));
        assertThat(told.failure()).isSameAs(unknown);
    }

    @Test
    void partsMayCompleteOnDifferentThreads() throws Exception {
        for (int round = 0; round < 200; round++) {
            Told<Integer> sum = new Told<>();
            int[] total = new int[1];
            int parts = 4;
            Gather<Integer> gather = new Gather<>(parts, false, sum, () -> total[0]);
            CyclicBarrier together = new CyclicBarrier(parts);
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < parts; i++) {
                Completion<Integer> part = gather.part(value -> total[0] += value);
                Thread thread = new Thread(() -> {
                    try {
                        together.await();
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                    part.success(1);
                });
                thread.start();
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(sum.result()).isEqualTo(parts);
        }
    }
}
