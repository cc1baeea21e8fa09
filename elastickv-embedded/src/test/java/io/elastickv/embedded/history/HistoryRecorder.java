package io.elastickv.embedded.history;

import io.elastickv.embedded.history.Operation.Kind;
import io.elastickv.embedded.history.Operation.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Takes down what clients do. Each client is one thread, or one at a time; the recorder is thread-safe. Times are {@link
 * System#nanoTime()}: taken before an operation is handed on and after its result is there, so they never make an operation
 * shorter than it was.
 */
public final class HistoryRecorder {

    /** Told of each operation when it begins, as one of unknown outcome, and when it has ended. Thread-safe. */
    @FunctionalInterface
    public interface Journal {

        /** Operation {@code number} of this recorder has begun or ended. */
        void tell(long number, Operation operation);
    }

    private final Queue<Call> calls = new ConcurrentLinkedQueue<>();
    private final AtomicInteger nextProcess = new AtomicInteger();
    private final AtomicLong nextNumber = new AtomicLong();
    private final @Nullable Journal journal;

    /** A recorder that keeps the operations for {@link #history()}. */
    public HistoryRecorder() {
        this.journal = null;
    }

    /** A recorder that keeps nothing, but tells {@code journal}. */
    public HistoryRecorder(Journal journal) {
        this.journal = journal;
    }

    /** A client with a process number of its own. */
    public Client client() {
        return new Client();
    }

    /** All operations so far; those still under way count as unknown. */
    public List<Operation> history() {
        List<Operation> history = new ArrayList<>();
        for (Call call : calls) {
            history.add(call.operation());
        }
        return history;
    }

    /** Begins operations, one after the other. */
    public final class Client {

        private int process = nextProcess.getAndIncrement();

        private Client() {}

        /** Begins a read. */
        public Call read(String key) {
            return begin(Kind.READ, key, null, null);
        }

        /** Begins a write. */
        public Call write(String key, String value) {
            return begin(Kind.WRITE, key, null, value);
        }

        /** Begins a compare-and-set; {@code expected} is null for "does not exist". */
        public Call cas(String key, @Nullable String expected, String value) {
            return begin(Kind.CAS, key, expected, value);
        }

        /** Begins a delete. */
        public Call delete(String key) {
            return begin(Kind.DELETE, key, null, null);
        }

        private Call begin(Kind kind, String key, @Nullable String expected, @Nullable String value) {
            Call call = new Call(this, process, kind, key, expected, value);
            if (journal == null) {
                calls.add(call);
            } else {
                journal.tell(call.number, call.operation());
            }
            return call;
        }
    }

    /** An operation under way; ends once. */
    public final class Call {

        private final Client client;
        private final int process;
        private final Kind kind;
        private final String key;
        private final @Nullable String expected;
        private final @Nullable String value;
        private final long number = nextNumber.getAndIncrement();
        private final long invokedNanos = System.nanoTime();
        private volatile @Nullable Operation ended;

        private Call(
                Client client, int process, Kind kind, String key, @Nullable String expected, @Nullable String value) {
            this.client = client;
            this.process = process;
            this.kind = kind;
            this.key = key;
            this.expected = expected;
            this.value = value;
        }

        /** A read returned this. */
        public void saw(@Nullable String seen) {
            end(seen, null, Outcome.OK);
        }

        /** A write returned. */
        public void done() {
            end(value, null, Outcome.OK);
        }

        /** A compare-and-set returned whether it wrote, or a delete whether the key existed. */
        public void done(boolean answer) {
            end(value, answer, Outcome.OK);
        }

        /** It had no effect and never will. */
        public void notApplied() {
            end(value, null, Outcome.NOT_APPLIED);
        }

        /** Nobody knows. As in Jepsen, the client goes on under another process number. */
        public void unknown() {
            end(value, null, Outcome.UNKNOWN);
            client.process = nextProcess.getAndIncrement();
        }

        private void end(@Nullable String seen, @Nullable Boolean answer, Outcome outcome) {
            long now = System.nanoTime();
            if (ended != null) {
                throw new IllegalStateException("ended twice: " + ended);
            }
            Operation operation = new Operation(process, kind, key, expected, seen, answer, outcome, invokedNanos, now);
            ended = operation;
            if (journal != null) {
                journal.tell(number, operation);
            }
        }

        private Operation operation() {
            Operation operation = ended;
            return operation != null
                    ? operation
                    : new Operation(
                            process, kind, key, expected, value, null, Outcome.UNKNOWN, invokedNanos, Long.MIN_VALUE);
        }
    }
}
