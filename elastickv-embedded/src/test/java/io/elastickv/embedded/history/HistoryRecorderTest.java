package io.elastickv.embedded.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.embedded.history.Operation.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

final class HistoryRecorderTest {

    @Test
    void recordsConcurrentClientsOfARealRegister() throws Exception {
        assertThat(new LinearizabilityChecker().check(run(false))).matches(Verdict::isLinearizable);
    }

    @Test
    void catchesARegisterWithACache() throws Exception {
        Verdict verdict = new LinearizabilityChecker().check(run(true));
        assertThat(verdict.answer()).isEqualTo(Verdict.Answer.NOT_LINEARIZABLE);
    }

    /** Four threads on one atomic reference; with {@code stale}, each reads what it read or wrote itself some time ago. */
    private static List<Operation> run(boolean stale) throws InterruptedException {
        AtomicReference<String> register = new AtomicReference<>();
        HistoryRecorder recorder = new HistoryRecorder();
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            int number = t;
            Thread thread = new Thread(() -> {
                HistoryRecorder.Client client = recorder.client();
                String cached = null;
                for (int i = 0; i < 2_000; i++) {
                    String value = number + "-" + i;
                    switch (ThreadLocalRandom.current().nextInt(4)) {
                        case 0 -> {
                            HistoryRecorder.Call call = client.write("k", value);
                            register.set(value);
                            call.done();
                        }
                        case 1 -> {
                            String expected = register.get();
                            HistoryRecorder.Call call = client.cas("k", expected, value);
                            call.done(Objects.equals(register.compareAndExchange(expected, value), expected));
                        }
                        default -> {
                            HistoryRecorder.Call call = client.read("k");
                            if (!stale || i % 50 == 0) {
                                cached = register.get();
                            }
                            call.saw(cached);
                        }
                    }
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        return recorder.history();
    }

    @Test
    void aClientGoesOnUnderAnotherNumberAfterAnUnknownOutcome() {
        HistoryRecorder recorder = new HistoryRecorder();
        HistoryRecorder.Client client = recorder.client();
        client.write("k", "a").unknown();
        client.read("k").saw("a");
        client.write("k", "b");
        List<Operation> history = recorder.history();
        assertThat(history.get(0).outcome()).isEqualTo(Outcome.UNKNOWN);
        assertThat(history.get(1).process()).isNotEqualTo(history.get(0).process());
        assertThat(history.get(2).outcome()).as("still under way").isEqualTo(Outcome.UNKNOWN);
    }

    @Test
    void anOperationEndsOnce() {
        HistoryRecorder.Call call = new HistoryRecorder().client().write("k", "a");
        call.done();
        assertThatThrownBy(call::unknown).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void writesJepsensForm() {
        StringBuilder out = new StringBuilder();
        EdnWriter.write(
                List.of(
                        Operation.write(0, "k", "a\"b", 100, 130),
                        Operation.read(1, "k", null, 110, 120),
                        Operation.cas(2, "k", null, "c", false, 140, 150),
                        Operation.delete(0, "k", true, 160, 170).unknown(),
                        Operation.write(3, "k", "d", 180, 190).notApplied()),
                out);
        assertThat(out.toString()).isEqualTo("""
                        {:process 0, :type :invoke, :f :write, :key "k", :value "a\\"b", :time 0}
                        {:process 1, :type :invoke, :f :read, :key "k", :value nil, :time 10}
                        {:process 1, :type :ok, :f :read, :key "k", :value nil, :time 20}
                        {:process 0, :type :ok, :f :write, :key "k", :value "a\\"b", :time 30}
                        {:process 2, :type :invoke, :f :cas, :key "k", :value [nil "c"], :time 40}
                        {:process 2, :type :fail, :f :cas, :key "k", :value [nil "c"], :time 50, :error :mismatch}
                        {:process 0, :type :invoke, :f :delete, :key "k", :value nil, :time 60}
                        {:process 0, :type :info, :f :delete, :key "k", :value nil, :time 70}
                        {:process 3, :type :invoke, :f :write, :key "k", :value "d", :time 80}
                        {:process 3, :type :fail, :f :write, :key "k", :value "d", :time 90}
                        """);
    }
}
