package io.elastickv.embedded.internal.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.elastickv.api.Bytes;
import io.elastickv.api.KeyValueStore;
import io.elastickv.api.OutcomeUnknownException;
import io.elastickv.api.UnavailableException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Operations that wait: for the cluster to form, or for an answer that does not come. */
@Timeout(60)
class WaitingTest {

    private static final Bytes KEY = Bytes.utf8("key");

    @TempDir
    Path directory;

    private StoreFixture node;
    private KeyValueStore store;

    @BeforeEach
    void start() {
        node = new StoreFixture(directory);
        store = node.store.blocking();
    }

    @AfterEach
    void stop() {
        node.close();
    }

    @Test
    void operationsWaitForTheClusterToForm() throws Exception {
        CompletableFuture<Long> early = store.async().put(KEY, KEY);
        assertThat(early).isNotDone();
        node.open();
        assertThat(early.get(20, TimeUnit.SECONDS)).isPositive();
        assertThat(store.get(KEY)).isPresent();
    }

    @Test
    void theyWaitNoLongerThanTheirTime() {
        CompletableFuture<Long> patient = store.async().put(KEY, KEY);
        CompletableFuture<Long> hasty =
                store.withTimeout(Duration.ofMillis(5)).async().put(KEY, KEY);
        node.router.expireWaiting(System.nanoTime() + 1_000_000_000L);
        assertThatThrownBy(() -> hasty.get(10, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(UnavailableException.class)
                .hasMessageContaining("the cluster has not formed yet");
        assertThat(patient).isNotDone();
    }

    @Test
    void theEndOfTheNodeEndsTheirWaiting() {
        CompletableFuture<Long> waiting = store.async().put(KEY, KEY);
        node.router.shutDown("the node is closed");
        assertThatThrownBy(() -> waiting.get(10, TimeUnit.SECONDS)).hasMessageContaining("the node is closed");
        node.open();
        assertThatThrownBy(() -> store.get(KEY)).isInstanceOf(UnavailableException.class);
    }

    @Test
    void anInterruptedWriteIsUnknownAndTheFlagStays() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> store.put(KEY, KEY)).isInstanceOf(OutcomeUnknownException.class);
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void anInterruptedReadIsUnavailableAndTheFlagStays() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> store.get(KEY)).isInstanceOf(UnavailableException.class);
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void anInterruptReachesAThreadThatWaitsAlready() throws Exception {
        CompletableFuture<Throwable> thrown = new CompletableFuture<>();
        Thread caller = new Thread(() -> {
            try {
                store.increment(KEY, 1);
            } catch (OutcomeUnknownException e) {
                thrown.complete(Thread.currentThread().isInterrupted() ? e : new AssertionError("the flag is gone"));
            }
        });
        caller.start();
        org.awaitility.Awaitility.await().until(() -> caller.getState() == Thread.State.WAITING);
        caller.interrupt();
        assertThat(thrown.get(10, TimeUnit.SECONDS)).isInstanceOf(OutcomeUnknownException.class);
    }

    @Test
    void anExceptionHasTheStackOfTheCaller() {
        node.open();
        node.router.shutDown("the node is closed");
        assertThatThrownBy(() -> store.get(KEY))
                .satisfies(e -> assertThat(e.getStackTrace())
                        .anyMatch(frame -> frame.getClassName().equals(WaitingTest.class.getName())));
    }

    @Test
    void aTimeoutIsPositive() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> store.withTimeout(Duration.ZERO))
                .withMessage("timeout = PT0S: must be positive");
        assertThatIllegalArgumentException().isThrownBy(() -> store.async().withTimeout(Duration.ofMillis(-1)));
        node.open();
        KeyValueStore forEver = store.withTimeout(Duration.ofSeconds(Long.MAX_VALUE));
        assertThat(forEver.put(KEY, KEY)).isPositive();
    }
}
