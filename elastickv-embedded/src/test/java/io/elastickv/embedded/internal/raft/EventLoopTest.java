package io.elastickv.embedded.internal.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

@Timeout(60)
class EventLoopTest {

    private static final Logger LOGGER = (Logger) LoggerFactory.getLogger(EventLoop.class);

    @BeforeEach
    void silence() {
        LOGGER.setLevel(Level.OFF);
    }

    @AfterEach
    void speakAgain() {
        LOGGER.setLevel(null);
    }

    private static EventLoop started() {
        return started(() -> {});
    }

    private static EventLoop started(Runnable flush) {
        EventLoop loop = new EventLoop("test-loop", null, System::currentTimeMillis, () -> {}, flush);
        loop.start();
        return loop;
    }

    @Test
    void tasksRunOnTheLoopInTheOrderOfTheirSubmission() throws Exception {
        List<Integer> order = new ArrayList<>();
        CompletableFuture<Boolean> onLoop = new CompletableFuture<>();
        try (EventLoop loop = started()) {
            for (int i = 0; i < 20_000; i++) {
                int number = i;
                loop.execute(() -> order.add(number));
            }
            loop.execute(() -> onLoop.complete(loop.inLoop()));
            assertThat(onLoop.get(10, TimeUnit.SECONDS)).isTrue();
            assertThat(loop.inLoop()).isFalse();
        }
        assertThat(order).hasSize(20_000).isSorted();
    }

    @Test
    void noWakeUpIsLost() throws Exception {
        // The clock goes back by centuries after the start: no tick is due ever, so a lost wake-up is never made good.
        AtomicInteger readings = new AtomicInteger();
        EventLoop loop = new EventLoop(
                "test-loop", null, () -> readings.getAndIncrement() < 1 ? 0 : -(1L << 60), () -> 0, () -> {}, () -> {});
        loop.start();
        List<Thread> callers = new ArrayList<>();
        AtomicInteger rounds = new AtomicInteger();
        AtomicInteger missed = new AtomicInteger();
        long end = System.nanoTime() + 2_000_000_000L;
        for (int i = 0; i < 3; i++) {
            int caller = i;
            Thread thread = new Thread(() -> {
                Semaphore answered = new Semaphore(0);
                for (int round = 0; System.nanoTime() - end < 0; round++) {
                    // Spinning for a different while each time lets the offer meet the loop at every step to its sleep.
                    long spinUntil = System.nanoTime() + (round * 37L + caller * 1013L) % 20_000;
                    while (System.nanoTime() - spinUntil < 0) {
                        Thread.onSpinWait();
                    }
                    loop.execute(answered::release);
                    if (!acquire(answered)) {
                        missed.incrementAndGet();
                        return;
                    }
                    rounds.incrementAndGet();
                }
            });
            thread.start();
            callers.add(thread);
        }
        for (Thread thread : callers) {
            thread.join();
        }
        assertThat(missed).hasValue(0);
        assertThat(rounds.get()).isGreaterThan(1000);
        loop.close();
    }

    private static boolean acquire(Semaphore semaphore) {
        try {
            return semaphore.tryAcquire(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            return false;
        }
    }

    @Test
    void everyTaskThatWasTakenRunsEvenIfTheLoopIsEnding() throws Exception {
        long end = System.nanoTime() + 3_000_000_000L;
        int rounds = 0;
        while (System.nanoTime() - end < 0) {
            EventLoop loop = started();
            AtomicInteger taken = new AtomicInteger();
            AtomicInteger ran = new AtomicInteger();
            CountDownLatch running = new CountDownLatch(2);
            List<Thread> callers = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                Thread thread = new Thread(() -> {
                    running.countDown();
                    try {
                        while (true) {
                            loop.execute(ran::incrementAndGet);
                            taken.incrementAndGet();
                        }
                    } catch (RejectedExecutionException e) {
                        // It has ended.
                    }
                });
                thread.start();
                callers.add(thread);
            }
            running.await();
            loop.close();
            for (Thread thread : callers) {
                thread.join();
            }
            assertThat(ran.get()).as("round %d", rounds).isEqualTo(taken.get());
            rounds++;
        }
        assertThat(rounds).isGreaterThan(3);
    }

    @Test
    void closingRunsWhatWaitsAndThenRefuses() {
        EventLoop loop = started();
        CountDownLatch go = new CountDownLatch(1);
        AtomicInteger ran = new AtomicInteger();
        loop.execute(() -> awaitUninterruptibly(go));
        for (int i = 0; i < 1000; i++) {
            loop.execute(ran::incrementAndGet);
        }
        loop.execute(() -> loop.execute(ran::incrementAndGet));
        go.countDown();
        long closedAt = System.nanoTime();
        loop.close();
        assertThat(System.nanoTime() - closedAt).isLessThan(4_000_000_000L);
        assertThat(ran).hasValue(1001);
        assertThatThrownBy(() -> loop.execute(() -> {}))
                .isInstanceOf(RejectedExecutionException.class)
                .hasMessageContaining("test-loop has ended");
        loop.executeUnlessEnded(ran::incrementAndGet);
        assertThat(ran).hasValue(1001);
        loop.close();
    }

