package io.elastickv.redis.internal.command;

import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** Futures whose end is handled by a callback that does not fail. */
final class Futures {

    private Futures() {}

    /** Calls {@code callback} with the value, or with the failure, when the future has ended. */
    @SuppressWarnings("FutureReturnValueIgnored") // The callback takes the failure, and has none of its own.
    static <T> void whenDone(CompletableFuture<T> future, BiConsumer<T, @Nullable Throwable> callback) {
        future.whenComplete(callback);
    }
}
