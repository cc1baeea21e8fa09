package io.elastickv.embedded;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** What futures failed with. */
final class Failures {

    private Failures() {}

    /** Waits for the future's end: what it failed with, or null if it did not. An endless future is an error. */
    static @Nullable Throwable of(Future<?> future) {
        try {
            future.get(20, TimeUnit.SECONDS);
            return null;
        } catch (ExecutionException e) {
            return e.getCause();
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("a call has not ended", e);
        }
    }
}
