package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.embedded.history.EdnWriter;
import io.elastickv.embedded.history.LinearizabilityChecker;
import io.elastickv.embedded.history.Operation;
import io.elastickv.embedded.history.Verdict;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Registers that all members of a {@link ProcessCluster} read and write, each through itself, one set of registers per epoch;
 * the histories of all processes are checked together. So a member that goes on after a pause is asked at once, by threads
 * that were paused with it, what it believes.
 */
final class ProcessHistories {

    private final ProcessCluster cluster;
    private final long seed;
    private final int clients;
    private final int keys;
    private int epoch;
    private int loads;
    private long checked;
    private long ok;
    private long undecided;

    /**
     * Nothing runs yet.
     *
     * @param clients threads per member
     * @param keys how many registers
     */
    ProcessHistories(ProcessCluster cluster, long seed, int clients, int keys) {
        this.cluster = cluster;
        this.seed = seed;
        this.clients = clients;
        this.keys = keys;
    }

    /** Begins an epoch: the load of all members that run. */
    void begin() {
        epoch++;
        for (int i = 0; i < cluster.size(); i++) {
            if (cluster.isRunning(i)) {
                join(i);
            }
        }
    }

    /** Member {@code i}, just started, takes part in this epoch. */
    void join(int i) {
        loads++;
        // Not twice the same, in any process: a value must tell who wrote it.
        cluster.member(i)
                .startLoad(
                        ProcessCluster.nameOf(i) + "." + loads + ".", "e" + epoch + "-", seed + loads, clients, keys);
    }

    /** Ends the epoch, in which all members that run must be able to make progress; checks what was seen in it. */
    void endAndCheck(String context) {
        List<CompletableFuture<Void>> ends = new ArrayList<>();
        for (int i = 0; i < cluster.size(); i++) {
            if (cluster.isRunning(i)) {
                ends.add(cluster.member(i).stopLoad());
            }
        }
        ends.forEach(end -> end.orTimeout(60, TimeUnit.SECONDS).join());
        List<Operation> history = cluster.history().take();
        for (int i = 0; i < cluster.size(); i++) {
            assertThat(cluster.member(i).output()).doesNotContain("wrong: ");
        }
        long start = System.nanoTime();
        Verdict verdict = new LinearizabilityChecker().check(history);
        long succeeded = history.stream()
                .filter(operation -> operation.outcome() == Operation.Outcome.OK)
                .count();
        long unknown = history.stream()
                .filter(operation -> operation.outcome() == Operation.Outcome.UNKNOWN)
                .count();
        checked += history.size();
        ok += succeeded;
        System.out.printf(
                Locale.ROOT,
                "epoch %d: %d operations (%d ok, %d unknown), checked in %d ms: %s; %s%n",
                epoch,
                history.size(),
                succeeded,
                unknown,
                (System.nanoTime() - start) / 1_000_000,
                verdict.answer(),
                context);
        if (!verdict.isLinearizable()) {
            save(history);
        }
        if (verdict.answer() == Verdict.Answer.UNDECIDED) {
            undecided++;
        }
        assertThat(verdict.answer())
                .as("seed %d, %s\n%s", seed, context, verdict)
                .isNotEqualTo(Verdict.Answer.NOT_LINEARIZABLE);
    }

    private void save(List<Operation> history) {
        Path file = Path.of("target", "history-" + seed + "-" + epoch + ".edn");
        try {
            Files.createDirectories(file.getParent());
            try (Writer out = Files.newBufferedWriter(file)) {
                EdnWriter.write(history, out);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** How many operations succeeded in all epochs. */
    long succeeded() {
        return ok;
    }

    /** How many epochs were too tangled to be decided. */
    long undecided() {
        return undecided;
    }

    @Override
    public String toString() {
        return epoch + " epochs, " + checked + " operations, " + ok + " of them succeeded, " + undecided
                + " epochs undecided, no violation";
    }
}
