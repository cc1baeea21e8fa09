package io.elastickv.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ClosedLoopTest {

    private final Queue<CompletableFuture<String>> pending = new ConcurrentLinkedQueue<>();

    private CompletableFuture<?> start() {
        CompletableFuture<String> future = new CompletableFuture<>();
        pending.add(future);
        return future;
    }

    @Test
    void keepsTheNumberOutstanding() throws Exception {
        ClosedLoop loop = new ClosedLoop(index -> start(), 3, Long.MAX_VALUE);
        assertThat(pending).hasSize(3);
        for (int i = 0; i < 10; i++) {
            pending.remove().complete("done");
            assertThat(pending).hasSize(3);
        }
        assertThat(loop.succeeded()).isEqualTo(10);
        loop.stop();
        assertThat(loop.awaitEnd(1, TimeUnit.MILLISECONDS)).isFalse();
        pending.forEach(future -> future.complete("done"));
        assertThat(loop.awaitEnd(1, TimeUnit.MILLISECONDS)).isTrue();
        assertThat(pending).hasSize(3);
    }

    @Test
    void endsAfterTheNumberOfOperationsAlsoIfTheyCompleteAtOnce() throws Exception {
        ClosedLoop loop = new ClosedLoop(index -> CompletableFuture.completedFuture(index), 4, 1_000_000);
        assertThat(loop.awaitEnd(1, TimeUnit.MILLISECONDS)).isTrue();
        assertThat(loop.succeeded()).isEqualTo(1_000_000);
    }

    @Test
    void countsFailuresByKindAndGoesOn() {
        ClosedLoop loop = new ClosedLoop(
                index -> {
                    if (index == 0) {
                        throw new IllegalArgumentException("on purpose, thrown");
                    }
                    return index < 3
                            ? CompletableFuture.failedFuture(new IllegalStateException("on purpose, failed"))
                            : CompletableFuture.completedFuture(index);
                },
                1,
                10);
        assertThat(loop.failed()).isEqualTo(3);
        assertThat(loop.succeeded()).isEqualTo(7);
        assertThat(loop.failures())
                .containsEntry("IllegalStateException", 2L)
                .containsEntry("IllegalArgumentException", 1L);
    }

    @Test
    void measuresOnlyWhenTold() {
        ClosedLoop loop = new ClosedLoop(index -> start(), 1, Long.MAX_VALUE);
        pending.remove().complete("warm-up");
        loop.measure();
        pending.remove().complete("measured");
        pending.remove().completeExceptionally(new IllegalStateException("on purpose"));
        loop.stop();
        pending.remove().complete("too late");
        assertThat(loop.takeLatencyMicros().getTotalCount()).isEqualTo(1);
    }
}