    @Test
    void aLoopEndsAlthoughOthersWouldKeepItBusyForEver() throws Exception {
        EventLoop loop = started();
        CountDownLatch busy = new CountDownLatch(1);
        Thread caller = new Thread(() -> {
            try {
                while (true) {
                    loop.execute(busy::countDown);
                }
            } catch (RejectedExecutionException e) {
                // It is being closed.
            }
        });
        caller.start();
        busy.await();
        loop.close();
        caller.join();
        CompletableFuture<Void> late = new CompletableFuture<>();
        assertThatThrownBy(() -> loop.execute(() -> late.complete(null)))
                .isInstanceOf(RejectedExecutionException.class);
        assertThat(late).isNotDone();
    }

    @Test
    void aLoopThatNeverBeganRunsWhatItTookWhenItIsClosed() {
        EventLoop loop = new EventLoop("test-loop", null, () -> 0, () -> {}, () -> {});
        AtomicInteger ran = new AtomicInteger();
        loop.execute(ran::incrementAndGet);
        loop.close();
        assertThat(ran).hasValue(1);
        assertThatThrownBy(() -> loop.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
    }

    @Test
    void aLoopMayBeClosedByOneOfItsTasks() throws Exception {
        EventLoop loop = started();
        CompletableFuture<Void> after = new CompletableFuture<>();
        loop.execute(() -> {
            loop.close();
            loop.execute(() -> after.complete(null));
        });
        after.get(10, TimeUnit.SECONDS);
        loop.close();
        assertThatThrownBy(() -> loop.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
    }

    @Test
    void anInterruptDoesNotKeepALoopFromBeingClosed() {
        EventLoop loop = started();
        Thread.currentThread().interrupt();
        loop.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThatThrownBy(() -> loop.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
    }

    @Test
    void whatATaskOrATickerThrowsHurtsNobodyElse() {
        try (ManualLoop manual = new ManualLoop(null)) {
            EventLoop loop = manual.loop();
            AtomicInteger ran = new AtomicInteger();
            loop.addTicker(now -> {
                throw new IllegalStateException("ticker");
            });
            loop.addTicker(now -> ran.incrementAndGet());
            loop.execute(() -> {
                throw new AssertionError("task");
            });
            loop.execute(ran::incrementAndGet);
            manual.run();
            assertThat(ran).hasValue(2);
        }
    }

    @Test
    void whatTheFlushThrowsDoesNotEndTheLoop() throws Exception {
        AtomicInteger flushes = new AtomicInteger();
        try (EventLoop loop = started(() -> {
            flushes.incrementAndGet();
            throw new IllegalStateException("flush");
        })) {
            for (int i = 0; i < 3; i++) {
                CompletableFuture<Void> ran = new CompletableFuture<>();
                loop.execute(() -> ran.complete(null));
                ran.get(10, TimeUnit.SECONDS);
            }
        }
        assertThat(flushes.get()).isPositive();
    }

    @Test
    void whatTheStartThrowsDoesNotEndTheLoop() throws Exception {
        EventLoop loop = new EventLoop(
                "test-loop",
                null,
                () -> 0,
                () -> {
                    throw new IllegalStateException("start");
                },
                () -> {});
        loop.start();
        CompletableFuture<Void> ran = new CompletableFuture<>();
        loop.execute(() -> ran.complete(null));
        ran.get(10, TimeUnit.SECONDS);
        loop.close();
    }

    @Test
    void tickersAreToldOfTheTimeFiftyTimesASecond() {
        try (ManualLoop manual = new ManualLoop(null)) {
            List<Long> ticks = new ArrayList<>();
            EventLoop.Ticker ticker = ticks::add;
            manual.run(() -> manual.loop().addTicker(ticker));
            manual.advance(Duration.ofSeconds(1));
            assertThat(ticks).hasSizeBetween(49, 51).isSorted();
            manual.loop().removeTicker(ticker);
            manual.advance(Duration.ofSeconds(1));
            assertThat(ticks).hasSizeBetween(49, 51);
        }
    }

    @Test
    void aLoopWithNothingToDoSleeps() throws Exception {
        AtomicLong iterations = new AtomicLong();
        try (EventLoop loop = started(iterations::incrementAndGet)) {
            CompletableFuture<Long> first = new CompletableFuture<>();
            loop.execute(() -> first.complete(iterations.get()));
            long before = first.get(10, TimeUnit.SECONDS);
            CountDownLatch ticked = new CountDownLatch(10);
            loop.execute(() -> loop.addTicker(now -> ticked.countDown()));
            assertThat(ticked.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(iterations.get() - before).as("about one for each tick").isLessThan(200);
        }
    }

    @Test
    void timeStandsStillWithinAnIteration() {
        try (ManualLoop manual = new ManualLoop(null)) {
            manual.advance(Duration.ofMillis(7));
            manual.run(() -> assertThat(manual.loop().nowNanos()).isEqualTo(manual.nanos()));
            assertThat(manual.loop().wallMillis()).isEqualTo(manual.wallMillis());
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
