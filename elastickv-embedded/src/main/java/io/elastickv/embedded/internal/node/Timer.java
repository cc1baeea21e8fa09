package io.elastickv.embedded.internal.node;

/** Runs something later. Thread-safe. */
@FunctionalInterface
public interface Timer {

    /** Runs {@code task} in about so many nanoseconds, on any thread; not at all after the node's end. */
    void after(long nanos, Runnable task);
}
