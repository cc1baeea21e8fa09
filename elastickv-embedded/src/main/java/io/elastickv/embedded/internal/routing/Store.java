package io.elastickv.embedded.internal.routing;

import io.elastickv.api.AsyncKeyValueStore;
import io.elastickv.api.KeyValueStore;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The store with one timeout: what its two views share. Thread-safe. */
public final class Store {

    private final Router router;
    private final CallbackBatcher callbacks;
    private final long timeoutNanos;
    private final BlockingStore blocking = new BlockingStore(this);
    private final AsyncStore async = new AsyncStore(this);

    /**
     * A store on {@code router}.
     *
     * @param callbacks completes the futures
     */
    public Store(Router router, CallbackBatcher callbacks, Duration timeout) {
        this(router, callbacks, nanos(timeout));
    }

    private Store(Router router, CallbackBatcher callbacks, long timeoutNanos) {
        this.router = router;
        this.callbacks = callbacks;
        this.timeoutNanos = timeoutNanos;
    }

    /** The blocking view. */
    public KeyValueStore blocking() {
        return blocking;
    }

    /** The asynchronous view. */
    public AsyncKeyValueStore async() {
        return async;
    }

    Store withTimeout(Duration timeout) {
        return new Store(router, callbacks, nanos(timeout));
    }

    <T extends @Nullable Object> void start(Call<T> call, Completion<T> completion) {
        call.start(router, System.nanoTime() + timeoutNanos, completion);
    }

    void callback(Runnable callback) {
        callbacks.add(callback);
    }

    private static long nanos(Duration timeout) {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout = " + timeout + ": must be positive");
        }
        // A year is as good as for ever, and cannot overflow when added to the clock.
        return timeout.compareTo(Duration.ofDays(365)) > 0
                ? Duration.ofDays(365).toNanos()
                : timeout.toNanos();
    }
}
