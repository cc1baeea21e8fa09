package io.elastickv.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.Bytes;
import io.elastickv.api.ElastickvException;
import io.elastickv.api.ElastickvNode;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.api.OverloadedException;
import io.elastickv.api.UnavailableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** How a node refuses work: because there is too much of it, or because it is closing. */
final class BackpressureIT {

    private static final Bytes KEY = Bytes.utf8("key");

    private static Bytes b(String text) {
        return Bytes.utf8(text);
    }

    @Test
    void moreWorkThanAdmittedIsRefusedAndTheBoundIsGivenBack() {
        try (LocalCluster small = LocalCluster.builder()
                .shards(2)
                .customize((i, builder) -> builder.maxPendingOperations(50).maxPendingBytes(1 << 20))
                .startAndAwaitReady()) {
            KeyValueStore store = small.store(0);
            store.put(KEY, b("v"));
            small.isolate(0);
            for (int round = 0; round < 3; round++) {
                List<CompletableFuture<Long>> calls = new ArrayList<>();
                for (int i = 0; i < 200; i++) {
                    calls.add(store.withTimeout(Duration.ofMillis(700)).async().put(b("k" + i), b("v")));
                }
                List<Throwable> failures = calls.stream().map(Failures::of).toList();
                assertThat(failures).doesNotContainNull();
                var kinds = failures.stream()
                        .collect(Collectors.groupingBy(f -> f instanceof OverloadedException, Collectors.counting()));
                assertThat(kinds.get(true)).isEqualTo(150);
                OverloadedException refusal = (OverloadedException) failures.get(199);
                assertThat(refusal.retryAfter()).isPositive();
            }
            Bytes large = Bytes.copyOf(new byte[600_000]);
            CompletableFuture<Long> first =
                    store.withTimeout(Duration.ofMillis(700)).async().put(b("large1"), large);
            CompletableFuture<Long> second =
                    store.withTimeout(Duration.ofMillis(700)).async().put(b("large2"), large);
            assertThat(Failures.of(second)).isInstanceOf(OverloadedException.class);
            assertThat(Failures.of(first)).isNotInstanceOf(OverloadedException.class);
            small.heal();
            small.awaitReady();
            for (int i = 0; i < 100; i++) {
                store.put(b("k" + i), b("after"));
            }
        }
    }

    @Test
    void closingANodeEndsItsPendingCallsAndIsIdempotent() {
        try (LocalCluster other = LocalCluster.builder().shards(2).startAndAwaitReady()) {
            other.isolate(0);
            List<CompletableFuture<?>> calls = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                calls.add(other.store(0)
                        .withTimeout(Duration.ofSeconds(60))
                        .async()
                        .put(b("k" + i), b("v")));
                calls.add(other.store(0)
                        .withTimeout(Duration.ofSeconds(60))
                        .async()
                        .get(b("k" + i)));
            }
            ElastickvNode node = other.node(0);
            other.stop(0);
            for (CompletableFuture<?> call : calls) {
                assertThat(Failures.of(call)).isInstanceOf(ElastickvException.class);
            }
            node.close();
            assertThatThrownBy(() -> node.store().get(KEY)).isInstanceOf(UnavailableException.class);
            assertThatThrownBy(() -> node.store().put(KEY, b("v"))).isInstanceOf(UnavailableException.class);
            assertThatThrownBy(() -> node.awaitReady(Duration.ofSeconds(1))).isInstanceOf(UnavailableException.class);
        }
    }

    @Test
    void anInterruptedThreadLearnsWhatIsKnownAndStaysInterrupted() throws InterruptedException {
        try (LocalCluster other = LocalCluster.builder().shards(1).startAndAwaitReady()) {
            other.isolate(0);
            KeyValueStore store = other.store(0).withTimeout(Duration.ofSeconds(60));
            for (boolean read : new boolean[] {true, false}) {
                AtomicReference<Throwable> thrown = new AtomicReference<>();
                AtomicBoolean interrupted = new AtomicBoolean();
                Thread caller = new Thread(() -> {
                    try {
                        if (read) {
                            store.get(KEY);
                        } else {
                            store.put(KEY, KEY);
                        }
                    } catch (RuntimeException e) {
                        thrown.set(e);
                        interrupted.set(Thread.currentThread().isInterrupted());
                    }
                });
                caller.start();
                caller.interrupt();
                caller.join(10_000);
                assertThat(thrown.get())
                        .isInstanceOf(read ? UnavailableException.class : OutcomeUnknownException.class);
                assertThat(interrupted).isTrue();
            }
        }
    }
}
