package io.elastickv.embedded.internal.routing;

import io.elastickv.api.ElastickvException;
import io.elastickv.api.OutcomeUnknownException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Brings the parts of an operation on several shards together; completes when all parts have. Thread-safe: parts may
 * complete on different loops; what they collect is seen by whoever builds the result.
 */
final class Gather<T> {

    private final Completion<T> completion;
    private final Supplier<T> result;
    private final boolean changes;
    private int missing;
    private int succeeded;
    private @Nullable ElastickvException failure;

    /**
     * Waits for {@code parts} parts.
     *
     * @param changes whether the parts change data, so that a failure of one beside the success of another leaves a part
     *     of the effect behind
     */
    Gather(int parts, boolean changes, Completion<T> completion, Supplier<T> result) {
        this.missing = parts;
        this.changes = changes;
        this.completion = completion;
        this.result = result;
    }

    /** The completion of one part; {@code collect} is called under a lock, one part at a time. */
    <P> Completion<P> part(Consumer<P> collect) {
        return new Completion<>() {
            @Override
            public void success(P value) {
                finish(() -> {
                    collect.accept(value);
                    succeeded++;
                });
            }

            @Override
            public void failure(ElastickvException partFailure) {
                finish(() -> {
                    if (failure == null || partFailure instanceof OutcomeUnknownException) {
                        failure = partFailure;
                    }
                });
            }
        };
    }

    private void finish(Runnable note) {
        synchronized (this) {
            note.run();
            if (--missing > 0) {
                return;
            }
        }
        ElastickvException failed = failure;
        if (failed == null) {
            completion.success(result.get());
        } else if (changes && succeeded > 0 && !(failed instanceof OutcomeUnknownException)) {
            completion.failure(new OutcomeUnknownException(
                    succeeded + " parts of the operation took effect and another did not: " + failed.getMessage(),
                    failed));
        } else {
            completion.failure(failed);
        }
    }
}
