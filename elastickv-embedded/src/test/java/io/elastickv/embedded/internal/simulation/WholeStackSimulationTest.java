package io.elastickv.embedded.internal.simulation;

import org.junit.jupiter.api.Test;

@Quiet
class WholeStackSimulationTest {
    @Test
    void run() {
        long first = Long.getLong("sim.seed", Long.getLong("sim.first", 1));
        long n = Long.getLong("sim.seed") != null ? 1 : Long.getLong("sim.seeds", 300);
        long t0 = System.nanoTime();
        double simSeconds = 0;
        long ok = 0, unknown = 0, not = 0, reads = 0, events = 0, elections = 0, undecided=0, failures=0, refusals=0, flips=0, crashes=0, lost=0, bad=0;
        for (long seed = first; seed < first + n; seed++) {
            Simulation s = new Simulation(seed);
            try {
                s.run();
            } catch (RuntimeException | Error e) {
                bad++;
                System.out.println("seed " + seed + ": " + s.scenario + ": " + e + " at " + s.time.now() / 1000000 + " ms");
                if (n == 1) { e.printStackTrace(System.out); s.scenario.faults.forEach(System.out::println); }
                if (bad > 20) break;
            }
            simSeconds += s.simulatedSeconds(); ok += s.writesOk; unknown += s.writesUnknown; not += s.writesNotApplied; reads += s.readsSeen; events += s.time.eventsRun(); elections += s.oracle.elections;
            undecided += s.histories.undecided; failures += s.failures; refusals += s.refusals; flips += s.flips; crashes += s.crashesWhileWriting; lost += s.sessionsLost;
            if (n == 1) System.out.println(s.scenario + " digest " + s.digest());
        }
        double wall = (System.nanoTime() - t0) / 1e9;
        System.out.printf("%d seeds in %.1f s (%.1f/s), %.0f sim s, %.0f x; ok %d unknown %d not %d reads %d events %d elections %d undecided %d failures %d refusals %d flips %d crashes %d sessions lost %d%n",
            n, wall, n / wall, simSeconds, simSeconds / wall, ok, unknown, not, reads, events, elections, undecided, failures, refusals, flips, crashes, lost);
    }
}
