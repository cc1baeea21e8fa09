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
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random operations through random nodes, followers' reads among them, while faults go on: always linearizable. */
final class LinearizabilityIT {

    private static final int SHARDS = 3;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 0})
    void operationsThroughAnyNodeAreLinearizableUnderFaults(long given) {
        long seed = given == 0 ? System.nanoTime() : given;
        StorageEngine engine = (seed & 1) == 0 ? StorageEngine.OFF_HEAP : StorageEngine.HEAP;
        try (LocalCluster cluster =
                LocalCluster.builder().shards(SHARDS).storage(engine).startAndAwaitReady()) {
            Nemesis nemesis = new Nemesis(cluster, seed, SHARDS);
            RegisterLoad load = new RegisterLoad(cluster::running, seed, 8, 12, Duration.ofMillis(1_500));
            List<Operation> history;
            try (load) {
                nemesis.run(Duration.ofSeconds(6), LinearizabilityIT::hold);
                hold(500);
                history = load.stop();
            }
            long start = System.nanoTime();
            Verdict verdict = new LinearizabilityChecker().check(history);
            System.out.printf(
                    "seed %d: %d operations (%d ok, %d not applied, %d unknown), checked in %d ms: %s%n    %s%n",
                    seed,
                    history.size(),
                    count(history, Operation.Outcome.OK),
                    count(history, Operation.Outcome.NOT_APPLIED),
                    count(history, Operation.Outcome.UNKNOWN),
                    (System.nanoTime() - start) / 1_000_000,
                    verdict.answer(),
                    nemesis.log());
            if (!verdict.isLinearizable()) {
                save(history, seed);
            }
            assertThat(verdict.answer())
                    .as("seed %d, %s\n%s", seed, nemesis.log(), verdict)
                    .isEqualTo(Verdict.Answer.LINEARIZABLE);
            // A cluster that answers nothing is linearizable too.
            assertThat(count(history, Operation.Outcome.OK)).as("seed %d", seed).isGreaterThan(500);
        }
    }

    /** Time for the load to meet the fault; nothing is expected to have happened after it. */
    private static void hold(long millis) {
        LockSupport.parkNanos(millis * 1_000_000);
    }

    private static long count(List<Operation> history, Operation.Outcome outcome) {
        return history.stream()
                .filter(operation -> operation.outcome() == outcome)
                .count();
    }

    private static void save(List<Operation> history, long seed) {
        Path file = Path.of("target", "history-" + seed + ".edn");
        try (Writer out = Files.newBufferedWriter(file)) {
            EdnWriter.write(history, out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
