package io.elastickv.embedded.internal.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.InvalidRequestException;
import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.api.OverloadedException;
import io.elastickv.api.UnavailableException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RepeatedWritesTest {

    private static final long MINUTE = 60_000_000_000L;

    /** Knows only its timeout. */
    private static final AsyncKeyValueStore STORE = (AsyncKeyValueStore) Proxy.newProxyInstance(
            RepeatedWritesTest.class.getClassLoader(),
            new Class<?>[] {AsyncKeyValueStore.class},
            (self, method, args) -> {
                assertThat(method.getName()).isEqualTo("withTimeout");
                return self;
            });

    private volatile boolean nodeClosed;

    private RepeatedWrites writes(long nanos) {
        return new RepeatedWrites(STORE, System.nanoTime() + nanos, () -> nodeClosed);
    }

    private static CompletableFuture<Integer> failed(RuntimeException e) {
        return CompletableFuture.failedFuture(e);
    }

    @Test
    void aWriteIsRepeatedUntilItIsAcknowledged() {
        RepeatedWrites writes = writes(MINUTE);
        AtomicInteger attempts = new AtomicInteger();
        writes.add(5, 100, store -> switch (attempts.getAndIncrement()) {
            case 0 -> failed(new UnavailableException("no leader"));
            case 1 -> failed(new OverloadedException("full", Duration.ofMillis(1)));
            case 2 -> failed(new OutcomeUnknownException("lost"));
            default -> CompletableFuture.completedFuture(2);
        });
        writes.awaitAll();
        assertThat(attempts).hasValue(4);
        assertThat(writes.entriesDone()).isEqualTo(5);
        assertThat(writes.expired()).isEqualTo(2);
        assertThat(writes.mayHaveWritten()).isTrue();
    }

    @Test
    void writesUnderWayAreBounded() {
        RepeatedWrites writes = writes(MINUTE);
        List<CompletableFuture<Integer>> underWay = Collections.synchronizedList(new ArrayList<>());
        Thread adder = new Thread(() -> {
            for (int i = 0; i < 300; i++) {
                writes.add(1, 10, store -> pending(underWay));
            }
        });
        adder.start();
        await().until(() -> underWay.size() == 256 && adder.getState() == Thread.State.WAITING);
        underWay.get(7).complete(0);
        await().until(() -> underWay.size() == 257);
        while (adder.isAlive() || underWay.stream().anyMatch(one -> !one.isDone())) {
            List.copyOf(underWay).forEach(one -> one.complete(0));
        }
        writes.awaitAll();
        assertThat(writes.entriesDone()).isEqualTo(300);
    }

    private static CompletableFuture<Integer> pending(List<CompletableFuture<Integer>> underWay) {
        CompletableFuture<Integer> future = new CompletableFuture<>();
        underWay.add(future);
        return future;
    }

    @Test
    void bytesUnderWayAreBoundedButTheLargestFits() {
        RepeatedWrites writes = writes(MINUTE);
        List<CompletableFuture<Integer>> underWay = Collections.synchronizedList(new ArrayList<>());
        Thread adder = new Thread(() -> {
            for (int i = 0; i < 2; i++) {
                writes.add(1, (16 << 20) + (64 << 10), store -> pending(underWay));
            }
        });
        adder.start();
        await().until(() -> underWay.size() == 1 && adder.getState() == Thread.State.WAITING);
        underWay.get(0).complete(0);
        await().until(() -> underWay.size() == 2);
        underWay.get(1).complete(0);
        writes.awaitAll();
    }

    @Test
    void whatCannotSucceedIsNotRepeated() {
        RepeatedWrites writes = writes(MINUTE);
        writes.add(
                1,
                1,
                store -> failed(
                        new InvalidRequestException(InvalidRequestException.Reason.INVALID_ARGUMENT, "too long")));
        assertThatThrownBy(writes::awaitAll).hasMessage("too long");
        assertThatThrownBy(() -> writes.add(1, 1, store -> CompletableFuture.completedFuture(0)))
                .hasMessage("too long");
        writes.stop();
        assertThat(writes.mayHaveWritten()).isFalse();
    }

    @Test
    void theDeadlineAndTheEndOfTheNodeEndTheRepetition() {
        RepeatedWrites late = writes(0);
        late.add(1, 1, store -> failed(new UnavailableException("no leader")));
        assertThatThrownBy(late::awaitAll).isInstanceOf(UnavailableException.class);
        assertThat(late.mayHaveWritten()).isFalse();

        RepeatedWrites closed = writes(MINUTE);
        nodeClosed = true;
        closed.add(1, 1, store -> failed(new OutcomeUnknownException("closed")));
        assertThatThrownBy(closed::awaitAll).isInstanceOf(OutcomeUnknownException.class);
        assertThat(closed.mayHaveWritten()).isTrue();
    }

    @Test
    void stoppingWaitsForWhatIsUnderWay() {
        RepeatedWrites writes = writes(MINUTE);
        CompletableFuture<Integer> slow = new CompletableFuture<>();
        writes.add(3, 1, store -> slow);
        Thread stopper = new Thread(writes::stop);
        stopper.start();
        await().until(() -> stopper.getState() == Thread.State.WAITING);
        slow.complete(0);
        await().until(() -> !stopper.isAlive());
        assertThat(writes.entriesDone()).isEqualTo(3);
    }

    @Test
    void anInterruptedThreadIsTold() {
        RepeatedWrites writes = writes(MINUTE);
        CompletableFuture<Integer> slow = new CompletableFuture<>();
        writes.add(1, 1, store -> slow);
        Thread.currentThread().interrupt();
        assertThatThrownBy(writes::awaitAll).isInstanceOf(UnavailableException.class);
        assertThat(Thread.interrupted()).isTrue();
        slow.complete(0);
    }
}
