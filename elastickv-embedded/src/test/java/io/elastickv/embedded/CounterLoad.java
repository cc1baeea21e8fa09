package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.NotAppliedException;
import io.elastickv.api.OutcomeUnknownException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.awaitility.Awaitility;

/**
 * Threads that increment a few counters through all running members, each thread through one as long as it runs, and know how often that was acknowledged, refused,
 * and of unknown outcome.
 */
final class CounterLoad implements AutoCloseable {

    private final Supplier<List<ElastickvNode>> nodes;
    private final Duration timeout;
    private final int counters;
    private final AtomicLong[] acknowledged;
    private final AtomicLong[] unknown;
    private final List<Set<Long>> results = new ArrayList<>();
    private final AtomicLong refused = new AtomicLong();
    private final List<Thread> threads = new ArrayList<>();
    private final Set<String> violations = ConcurrentHashMap.newKeySet();
    private volatile boolean stop;

    CounterLoad(Supplier<List<ElastickvNode>> nodes, long seed, int threadCount, int counters, Duration timeout) {
        this.nodes = nodes;
        this.timeout = timeout;
        this.counters = counters;
        this.acknowledged = new AtomicLong[counters];
        this.unknown = new AtomicLong[counters];
        for (int i = 0; i < counters; i++) {
            acknowledged[i] = new AtomicLong();
            unknown[i] = new AtomicLong();
            results.add(ConcurrentHashMap.newKeySet());
        }
        SplittableRandom random = new SplittableRandom(seed);
        for (int t = 0; t < threadCount; t++) {
            SplittableRandom own = random.split();
            int number = t;
            Thread thread = new Thread(() -> run(number, own), "counter-load-" + t);
            threads.add(thread);
            thread.start();
        }
    }

    static Bytes key(int counter) {
        return Bytes.utf8("counter-" + counter);
    }

    private void run(int number, SplittableRandom random) {
        while (!stop) {
            List<ElastickvNode> running = nodes.get();
            if (running.isEmpty()) {
                Thread.onSpinWait();
                continue;
            }
            int counter = random.nextInt(counters);
            KeyValueStore store = running.get(number % running.size()).store().withTimeout(timeout);
            try {
                long value = store.increment(key(counter), 1);
                acknowledged[counter].incrementAndGet();
                if (!results.get(counter).add(value)) {
                    violations.add("counter " + counter + " returned " + value + " twice");
                }
            } catch (OutcomeUnknownException e) {
                unknown[counter].incrementAndGet();
            } catch (NotAppliedException e) {
                refused.incrementAndGet();
            } catch (RuntimeException | Error e) {
                violations.add("unexpected: " + e);
            }
        }
    }

    /** How many increments were acknowledged so far. */
    long acknowledged() {
        long sum = 0;
        for (AtomicLong count : acknowledged) {
            sum += count.get();
        }
        return sum;
    }

    long unknown() {
        long sum = 0;
        for (AtomicLong count : unknown) {
            sum += count.get();
        }
        return sum;
    }

    /** Waits until {@code more} increments are acknowledged from now on; how long that took. */
    Duration awaitProgress(long more) {
        long start = System.nanoTime();
        long target = acknowledged() + more;
        Awaitility.await("acknowledged increments")
                .atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(2))
                .until(() -> acknowledged() >= target || !violations.isEmpty());
        return Duration.ofNanos(System.nanoTime() - start);
    }

    /** Ends the load and checks that every counter has what was acknowledged, and no more than can have happened. */
    void stopAndVerify(String context) {
        close();
        assertThat(violations).as(context).isEmpty();
        for (int i = 0; i < counters; i++) {
            long least = acknowledged[i].get();
            long most = least + unknown[i].get();
            for (ElastickvNode node : nodes.get()) {
                long value = node.store()
                        .get(key(i))
                        .map(v -> Long.parseLong(v.value().toUtf8()))
                        .orElse(0L);
                assertThat(value)
                        .as("counter %d through %s; %s", i, node.name(), context)
                        .isBetween(least, most);
            }
        }
        System.out.printf(
                "%s: %d increments acknowledged, %d unknown, %d refused%n",
                context, acknowledged(), unknown(), refused.get());
    }

    @Override
    public void close() {
        stop = true;
        for (Thread thread : threads) {
            try {
                thread.join(30_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            if (thread.isAlive()) {
                throw new AssertionError(thread.getName() + " hangs: " + List.of(thread.getStackTrace()));
            }
        }
    }
}
