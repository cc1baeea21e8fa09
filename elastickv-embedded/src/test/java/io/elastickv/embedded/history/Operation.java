package io.elastickv.embedded.history;

import org.jspecify.annotations.Nullable;

/**
 * One operation of one client on one register. A register holds a text, or null: the key does not exist.
 *
 * @param process who did it; one process does one thing at a time
 * @param kind what was done
 * @param key the register
 * @param expected of a compare-and-set: what the register had to hold
 * @param value of a read: what was seen; of a write or compare-and-set: what was written
 * @param answer of a compare-and-set that returned: whether it wrote; of a delete that returned: whether the key existed, or
 *     null if the client was not told
 * @param outcome how it ended
 * @param invokedNanos when the client began it
 * @param returnedNanos when the client learned the outcome or gave up; {@link Long#MIN_VALUE} if it never did
 */
public record Operation(
        int process,
        Kind kind,
        String key,
        @Nullable String expected,
        @Nullable String value,
        @Nullable Boolean answer,
        Outcome outcome,
        long invokedNanos,
        long returnedNanos) {

    /** What an operation does. */
    public enum Kind {
        READ,
        WRITE,
        CAS,
        DELETE
    }

    /** How an operation ended. */
    public enum Outcome {
        /** It returned its result. */
        OK,
        /** It had no effect, and never will. Jepsen's {@code :fail}. */
        NOT_APPLIED,
        /** It may take effect at any time after its invocation, once, or never. Jepsen's {@code :info}. */
        UNKNOWN
    }

    /** A read that returned {@code seen}. */
    public static Operation read(int process, String key, @Nullable String seen, long from, long to) {
        return new Operation(process, Kind.READ, key, null, seen, null, Outcome.OK, from, to);
    }

    /** A write that returned. */
    public static Operation write(int process, String key, String value, long from, long to) {
        return new Operation(process, Kind.WRITE, key, null, value, null, Outcome.OK, from, to);
    }

    /** A compare-and-set that returned whether it wrote. */
    public static Operation cas(
            int process, String key, @Nullable String expected, String value, boolean wrote, long from, long to) {
        return new Operation(process, Kind.CAS, key, expected, value, wrote, Outcome.OK, from, to);
    }

    /** A delete that returned whether the key existed, or null if that was not told. */
    public static Operation delete(int process, String key, @Nullable Boolean existed, long from, long to) {
        return new Operation(process, Kind.DELETE, key, null, null, existed, Outcome.OK, from, to);
    }

    /** The same, but with an outcome that its client never learned. */
    public Operation unknown() {
        return with(Outcome.UNKNOWN);
    }

    /** The same, but refused. */
    public Operation notApplied() {
        return with(Outcome.NOT_APPLIED);
    }

    private Operation with(Outcome changed) {
        Boolean told = changed == Outcome.OK ? answer : null;
        return new Operation(process, kind, key, expected, value, told, changed, invokedNanos, returnedNanos);
    }

    boolean isOk() {
        return outcome == Outcome.OK;
    }

    boolean isUnknown() {
        return outcome == Outcome.UNKNOWN;
    }

    /** In one line, times in microseconds since {@code originNanos}. */
    public String describe(long originNanos) {
        String what = switch (kind) {
            case READ -> "read -> " + (value == null ? "absent" : value);
            case WRITE -> "write " + value;
            case CAS ->
                "cas " + (expected == null ? "absent" : expected) + " -> " + value
                        + (answer == null ? "" : answer ? ": done" : ": refused");
            case DELETE -> "delete" + (answer == null ? "" : answer ? ": existed" : ": did not exist");
        };
        String end = isUnknown() ? "      ?" : String.format("%7d", (returnedNanos - originNanos) / 1000);
        return String.format("[%7d .. %s] process %-4d %s", (invokedNanos - originNanos) / 1000, end, process, what)
                + (isUnknown() ? " (outcome unknown)" : "");
    }
}
