package io.elastickv.embedded.internal.routing;

import io.elastickv.api.OverloadedException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Bounds what the callers of this node may have under way, by count and by bytes. Thread-safe. */
final class Admission {

    private static final Duration RETRY_AFTER = Duration.ofMillis(10);

    private final int maxOperations;
    private final long maxBytes;
    private final AtomicInteger operations = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();

    Admission(int maxOperations, long maxBytes) {
        this.maxOperations = maxOperations;
        this.maxBytes = maxBytes;
    }

    /** Admits {@code operation}, or says why not. */
    @Nullable
    OverloadedException admit(Operation operation, int operationBytes) {
        int count = operations.incrementAndGet();
        long total = bytes.addAndGet(operationBytes);
        // One operation alone is always admitted, however large.
        if (count > 1 && (count > maxOperations || total > maxBytes)) {
            operations.decrementAndGet();
            bytes.addAndGet(-operationBytes);
            return new OverloadedException(
                    "this node has " + (count - 1) + " operations of " + (total - operationBytes)
                            + " bytes under way; admitted are " + maxOperations + " of " + maxBytes + " bytes",
                    RETRY_AFTER);
        }
        operation.admittedBytes = operationBytes;
        return null;
    }

    /** Gives back what {@code operation} holds; idempotent. */
    void release(Operation operation) {
        if (operation.admittedBytes >= 0) {
            operations.decrementAndGet();
            bytes.addAndGet(-operation.admittedBytes);
            operation.admittedBytes = -1;
        }
    }

    /** How many operations are admitted now. */
    int operations() {
        return operations.get();
    }

    /** How many bytes they hold. */
    long bytes() {
        return bytes.get();
    }
}
