package io.elastickv.embedded.internal.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Many seeds of {@link Simulation}. {@code -Dsim.seed=N} runs one alone, with {@code -Dsim.faults=1,2} only these of its
 * faults, with {@code -Dsim.log=true} its log; {@code -Dsim.stack.seeds=N} runs more, {@code -Dsim.first=N} others.
 */
@Tag("simulation")
@Tag("slow")
@Quiet
class WholeStackSimulationTest {

    private static final long FIRST = Long.getLong("sim.first", 1);

    @Test
    void theStackKeepsItsPromisesUnderFaults() throws InterruptedException {
        Long only = Long.getLong("sim.seed");
        if (only != null) {
            replay(only);
            return;
        }
        check("whole stack", Seeds.run(FIRST, Long.getLong("sim.stack.seeds", 1_000), 1));
    }

    /** Other seeds each time it is given another {@code -Dsim.first}; by default those that the usual run leaves out. */
    @Test
    @Tag("soak")
    void theStackKeepsItsPromisesForLong() throws InterruptedException {
        int threads = Integer.getInteger("sim.threads", Runtime.getRuntime().availableProcessors());
        long first = Long.getLong("sim.first", 1_000_000);
        check("whole stack, soak", Seeds.run(first, Long.getLong("sim.stack.soak", 80_000), threads));
    }

    @Test
    void theSameSeedTellsTheSameStory() {
        long[] digests = new long[20];
        for (int seed = 0; seed < digests.length; seed++) {
            digests[seed] = digest(seed);
            assertThat(digest(seed)).as("seed %d", seed).isEqualTo(digests[seed]);
        }
        assertThat(Arrays.stream(digests).distinct().count()).isEqualTo(digests.length);
    }

    private static long digest(long seed) {
        Simulation simulation = new Simulation(seed);
        simulation.run();
        return simulation.digest();
    }

    private static void replay(long seed) {
        AssertionError failure = Seeds.run(seed, chosenFaults(), new Figures());
        if (failure != null) {
            throw failure;
        }
        System.out.println("seed " + seed + " keeps all promises: " + new Scenario(seed));
    }

    private static @Nullable Set<Integer> chosenFaults() {
        String chosen = System.getProperty("sim.faults");
        return chosen == null
                ? null
                : Arrays.stream(chosen.split(","))
                        .filter(number -> !number.isEmpty())
                        .map(Integer::valueOf)
                        .collect(Collectors.toSet());
    }

    private static void check(String what, Figures figures) {
        System.out.println(what + ": " + figures);
        // The faults must leave something to check, and be felt.
        assertThat(figures.operations()).isGreaterThan(100 * figures.seeds());
        assertThat(figures.elections()).isGreaterThan(2 * figures.seeds());
        assertThat(figures.undecided()).isLessThan(2 + figures.seeds() / 100);
    }
}
