package io.elastickv.redis.internal.command;

import io.elastickv.api.Bytes;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Read, compute, write if nothing changed in between; again if something did, until the deadline. Calls of this adapter
 * for one key take turns, so that they only ever conflict with those of other nodes. Thread-safe.
 */
final class Retry {

    private final Server server;
    private final ConcurrentMap<Bytes, CompletableFuture<@Nullable Void>> turns = new ConcurrentHashMap<>();

    Retry(Server server) {
        this.server = server;
    }

    /**
     * Runs {@code attempt} until it gives a result.
     *
     * @param key the key that is changed
     * @param attempt gives an empty result if the key was changed between its read and its write; it then had no effect
     */
    <T> CompletableFuture<T> untilDone(Bytes key, Supplier<CompletableFuture<Optional<T>>> attempt) {
        long deadlineNanos = System.nanoTime() + server.timeout().toNanos();
        CompletableFuture<@Nullable Void> turn = new CompletableFuture<>();
        CompletableFuture<@Nullable Void> before = turns.put(key, turn);
        CompletableFuture<T> result = before == null
                ? attempt(attempt, deadlineNanos)
                : before.thenCompose(ignored -> attempt(attempt, deadlineNanos));
        Futures.whenDone(result, (value, failure) -> {
            turns.remove(key, turn);
            turn.complete(null);
        });
        return result;
    }

    private static <T> CompletableFuture<T> attempt(
            Supplier<CompletableFuture<Optional<T>>> attempt, long deadlineNanos) {
        if (System.nanoTime() - deadlineNanos >= 0) {
            return CompletableFuture.failedFuture(
                    new CommandException("TRYAGAIN The key is being changed by too many clients at once: not applied"));
        }
        return attempt.get()
                .thenCompose(result -> result.isPresent()
                        ? CompletableFuture.completedFuture(result.get())
                        : attempt(attempt, deadlineNanos));
    }
}
