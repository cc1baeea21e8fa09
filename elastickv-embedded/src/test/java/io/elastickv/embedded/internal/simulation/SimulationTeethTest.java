package io.elastickv.embedded.internal.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The simulation notices each planted bug within some seeds; by its consequences, not because something is merely stuck. */
@Tag("simulation")
@Tag("slow")
@Quiet
class SimulationTeethTest {

    private static final int SEEDS = Integer.getInteger("sim.teeth", 1_000);

    @ParameterizedTest
    @EnumSource
    void aPlantedBugIsFound(PlantedBug bug) {
        String found = null;
        int seed = 0;
        int stuck = 0;
        long began = System.nanoTime();
        while (found == null && seed < SEEDS) {
            seed++;
            try {
                new Simulation(new Scenario(seed, bug.mutation), bug.mutation, null).run();
            } catch (Violation e) {
                String message = String.valueOf(e.getMessage());
                if (message.startsWith("liveness")) {
                    stuck++;
                } else {
                    found = message;
                }
            }
        }
        System.out.printf(
                "| %s | %s | %d | %s | %.1f s, %d stuck%n",
                bug,
                "whole stack",
                seed,
                found == null ? "NOT FOUND" : found.lines().findFirst().orElseThrow(),
                (System.nanoTime() - began) / 1e9,
                stuck);
        assertThat(found).as("%s in %d seeds", bug, SEEDS).isNotNull();
    }
}
