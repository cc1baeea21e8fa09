package io.elastickv.embedded.internal.node;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/** Hands tasks on to another executor, and knows when none is left. Thread-safe. */
final class TrackedExecutor implements Executor {

    private final Executor target;

    // Guarded by this.
    private int tasks;
    private boolean closed;

    TrackedExecutor(Executor target) {
        this.target = target;
    }

    /**
     * Runs {@code task} on a thread of the other.
     *
     * @throws RejectedExecutionException if this or the other is closed
     */
    @Override
    public void execute(Runnable task) {
        begin();
        boolean handedOn = false;
        try {
            target.execute(() -> {
                try {
                    task.run();
                } finally {
                    end();
                }
            });
            handedOn = true;
        } finally {
            if (!handedOn) {
                end();
            }
        }
    }

    /**
     * Something begins that ends with {@link #end}, on whichever thread.
     *
     * @throws RejectedExecutionException if this is closed
     */
    synchronized void begin() {
        if (closed) {
            throw new RejectedExecutionException("it is closed");
        }
        tasks++;
    }

    synchronized void end() {
        tasks--;
        notifyAll();
    }

    /** Takes nothing more and waits for what was taken; whether that has ended within so many nanoseconds. */
    synchronized boolean close(long nanos) {
        closed = true;
        long deadline = System.nanoTime() + nanos;
        boolean interrupted = false;
        while (tasks > 0) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                break;
            }
            try {
                wait(left);
            } catch (InterruptedException e) {
                interrupted = true;
                break;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return tasks == 0;
    }
}
