package io.elastickv.embedded.internal.transport;

import java.util.Arrays;

/**
 * Which senders a thread has work for but has not woken yet: so that what it adds in one go costs one wake-up per peer. All
 * state is the calling thread's own.
 */
final class SendScopes {
    private final ThreadLocal<Scope> scopes = ThreadLocal.withInitial(Scope::new);

    private static final class Scope {
        boolean batching;
        Link[] dirty = new Link[8];
        int count;

        void add(Link link) {
            for (int i = count - 1; i >= 0; i--) {
                if (dirty[i] == link) {
                    return;
                }
            }
            if (count == dirty.length) {
                dirty = Arrays.copyOf(dirty, 2 * count);
            }
            dirty[count++] = link;
        }

        void flush() {
            for (int i = 0; i < count; i++) {
                dirty[i].signal();
            }
            count = 0;
        }
    }

    /** The link's sender is woken by this thread's next {@link #flush}. */
    void later(Link link) {
        scopes.get().add(link);
    }

    /** The link's sender is woken now, or by this thread's next {@link #flush} if it batches. */
    void send(Link link) {
        Scope scope = scopes.get();
        if (scope.batching) {
            scope.add(link);
        } else {
            link.signal();
        }
    }

    void flush() {
        scopes.get().flush();
    }

    /** From now on {@link #send} waits for {@link #flush} on this thread. */
    void batch() {
        scopes.get().batching = true;
    }

    /** Runs the body batching, and flushes. */
    void batched(Runnable body) {
        Scope scope = scopes.get();
        boolean before = scope.batching;
        scope.batching = true;
        try {
            body.run();
        } finally {
            scope.batching = before;
            scope.flush();
        }
    }
}
