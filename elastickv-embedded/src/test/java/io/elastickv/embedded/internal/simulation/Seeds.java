package io.elastickv.embedded.internal.simulation;

import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Runs seeds, and says of one that fails how to run it again, with as few of its faults as will do. */
final class Seeds {

    private static final long SHRINK_NANOS = 20_000_000_000L;

    private Seeds() {}

    /** Runs seeds {@code first} to {@code first + count - 1} on {@code threads} threads. */
    static Figures run(long first, long count, int threads) throws InterruptedException {
        Figures figures = new Figures();
        AtomicLong next = new AtomicLong(first);
        AtomicReference<@Nullable AssertionError> failed = new AtomicReference<>();
        Runnable work = () -> {
            long seed;
            while (failed.get() == null && (seed = next.getAndIncrement()) < first + count) {
                AssertionError failure = run(seed, null, figures);
                if (failure != null) {
                    failed.compareAndSet(null, failure);
                }
            }
        };
        if (threads == 1) {
            work.run();
        } else {
            Thread[] workers = new Thread[threads];
            for (int i = 0; i < threads; i++) {
                workers[i] = new Thread(work, "simulation-" + i);
                workers[i].start();
            }
            for (Thread worker : workers) {
                worker.join();
            }
        }
        AssertionError failure = failed.get();
        if (failure != null) {
            throw failure;
        }
        return figures;
    }

    /** Runs one seed; what is wrong with it, or null. */
    static @Nullable AssertionError run(long seed, @Nullable Set<Integer> faults, Figures figures) {
        Simulation simulation = new Simulation(new Scenario(seed), Mutation.NONE, faults);
        try {
            simulation.run();
            figures.add(simulation);
            return null;
        } catch (RuntimeException | Error e) {
            return explain(simulation, faults, e);
        }
    }

    private static AssertionError explain(Simulation simulation, @Nullable Set<Integer> faults, Throwable cause) {
        Set<Integer> needed = faults != null ? faults : shrink(simulation.scenario, promise(cause));
        StringBuilder text = new StringBuilder("seed ").append(simulation.scenario.seed);
        text.append(" (").append(simulation.scenario).append("): ").append(cause.getMessage());
        text.append("\nThese of its faults suffice:");
        for (Fault fault : simulation.scenario.faults) {
            if (needed.contains(fault.number())) {
                text.append("\n  ").append(fault);
            }
        }
        text.append("\nReplay it with\n  mvn -q test -pl elastickv-embedded -am -Dsurefire.failIfNoSpecifiedTests=false"
                        + " -Dtest=WholeStackSimulationTest -Dsim.seed=")
                .append(simulation.scenario.seed)
                .append(" -Dsim.faults=")
                .append(needed.stream().map(String::valueOf).collect(Collectors.joining(",")));
        return new AssertionError(text.toString(), cause);
    }

    private static String promise(Throwable e) {
        String message = String.valueOf(e.getMessage());
        int colon = message.indexOf(':');
        return e.getClass().getName() + (colon < 0 ? "" : message.substring(0, colon));
    }

    /** Leaves out faults, in ever smaller portions, as long as the same promise is broken without them. */
    private static Set<Integer> shrink(Scenario scenario, String promise) {
        long deadlineNanos = System.nanoTime() + SHRINK_NANOS;
        Set<Integer> needed = new TreeSet<>();
        scenario.faults.forEach(fault -> needed.add(fault.number()));
        int portion = Math.max(1, needed.size() / 2);
        while (System.nanoTime() - deadlineNanos < 0) {
            boolean fewer = false;
            Integer[] candidates = needed.toArray(new Integer[0]);
            for (int from = 0; from < candidates.length && System.nanoTime() - deadlineNanos < 0; from += portion) {
                Set<Integer> without = new TreeSet<>(needed);
                for (int i = from; i < Math.min(from + portion, candidates.length); i++) {
                    without.remove(candidates[i]);
                }
                if (without.size() < needed.size() && fails(scenario.seed, without, promise)) {
                    needed.retainAll(without);
                    fewer = true;
                }
            }
            if (!fewer && portion == 1) {
                break;
            }
            portion = Math.max(1, portion / 2);
        }
        return needed;
    }

    private static boolean fails(long seed, Set<Integer> faults, String promise) {
        try {
            new Simulation(new Scenario(seed), Mutation.NONE, faults).run();
            return false;
        } catch (RuntimeException | Error e) {
            return promise(e).equals(promise);
        }
    }
}
