package io.elastickv.embedded.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

@Timeout(60)
class CallbackBatcherTest {

    private static final Logger LOGGER = (Logger) LoggerFactory.getLogger(CallbackBatcher.class);

    @BeforeEach
    void silence() {
        LOGGER.setLevel(Level.OFF);
    }

    @AfterEach
    void speakAgain() {
        LOGGER.setLevel(null);
    }

    @Test
    void oneTaskRunsAllThatWaitsInOrder() {
        ArrayDeque<Runnable> tasks = new ArrayDeque<>();
        CallbackBatcher batcher = new CallbackBatcher(tasks::add);
        List<Integer> ran = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            int number = i;
            batcher.add(() -> ran.add(number));
        }
        assertThat(tasks).hasSize(1);
        tasks.remove().run();
        assertThat(ran).hasSize(500).isSorted();
        assertThat(tasks).isEmpty();
        batcher.add(() -> ran.add(500));
        assertThat(tasks).hasSize(1);
    }

    @Test
    void aSlowCallbackHoldsUpOnlyItsOwnBatch() throws Exception {
        ExecutorService executor = Executors.newCachedThreadPool();
        try {
            CallbackBatcher batcher = new CallbackBatcher(executor);
            CountDownLatch slow = new CountDownLatch(1);
            CountDownLatch started = new CountDownLatch(1);
            CountDownLatch later = new CountDownLatch(1);
            batcher.add(() -> {
                started.countDown();
                awaitUninterruptibly(slow);
            });
            assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();
            batcher.add(later::countDown);
            assertThat(later.await(10, TimeUnit.SECONDS)).isTrue();
            slow.countDown();
        } finally {
            executor.shutdownNow();
        }
    }

    @Test
    void aCallbackThatFailsDoesNotKeepTheOthersFromRunning() {
        ArrayDeque<Runnable> tasks = new ArrayDeque<>();
        CallbackBatcher batcher = new CallbackBatcher(tasks::add);
        AtomicInteger ran = new AtomicInteger();
        batcher.add(() -> {
            throw new AssertionError("callback");
        });
        batcher.add(ran::incrementAndGet);
        tasks.remove().run();
        assertThat(ran).hasValue(1);
    }

    @Test
    void anExecutorThatHasEndedDoesNotLoseCallbacks() {
        CallbackBatcher batcher = new CallbackBatcher(task -> {
            throw new RejectedExecutionException();
        });
        AtomicInteger ran = new AtomicInteger();
        batcher.add(ran::incrementAndGet);
        batcher.add(ran::incrementAndGet);
        assertThat(ran).hasValue(2);
    }

    @Test
    void anExecutorThatIsBrokenNeitherLosesCallbacksNorFailsWhoAdds() {
        CallbackBatcher batcher = new CallbackBatcher(task -> {
            throw new IllegalStateException("broken");
        });
        AtomicInteger ran = new AtomicInteger();
        batcher.add(ran::incrementAndGet);
        batcher.add(ran::incrementAndGet);
        assertThat(ran).hasValue(2);
    }

    @Test
    void everyCallbackRunsOnceUnderLoad() throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(4);
        CallbackBatcher batcher = new CallbackBatcher(executor);
        int each = 100_000;
        AtomicInteger ran = new AtomicInteger();
        CountDownLatch all = new CountDownLatch(3 * each);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Thread thread = new Thread(() -> {
                for (int n = 0; n < each; n++) {
                    batcher.add(() -> {
                        ran.incrementAndGet();
                        all.countDown();
                    });
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(all.await(30, TimeUnit.SECONDS)).isTrue();
        executor.shutdown();
        assertThat(executor.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
        assertThat(ran).hasValue(3 * each);
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
