package io.elastickv.embedded.internal.raft.log;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Completions of batches as futures. */
final class Completions {

    static final LogBatch.Completion IGNORE = new Future();

    private Completions() {}

    static final class Future extends CompletableFuture<Void> implements LogBatch.Completion {

        @Override
        public void durable() {
            if (!complete(null) && this != IGNORE) {
                throw new AssertionError("completed twice");
            }
        }

        @Override
        public void failed(Throwable cause) {
            if (!completeExceptionally(cause) && this != IGNORE) {
                throw new AssertionError("completed twice");
            }
        }

        /** Whether it became durable; waits for the answer. */
        boolean awaitDurable() {
            try {
                get(20, TimeUnit.SECONDS);
                return true;
            } catch (java.util.concurrent.ExecutionException e) {
                return false;
            } catch (InterruptedException | java.util.concurrent.TimeoutException e) {
                throw new AssertionError("no answer", e);
            }
        }
    }

    /** Submits a step that only concerns {@code log}. */
    static Future submit(NodeLog log, Model model, Model.Step step) {
        Future future = new Future();
        LogBatch batch = new LogBatch(future);
        step.apply(model, batch);
        log.submit(batch);
        return future;
    }
}
